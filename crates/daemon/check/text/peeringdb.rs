//! Where what networks say at PeeringDB comes from.

use super::page::count;
use crate::check::peeringdb::NetworksOutline;

pub(super) fn in_words(NetworksOutline { name, networks, age_s, fault }: &NetworksOutline) -> String {
    let age = age_s.map(|age| format!(", {} old", span(age))).unwrap_or_default();
    let fault = fault.as_ref().map(|fault| format!(" ({fault})")).unwrap_or_default();
    match networks {
        None => format!("from {name}"),
        Some(_) if age_s.is_none() => format!("nothing yet from {name}{fault}"),
        Some(networks) => format!("{} from {name}{age}{fault}", count(*networks, "network")),
    }
}

/// A time in its largest whole unit.
fn span(seconds: u64) -> String {
    match seconds {
        0..120 => count(seconds as usize, "second"),
        120..7200 => count((seconds / 60) as usize, "minute"),
        7200..172_800 => count((seconds / 3600) as usize, "hour"),
        _ => count((seconds / 86_400) as usize, "day"),
    }
}
