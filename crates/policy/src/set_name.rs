//! Names of sets in RPSL (RFC 2622 s5): what as-sets and route-sets have in common.
//!
//! A name is unique only within one registry, so an operator may write which one is meant: `RIPE::AS-EXAMPLE`. A
//! name without a registry stands for the first that has it, in the order of the registries. A hierarchical name
//! (`AS64500:AS-CUSTOMERS`) is a name like any other; it says who may create it.

use palisade_bgp::Asn;

/// The longest name that is taken for one, that of its registry included.
const LONGEST_NAME: usize = 255;
/// The longest name of a registry.
pub(crate) const LONGEST_SOURCE: usize = 64;

/// The registry and the name that a text says, both in capitals; `None` where it is not the name of a set whose
/// class has this mark (`as-`, `rs-`).
pub(crate) fn parse(text: &str, mark: &str) -> Option<(Option<Box<str>>, Box<str>)> {
    let (source, name) = match text.split_once("::") {
        Some((source, name)) => (Some(source), name),
        None => (None, text),
    };
    if text.len() > LONGEST_NAME || !source.is_none_or(is_word) || !is_set_name(name, mark) {
        return None;
    }
    let source = source.map(|source| source.to_ascii_uppercase().into());
    Some((source, name.to_ascii_uppercase().into()))
}

/// RFC 2622 s5: parts between colons, each an AS number or a word that begins with the mark, and at least one of the
/// latter.
fn is_set_name(name: &str, mark: &str) -> bool {
    let is_set_part = |part: &str| part.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark));
    let well_formed = |part: &str| is_word(part) && (is_set_part(part) || part.parse::<Asn>().is_ok());
    name.split(':').all(well_formed) && name.split(':').any(is_set_part)
}

/// RFC 2622 s2: letters, digits, underscore and hyphen. Dots and slashes are met too, and do no harm.
pub(crate) fn is_word(word: &str) -> bool {
    let ordinary = |octet: u8| octet.is_ascii_alphanumeric() || b"_-./".contains(&octet);
    !word.is_empty() && word.len() <= LONGEST_NAME && word.bytes().all(ordinary)
}

/// Words between colons: any name at all.
pub(crate) fn is_word_path(name: &str) -> bool {
    name.len() <= LONGEST_NAME && name.split(':').all(is_word)
}

/// A hash of a name that is the same in every index and in every process.
pub(crate) fn hash(name: &str) -> u32 {
    // FNV-1a of 32 bits.
    name.bytes().fold(0x811c_9dc5, |hash, octet| (hash ^ u32::from(octet)).wrapping_mul(0x0100_0193))
}
