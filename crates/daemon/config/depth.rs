//! Guards the parser against names without end.
//!
//! `a.a.a.a.a = 1` is five tables in one another. The parser counts brackets and stops at 80, but not dots, and tables
//! that lie some ten thousand deep overflow the stack when they are dropped. So dots are counted before it sees the
//! text: those outside strings and comments that string keys together.

use std::ops::Range;

/// Dots in one name. Ours have two at most.
const MAX_DOTS: usize = 32;

/// The first name that has more than [`MAX_DOTS`], if there is one.
pub(crate) fn too_deep(text: &str) -> Option<Range<usize>> {
    let octets = text.as_bytes();
    let (mut at, mut start, mut dots) = (0, 0, 0);
    while let Some(octet) = octets.get(at) {
        match octet {
            b'#' => at += until(&octets[at..], b'#', |rest| rest.starts_with(b"\n")),
            b'"' | b'\'' => at += string(&octets[at..]),
            b'.' if dots == MAX_DOTS => return Some(start..at),
            b'.' => (at, dots) = (at + 1, dots + 1),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b' ' | b'\t' => at += 1,
            _ => (at, start, dots) = (at + 1, at + 1, 0),
        }
    }
    None
}

/// Octets of the string that begins here. One that is not closed ends with its line, or, if it has many, the text.
fn string(octets: &[u8]) -> usize {
    let quote = octets[0];
    let triple = [quote; 3];
    if octets.starts_with(&triple) {
        let end = 3 + until(&octets[3..], quote, |rest| rest.starts_with(&triple));
        // Its last quotes may be its own: `""""a"""""` is `"a""`.
        end + octets[end..].iter().take(5).take_while(|octet| **octet == quote).count()
    } else {
        let end = 1 + until(
            &octets[1..],
            quote,
            |rest| matches!(rest, [first, ..] if [quote, b'\n'].contains(first)),
        );
        (end + 1).min(octets.len())
    }
}

/// Octets before the end that `is_end` knows, or before the end of all. In a string between double quotes, a backslash
/// takes the octet after it along.
fn until(octets: &[u8], quote: u8, is_end: impl Fn(&[u8]) -> bool) -> usize {
    let mut at = 0;
    while at < octets.len() && !is_end(&octets[at..]) {
        at += if quote == b'"' && octets[at] == b'\\' { 2 } else { 1 };
    }
    at.min(octets.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_count_where_they_string_keys_together() {
        let name = |dots: usize| vec!["a"; dots + 1].join(".");
        assert_eq!(too_deep(&format!("{} = 1\n", name(MAX_DOTS))), None);
        for deep in [
            format!("{} = 1", name(MAX_DOTS + 1)),
            format!("[[{}]]", name(MAX_DOTS + 1)),
            format!("a = [{{ {} = 1 }}]", name(MAX_DOTS + 1)),
            "'a' . \"b\" .".repeat(MAX_DOTS),
            format!("a = \"\"\"\n\\\"\"\"\"\"\"\n{} = 1", name(MAX_DOTS + 1)),
            format!("a = \"unclosed\n{} = 1", name(MAX_DOTS + 1)),
        ] {
            assert!(too_deep(&deep).is_some(), "{deep}");
        }
    }

    #[test]
    fn dots_in_strings_comments_and_lists_do_not_count() {
        let many = "1.".repeat(100);
        for fine in [
            format!("# {many}"),
            format!("a = '{many}'"),
            format!("a = \"\\\"{many}\""),
            format!("a = '''\n{many}'''"),
            format!("a = [{}]", "192.0.2.1, ".repeat(100)),
            "a.b = 1\n".repeat(100),
            "\"".into(),
            "\"\\".into(),
            "'''".into(),
            "\"\"\"\\".into(),
        ] {
            assert_eq!(too_deep(&fine), None, "{fine}");
        }
    }
}
