//! Tables from text files: a line a route, `prefix|AS path|communities`, the last field with standard communities as
//! `64500:1` and large ones as `64500:1:2`, and perhaps empty.
//!
//! The files of a folder are the senders', in the order of their names (`f2` before `f10`); where there are fewer files than
//! senders, the first is used again after the last. The sender's AS is put before the path. Left out, and counted:
//! AS_SETs, routes that fit no message, IPv6 prefixes longer than 64, a prefix's second line in a file (for a route server, in any), and, silently, communities that mean something to every router or to a route server
//! (`65535:*`, `0:*`, those of the daemon's own AS), since what comes out must be computable.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::attributes::{Attributes, community};
use crate::load::{Kind, Load};
use crate::member::{self, TARGET_ASN};
use crate::prefix::Prefix;
use crate::problem::Problem;
use crate::table::{Feed, Run, Table};

/// Words of communities that a route may carry, so that it fits a message.
const MOST_WORDS: usize = 500;

/// The table of a load, and how many lines of its files were left out.
pub(crate) fn table(load: &Load, dir: &Path) -> Result<(Table, usize), Problem> {
    if load.kind == Kind::Actions {
        return Err(Problem::Load(format!(
            "{load}: action communities are made up, so its table is too: leave out --tables"
        )));
    }
    let files = files(dir)?;
    let mut table = Table::default();
    let mut places = HashMap::new();
    let mut left_out = 0;
    for sender in 0..load.senders {
        let path = &files[sender % files.len()];
        let mut feed = Grouped::default();
        let lines = BufReader::new(fs::File::open(path).map_err(Problem::file(path))?).lines();
        for line in lines {
            let line = line.map_err(Problem::file(path))?;
            let Some((prefix, attributes)) = route(&line, sender) else {
                left_out += 1;
                continue;
            };
            let next = table.prefixes.len() as u32;
            let place = *places.entry(prefix).or_insert(next);
            if place == next {
                table.prefixes.push(prefix);
            }
            let is_another_s = load.is_route_server() && place != next;
            if is_another_s || !feed.push(place, attributes, &mut table.sets) {
                left_out += 1;
            }
        }
        table.feeds.push(feed.feed);
    }
    if table.prefixes.is_empty() {
        return Err(Problem::Content { path: dir.to_path_buf(), what: "no route in any file".into() });
    }
    table.finish();
    Ok((table, left_out))
}

/// Routes as they are read, put together by their attributes.
#[derive(Default)]
struct Grouped {
    feed: Feed,
    runs: HashMap<Attributes, usize>,
    seen: HashSet<u32>,
}

impl Grouped {
    /// Adds a route, unless its prefix is in the feed already.
    fn push(&mut self, place: u32, attributes: Attributes, sets: &mut Vec<Attributes>) -> bool {
        if !self.seen.insert(place) {
            return false;
        }
        let run = *self.runs.entry(attributes).or_insert_with_key(|attributes| {
            self.feed.sets.push(Run { set: sets.len() as u32, places: Vec::new() });
            sets.push(attributes.clone());
            self.feed.sets.len() - 1
        });
        self.feed.sets[run].places.push(place);
        true
    }
}

fn route(line: &str, sender: usize) -> Option<(Prefix, Attributes)> {
    let mut fields = line.trim_end().split('|');
    let prefix = Prefix::parse(fields.next()?)?;
    let mut path = vec![member::asn(sender)];
    for asn in fields.next()?.split_whitespace() {
        path.push(asn.parse().ok()?);
    }
    let (mut communities, mut large) = (Vec::new(), Vec::new());
    for value in fields.next().unwrap_or_default().split_whitespace() {
        let numbers: Vec<u32> = value.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
        match numbers[..] {
            [high @ 0..=0xffff, low @ 0..=0xffff] => communities.push(community(high, low)),
            [a, b, c] => large.push([a, b, c]),
            _ => return None,
        }
    }
    communities.retain(|value| ![0, TARGET_ASN, 0xffff].contains(&(value >> 16)));
    large.retain(|[global, ..]| *global != TARGET_ASN);
    communities.sort_unstable();
    communities.dedup();
    large.sort_unstable();
    large.dedup();
    let fits = path.len() <= 255 && communities.len() + 3 * large.len() <= MOST_WORDS;
    (path.len() > 1 && fits).then_some((prefix, Attributes { path, communities, large, six: prefix.six }))
}

fn files(dir: &Path) -> Result<Vec<PathBuf>, Problem> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(Problem::file(dir))? {
        let path = entry.map_err(Problem::file(dir))?.path();
        if path.is_file() && path.extension().is_none() {
            files.push(path);
        }
    }
    files.sort_by_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let digits = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
        (name[..digits].to_string(), name[digits..].parse::<u64>().ok(), name.clone())
    });
    match files.is_empty() {
        true => {
            Err(Problem::Content { path: dir.to_path_buf(), what: "no file without an extension".into() })
        }
        false => Ok(files),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_line_and_refuses_what_can_not_be_played() {
        let (prefix, attributes) = route("1.0.0.0/24|6762 13335|6762:30 0:5 65535:65281 1:2:3", 0).unwrap();
        assert_eq!(prefix.to_string(), "1.0.0.0/24");
        assert_eq!(attributes.path, [64_512, 6_762, 13_335]);
        assert_eq!((attributes.communities, attributes.large), (vec![community(6_762, 30)], vec![[1, 2, 3]]));
        for line in
            ["", "1.0.0.0/24", "1.0.0.0/24||", "1.0.0.0/33|1|", "1.0.0.0/24|1 {2,3}|", "1.0.0.0/24|1|x"]
        {
            assert!(route(line, 0).is_none(), "{line}");
        }
    }

    #[test]
    fn files_are_taken_by_number_and_used_again() {
        let dir = tempfile::tempdir().unwrap();
        for (name, prefix) in [("f2", "2.0.0.0/8"), ("f10", "10.0.0.0/8")] {
            fs::write(dir.path().join(name), format!("{prefix}|7|\nnonsense\n")).unwrap();
        }
        let (table, left_out) = table(&"full3".parse().unwrap(), dir.path()).unwrap();
        assert_eq!(
            table.prefixes[..2].iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["2.0.0.0/8", "10.0.0.0/8"]
        );
        assert_eq!((table.routes(), left_out), (3, 3));
    }
}
