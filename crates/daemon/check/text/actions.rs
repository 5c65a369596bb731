//! What may be asked for with communities.

use super::page::{count, line, table};
use crate::check::actions::ActionsOutline;

pub(super) fn in_words(actions: &ActionsOutline) -> String {
    let regions = match actions.regions.len() {
        0 => String::new(),
        regions => format!(", {}", count(regions, "region")),
    };
    match actions.patterns {
        0 => format!("none{regions}"),
        patterns => format!("{} of communities, set {}{regions}", count(patterns, "pattern"), actions.set),
    }
}

/// What members may write, and what then happens; nothing where that is not to be explained.
pub(super) fn explain(out: &mut String, actions: &ActionsOutline) {
    let Some(rows) = actions.table.as_ref().filter(|rows| !rows.is_empty()) else { return };
    line(out, format_args!("\nactions: a {}'s route that carries one of these is", actions.asked_by));
    let head = ["communities", "what happens", "says who"].map(String::from);
    let rows = rows.iter().map(|row| [row.communities.join(", "), row.effect.clone(), row.from.clone()]);
    table(out, &std::iter::once(head).chain(rows).collect::<Vec<_>>());
    line(
        out,
        "  What is about a peer holds before what is about its regions, and that before what is about all;",
    );
    line(
        out,
        "  of equals, \"not\" holds and the most prepending. But for 65535:666, none of these is passed on.",
    );
    for (name, number) in &actions.regions {
        line(out, format_args!("  region {number} is {name}"));
    }
    for left_out in actions.left_out.iter().flatten() {
        line(out, format_args!("  left out of the set: {left_out}"));
    }
}
