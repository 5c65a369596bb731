//! `[communities]`: what becomes of communities that neighbors send, and which we add.
//!
//! ```toml
//! [communities]
//! scrub = true                                                            # the default
//! tags = { provider = ["64500:3000"], customer = ["64500:3001", "64500:1:1"] }  # a peer's own `tags` take their place
//! ```

use palisade_bgp::attributes::{Community, LargeCommunity};
use palisade_policy::Role;
use palisade_policy::rules::AnyCommunity;
use toml::Spanned;

use super::problem::Fault;
use super::section::{Field, Section};

/// Communities that one peer's routes are tagged with.
const MAX_TAGS: usize = 32;

/// Communities that tell others where we have a route from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tags {
    /// Those of RFC 1997.
    pub(crate) communities: Vec<Community>,
    /// Those of RFC 8092.
    pub(crate) large: Vec<LargeCommunity>,
}

/// What becomes of communities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Communities {
    /// What is added to routes of peers of each role.
    pub(crate) tags: Vec<(Role, Tags)>,
    /// Whether those in our own namespace are taken off what comes from providers, peers and route servers.
    pub(crate) scrub: bool,
}

impl Default for Communities {
    fn default() -> Self {
        Communities { tags: Vec::new(), scrub: true }
    }
}

impl Communities {
    /// What is added to routes of peers of a role.
    pub(crate) fn tags_of(&self, role: Role) -> Option<&Tags> {
        self.tags.iter().find(|(of, _)| *of == role).map(|(_, tags)| tags)
    }
}

pub(super) fn read(mut section: Section<'_>) -> Communities {
    let scrub = section.optional("scrub", |field| field.boolean());
    let tags = section.section("tags", "[communities.tags]").map(by_role).unwrap_or_default();
    section.end();
    Communities { tags, scrub: scrub.is_none_or(Spanned::into_inner) }
}

fn by_role(mut section: Section<'_>) -> Vec<(Role, Tags)> {
    let of = |role: Role| tags(&mut section, role.slug()).map(|tags| (role, tags));
    let tags = Role::ALL.into_iter().filter_map(of).collect();
    section.end();
    tags
}

/// The tags under a key.
pub(super) fn tags(section: &mut Section<'_>, key: &'static str) -> Option<Tags> {
    let list = section.list(key, "\"64500:3000\"", tag)?;
    if list.written > MAX_TAGS {
        let fault = Fault::new(format!("`{key}` has {} values", list.written), "too many");
        section.problems().push(list.span, fault.help(format!("no more than {MAX_TAGS} are taken")));
    }
    let mut tags = Tags::default();
    for tag in list.values {
        match tag.into_inner() {
            AnyCommunity::Standard(community) => tags.communities.push(community),
            AnyCommunity::Large(community) => tags.large.push(community),
            AnyCommunity::Extended(_) => {}
        }
    }
    Some(tags)
}

fn tag(field: Field<'_>) -> Result<AnyCommunity, Fault> {
    const HELP: &str = "write it like `64500:3000` or `64500:1:3000`";
    let community = super::rules::edits::community(field)?;
    match community {
        AnyCommunity::Standard(Community(value)) if value >> 16 == 0xffff => {
            Err(field.not("well-known communities ask for something").help(HELP))
        }
        AnyCommunity::Extended(_) => Err(field.not("an extended community is no tag").help(HELP)),
        _ => Ok(community),
    }
}
