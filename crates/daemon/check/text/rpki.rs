//! Where VRPs and ASPAs come from.

use super::page::{count, item, line, some};
use crate::check::rpki::RpkiOutline;

pub(super) fn print(out: &mut String, rpki: &RpkiOutline) {
    let addresses: Vec<String> = rpki.rtr.iter().map(|cache| cache.address.clone()).collect();
    let sources: Vec<String> = [&rpki.files, &rpki.slurm]
        .into_iter()
        .filter(|list| !list.is_empty())
        .map(|list| some(list, ""))
        .collect();
    let read = sources.join("; SLURM of ");
    // What is asserted counts as well as what is told.
    let read =
        if rpki.files.is_empty() && !rpki.slurm.is_empty() { format!("SLURM of {read}") } else { read };
    let counted = match (rpki.vrps, rpki.aspas) {
        _ if read.is_empty() => String::new(),
        (Some(vrps), Some(0) | None) => format!("{vrps} from {read}"),
        (Some(vrps), Some(aspas)) => format!("{vrps}, and {}, from {read}", count(aspas, "ASPA")),
        (None, _) => format!("from {read}"),
    };
    let asked =
        if addresses.is_empty() { String::new() } else { format!("over RTR from {}", some(&addresses, "")) };
    match (counted.as_str(), asked.as_str()) {
        ("", "") => item(out, "VRPs", "none: no origin is validated"),
        (one, "") | ("", one) => item(out, "VRPs", one),
        (counted, asked) => item(out, "VRPs", format_args!("{counted}; {asked}")),
    }
    if rpki.explained && !(counted.is_empty() && asked.is_empty()) {
        explain(out, rpki);
    }
}

/// What is implied of the sources, or written and not seen at a glance.
fn explain(out: &mut String, rpki: &RpkiOutline) {
    for cache in &rpki.rtr {
        let tls = if cache.tls { ", TLS" } else { "" };
        let aspa = if cache.aspa { ", asked for ASPAs" } else { "" };
        let refresh =
            cache.refresh.as_ref().map(|refresh| format!(", asked every {refresh}")).unwrap_or_default();
        line(
            out,
            format_args!(
                "  cache             {}, preference {}{tls}{aspa}{refresh}",
                cache.address, cache.preference
            ),
        );
    }
    let wait =
        if rpki.wait == "0" { "nothing".into() } else { format!("the first data, {} at most", rpki.wait) };
    line(out, format_args!("  start waits for   {wait}"));
    match &rpki.guard {
        None => line(out, "  guard             off: any change counts at once"),
        Some(guard) => line(
            out,
            format_args!(
                "  guard             {} % fewer or {} % more, and more than {}, are held for {}",
                guard.shrink_percent, guard.grow_percent, guard.floor, guard.hold
            ),
        ),
    }
    let age = if rpki.max_age == "0" { "at no age".into() } else { format!("after {}", rpki.max_age) };
    let kept = if rpki.on_expire == "keep" { "is kept, with an alarm" } else { "is dropped" };
    line(out, format_args!("  files are old     {age}; what is too old {kept}"));
}
