//! The kernel's routes as `ip route` tells them, compared with what they must be.

use std::collections::HashMap;
use std::fs;
use std::net::IpAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use ipnet::IpNet;

use crate::oracle::Routes;

/// Differences told, in each direction.
const TOLD: usize = 10;

/// Waits until the kernel holds these routes of ours and no others, and returns when it was looked at and right.
pub(crate) fn wait_for(
    what: &str,
    expected: &Routes,
    start: Instant,
    patience: Duration,
    state: impl Fn() -> String,
) -> Duration {
    loop {
        let looked_at = start.elapsed();
        let differences = Differences::between(expected, &ours());
        if differences.is_none() {
            return looked_at;
        }
        let told =
            || format!("{what}: the kernel is not right after {looked_at:.1?}:\n{differences}\n{}", state());
        assert!(looked_at < patience, "{}", told());
        // Listing a full table takes the kernel some work, so it is done a part of the time.
        let listing = start.elapsed() - looked_at;
        std::thread::sleep(listing.clamp(Duration::from_millis(50), Duration::from_secs(1)));
    }
}

/// Every route of protocol 213, with its gateway.
pub(crate) fn ours() -> Vec<(IpNet, Option<IpAddr>)> {
    ["-4", "-6"].into_iter().flat_map(|family| parse(&list(family, "213"))).collect()
}

/// What others put there, as it is told.
pub(crate) fn foreign() -> String {
    ["static", "186"].iter().flat_map(|protocol| ["-4", "-6"].map(|family| list(family, protocol))).collect()
}

fn list(family: &str, protocol: &str) -> String {
    let output = Command::new("ip").args([family, "route", "show", "proto", protocol]).output();
    let output = output.expect("ip runs");
    assert!(output.status.success(), "ip route: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// `198.18.0.0/24 nhid 213000000 via 192.0.2.2 dev left proto 213 metric 32`, and so on.
fn parse(text: &str) -> Vec<(IpNet, Option<IpAddr>)> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip_while(|word| *word != "via").skip(1);
            let gateway = words.find(|word| *word != "inet6").and_then(|word| word.parse().ok());
            Some((prefix(line)?, gateway))
        })
        .collect()
}

/// The prefix that a line of `ip route` begins with. A prefix as long as the address has no length there.
pub(crate) fn prefix(line: &str) -> Option<IpNet> {
    let text = match line.split_whitespace().next()? {
        // Only IPv6 routes have a preference (RFC 4191).
        "default" if line.contains(" pref ") => "::/0",
        "default" => "0.0.0.0/0",
        text => text,
    };
    text.parse().ok().or_else(|| text.parse().ok().map(|address: IpAddr| address.into()))
}

/// Routes of all protocols in the table `main`, as the kernel counts them: cheap, so that a load can be timed.
pub(crate) fn count() -> usize {
    let v4 = fs::read_to_string("/proc/net/fib_triestat").unwrap_or_default();
    let main = v4.lines().skip_while(|line| !line.starts_with("Main:"));
    let prefixes = main.filter_map(|line| line.trim().strip_prefix("Prefixes:")).next();
    let v6 = fs::read_to_string("/proc/net/rt6_stats").unwrap_or_default();
    let entries = v6.split_whitespace().nth(3).and_then(|word| usize::from_str_radix(word, 16).ok());
    prefixes.and_then(|text| text.trim().parse().ok()).unwrap_or(0) + entries.unwrap_or(0)
}

/// How the kernel's routes are other than they must be.
struct Differences {
    missing: Vec<IpNet>,
    unexpected: Vec<(IpNet, Option<IpAddr>)>,
    elsewhere: Vec<(IpNet, Option<IpAddr>, IpAddr)>,
    twice: Vec<IpNet>,
}

impl Differences {
    fn between(expected: &Routes, actual: &[(IpNet, Option<IpAddr>)]) -> Self {
        let mut found = HashMap::with_capacity(actual.len());
        let mut twice = Vec::new();
        for (prefix, gateway) in actual {
            if found.insert(*prefix, *gateway).is_some() {
                twice.push(*prefix);
            }
        }
        let missing = expected.keys().filter(|prefix| !found.contains_key(*prefix)).copied().collect();
        let unexpected =
            actual.iter().filter(|(prefix, _)| !expected.contains_key(prefix)).copied().collect();
        let elsewhere = expected.iter().filter_map(|(prefix, wanted)| {
            let gateway = *found.get(prefix)?;
            (gateway != Some(*wanted)).then_some((*prefix, gateway, *wanted))
        });
        Differences { missing, unexpected, elsewhere: elsewhere.collect(), twice }
    }

    fn is_none(&self) -> bool {
        self.missing.is_empty()
            && self.unexpected.is_empty()
            && self.elsewhere.is_empty()
            && self.twice.is_empty()
    }
}

impl std::fmt::Display for Differences {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} missing, like {:?}", self.missing.len(), first(&self.missing))?;
        writeln!(f, "{} unexpected, like {:?}", self.unexpected.len(), first(&self.unexpected))?;
        writeln!(f, "{} elsewhere (is, should be), like {:?}", self.elsewhere.len(), first(&self.elsewhere))?;
        write!(f, "{} there twice, like {:?}", self.twice.len(), first(&self.twice))
    }
}

fn first<T>(list: &[T]) -> &[T] {
    &list[..list.len().min(TOLD)]
}
