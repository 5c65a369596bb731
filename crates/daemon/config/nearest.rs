//! The word that was probably meant.
//!
//! Compared by optimal string alignment: the fewest letters to insert, delete, replace, or swap with a neighbour.

/// Letters of a word that are compared; nothing anyone means is longer.
const COMPARED: usize = 64;

/// The word of `known` that is nearest to `written`, where it is near enough to have been meant.
pub(crate) fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    let written: Vec<char> = normal(written).take(COMPARED).collect();
    let distances = known.iter().map(|word| (distance(&written, &normal(word).collect::<Vec<_>>()), *word));
    let (steps, word) = distances.min_by_key(|(steps, _)| *steps)?;
    (steps <= word.len().max(written.len()).div_ceil(4)).then_some(word)
}

/// `HoldTime`, `hold-time` and `hold_time` are one word.
fn normal(word: &str) -> impl Iterator<Item = char> {
    word.chars().filter(|letter| !matches!(letter, '_' | '-' | ' ')).flat_map(char::to_lowercase)
}

fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut steps = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                steps = steps.min(before[j - 1] + 1);
            }
            row.push(steps);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_probably_meant_is_found_and_nothing_else() {
        let known = ["asn", "hold_time", "rpki-invalid-origin", "rpki-invalid-length", "files"];
        for (written, meant) in [
            ("ans", Some("asn")),
            ("AS", Some("asn")),
            ("HoldTime", Some("hold_time")),
            ("file", Some("files")),
            ("rpki-invalid-orgin", Some("rpki-invalid-origin")),
            ("rtr", None),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, &known), meant, "{written}");
        }
        assert_eq!(nearest(&"x".repeat(1 << 20), &known), None);
        assert_eq!(nearest("asn", &[]), None);
    }
}
