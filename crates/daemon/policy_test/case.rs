//! A test as it is written: what a peer announces, and what must come of it.

use std::net::IpAddr;
use std::ops::Range;

use palisade_bgp::Prefix;
use palisade_bgp::prefix::PrefixError;
use palisade_policy::RovState;
use toml::Spanned;

use crate::announcement::{Announcement, Community};
use crate::config::{Fault, Field, Section, value};

/// Tests that a file may have.
const MOST_CASES: usize = 10_000;

/// One test.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    /// Where it is written.
    pub(super) span: Range<usize>,
    /// The name of the peer that announces.
    pub(super) peer: Spanned<String>,
    pub(super) prefix: Prefix,
    pub(super) announcement: Announcement,
    pub(super) expected: Expected,
}

/// What must come of an announcement; what is not said may be anything.
#[derive(Debug, Default)]
pub(super) struct Expected {
    pub(super) accept: Option<bool>,
    pub(super) reason: Option<Spanned<String>>,
    pub(super) observed: Option<Spanned<String>>,
    pub(super) rpki: Option<RovState>,
    pub(super) local_preference: Option<u32>,
    pub(super) med: Option<u32>,
    pub(super) next_hop: Option<IpAddr>,
    pub(super) as_path: Option<String>,
    /// All of them, in any order.
    pub(super) communities: Option<Vec<String>>,
    pub(super) exported_to: Vec<Spanned<String>>,
    pub(super) not_exported_to: Vec<Spanned<String>>,
}

/// Reads the tests of a file.
pub(super) fn cases(root: &mut Section<'_>) -> Vec<Case> {
    let sections = root.sections("case", "[[case]]");
    if sections.is_empty() {
        let fault = Fault::new("there is no test", "`[[case]]` belongs here");
        root.problems().push(0..0, fault.help(EXAMPLE));
    }
    if let Some(first) = sections.get(MOST_CASES) {
        let fault = Fault::new(format!("there are {} tests", sections.len()), "one too many");
        root.problems()
            .push(first.span(), fault.help(format!("no more than {MOST_CASES} are taken from a file")));
        return Vec::new();
    }
    sections.into_iter().filter_map(case).collect()
}

const EXAMPLE: &str = "write\n[[case]]\nname = \"what must hold\"\npeer = \"customer-a\"\nannounce = { prefix = \"192.0.2.0/24\" }\nexpect = { accept = true }";

fn case(mut section: Section<'_>) -> Option<Case> {
    let name = section.required("name", "\"what must hold\"", text);
    let peer = section.required("peer", "\"customer-a\"", text);
    section.expect("announce", "{ prefix = \"192.0.2.0/24\" }");
    let announced = section.section("announce", "announce").map(announce);
    section.expect("expect", "{ accept = true }");
    let expected = section.section("expect", "expect").map(expect);
    let span = section.span();
    section.end();
    let (prefix, announcement) = announced?;
    Some(Case {
        name: name?.into_inner(),
        span,
        peer: peer?,
        prefix: prefix?,
        announcement,
        expected: expected?,
    })
}

fn announce(mut section: Section<'_>) -> (Option<Prefix>, Announcement) {
    let prefix = section.required("prefix", "\"192.0.2.0/24\"", prefix);
    let path = section.optional("as_path", text);
    let number = |field: Field<'_>| field.integer(0, u32::MAX, "");
    let communities = section.list("communities", "\"64500:1\"", community);
    let announcement = Announcement {
        as_path: path.as_ref().map(|path| path.get_ref().clone()),
        origin: section.optional("origin", number).map(Spanned::into_inner),
        next_hop: section.optional("next_hop", address).map(Spanned::into_inner),
        communities: communities.into_iter().flat_map(|list| list.values).map(Spanned::into_inner).collect(),
        med: section.optional("med", number).map(Spanned::into_inner),
        local_pref: section.optional("local_pref", number).map(Spanned::into_inner),
        only_to_customer: section.optional("only_to_customer", number).map(Spanned::into_inner),
    };
    if let (Some(path), Some(_)) = (&path, announcement.origin) {
        let fault = Fault::new("`as_path` and `origin` are one thing", "the path ends with its origin");
        section.problems().push(path.span(), fault.help("remove one of them"));
    }
    section.end();
    (prefix.map(Spanned::into_inner), announcement)
}

fn expect(mut section: Section<'_>) -> Expected {
    let states = RovState::ALL.map(|state| (state.slug(), state));
    let number = |field: Field<'_>| field.integer(0, u32::MAX, "");
    let communities = section.list("communities", "\"64500:1\"", community);
    let peers = |section: &mut Section<'_>, key| {
        section.list(key, "\"transit-a\"", text).map(|list| list.values).unwrap_or_default()
    };
    let expected = Expected {
        accept: section.optional("accept", |field| field.boolean()).map(Spanned::into_inner),
        reason: section.optional("reason", text),
        observed: section.optional("observed", text),
        rpki: section.optional("rpki", |field| value::word(field, &states)).map(Spanned::into_inner),
        local_preference: section.optional("local_preference", number).map(Spanned::into_inner),
        med: section.optional("med", number).map(Spanned::into_inner),
        next_hop: section.optional("next_hop", address).map(Spanned::into_inner),
        as_path: section.optional("as_path", text).map(Spanned::into_inner),
        communities: communities.map(|list| list.values.into_iter().map(Spanned::into_inner).collect()),
        exported_to: peers(&mut section, "exported_to"),
        not_exported_to: peers(&mut section, "not_exported_to"),
    };
    let problems = section.problems();
    if expected.is_empty() {
        let fault = Fault::new("nothing is expected", "this test can't fail");
        problems.push(section.span(), fault.help("write at least `accept = true`, or a `reason`"));
    }
    if let (Some(true), Some(reason)) = (expected.accept, &expected.reason) {
        let fault = Fault::new("what is accepted has no `reason`", "this rejects");
        problems.push(reason.span(), fault.help("a check that is only observed is `observed`"));
    }
    section.end();
    expected
}

impl Expected {
    fn is_empty(&self) -> bool {
        let Expected { accept, reason, observed, rpki, local_preference, med, next_hop, as_path, .. } = self;
        accept.is_none()
            && reason.is_none()
            && observed.is_none()
            && rpki.is_none()
            && (local_preference.is_none() && med.is_none() && next_hop.is_none() && as_path.is_none())
            && self.communities.is_none()
            && self.exported_to.is_empty()
            && self.not_exported_to.is_empty()
    }

    /// Whether the route must be accepted; what must become of its attributes, or where it must go, says so too.
    pub(super) fn accept(&self) -> Option<bool> {
        let after = self.local_preference.is_some()
            || self.med.is_some()
            || self.next_hop.is_some()
            || self.as_path.is_some()
            || self.communities.is_some()
            || !self.exported_to.is_empty();
        let implied = if self.reason.is_some() { Some(false) } else { after.then_some(true) };
        self.accept.or(implied)
    }
}

fn text(field: Field<'_>) -> Result<String, Fault> {
    field.text().map(String::from)
}

fn address(field: Field<'_>) -> Result<IpAddr, Fault> {
    let text = field.text()?;
    text.parse()
        .map_err(|_| field.not("not an IP address").help("write it like `192.0.2.1` or `2001:db8::1`"))
}

/// Any prefix, the default route too.
fn prefix(field: Field<'_>) -> Result<Prefix, Fault> {
    field.text()?.parse().map_err(|error: PrefixError| field.not("not a prefix").help(error.to_string()))
}

/// As it is shown everywhere.
fn community(field: Field<'_>) -> Result<String, Fault> {
    let community = Community::parse(field.text()?);
    community.map(|one| one.to_string()).map_err(|error| field.not("no community").help(error.to_string()))
}
