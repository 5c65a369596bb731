//! The shape of an IX-F member export, read with everything in it doubted.
//!
//! Exports are made by many programs, and each has its own idea of the schema. So nothing here fails on a type
//! ([`crate::json`]), and whoever reads a member decides what that costs. Only text that is not JSON at all, or nests deeper
//! than the parser goes, is an error.
//!
//! Members are handed out one by one and nothing of them is kept. Of a list within a member no more than [`KEPT`] are
//! taken, and keys that nobody asks for take no memory, so that what is held is bounded by the longest text.

use std::fmt;

use palisade_policy::any_json::{AnyJson, any};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

pub(super) use crate::json::{KEPT, List, Object, Scalar};

/// What an export says of itself.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// The schema's version.
    pub(super) version: Scalar,
    /// `ixp_list`.
    pub(super) exchanges: List<Exchange>,
    /// Whether there is a `member_list`, and it is a list.
    pub(super) has_members: bool,
}

/// An entry of `ixp_list`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Exchange {
    pub(super) ixp_id: Scalar,
    pub(super) shortname: Scalar,
    pub(super) vlan: List<VlanName>,
}

/// A VLAN of an exchange.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct VlanName {
    pub(super) id: Scalar,
    pub(super) name: Scalar,
}

/// An entry of `member_list`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Member {
    pub(super) asnum: Scalar,
    pub(super) name: Scalar,
    pub(super) member_type: Scalar,
    /// What IXP Manager calls `member_type`.
    #[serde(rename = "type")]
    pub(super) kind: Scalar,
    pub(super) connection_list: List<Connection>,
}

/// A connection of a member.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Connection {
    pub(super) ixp_id: Scalar,
    pub(super) state: Scalar,
    pub(super) vlan_list: List<Vlan>,
}

/// A VLAN that a connection is in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Vlan {
    pub(super) vlan_id: Scalar,
    pub(super) ipv4: Object<Address>,
    pub(super) ipv6: Object<Address>,
}

/// An address of a member in a VLAN, and what belongs to it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Address {
    pub(super) address: Scalar,
    pub(super) routeserver: Scalar,
    pub(super) max_prefix: Scalar,
    pub(super) as_macro: Scalar,
    /// 0.7 to 0.9.
    pub(super) service_type: RouteServer,
    /// From 1.0 on.
    pub(super) services: RouteServer,
}

/// Whether the services of an address say that it is a route server's own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RouteServer(pub(super) bool);

/// Reads a whole document. `member` gets each element of `member_list` and its place, counted from 1.
pub(super) fn read(
    octets: &[u8],
    mut member: impl FnMut(usize, Object<Member>),
) -> Result<Head, serde_json::Error> {
    let mut head = Head::default();
    let mut json = serde_json::Deserializer::from_slice(octets);
    Document { head: &mut head, member: &mut member }.deserialize(&mut json)?;
    json.end()?;
    Ok(head)
}

struct Document<'h, F> {
    head: &'h mut Head,
    member: &'h mut F,
}

impl<'de, F: FnMut(usize, Object<Member>)> DeserializeSeed<'de> for Document<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de, F: FnMut(usize, Object<Member>)> Visitor<'de> for Document<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a list `member_list`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "version" => self.head.version = map.next_value()?,
                "ixp_list" => self.head.exchanges = map.next_value()?,
                "member_list" => self.head.has_members |= map.next_value_seed(Members(self.member))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// The list of members; whether it is one.
struct Members<'h, F>(&'h mut F);

impl<'de, F: FnMut(usize, Object<Member>)> DeserializeSeed<'de> for Members<'_, F> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(usize, Object<Member>)> Visitor<'de> for Members<'_, F> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of members")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<bool, S::Error> {
        let mut place = 0;
        while let Some(member) = seq.next_element()? {
            place += 1;
            (self.0)(place, member);
        }
        Ok(true)
    }
}

impl<'de> AnyJson<'de> for RouteServer {
    fn other(_: &'static str) -> Self {
        RouteServer(false)
    }
    fn text(text: &str) -> Self {
        RouteServer(text.eq_ignore_ascii_case("ixrouteserver"))
    }
    /// An entry of `services`, which has its `type`.
    fn object<M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        let mut is = RouteServer(false);
        while let Some(key) = map.next_key::<String>()? {
            if key == "type" {
                is.0 |= map.next_value::<RouteServer>()?.0;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(is)
    }
    fn list<S: SeqAccess<'de>>(mut seq: S) -> Result<Self, S::Error> {
        let mut is = RouteServer(false);
        while let Some(RouteServer(one)) = seq.next_element()? {
            is.0 |= one;
        }
        Ok(is)
    }
}

impl<'de> Deserialize<'de> for RouteServer {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        any(json)
    }
}
