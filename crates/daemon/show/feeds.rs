//! `palisade show feeds`.

use std::io::{self, Write};

use super::text::{Columns, Side, duration, harmless};
use super::{Arguments, Array, ShowError, ask, unasked};
use crate::control::answer::Line;
use crate::control::request::Request;
use crate::feeds::{FeedStatus, Held};
use crate::terminal::grouped;

const HEAD: [&str; 6] = ["feed", "source", "state", "age", "next", "holds"];
const SIDES: [Side; 6] = [Side::Left, Side::Left, Side::Left, Side::Right, Side::Right, Side::Left];

pub(super) fn show(arguments: &Arguments, out: &mut impl Write) -> Result<(), ShowError> {
    let mut feeds = Vec::new();
    ask(arguments, &Request::Feeds, |line| {
        let Line::Feed(feed) = line else { return Err(unasked()) };
        feeds.push(*feed);
        Ok(())
    })?;
    if !arguments.json {
        return Ok(print(out, &feeds)?);
    }
    let mut array = Array::new(out);
    feeds.iter().try_for_each(|feed| array.push(feed))?;
    Ok(array.end()?)
}

fn print(out: &mut impl Write, feeds: &[FeedStatus]) -> io::Result<()> {
    if feeds.is_empty() {
        return writeln!(out, "No sources are configured: what is built in is all that is judged by.");
    }
    let rows: Vec<[String; 6]> = feeds.iter().map(row).collect();
    let head = HEAD.map(String::from);
    let columns = Columns::fit(SIDES, rows.iter().chain([&head]));
    columns.write(out, &head)?;
    for (feed, row) in feeds.iter().zip(&rows) {
        columns.write(out, row)?;
        for words in besides(feed) {
            writeln!(out, "      {words}")?;
        }
    }
    Ok(())
}

fn row(feed: &FeedStatus) -> [String; 6] {
    let holds = feed.holds.iter().map(|(what, count)| counted(*count, what));
    let seconds = |seconds: Option<u64>| seconds.map(duration).unwrap_or_default();
    [
        format!("{}{} {}", if feed.alarming { "! " } else { "  " }, feed.feed, feed.kind),
        harmless(&feed.name),
        feed.state.clone(),
        seconds(feed.age_s),
        seconds(feed.next_try_s),
        holds.collect::<Vec<_>>().join(", "),
    ]
}

/// A count of what a key names, in words.
fn counted(count: usize, key: &str) -> String {
    let words = match key {
        "vrps" => "VRPs".into(),
        "aspas" => "ASPAs".into(),
        "as_sets" => "as-sets".into(),
        "route_sets" => "route-sets".into(),
        "entries" => return format!("{} in it", grouped(count as u64)),
        other => other.replace('_', " "),
    };
    let words = if count == 1 { words.trim_end_matches('s') } else { &words };
    format!("{} {words}", grouped(count as u64))
}

/// What else there is to say of a source, a line each.
fn besides(feed: &FeedStatus) -> Vec<String> {
    let protocol = feed.protocol.iter().map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>();
    let mut all = Vec::new();
    // Of a cache that has said nothing, there is nothing to say.
    if feed.protocol.keys().any(|key| key != "preference") {
        all.push(harmless(&protocol.join(", ")));
    }
    all.extend(feed.held.as_ref().map(|held| told(held, &feed.name)));
    all.extend(feed.error.as_deref().map(|error| format!("error: {}", harmless(error))));
    all.extend(feed.note.as_deref().map(harmless));
    all
}

fn told(held: &Held, name: &str) -> String {
    let changes = held
        .from_to
        .iter()
        .map(|(what, (from, to))| format!("{} would become {}", counted(*from, what), grouped(*to as u64)));
    let until = match held.until_s {
        Some(seconds) => format!("counts in {}", duration(seconds)),
        None => "waits for you".into(),
    };
    format!(
        "held for {}: {}; {until}, or with `palisade confirm {}`",
        duration(held.for_s),
        changes.collect::<Vec<_>>().join(", "),
        harmless(name)
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn feed() -> FeedStatus {
        FeedStatus {
            feed: "rpki".into(),
            kind: "rtr".into(),
            name: "192.0.2.10:323".into(),
            state: "holding".into(),
            alarming: true,
            state_for_s: Some(61),
            holds: BTreeMap::from([("vrps".into(), 723_521)]),
            age_s: Some(61),
            next_try_s: Some(3600),
            protocol: BTreeMap::from([("version".into(), "1".into())]),
            held: Some(Held {
                from_to: BTreeMap::from([("vrps".into(), (723_521, 401_000))]),
                for_s: 60,
                until_s: Some(3540),
            }),
            error: None,
            note: Some("at \u{1b}[31mversion 1".into()),
        }
    }

    #[test]
    fn what_is_held_is_told_with_what_to_do_about_it() {
        let mut out = Vec::new();
        print(&mut out, &[feed()]).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "feed        source          state      age   next  holds\n\
             ! rpki rtr  192.0.2.10:323  holding  1m01s  1h00m  723,521 VRPs\n\
             \u{20}     version 1\n\
             \u{20}     held for 1m00s: 723,521 VRPs would become 401,000; counts in 59m00s, or with \
             `palisade confirm 192.0.2.10:323`\n\
             \u{20}     at \u{fffd}[31mversion 1\n"
        );
    }
}
