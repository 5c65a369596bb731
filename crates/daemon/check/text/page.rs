//! Lines, lists and columns.

use std::fmt::{Display, Write};

use crate::terminal::counted;

/// Prefixes, and the like, that one line shows.
const SHOWN: usize = 6;

/// A number of things.
pub(in crate::check) fn count(number: usize, what: &str) -> String {
    counted(number as u64, what)
}

/// The first few of a list, or what to say of none.
pub(in crate::check) fn some(list: &[String], none: &str) -> String {
    let shown = list.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match list.len() {
        0 => none.into(),
        count if count > SHOWN => format!("{shown} and {} more", count - SHOWN),
        _ => shown,
    }
}

/// A line `name   value`.
pub(super) fn item(out: &mut String, name: &str, value: impl Display) {
    line(out, format_args!("{name:<14}{value}"));
}

/// A line.
pub(super) fn line(out: &mut String, text: impl Display) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{text}");
}

/// Rows in columns that line up.
pub(super) fn table<const COLUMNS: usize>(out: &mut String, rows: &[[String; COLUMNS]]) {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        line(out, format_args!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end()));
    }
}
