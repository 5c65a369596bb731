//! Where bogons come from.

use super::page::some;
use crate::check::bogons::BogonsOutline;

pub(super) fn in_words(bogons: &BogonsOutline) -> String {
    let asn_files: Vec<String> = bogons.asn_file.iter().cloned().collect();
    let prefixes = of("prefix", "prefixes", bogons.prefixes, &bogons.prefix_files, bogons.builtin[0]);
    let asns = of("range of ASNs", "ranges of ASNs", bogons.asn_ranges, &asn_files, bogons.builtin[1]);
    format!("{prefixes}; {asns}")
}

fn of(one: &str, many: &str, number: Option<usize>, files: &[String], builtin: bool) -> String {
    let number = match number {
        Some(1) => format!("1 {one}"),
        Some(number) => format!("{number} {many}"),
        None => many.to_owned(),
    };
    match (files.is_empty(), builtin) {
        (true, _) => format!("{number} built in"),
        (false, true) => format!("{number} built in and from {}", some(files, "")),
        (false, false) => format!("{number} from {}", some(files, "")),
    }
}
