//! Communities of the three kinds, written as BIRD writes and shows them.

use std::fmt;

/// A community.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Community {
    /// RFC 1997.
    Standard(u32, u32),
    /// RFC 8092.
    Large(u32, u32, u32),
    /// RFC 4360: a route target.
    Target(u32, u32),
    /// RFC 4360: a route origin.
    Origin(u32, u32),
    /// RFC 4360: any other, as two words.
    Generic(u32, u32),
}

pub(crate) const NO_EXPORT: Community = Community::Standard(65535, 65281);
pub(crate) const GRACEFUL_SHUTDOWN: Community = Community::Standard(65535, 0);
pub(crate) const BLACKHOLE: Community = Community::Standard(65535, 666);

impl Community {
    /// BIRD's name of the attribute that it is in.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Community::Standard(..) => "bgp_community",
            Community::Large(..) => "bgp_large_community",
            Community::Target(..) | Community::Origin(..) | Community::Generic(..) => "bgp_ext_community",
        }
    }

    /// All of a line like `(1,2) (3,4)`, `(rt, 1, 2) (generic, 0x3010000, 0x1)` or `(1, 2, 3)`.
    pub(crate) fn list(text: &str) -> Vec<Community> {
        let lists = text.split('(').skip(1).map(|list| list.trim_end().trim_end_matches(')'));
        lists.map(|list| Community::read(list).unwrap_or_else(|| panic!("no community: ({list})"))).collect()
    }

    fn read(text: &str) -> Option<Community> {
        let words: Vec<&str> = text.split(',').map(str::trim).collect();
        let number = |at: usize| words.get(at)?.parse().ok();
        let hexadecimal = |at: usize| u32::from_str_radix(words.get(at)?.strip_prefix("0x")?, 16).ok();
        Some(match words[..] {
            ["rt", _, _] => Community::Target(number(1)?, number(2)?),
            ["ro", _, _] => Community::Origin(number(1)?, number(2)?),
            ["generic", _, _] => Community::Generic(hexadecimal(1)?, hexadecimal(2)?),
            [_, _] => Community::Standard(number(0)?, number(1)?),
            [_, _, _] => Community::Large(number(0)?, number(1)?, number(2)?),
            _ => return None,
        })
    }
}

/// As BIRD reads it in a filter.
impl fmt::Display for Community {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Community::Standard(a, b) => write!(f, "({a},{b})"),
            Community::Large(a, b, c) => write!(f, "({a},{b},{c})"),
            Community::Target(a, b) => write!(f, "(rt,{a},{b})"),
            Community::Origin(a, b) => write!(f, "(ro,{a},{b})"),
            Community::Generic(a, b) => write!(f, "(generic,{a:#x},{b:#x})"),
        }
    }
}
