//! RPSL objects (RFC 2622, RFC 4012) as what is of use here.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use palisade_bgp::{Asn, Family, Prefix};

use super::object::{AutNum, ByReference, IrrChange, IrrObject, Memberships, RouteObject};
use super::sources::Spellings;
use crate::as_set::{AsSet, AsSetName, Member};
use crate::malformed::{Malformed, quoted};
use crate::route_set::{RouteSet, RouteSetMember, RouteSetName};
use crate::rpsl::{Object, Objects};
use crate::set_name::{self, LONGEST_SOURCE};

/// The most octets of members, with what stands between them, that are taken of a set; more are left out. Less than a
/// reader takes of one object, so that what is taken can be written and read again.
const MOST_MEMBER_OCTETS: usize = 15 << 20;
/// The most names that are taken of an attribute other than members; more are left out.
const MOST_NAMES: usize = 1000;

/// An object that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IrrObjectError(pub(crate) String);

impl IrrChange {
    /// Reads the text of one object, as a mirror sends it with ADD or DEL. One that does not say which registry it
    /// is from is taken to be from `default_source`; `None` where its class is of no use. Members that can't be
    /// read are left out.
    pub fn parse(text: &[u8], add: bool, default_source: &str) -> Result<Option<IrrChange>, IrrObjectError> {
        let mut objects = Objects::new(text);
        let object = objects.next().map_err(|error| IrrObjectError(error.to_string()))?;
        let Some(object) = object else { return Err(IrrObjectError("no object".into())) };
        let object = read(&object, default_source, &mut Spellings::default(), &mut Malformed::default())?;
        Ok(object.map(|object| if add { IrrChange::Add(object) } else { IrrChange::Remove(object) }))
    }
}

/// What an object says; `None` where its class is of no use. Members that are left out are noted.
pub(crate) fn read(
    object: &Object<'_>,
    default_source: &str,
    spellings: &mut Spellings,
    malformed: &mut Malformed,
) -> Result<Option<IrrObject>, IrrObjectError> {
    let class = object.class();
    let is = |name: &str| class.eq_ignore_ascii_case(name.as_bytes());
    if !["route", "route6", "as-set", "route-set", "aut-num"].into_iter().any(is) {
        return Ok(None);
    }
    if object.cut {
        return Err(IrrObjectError("the object is too large".into()));
    }
    let reading = Reading { object, source: source(object, default_source, spellings)?, malformed };
    if is("route") {
        reading.read_route(Family::Ipv4)
    } else if is("route6") {
        reading.read_route(Family::Ipv6)
    } else if is("as-set") {
        reading.read_as_set()
    } else if is("route-set") {
        reading.read_route_set()
    } else {
        reading.read_aut_num()
    }
    .map(Some)
}

fn source(
    object: &Object<'_>,
    default_source: &str,
    spellings: &mut Spellings,
) -> Result<Arc<str>, IrrObjectError> {
    let stated = object.values("source").next();
    let source = stated.as_deref().map(str::trim).filter(|stated| !stated.is_empty());
    let source = source.unwrap_or(default_source);
    if source.len() > LONGEST_SOURCE || !set_name::is_word(source) {
        return Err(IrrObjectError(format!("source {}", quoted(source))));
    }
    Ok(spellings.capitals(source))
}

struct Reading<'a> {
    object: &'a Object<'a>,
    source: Arc<str>,
    malformed: &'a mut Malformed,
}

impl Reading<'_> {
    fn read_route(self, family: Family) -> Result<IrrObject, IrrObjectError> {
        let (prefix, origin) = route_and_origin(self.object, family).map_err(IrrObjectError)?;
        let memberships = self.memberships("rs-");
        Ok(IrrObject::Route(RouteObject { prefix, origin, source: self.source }, memberships))
    }

    fn read_as_set(mut self) -> Result<IrrObject, IrrObjectError> {
        let key = self.object.key();
        let name: AsSetName = key.parse().map_err(|error| IrrObjectError(format!("{error}")))?;
        let members: Vec<Member> = self.members(&["members"]);
        let by_reference = self.by_reference();
        Ok(IrrObject::AsSet(AsSet::new(&name, &self.source, members, by_reference)))
    }

    fn read_route_set(mut self) -> Result<IrrObject, IrrObjectError> {
        let key = self.object.key();
        let name: RouteSetName = key.parse().map_err(|error| IrrObjectError(format!("{error}")))?;
        let members: Vec<RouteSetMember> = self.members(&["members", "mp-members"]);
        let by_reference = self.by_reference();
        let (name, members) = (Arc::from(&*name.name), members.into());
        Ok(IrrObject::RouteSet(RouteSet { name, source: self.source, members, by_reference }))
    }

    fn read_aut_num(self) -> Result<IrrObject, IrrObjectError> {
        let key = self.object.key();
        let asn: Asn = key.parse().map_err(|_| IrrObjectError(format!("no AS: {}", quoted(&key))))?;
        let memberships = self.memberships("as-");
        Ok(IrrObject::AutNum(AutNum { asn, source: self.source, memberships }))
    }

    fn members<M: FromStr<Err: fmt::Display>>(&mut self, attributes: &[&'static str]) -> Vec<M> {
        let (mut members, mut octets) = (Vec::new(), 0);
        for value in attributes.iter().flat_map(|attribute| self.object.values(attribute)) {
            for member in words(&value) {
                octets += member.len() + 1;
                if octets > MOST_MEMBER_OCTETS {
                    self.malformed.note(self.object.line, "too many members, the last are left out");
                    return members;
                }
                match member.parse() {
                    Ok(member) => members.push(member),
                    Err(error) => self.malformed.note(self.object.line, format!("member {error}")),
                }
            }
        }
        members
    }

    fn by_reference(&self) -> ByReference {
        let maintainers = self.names("mbrs-by-ref", |_| true);
        if maintainers.iter().any(|name| **name == *"ANY") {
            ByReference::Any
        } else if maintainers.is_empty() {
            ByReference::Nobody
        } else {
            ByReference::Maintainers(maintainers)
        }
    }

    /// What the object asks for; its maintainers only where it asks for something.
    fn memberships(&self, mark: &str) -> Memberships {
        let is_set = |name: &str| matches!(set_name::parse(name, mark), Some((None, _)));
        let member_of = self.names("member-of", is_set);
        if member_of.is_empty() {
            return Memberships::default();
        }
        Memberships { member_of, mnt_by: self.names("mnt-by", |_| true) }
    }

    /// The names in an attribute's values, in capitals and in order.
    fn names(&self, attribute: &'static str, is_one: impl Fn(&str) -> bool) -> Box<[Arc<str>]> {
        let mut names: Vec<Arc<str>> = Vec::new();
        for value in self.object.values(attribute) {
            let wanted = words(&value).filter(|name| set_name::is_word_path(name) && is_one(name));
            let room = MOST_NAMES.saturating_sub(names.len());
            names.extend(wanted.take(room).map(|name| Arc::from(name.to_ascii_uppercase())));
        }
        names.sort_unstable();
        names.dedup();
        names.into()
    }
}

/// What a route or route6 object says.
fn route_and_origin(object: &Object<'_>, family: Family) -> Result<(Prefix, Asn), String> {
    let key = object.key();
    let prefix: Prefix = key.parse().map_err(|_| format!("no prefix: {}", quoted(&key)))?;
    if prefix.family() != family {
        return Err(format!("{prefix} in an object for {family}"));
    }
    let origin = object.values("origin").next().ok_or_else(|| format!("{prefix} has no origin"))?;
    let origin = origin.parse().map_err(|_| format!("origin of {prefix}: {}", quoted(&origin)))?;
    Ok((prefix, origin))
}

/// The items of a list: between commas, and where those were forgotten between spaces.
fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split(|c: char| c == ',' || c.is_whitespace()).filter(|name| !name.is_empty())
}
