//! What a correct daemon would have sent: computed from the tables alone, once for all daemons.
//!
//! - Edge router: of every prefix the listener gets the path that is best by length, then by the lowest BGP identifier
//!   (RFC 4271 s9.1.2.2 a and f; nothing between them differs), with the daemon's AS before it. Providers get nothing.
//! - Route server: every member gets what others announce, where their action communities let it, with AS path, next hop
//!   and all other communities as they were (RFC 7947 s2.2).
//! - With VRPs, invalid routes count as if they had never been sent (RFC 6811).
//!
//! The floor reads nothing, so all that can be asked of it is that every prefix arrived.

use hashbrown::HashMap;

use crate::actions::{self, Reach};
use crate::attributes::{Attributes, NextHop, digest};
use crate::bits::Bits;
use crate::load::{Kind, Load};
use crate::member::{self, TARGET_ASN};
use crate::table::Table;
use crate::vrps::Vrps;

type Map<K, V> = HashMap<K, V, foldhash::fast::FixedState>;

/// How much may be asked of a daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rigor {
    /// That all is as it should be.
    Exact,
    /// That the prefixes arrived: it copies.
    Copy,
}

/// Knows what is right.
#[derive(Debug)]
pub(crate) struct Oracle {
    load: Load,
    rigor: Rigor,
    digests: Vec<u64>,
    has_prepends: Bits,
    prepended: Vec<Map<u32, u64>>,
    reaches: Vec<Reach>,
    refused: Vec<Bits>,
    sender_of: Vec<u16>,
}

/// What every session should hold.
#[derive(Clone, Debug)]
pub(crate) struct Expectation {
    /// By session: by place in the table.
    pub(crate) holds: Vec<Bits>,
    /// By place: whose attributes it should come with.
    pub(crate) set_of: Vec<u32>,
}

impl Oracle {
    /// The oracle of a load.
    pub(crate) fn new(load: &Load, table: &Table, vrps: Option<&Vrps>, rigor: Rigor) -> Self {
        let size = table.prefixes.len();
        let mut oracle = Oracle {
            load: load.clone(),
            rigor,
            digests: Vec::with_capacity(table.sets.len()),
            has_prepends: Bits::none(table.sets.len()),
            prepended: vec![Map::default(); load.sessions()],
            reaches: Vec::new(),
            sender_of: Vec::with_capacity(table.sets.len()),
            refused: table.feeds.iter().map(|_| Bits::none(size)).collect(),
        };
        oracle.digest_sets(table);
        if load.kind == Kind::Actions && rigor == Rigor::Exact {
            oracle.learn_actions(table);
        }
        if let (Some(vrps), Rigor::Exact) = (vrps, rigor) {
            oracle.refuse_invalid(table, vrps);
        }
        oracle
    }

    /// Whether what is announced at a place comes with what it should, to a session, by what is expected.
    #[inline]
    pub(crate) fn is_right(&self, session: usize, set: u32, heard: u64) -> bool {
        if self.rigor == Rigor::Copy {
            return true;
        }
        if self.has_prepends.holds(set as usize)
            && let Some(prepended) = self.prepended[session].get(&set)
        {
            return *prepended == heard;
        }
        self.digests[set as usize] == heard
    }

    /// Whether a set is a session's own. A daemon may send a member its own routes back; the member drops them, as its AS is
    /// in the path (RFC 4271 s9.1.2), so they count as never sent.
    #[inline]
    pub(crate) fn is_echo(&self, session: usize, set: u32) -> bool {
        self.rigor == Rigor::Exact
            && self.sender_of.get(set as usize).is_some_and(|sender| usize::from(*sender) == session)
    }

    /// Whether routes' attributes are looked at, and with them, whether the next hop is.
    pub(crate) fn looks_at_next_hop(&self) -> bool {
        self.load.is_route_server()
    }

    /// Whether a session's holdings are looked at: the floor's senders get copies of what they sent themselves.
    pub(crate) fn watches(&self, session: usize) -> bool {
        self.rigor == Rigor::Exact || self.load.receives(session)
    }

    /// Whether a session is sent routes.
    pub(crate) fn receives(&self, session: usize) -> bool {
        self.load.receives(session)
    }

    /// Routes that are refused as invalid, of all senders.
    pub(crate) fn refused(&self) -> usize {
        self.refused.iter().map(Bits::len).sum()
    }

    /// The digest of a set, to compare expectations by.
    pub(crate) fn digest_of(&self, set: u32) -> u64 {
        self.digests.get(set as usize).copied().unwrap_or_default()
    }

    /// Nothing, for anybody.
    pub(crate) fn nothing(&self, table: &Table) -> Expectation {
        self.expectation(table, &vec![false; self.load.sessions()])
    }

    /// What is right while so many of the senders are there and have sent all, and the others are away.
    pub(crate) fn expectation(&self, table: &Table, is_there: &[bool]) -> Expectation {
        match self.load.kind {
            Kind::Full => self.best_paths(table, is_there),
            _ => self.others_routes(table, is_there),
        }
    }

    fn best_paths(&self, table: &Table, is_there: &[bool]) -> Expectation {
        let size = table.prefixes.len();
        let mut best: Vec<Option<(usize, u32)>> = vec![None; size];
        for (sender, feed) in table.feeds.iter().enumerate().filter(|(sender, _)| is_there[*sender]) {
            for run in &feed.sets {
                let length = table.sets[run.set as usize].path.len();
                for place in run.places.iter().map(|place| *place as usize) {
                    let is_better = best[place].is_none_or(|(than, _)| length < than);
                    if is_better && !self.refused[sender].holds(place) {
                        best[place] = Some((length, run.set));
                    }
                }
            }
        }
        let mut holds = vec![Bits::none(size); self.load.sessions()];
        let listener = self.load.senders;
        for place in (0..size).filter(|place| best[*place].is_some()) {
            holds[listener].set(place, true);
        }
        Expectation {
            holds,
            set_of: best.into_iter().map(|best| best.map_or(u32::MAX, |(_, set)| set)).collect(),
        }
    }

    fn others_routes(&self, table: &Table, is_there: &[bool]) -> Expectation {
        let size = table.prefixes.len();
        let mut set_of = vec![u32::MAX; size];
        let mut everybodys = Bits::none(size);
        let mut exceptions: Vec<Vec<(u32, bool)>> = vec![Vec::new(); self.load.sessions()];
        let by_asn: Map<u32, usize> =
            (0..self.load.sessions()).map(|session| (member::asn(session), session)).collect();
        let open = Reach::default();
        for (sender, feed) in table.feeds.iter().enumerate().filter(|(sender, _)| is_there[*sender]) {
            for run in &feed.sets {
                let reach = self.reaches.get(run.set as usize).unwrap_or(&open);
                for place in run.places.iter().filter(|place| !self.refused[sender].holds(**place as usize)) {
                    set_of[*place as usize] = run.set;
                    everybodys.set(*place as usize, !reach.nobody_else);
                    let named = reach.permitted.iter().map(|peer| (peer, true));
                    for (peer, may) in named.chain(reach.denied.iter().map(|peer| (peer, false))) {
                        if let Some(session) = by_asn.get(peer) {
                            exceptions[*session].push((*place, may));
                        }
                    }
                    exceptions[sender].push((*place, false));
                }
            }
        }
        let holds = exceptions.into_iter().zip(is_there).map(|(exceptions, is_there)| {
            let mut holds = if *is_there { everybodys.clone() } else { Bits::none(size) };
            for (place, may) in exceptions.into_iter().filter(|_| *is_there) {
                holds.set(place as usize, may);
            }
            holds
        });
        Expectation { holds: holds.collect(), set_of }
    }

    fn digest_sets(&mut self, table: &Table) {
        for (sender, feed) in table.feeds.iter().enumerate() {
            for run in &feed.sets {
                debug_assert_eq!(run.set as usize, self.digests.len());
                self.sender_of.push(sender as u16);
                self.digests.push(self.digest(&table.sets[run.set as usize], sender, 0));
            }
        }
    }

    fn digest(&self, attributes: &Attributes, sender: usize, prepends: usize) -> u64 {
        let mut path = attributes.path.clone();
        let first = if self.load.is_route_server() { path[0] } else { TARGET_ASN };
        let times = if self.load.is_route_server() { prepends } else { 1 };
        path.splice(0..0, std::iter::repeat_n(first, times));
        let mut communities = attributes.communities.clone();
        let mut large = attributes.large.clone();
        if self.load.kind == Kind::Actions {
            communities.retain(|value| !actions::is_standard_action(*value));
            large.retain(|value| !actions::is_large_action(*value));
        }
        let next_hop = match (self.looks_at_next_hop(), attributes.six) {
            (false, _) => NextHop::Any,
            (true, false) => NextHop::Four(member::address(sender)),
            (true, true) => NextHop::Six(member::address_six(sender)),
        };
        digest(&path, &mut communities, &mut large, next_hop)
    }

    fn learn_actions(&mut self, table: &Table) {
        let by_asn: Map<u32, usize> =
            (0..self.load.sessions()).map(|session| (member::asn(session), session)).collect();
        self.reaches = table.sets.iter().map(Reach::of).collect();
        for (sender, feed) in table.feeds.iter().enumerate() {
            for set in feed.sets.iter().map(|run| run.set) {
                for (peer, times) in self.reaches[set as usize].prepended.clone() {
                    let digest = self.digest(&table.sets[set as usize], sender, usize::from(times));
                    if let Some(session) = by_asn.get(&peer) {
                        self.prepended[*session].insert(set, digest);
                        self.has_prepends.set(set as usize, true);
                    }
                }
            }
        }
    }

    fn refuse_invalid(&mut self, table: &Table, vrps: &Vrps) {
        for (feed, refused) in table.feeds.iter().zip(&mut self.refused) {
            for run in &feed.sets {
                let origin = table.sets[run.set as usize].path.last().copied().unwrap_or_default();
                for place in run.places.iter().map(|place| *place as usize) {
                    refused.set(place, vrps.refuses(table.prefixes[place], origin));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefix::Prefix;
    use crate::table::{Feed, Run};

    fn attributes(path: &[u32], large: &[[u32; 3]]) -> Attributes {
        Attributes { path: path.to_vec(), communities: vec![], large: large.to_vec(), six: false }
    }

    fn table(sets: Vec<Attributes>, feeds: &[&[(u32, &[u32])]]) -> Table {
        let feeds = feeds.iter().map(|feed| Feed {
            sets: feed.iter().map(|(set, places)| Run { set: *set, places: places.to_vec() }).collect(),
        });
        Table { prefixes: (0..4).map(|n| Prefix::v4(n << 8, 24)).collect(), sets, feeds: feeds.collect() }
    }

    fn places(bits: &Bits) -> Vec<usize> {
        (0..4).filter(|place| bits.holds(*place)).collect()
    }

    #[test]
    fn the_listener_gets_the_best_of_who_is_there() {
        let load: Load = "full2".parse().unwrap();
        let sets = vec![attributes(&[1, 2, 3], &[]), attributes(&[4, 3], &[]), attributes(&[4, 5, 3], &[])];
        let table = table(sets, &[&[(0, &[0, 1, 3])], &[(1, &[0]), (2, &[1, 2])]]);
        let oracle = Oracle::new(&load, &table, None, Rigor::Exact);
        let both = oracle.expectation(&table, &[true, true, true]);
        assert_eq!(both.holds.iter().map(places).collect::<Vec<_>>(), [vec![], vec![], vec![0, 1, 2, 3]]);
        assert_eq!(both.set_of, [1, 0, 2, 0]);
        let one = oracle.expectation(&table, &[false, true, true]);
        assert_eq!((places(&one.holds[2]), one.set_of[1]), (vec![0, 1, 2], 2));
    }

    #[test]
    fn members_get_what_actions_let_through() {
        let load: Load = "actions3x2".parse().unwrap();
        let [a, b, c] = [0, 1, 2].map(member::asn);
        let sets = vec![
            attributes(&[a, 9], &[[TARGET_ASN, 0, b]]),
            attributes(&[a, 9], &[[TARGET_ASN, 0, 0], [TARGET_ASN, 1, c]]),
            attributes(&[b, 9], &[[TARGET_ASN, 102, c], [7, 7, 7]]),
        ];
        let table = table(sets, &[&[(0, &[0]), (1, &[1])], &[(2, &[2, 3])], &[]]);
        let oracle = Oracle::new(&load, &table, None, Rigor::Exact);
        let all = oracle.expectation(&table, &[true; 3]);
        assert_eq!(all.holds.iter().map(places).collect::<Vec<_>>(), [vec![2, 3], vec![], vec![0, 1, 2, 3]]);
        let sent = |path: &[u32]| digest(path, &mut [], &mut [[7, 7, 7]], NextHop::Four(member::address(1)));
        assert!(oracle.is_right(0, 2, sent(&[b, 9])) && !oracle.is_right(0, 2, sent(&[b, b, b, 9])));
        assert!(oracle.is_right(2, 2, sent(&[b, b, b, 9])) && !oracle.is_right(2, 2, sent(&[b, 9])));
        let copied = Oracle::new(&load, &table, None, Rigor::Copy).expectation(&table, &[true; 3]);
        assert_eq!(places(&copied.holds[1]), [0, 1]);
    }
}
