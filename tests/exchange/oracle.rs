//! What every member must hold: small, slow, and plain enough to be believed.
//!
//! The paths of a prefix are put in one order, the best first, by elimination (RFC 4271 s9.1.2): the next is what would be
//! best if those before it were not there. A member gets the first that it may have (RFC 7947 s2.3), or all of them. Nothing
//! of the product is used.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::announcement::Announcement;
use crate::ask::{Ask, Whom, Wish};
use crate::community::{BLACKHOLE, GRACEFUL_SHUTDOWN, NO_EXPORT};
use crate::held::{Held, Holdings};
use crate::member::Member;
use crate::support::vrp::Vrp;
use crate::world::{BLACKHOLE_V4, BLACKHOLE_V6, RS, World};

/// A path, with who announces it.
type Path<'a> = (&'a Member, &'a Announcement);

/// A path on its way to a member.
#[derive(Clone, Copy)]
pub(crate) struct Delivery<'a> {
    pub(crate) from: &'a Member,
    pub(crate) announcement: &'a Announcement,
    pub(crate) prepended: u32,
    pub(crate) no_export: bool,
}

/// All that a member must hold.
pub(crate) fn holdings(world: &World, to: &Member) -> Holdings {
    let mut holdings = Holdings::new();
    for prefix in world.prefixes() {
        let deliveries = deliveries(world, to, prefix);
        let mut paths: Vec<Held> = deliveries.iter().map(|delivery| delivery.held(prefix)).collect();
        paths.sort_unstable();
        if !paths.is_empty() {
            holdings.insert(prefix, paths);
        }
    }
    holdings
}

/// The paths that a member is sent: the first that it may have, or all of them.
pub(crate) fn deliveries<'a>(world: &'a World, to: &Member, prefix: IpNet) -> Vec<Delivery<'a>> {
    let may_have = ranked(world, prefix).into_iter().filter_map(|(from, announcement)| {
        let (prepended, no_export) = treatment(announcement, to)?;
        // On a blackhole it is meant for those who drop the traffic.
        let stays = announcement.others.contains(&NO_EXPORT) && !announcement.is_blackhole();
        let goes_out = from.name != to.name && !stays;
        goes_out.then_some(Delivery { from, announcement, prepended, no_export })
    });
    may_have.take(if to.all_paths { usize::MAX } else { 1 }).collect()
}

/// The name of the member whose path is best, whoever may have it.
pub(crate) fn best_announcer(world: &World, prefix: IpNet) -> Option<&'static str> {
    ranked(world, prefix).first().map(|(from, _)| from.name)
}

/// Who announces a prefix, and what, in order of preference.
fn ranked(world: &World, prefix: IpNet) -> Vec<Path<'_>> {
    let up = world.members.iter().filter(|from| from.up);
    let announced = up.filter_map(|from| Some((from, from.announced.get(&prefix)?)));
    let mut left: Vec<Path<'_>> =
        announced.filter(|(from, said)| refusal(from, prefix, said, &world.vrps).is_none()).collect();
    let mut ranked = Vec::new();
    while let Some(best) = best(left.clone()) {
        left.retain(|(from, _)| from.name != best.0.name);
        ranked.push(best);
    }
    ranked
}

/// How often the announcer's AS is prepended towards a member, and whether NO_EXPORT is added; `None` withholds the path.
/// A wish about the peer goes before one about a region of it, and that before one about all.
fn treatment(announcement: &Announcement, to: &Member) -> Option<(u32, bool)> {
    let asks = announcement.asks.iter().filter(|(ask, form)| ask.written(*form).is_some());
    let wishes: Vec<(Wish, Whom)> = asks
        .filter_map(|(ask, _)| match ask {
            Ask::To(wish, whom) => Some((*wish, *whom)),
            Ask::Blackhole => None,
        })
        .collect();
    let at = |level: usize| {
        wishes.iter().filter(move |(_, whom)| match whom {
            Whom::Peer(asn) => level == 0 && *asn == to.asn,
            Whom::Region(region) => level == 1 && to.regions.contains(region),
            Whom::All => level == 2,
        })
    };
    let (mut announced, mut prepended, mut no_export) = (None, 0, false);
    for level in 0..3 {
        let says = |wanted| at(level).any(|(wish, _)| *wish == wanted);
        if announced.is_none() && says(Wish::Withhold) {
            announced = Some(false);
        } else if announced.is_none() && says(Wish::Announce) {
            announced = Some(true);
        }
        if prepended == 0 {
            prepended = (1..=3).rev().find(|times| says(Wish::Prepend(*times))).unwrap_or(0);
        }
        no_export |= says(Wish::NoExport);
    }
    announced.unwrap_or(true).then_some((prepended, no_export))
}

/// Eliminates, step by step, what is worse than another.
fn best(mut left: Vec<Path<'_>>) -> Option<Path<'_>> {
    keep_least(&mut left, |(_, said)| said.others.contains(&GRACEFUL_SHUTDOWN));
    keep_least(&mut left, |(_, said)| said.path.len());
    keep_least(&mut left, |(_, said)| said.origin);
    let discriminator = |(_, said): &Path<'_>| said.med.unwrap_or(0);
    let before = left.clone();
    left.retain(|path| {
        let rivals = before.iter().filter(|rival| rival.0.asn == path.0.asn);
        rivals.map(discriminator).min() == Some(discriminator(path))
    });
    keep_least(&mut left, |(from, _)| from.router_id);
    left.pop()
}

fn keep_least<K: Ord>(left: &mut Vec<Path<'_>>, key: impl Fn(&Path<'_>) -> K) {
    let least = left.iter().map(&key).min();
    left.retain(|path| Some(key(path)) == least);
}

/// Why an announcement is refused, in words; `None` where it is accepted.
pub(crate) fn refusal(
    from: &Member,
    prefix: IpNet,
    announcement: &Announcement,
    vrps: &[Vrp],
) -> Option<&'static str> {
    let origin = announcement.path.last().copied().unwrap_or(from.asn);
    let covering: Vec<&Vrp> = vrps.iter().filter(|vrp| vrp.prefix.contains(&prefix)).collect();
    let of_origin = |vrp: &&Vrp| vrp.asn == origin;
    let valid = covering.iter().filter(|vrp| of_origin(vrp)).any(|vrp| prefix.prefix_len() <= vrp.max_length);
    let owned = origin == from.asn && covering.iter().any(of_origin);
    let longest = if prefix.addr().is_ipv4() { 24 } else { 48 };
    if announcement.path.contains(&RS) {
        Some("loop")
    } else if announcement.path.iter().any(|asn| (64_496..=131_071).contains(asn)) {
        Some("bogon AS")
    } else if announcement.is_blackhole() {
        (!owned).then_some("blackhole of another's")
    } else if prefix.prefix_len() > longest {
        Some("too long")
    } else if !covering.is_empty() && !valid {
        Some("RPKI invalid")
    } else {
        None
    }
}

impl Delivery<'_> {
    /// As the member gets it: what the sender said, but for what was asked for (RFC 7947 s2.2), and marked as told to a
    /// client of a route server (RFC 9234 s5, egress rule 1).
    fn held(&self, prefix: IpNet) -> Held {
        let Delivery { from, announcement, prepended, no_export } = *self;
        let own = std::iter::repeat_n(from.asn, prepended as usize + 1);
        let blackhole = announcement.is_blackhole();
        let mut communities = announcement.others.clone();
        communities.extend(blackhole.then_some(BLACKHOLE));
        communities.extend((blackhole || no_export).then_some(NO_EXPORT));
        communities.sort_unstable();
        communities.dedup();
        let next_hop: Vec<IpAddr> = match (prefix.addr().is_ipv4(), blackhole) {
            (true, false) => vec![from.v4().into()],
            (false, false) => vec![from.v6().into(), from.link_local().into()],
            (true, true) => vec![BLACKHOLE_V4.into()],
            (false, true) => vec![BLACKHOLE_V6.into()],
        };
        Held {
            path: own.chain(announcement.path.iter().copied()).collect(),
            origin: announcement.origin.name().into(),
            next_hop,
            med: announcement.med,
            only_to_customer: Some(RS),
            communities,
            strange: Vec::new(),
        }
    }
}
