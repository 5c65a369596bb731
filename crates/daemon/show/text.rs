//! Columns, durations, and words of strangers.

use std::io::{self, Write};

/// Between two columns.
const GAP: &str = "  ";

/// Which side of its column a cell is on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// Columns that are as wide as what was seen of them first.
pub(super) struct Columns<const N: usize> {
    sides: [Side; N],
    widths: [usize; N],
}

impl<const N: usize> Columns<N> {
    /// Columns that hold these rows.
    pub(super) fn fit<'a>(sides: [Side; N], rows: impl IntoIterator<Item = &'a [String; N]>) -> Self {
        let mut widths = [0; N];
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        Columns { sides, widths }
    }

    /// Writes a row; a cell that is too wide moves what follows it. Columns without a width are left out.
    pub(super) fn write(&self, out: &mut impl Write, row: &[String; N]) -> io::Result<()> {
        let cells = row.iter().zip(self.widths).zip(self.sides);
        let cells = cells.filter(|((cell, width), _)| *width > 0 || !cell.is_empty());
        let cells = cells.map(|((cell, width), side)| match side {
            Side::Left => format!("{cell:<width$}"),
            Side::Right => format!("{cell:>width$}"),
        });
        writeln!(out, "{}", cells.collect::<Vec<_>>().join(GAP).trim_end())
    }
}

/// A duration in the two greatest of its units: `3d04h`, `12m05s`.
pub(crate) fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{:02}s", seconds % 60),
        (0, _, _) => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d{:02}h", hours % 24),
    }
}

/// What somebody else wrote, without the characters that a terminal would obey.
pub(super) fn harmless(words: &str) -> String {
    let harmless = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
    words.chars().map(harmless).collect()
}

/// A line `name   value` of a listing.
pub(super) fn item(out: &mut impl Write, name: &str, value: impl std::fmt::Display) -> io::Result<()> {
    writeln!(out, "{}", format!("{name:<20}{value}").trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_two_units() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (60, "1m00s"), (3599, "59m59s"), (3600, "1h00m"), (273_600, "3d04h")]
        {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn a_stranger_s_words_do_not_move_the_cursor() {
        assert_eq!(harmless("gone \u{1b}[2J\n"), "gone \u{fffd}[2J\u{fffd}");
    }
}
