//! The shape of an IX-F member export, read with everything in it doubted.
//!
//! Exports are made by many programs, and each has its own idea of the schema: numbers in quotes, `null` or `[]` where
//! an object should be, one object where a list should be. So nothing here fails on a type: what is not what it should
//! be says what it is instead, and whoever reads a member decides what that costs. Only text that is not JSON at all, or
//! nests deeper than the parser goes, is an error.
//!
//! Members are handed out one by one and nothing of them is kept. Of a list within a member no more than [`KEPT`] are
//! taken, and keys that nobody asks for take no memory, so that what is held is bounded by the longest text.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::config::quoted;

/// Elements that are taken of each list but that of the members. The largest networks have a few dozen connections.
pub(super) const KEPT: usize = 256;

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

/// A single value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Scalar {
    /// Not there, or null.
    #[default]
    Nothing,
    Text(String),
    Number(u64),
    Truth(bool),
    /// None of these, and what it is.
    Other(&'static str),
}

/// What should be an object.
#[derive(Debug, Default)]
pub(super) enum Object<T> {
    /// Not there, null, or the empty list that PHP makes of an empty object.
    #[default]
    Nothing,
    Is(T),
    /// Something else, and what it is.
    Other(&'static str),
}

/// What should be a list of objects.
#[derive(Debug)]
pub(super) struct List<T> {
    /// At most [`KEPT`].
    pub(super) objects: Vec<Object<T>>,
    /// Elements past those.
    pub(super) more: usize,
    /// What it is, where it is no list.
    pub(super) instead: Option<&'static str>,
}

/// Whether the services of an address say that it is a route server's own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RouteServer(pub(super) bool);

impl<T> Default for List<T> {
    fn default() -> Self {
        List { objects: Vec::new(), more: 0, instead: None }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Nothing => f.write_str("nothing"),
            Scalar::Text(text) => f.write_str(&quoted(text)),
            Scalar::Number(number) => write!(f, "{number}"),
            Scalar::Truth(truth) => write!(f, "{truth}"),
            Scalar::Other(what) => f.write_str(what),
        }
    }
}

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

/// What may turn out to be any JSON value. What is not said here is [`AnyJson::other`].
trait AnyJson<'de>: Default {
    fn other(what: &'static str) -> Self;
    fn text(_: &str) -> Self {
        Self::other("a text")
    }
    fn number(_: u64) -> Self {
        Self::other("a number")
    }
    fn truth(_: bool) -> Self {
        Self::other("a truth value")
    }
    fn object<M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::other("an object"))
    }
    fn list<S: SeqAccess<'de>>(mut seq: S) -> Result<Self, S::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::other("a list"))
    }
}

impl<'de> AnyJson<'de> for Scalar {
    fn other(what: &'static str) -> Self {
        Scalar::Other(what)
    }
    fn text(text: &str) -> Self {
        Scalar::Text(text.into())
    }
    fn number(number: u64) -> Self {
        Scalar::Number(number)
    }
    fn truth(truth: bool) -> Self {
        Scalar::Truth(truth)
    }
}

impl<'de, T: Deserialize<'de>> AnyJson<'de> for Object<T> {
    fn other(what: &'static str) -> Self {
        Object::Other(what)
    }
    fn object<M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object::Is)
    }
    fn list<S: SeqAccess<'de>>(mut seq: S) -> Result<Self, S::Error> {
        let mut elements = 0;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            elements += 1;
        }
        Ok(if elements == 0 { Object::Nothing } else { Object::Other("a list") })
    }
}

impl<'de, T: Deserialize<'de>> AnyJson<'de> for List<T> {
    fn other(what: &'static str) -> Self {
        List { instead: Some(what), ..List::default() }
    }
    /// One object is a list of one.
    fn object<M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        Ok(List { objects: vec![Object::object(map)?], ..List::default() })
    }
    fn list<S: SeqAccess<'de>>(mut seq: S) -> Result<Self, S::Error> {
        let mut list = List::default();
        while list.objects.len() < KEPT {
            let Some(object) = seq.next_element()? else { return Ok(list) };
            list.objects.push(object);
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            list.more += 1;
        }
        Ok(list)
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

struct AnyJsonVisitor<T>(PhantomData<T>);

impl<'de, T: AnyJson<'de>> Visitor<'de> for AnyJsonVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok(T::text(text))
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        Ok(T::number(number))
    }
    fn visit_i64<E: Error>(self, _: i64) -> Result<T, E> {
        Ok(T::other("a negative number"))
    }
    fn visit_f64<E: Error>(self, _: f64) -> Result<T, E> {
        Ok(T::other("a fraction"))
    }
    fn visit_bool<E: Error>(self, truth: bool) -> Result<T, E> {
        Ok(T::truth(truth))
    }
    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::default())
    }
    fn visit_seq<S: SeqAccess<'de>>(self, seq: S) -> Result<T, S::Error> {
        T::list(seq)
    }
    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<T, M::Error> {
        T::object(map)
    }
}

fn any<'de, T: AnyJson<'de>, D: Deserializer<'de>>(json: D) -> Result<T, D::Error> {
    json.deserialize_any(AnyJsonVisitor(PhantomData))
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        any(json)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        any(json)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        any(json)
    }
}

impl<'de> Deserialize<'de> for RouteServer {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        any(json)
    }
}
