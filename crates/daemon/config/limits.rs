//! How much and how long a peer's announcements may be, where that is not what holds for everybody.
//!
//! A route that is longer, shorter or larger is refused by a check (`prefix-too-long`, `path-too-long` ..), whose mode is
//! chosen elsewhere; this is only where the line is drawn. What a session may hold in all is `max_prefixes`.

use palisade_bgp::Family;
use toml::Spanned;

use super::peer::{Origin, Setting};
use super::problem::Fault;
use super::section::Section;

/// A peer's limits. Arrays are indexed by [`Family::index`].
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// The shortest prefixes.
    pub(crate) shortest: [Setting<u8>; 2],
    /// The longest prefixes.
    pub(crate) longest: [Setting<u8>; 2],
    /// The longest AS path.
    pub(crate) path_length: Setting<u16>,
    /// The most communities of all kinds together.
    pub(crate) communities: Setting<u16>,
    /// The most octets of attributes.
    pub(crate) attribute_octets: Setting<u16>,
    /// Whether a route object registers what is more specific than it, up to the longest prefixes; `None` for what
    /// `[irr]` says.
    pub(crate) allow_longer: Option<Setting<bool>>,
    /// Whether a route that is RPKI-valid needs no route object; `None` for what `[irr]` says.
    pub(crate) accept_rpki_valid: Option<Setting<bool>>,
}

/// The keys of lengths, by family.
const SHORTEST: [&str; 2] = ["shortest_ipv4", "shortest_ipv6"];
const LONGEST: [&str; 2] = ["longest_ipv4", "longest_ipv6"];
const PATH_LENGTH: &str = "max_path_length";
const COMMUNITIES: &str = "max_communities";
const ATTRIBUTE_OCTETS: &str = "max_attribute_octets";
const LONGER: &str = "allow_longer";
const RPKI_VALID: &str = "accept_rpki_valid";

impl Limits {
    /// The keys of what somebody wrote, and who that was.
    pub(crate) fn chosen(&self) -> Vec<(&'static str, Origin)> {
        let lengths = Family::ALL.map(Family::index).into_iter().flat_map(|at| {
            [(SHORTEST[at], Some(self.shortest[at].origin)), (LONGEST[at], Some(self.longest[at].origin))]
        });
        let others = [
            (PATH_LENGTH, Some(self.path_length.origin)),
            (COMMUNITIES, Some(self.communities.origin)),
            (ATTRIBUTE_OCTETS, Some(self.attribute_octets.origin)),
            (LONGER, self.allow_longer.map(|longer| longer.origin)),
            (RPKI_VALID, self.accept_rpki_valid.map(|valid| valid.origin)),
        ];
        let all = lengths.chain(others).filter_map(|(key, origin)| Some((key, origin?)));
        all.filter(|(_, origin)| *origin != Origin::Default).collect()
    }
}

/// Reads what of a peer's section is about limits.
pub(super) fn read(section: &mut Section<'_>) -> Limits {
    let default = palisade_policy::Limits::default();
    let lengths = Family::ALL.map(|family| lengths(section, family, &default));
    let path_length = number(section, PATH_LENGTH, default.path_length);
    let communities = number(section, COMMUNITIES, default.communities);
    let attribute_octets = number(section, ATTRIBUTE_OCTETS, default.attribute_octets);
    let longer = section.optional(LONGER, |field| field.boolean());
    let allow_longer = longer.map(|longer| Setting::new(section, LONGER, Some(longer), false, Origin::Irr));
    let valid = section.optional(RPKI_VALID, |field| field.boolean());
    let accept_rpki_valid =
        valid.map(|valid| Setting::new(section, RPKI_VALID, Some(valid), true, Origin::Irr));
    Limits {
        shortest: lengths.map(|[shortest, _]| shortest),
        longest: lengths.map(|[_, longest]| longest),
        path_length,
        communities,
        attribute_octets,
        allow_longer,
        accept_rpki_valid,
    }
}

/// The shortest and the longest prefix of a family.
fn lengths(section: &mut Section<'_>, family: Family, default: &palisade_policy::Limits) -> [Setting<u8>; 2] {
    let at = family.index();
    let most: u32 = match family {
        Family::Ipv4 => 32,
        Family::Ipv6 => 128,
    };
    let mut length = |key| section.optional(key, |field| field.integer(1, most, "").map(narrow::<u8>));
    let (shortest, longest) = (length(SHORTEST[at]), length(LONGEST[at]));
    let span = longest.as_ref().or(shortest.as_ref()).map(Spanned::span);
    let shortest = Setting::new(section, SHORTEST[at], shortest, default.shortest[at], Origin::Default);
    let longest = Setting::new(section, LONGEST[at], longest, default.longest[at], Origin::Default);
    if let Some(span) = span.filter(|_| shortest.value > longest.value) {
        let message =
            format!("no {family} prefix is of a length from /{} to /{}", shortest.value, longest.value);
        let fault = Fault::new(message, "everything would be refused");
        let help = format!("`{}` must be at least `{}`", LONGEST[at], SHORTEST[at]);
        section.problems().push(span, fault.help(help));
    }
    [shortest, longest]
}

fn number(section: &mut Section<'_>, key: &'static str, default: u16) -> Setting<u16> {
    let written = section.optional(key, |field| field.integer(1, u32::from(u16::MAX), "").map(narrow::<u16>));
    Setting::new(section, key, written, default, Origin::Default)
}

/// A number that was read within the narrower type's range.
fn narrow<T: TryFrom<u32> + Default>(number: u32) -> T {
    T::try_from(number).unwrap_or_default()
}
