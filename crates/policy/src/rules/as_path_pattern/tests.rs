use super::*;

fn pattern(text: &str) -> AsPathPattern {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// `1 2 {3,4}` as the octets of AS_PATH.
fn octets(path: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    for word in path.split_whitespace() {
        let (kind, asns) = match word.strip_prefix('{') {
            Some(set) => (1, set.trim_end_matches('}').split(',').collect()),
            None => (2, vec![word]),
        };
        octets.extend([kind, asns.len() as u8]);
        asns.iter().for_each(|asn| octets.extend(asn.parse::<u32>().unwrap().to_be_bytes()));
    }
    octets
}

fn matches(text: &str, path: &str) -> bool {
    pattern(text).matches(AsPath::parse(&octets(path)).unwrap())
}

#[test]
fn each_word_means_what_the_table_says() {
    for (text, yes, no) in [
        ("2", &["2", "1 2 3", "1 2"][..], &["", "1 3", "22"][..]),
        ("^ 1", &["1", "1 2"], &["2 1", ""]),
        ("3 $", &["3", "1 3"], &["3 1"]),
        ("^1 2$", &["1 2"], &["1 2 3", "0 1 2", "1 1 2"]),
        ("^$", &[""], &["1"]),
        ("1 2", &["1 2", "5 1 2 6", "1 1 2"], &["1 5 2", "2 1"]),
        ("10-20", &["10", "1 15", "20"], &["9", "21"]),
        ("[1 10-20 30]", &["1", "12", "30"], &["2", "21", "29"]),
        ("[ 20-30 1-25 ]", &["1", "26", "30"], &["31"]),
        ("^ . $", &["1", "{1,2}"], &["", "1 2"]),
        ("^ 1 .? 3 $", &["1 3", "1 2 3"], &["1 2 2 3"]),
        ("^ 1 .* 3 $", &["1 3", "1 2 2 2 3", "1 3 3"], &["1 2", "3 1"]),
        ("^ 1+ 2+ $", &["1 2", "1 1 1 2 2"], &["1", "2", "1 2 1"]),
        ("^ [1 2]* 3 $", &["3", "1 2 1 3"], &["1 4 3"]),
        ("AS1 as2", &["1 2"], &["2 1"]),
        ("^ 1", &["{1,2}"], &["{2,3}"]),
        ("^ 1 3", &["1 {2,3}"], &["1 {2,4}"]),
    ] {
        yes.iter().for_each(|path| assert!(matches(text, path), "`{text}` matches `{path}`"));
        no.iter().for_each(|path| assert!(!matches(text, path), "`{text}` does not match `{path}`"));
    }
}

#[test]
fn what_is_no_pattern_is_told_apart() {
    use AsPathPatternError::*;
    let word = |text: &str| Word(text.into());
    for (text, error) in [
        ("", Empty),
        ("^", Empty),
        ("$", Empty),
        ("1 ^ 2", Anchor),
        ("1 $ 2", Anchor),
        ("x", word("x")),
        ("1|2", word("1|2")),
        ("1 {2}", word("{2}")),
        ("*", word("*")),
        ("1**", word("1**")),
        ("4294967296", word("4294967296")),
        ("[1", Set),
        ("[]", Set),
        ("[1 x]", word("x")),
        ("[1]2", word("[1]2")),
        ("2-1", Range("2-1".into())),
        ("[3 2-1]", Range("2-1".into())),
    ] {
        assert_eq!(text.parse::<AsPathPattern>(), Err(error), "{text}");
    }
}

#[test]
fn a_pattern_has_its_limits_and_works_at_them() {
    let longest = ". ".repeat(MAX_PLACES);
    assert!(matches(&longest, &"1 ".repeat(MAX_PLACES)));
    assert!(!matches(&longest, &"1 ".repeat(MAX_PLACES - 1)));
    let longer = format!("{longest} .");
    assert_eq!(longer.parse::<AsPathPattern>(), Err(AsPathPatternError::TooLong));
    let set = |count: usize| format!("[{}]", (0..count).map(|at| format!("{} ", 2 * at)).collect::<String>());
    assert!(matches(&set(MAX_RANGES), "1998") && !matches(&set(MAX_RANGES), "1999"));
    assert_eq!(set(MAX_RANGES + 1).parse::<AsPathPattern>(), Err(AsPathPatternError::TooLong));
}

/// What would take a backtracking matcher longer than the universe has been there.
#[test]
fn a_hostile_path_costs_a_step_an_as() {
    let hostile = format!("{}2", "1 ".repeat(16_000));
    let text = format!("^ {} 3 $", "1* ".repeat(MAX_PLACES - 1));
    assert!(!matches(&text, &hostile));
}

#[test]
fn a_pattern_is_shown_as_it_is_written_with_single_spaces() {
    assert_eq!(pattern(" ^  64500   .* $ ").to_string(), "^ 64500 .* $");
}

/// Against a matcher that tries everything, over all short paths of three AS numbers.
#[test]
fn it_finds_what_trying_everything_finds() {
    let words = ["1", "2", ".", "1?", "2*", ".*", "1+", "[1 2]"];
    let mut paths: Vec<Vec<u32>> = vec![Vec::new()];
    for length in 0..4 {
        let longer = paths.iter().filter(|path| path.len() == length).cloned().collect::<Vec<_>>();
        paths.extend(longer.iter().flat_map(|path| [1, 2, 3].map(|asn| [path.as_slice(), &[asn]].concat())));
    }
    for first in words {
        for second in words {
            for third in words {
                for (start, end) in [("^", "$"), ("^", ""), ("", "$"), ("", "")] {
                    let text = format!("{start} {first} {second} {third} {end}");
                    let asked = pattern(&text);
                    for path in &paths {
                        let shown: Vec<String> = path.iter().map(u32::to_string).collect();
                        let octets = octets(&shown.join(" "));
                        let expected = tries_all(&[first, second, third], path, start == "^", end == "$");
                        let found = asked.matches(AsPath::parse(&octets).unwrap());
                        assert_eq!(found, expected, "`{text}` and {path:?}");
                    }
                }
            }
        }
    }
}

fn tries_all(words: &[&str], path: &[u32], from_start: bool, to_end: bool) -> bool {
    let starts = if from_start { 0..1 } else { 0..path.len() + 1 };
    starts.into_iter().any(|start| tries(words, &path[start..], to_end))
}

fn tries(words: &[&str], path: &[u32], to_end: bool) -> bool {
    let Some((word, rest)) = words.split_first() else { return !to_end || path.is_empty() };
    let (least, most) = match word.as_bytes().last() {
        Some(b'?') => (0, 1),
        Some(b'*') => (0, path.len()),
        Some(b'+') => (1, path.len()),
        _ => (1, 1),
    };
    let is_it = |asn: &u32| match word.trim_end_matches(['?', '*', '+']) {
        "." => true,
        "[1 2]" => *asn < 3,
        number => number == asn.to_string(),
    };
    (least..=most.min(path.len()))
        .any(|count| path[..count].iter().all(is_it) && tries(rest, &path[count..], to_end))
}
