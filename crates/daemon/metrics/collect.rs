//! What the numbers are now.

use std::time::{Duration, Instant};

use palisade_bgp::Family;
use palisade_bgp::message::MessageKind;
use palisade_bgp::session::State;
use palisade_fib::FibStats;
use palisade_policy::{PerReason, RovState, Rules, Snapshot};
use palisade_rib::Totals;

use super::catalogue::*;
use super::page::{Page, Samples};
use crate::config::Config;
use crate::feeds::FeedStatus;
use crate::run::agreed::Agreed;
use crate::run::expected::Expected;
use crate::run::limits::key;
use crate::run::{OneWay, Roster, RouterView, RunningPeer};

/// `ipv4` and `ipv6`.
const FAMILIES: [(Family, &str); 2] = [(Family::Ipv4, "ipv4"), (Family::Ipv6, "ipv6")];

/// All of them, now; `None` while the router stops. `sources` are what the feeds say of themselves.
pub(crate) async fn text(config: &Config, view: &RouterView, sources: &[FeedStatus]) -> Option<String> {
    let totals = view.totals().await?;
    let (roster, tables) = (view.roster(), view.tables());
    let mut page = Page::default();
    router(&mut page, config, view.uptime(), &totals);
    judged_by(&mut page, &tables);
    feeds(&mut page, sources);
    if let Some(stats) = view.fib_stats() {
        kernel(&mut page, &stats);
    }
    strangers(&mut page, view.expected());
    sessions(&mut page, &roster);
    traffic(&mut page, &roster);
    paths(&mut page, &roster, &tables.rules);
    limits(&mut page, &roster);
    Some(page.into_text())
}

fn router(page: &mut Page, config: &Config, uptime: Duration, totals: &Totals) {
    let router = &config.router;
    let (asn, id) = (router.asn.0.to_string(), router.id.to_string());
    page.metric(&INFO).put(&[env!("CARGO_PKG_VERSION"), &asn, &id, router.mode.slug()], 1);
    page.metric(&UPTIME).put(&[], seconds(uptime));
    by_family(page, &PREFIXES, totals.prefixes);
    by_family(page, &UPDATE_GROUPS, totals.groups);
}

fn judged_by(page: &mut Page, tables: &Snapshot) {
    page.metric(&VRPS).put(&[], tables.rov.len());
    page.metric(&ASPAS).put(&[], tables.aspa.len());
    page.metric(&ROUTE_OBJECTS).put(&[], tables.irr.len());
    page.metric(&GENERATION).put(&[], tables.generation);
}

fn by_family(page: &mut Page, metric: &'static Metric, counts: [usize; 2]) {
    let mut samples = page.metric(metric);
    FAMILIES.iter().for_each(|(family, word)| samples.put(&[word], counts[family.index()]));
}

fn feeds(page: &mut Page, sources: &[FeedStatus]) {
    let mut ages = page.metric(&SOURCE_AGE);
    for source in sources {
        source.age_s.into_iter().for_each(|age| ages.put(&[&source.feed, &source.name], age));
    }
    let mut alarms = page.metric(&SOURCE_ALARMING);
    for source in sources {
        alarms.put(&[&source.feed, &source.name], u8::from(source.alarming));
    }
}

fn kernel(page: &mut Page, stats: &FibStats) {
    let mut routes = page.metric(&KERNEL_ROUTES);
    for (state, count) in [
        ("wanted", stats.desired),
        ("installed", stats.installed),
        ("pending", stats.pending),
        ("unresolved", stats.unresolved),
        ("retrying", stats.retrying),
        ("refused", stats.refused),
    ] {
        routes.put(&[state], count);
    }
    page.metric(&KERNEL_OPERATIONS).put(&[], stats.operations);
    page.metric(&KERNEL_MEDDLED).put(&[], stats.meddled);
}

/// Who came from where nobody is written.
fn strangers(page: &mut Page, expected: &Expected) {
    page.metric(&REFUSED).put(&[], expected.strangers());
    let ranges = expected.ranges();
    let mut samples = page.metric(&RANGE_GUESTS);
    ranges.iter().for_each(|range| samples.put(&[range.name()], range.guests()));
    let mut samples = page.metric(&RANGE_MAX_PEERS);
    ranges.iter().for_each(|range| samples.put(&[range.name()], range.max_peers()));
    let mut samples = page.metric(&RANGE_REFUSED);
    for range in &ranges {
        range.refused().counts().for_each(|(why, count)| samples.put(&[range.name(), why.slug()], count));
    }
}

fn sessions(page: &mut Page, roster: &Roster) {
    let mut samples = page.metric(&PEER_INFO);
    for peer in roster.peers() {
        let role = peer.role.map_or("none", |role| role.slug());
        samples.put(&[&peer.name, &peer.asn.0.to_string(), &peer.address.to_string(), role], 1);
    }
    each(page, &PEER_UP, roster, |peer| u8::from(peer.status.state() == State::Established));
    let mut samples = page.metric(&PEER_STATE);
    for peer in roster.peers() {
        samples.put(&[&peer.name, &format!("{:?}", peer.status.state())], 1);
    }
    each(page, &PEER_STATE_SECONDS, roster, |peer| seconds(peer.status.lasts()));
    each(page, &PEER_KEPT_DOWN, roster, |peer| u8::from(peer.status.held_down().is_some()));
    each(page, &PEER_SHUTTING_DOWN, roster, |peer| u8::from(peer.policy().shutting_down));
    let mut samples = page.metric(&PEER_SESSION);
    for peer in roster.peers() {
        if let Some(agreed) = peer.status.agreed() {
            samples.put(&labels(peer, &agreed).each_ref().map(String::as_str), 1);
        }
    }
    each(page, &PEER_SESSIONS, roster, |peer| peer.status.times_up());
}

fn labels(peer: &RunningPeer, agreed: &Agreed) -> [String; 16] {
    [
        peer.name.clone(),
        agreed.router_id.clone(),
        agreed.hold_time_s.to_string(),
        agreed.four_octet_as.to_string(),
        agreed.add_path_ipv4.clone(),
        agreed.add_path_ipv6.clone(),
        (agreed.longest_sent > palisade_bgp::message::MAX_LEN).to_string(),
        agreed.extended_next_hop.to_string(),
        agreed.route_refresh.clone(),
        agreed.role.clone().unwrap_or_else(|| "none".into()),
        agreed.restart.is_some().to_string(),
        agreed.restart.as_ref().is_some_and(|restart| restart.long_lived_s > 0).to_string(),
        peer.transport.password.is_some().to_string(),
        peer.transport.ttl_security.to_string(),
        peer.status.local_address().map_or_else(|| "none".into(), |address| address.to_string()),
        peer.transport
            .user_timeout
            .map_or_else(|| "none".into(), |timeout| timeout.as_secs_f64().to_string()),
    ]
}

fn traffic(page: &mut Page, roster: &Roster) {
    let ways = |peer: &RunningPeer, tell: &mut dyn FnMut(&str, &OneWay)| {
        let traffic = &peer.status.traffic;
        tell("received", &traffic.received);
        tell("sent", &traffic.sent);
    };
    let mut samples = page.metric(&PEER_MESSAGES);
    for peer in roster.peers() {
        ways(peer, &mut |direction, way| {
            for kind in MessageKind::ALL {
                samples.put(&[&peer.name, direction, kind.slug()], way.messages(kind));
            }
        });
    }
    let mut samples = page.metric(&PEER_OCTETS);
    for peer in roster.peers() {
        ways(peer, &mut |direction, way| samples.put(&[&peer.name, direction], way.octets()));
    }
    let mut samples = page.metric(&PEER_REFUSED);
    for peer in roster.peers() {
        let counts = peer.status.refused.counts();
        counts.for_each(|(why, count)| samples.put(&[&peer.name, why.slug()], count));
    }
    let mut samples = page.metric(&PEER_NOTIFICATIONS);
    for peer in roster.peers() {
        ways(peer, &mut |direction, way| {
            let counts = way.notifications();
            for (code, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                samples.put(&[&peer.name, direction, &code.to_string()], count);
            }
        });
    }
    let mut samples = page.metric(&PEER_FAULTS);
    for peer in roster.peers() {
        for ((outcome, attribute), count) in peer.status.traffic.faults() {
            samples.put(&[&peer.name, outcome.slug(), &attribute.to_string()], count);
        }
    }
}

fn paths(page: &mut Page, roster: &Roster, rules: &Rules) {
    let tallies: Vec<_> = roster.peers().iter().map(|peer| (peer, peer.status.counters.read())).collect();
    let mut samples = page.metric(&PEER_PATHS);
    for (peer, tally) in &tallies {
        for (family, word) in FAMILIES {
            samples.put(&[&peer.name, word, "received"], tally.received[family.index()].max(0));
            samples.put(&[&peer.name, word, "accepted"], tally.accepted[family.index()].max(0));
        }
    }
    let mut samples = page.metric(&PEER_STALE);
    tallies.iter().for_each(|(peer, tally)| samples.put(&[&peer.name], tally.stale_total().max(0)));
    stale(page, roster);
    let by_reason = |samples: &mut Samples<'_>, peer: &RunningPeer, counts: &PerReason<i64>| {
        for (reason, count) in counts.iter().filter(|(_, count)| **count > 0) {
            samples.put(&[&peer.name, &rules.slug(reason)], count);
        }
    };
    let mut samples = page.metric(&PEER_REJECTED);
    tallies.iter().for_each(|(peer, tally)| by_reason(&mut samples, peer, &tally.rejected));
    let mut samples = page.metric(&PEER_OBSERVED);
    tallies.iter().for_each(|(peer, tally)| by_reason(&mut samples, peer, &tally.observed));
    let mut samples = page.metric(&PEER_RPKI);
    for (peer, tally) in &tallies {
        for (state, count) in RovState::ALL.iter().zip(tally.rov) {
            samples.put(&[&peer.name, state.slug()], count.max(0));
        }
    }
    let mut samples = page.metric(&PEER_DROPPED);
    tallies.iter().for_each(|(peer, tally)| samples.put(&[&peer.name], tally.left_out().max(0)));
}

/// What becomes of the paths that are stale.
fn stale(page: &mut Page, roster: &Roster) {
    let now = Instant::now();
    let phases = || {
        let phases = |peer: &RunningPeer| FAMILIES.into_iter().zip(peer.status.phases());
        let peers = roster.peers().iter().flat_map(move |peer| phases(peer).map(move |found| (peer, found)));
        peers.filter_map(|(peer, ((_, family), phase))| Some((peer, family, phase, phase.until()?)))
    };
    let mut samples = page.metric(&PEER_STALE_PHASE);
    phases().for_each(|(peer, family, phase, _)| samples.put(&[&peer.name, family, phase.slug()], 1));
    let mut samples = page.metric(&PEER_STALE_LEFT);
    phases().for_each(|(peer, family, _, until)| {
        samples.put(&[&peer.name, family], seconds(until.saturating_duration_since(now)));
    });
}

fn limits(page: &mut Page, roster: &Roster) {
    let limits: Vec<_> = roster
        .peers()
        .iter()
        .map(|peer| (peer, peer.policy().limits.of(peer.status.counters.counts()).collect::<Vec<_>>()))
        .collect();
    let mut samples = page.metric(&PEER_LIMIT);
    for (peer, limits) in &limits {
        limits.iter().for_each(|limit| samples.put(&[&peer.name, key(limit)], limit.most));
    }
    let mut samples = page.metric(&PEER_LIMIT_USED);
    for (peer, limits) in &limits {
        limits.iter().for_each(|limit| samples.put(&[&peer.name, key(limit)], limit.held.max(0)));
    }
    each(page, &PEER_LIMIT_WARNINGS, roster, |peer| peer.status.limits.warnings());
    each(page, &PEER_LIMIT_REACHED, roster, |peer| peer.status.limits.reached());
}

/// One sample a peer.
fn each<T: std::fmt::Display>(
    page: &mut Page,
    metric: &'static Metric,
    roster: &Roster,
    value: impl Fn(&RunningPeer) -> T,
) {
    let mut samples = page.metric(metric);
    roster.peers().iter().for_each(|peer| samples.put(&[&peer.name], value(peer)));
}

fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}
