//! Single values of a member export: what is taken for a number, a yes, an as-set, and what is not.
//!
//! Each reads a [`Scalar`] and fails with words for the operator, who knows the member and can ask whoever makes the
//! export. What is merely not said is never a failure.

use std::net::IpAddr;

use palisade_bgp::{Asn, Family};
use palisade_policy::as_set::Member;

use super::json::Scalar;
use crate::config::{MOST_PREFIXES, quoted, reserved_asn, unusable_address};

/// Names that one value may have.
const MAX_AS_SETS: usize = 16;

/// Letters of a member's name that a peer's name begins with.
const SLUG: usize = 32;

/// A number, where one is said. Some exports put theirs in quotes.
pub(crate) fn number(value: &Scalar) -> Result<Option<u64>, String> {
    match value {
        Scalar::Nothing => Ok(None),
        Scalar::Number(number) => Ok(Some(*number)),
        Scalar::Text(text) if text.trim().is_empty() => Ok(None),
        Scalar::Text(text) => {
            text.trim().parse().map(Some).map_err(|_| format!("is {}, not a number", quoted(text)))
        }
        other => Err(format!("is {other}, not a number")),
    }
}

/// The AS number of somebody who can have one.
pub(super) fn asn(value: &Scalar) -> Result<Asn, String> {
    let asn = match value {
        Scalar::Nothing => return Err("it has no asnum".into()),
        Scalar::Number(number) => u32::try_from(*number).map(Asn).ok(),
        Scalar::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    let asn = asn.ok_or_else(|| format!("asnum {value} is no AS number"))?;
    match reserved_asn(asn.0) {
        Some(why) => Err(format!("asnum can't be {}: {why}", asn.0)),
        None => Ok(asn),
    }
}

/// The address, of that family, of a host that a session can be with; `None` where none is said.
pub(super) fn address(value: &Scalar, family: Family) -> Result<Option<IpAddr>, String> {
    let text = match value {
        Scalar::Nothing => return Ok(None),
        Scalar::Text(text) if text.trim().is_empty() => return Ok(None),
        Scalar::Text(text) => text.trim(),
        other => return Err(format!("its {family} address is {other}")),
    };
    let address: IpAddr =
        text.parse().map_err(|_| format!("its {family} address {} is none", quoted(text)))?;
    if Family::of(address) != family {
        return Err(format!("its {family} address is {address}"));
    }
    match unusable_address(address) {
        Some(why) => Err(format!("its {family} address can't be {address}: {why}")),
        None => Ok(Some(address)),
    }
}

/// Whether an address is a client of the route servers, where that is said.
///
/// The schema does not ask for the key, and exporters that leave it out list everybody. So what is not said is taken as
/// yes by the caller, who tells the operator: a session that the member never opens costs nothing.
pub(super) fn is_client(value: &Scalar) -> Result<Option<bool>, String> {
    match value {
        Scalar::Nothing => Ok(None),
        Scalar::Truth(truth) => Ok(Some(*truth)),
        Scalar::Number(0) => Ok(Some(false)),
        Scalar::Number(1) => Ok(Some(true)),
        Scalar::Text(text) => match text.trim().to_ascii_lowercase().as_str() {
            "" => Ok(None),
            "0" | "false" | "no" => Ok(Some(false)),
            "1" | "true" | "yes" => Ok(Some(true)),
            _ => Err(format!("routeserver is {value}")),
        },
        other => Err(format!("routeserver is {other}")),
    }
}

/// Whether a connection is in use. Where nothing is said it is, as PeeringDB's importer has it.
pub(super) fn is_active(value: &Scalar) -> Result<bool, String> {
    match value {
        Scalar::Nothing => Ok(true),
        Scalar::Text(text) => {
            let state = text.trim().to_ascii_lowercase();
            Ok(matches!(state.as_str(), "" | "active" | "connected" | "operational"))
        }
        other => Err(format!("the state of a connection is {other}")),
    }
}

/// The limit of prefixes; `None` where none is said, which 0 means too.
pub(super) fn max_prefix(value: &Scalar) -> Result<Option<u32>, String> {
    match number(value).map_err(|fault| format!("max_prefix {fault}"))? {
        None | Some(0) => Ok(None),
        Some(most) => match u32::try_from(most) {
            Ok(most) if most <= MOST_PREFIXES => Ok(Some(most)),
            _ => Err(format!("max_prefix is {most}, more than {MOST_PREFIXES}")),
        },
    }
}

/// The as-sets that the value of a key names, as `as_set` of the configuration has them, and what of it names none.
pub(crate) fn as_sets(key: &str, value: &Scalar) -> (Option<String>, Vec<String>) {
    let text = match value {
        Scalar::Nothing => return (None, Vec::new()),
        Scalar::Text(text) => text,
        other => return (None, vec![format!("{key} is {other}")]),
    };
    let mut names: Vec<String> = Vec::new();
    let mut faults = Vec::new();
    for word in text.split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | ';')) {
        let name = registry_first(word);
        if word.is_empty() || names.contains(&name) {
            continue;
        } else if names.len() + faults.len() == MAX_AS_SETS {
            faults.push(format!("{key} has more than {MAX_AS_SETS} names"));
            break;
        } else if name.parse::<Member>().is_ok() {
            names.push(name);
        } else {
            faults.push(format!("{key} {} names no as-set", quoted(word)));
        }
    }
    ((!names.is_empty()).then(|| names.join(" ")), faults)
}

/// `AS-FOO@RIPE` is how some write `RIPE::AS-FOO`.
fn registry_first(word: &str) -> String {
    match word.split_once('@') {
        Some((name, registry)) => format!("{registry}::{name}"),
        None => word.into(),
    }
}

/// What a peer's name begins with: letters and digits of the member's.
pub(super) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for letter in name.chars() {
        if slug.len() == SLUG {
            break;
        } else if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}
