//! What of the table waits to be judged again: prefixes with what lies under them, and paths that only a walk can find.
//!
//! The newest tables judge it, whichever change had it listed, so that overlapping changes lose nothing. It is done a slice at
//! a time between what peers say.

use std::collections::{BTreeSet, HashSet, VecDeque};

use foldhash::fast::FixedState;
use palisade_bgp::Asn;
use palisade_bgp::prefix::{Address, Net};
use palisade_policy::OriginSet;

use crate::path::{Path, PeerIndex};

/// AS numbers that a round looks for; where there are more, it judges all paths instead.
const MOST_ASNS: usize = 8_192;

/// Prefixes whose subtrees are to be judged again, in the order they were listed.
#[derive(Debug)]
pub(crate) struct Ranges<A: Address> {
    nets: VecDeque<Net<A>>,
    /// How far that has come under the first of them.
    judged: Option<Net<A>>,
}

/// There are more prefixes than the table has entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

impl<A: Address> Default for Ranges<A> {
    fn default() -> Self {
        Ranges { nets: VecDeque::new(), judged: None }
    }
}

impl<A: Address> Ranges<A> {
    /// Lists more prefixes. Where that makes more than the table has entries, none is listed any more, and all of the table is to
    /// be judged instead: that is less work, and keeps the list from growing without end.
    pub(crate) fn extend(
        &mut self,
        nets: impl Iterator<Item = Net<A>>,
        entries: usize,
    ) -> Result<(), TooMany> {
        let room = (entries + 1).saturating_sub(self.nets.len());
        let mut nets = nets.fuse();
        self.nets.extend(nets.by_ref().take(room));
        if nets.next().is_some() {
            self.nets = VecDeque::new();
            self.judged = None;
            return Err(TooMany);
        }
        Ok(())
    }

    /// Whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.nets.is_empty()
    }

    /// The subtree to go on with, and the prefix after which to do so.
    pub(crate) fn next(&self) -> Option<(Net<A>, Option<Net<A>>)> {
        self.nets.front().map(|net| (*net, self.judged))
    }

    /// Notes how far the subtree was judged: up to a prefix, or all of it.
    pub(crate) fn judged(&mut self, up_to: Option<Net<A>>) {
        self.judged = up_to;
        if up_to.is_none() {
            self.nets.pop_front();
        }
    }
}

/// A walk round the table for paths that are found no other way: those that an AS is in, those of a peer, or all.
///
/// What is asked for while it is under way joins it, and it then goes round once more from where it stands. So it never begins
/// anew, whatever comes how often, and all that was asked for has been met when it ends.
#[derive(Debug)]
pub(crate) struct Round<A: Address> {
    asns: HashSet<Asn, FixedState>,
    peers: BTreeSet<PeerIndex>,
    everything: bool,
    /// It stands behind this prefix.
    at: Option<Net<A>>,
    leg: Leg<A>,
}

/// A part of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch<A: Address> {
    /// It begins behind this prefix, or at the beginning.
    pub(crate) after: Option<Net<A>>,
    /// It ends with this one, or at the end.
    pub(crate) up_to: Option<Net<A>>,
}

/// Which part of the round is being walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leg<A: Address> {
    /// None.
    Rest,
    /// From where it stood to the end of the table.
    Out { from: Option<Net<A>> },
    /// From the beginning of the table to where it stood.
    Back { to: Net<A> },
}

impl<A: Address> Default for Round<A> {
    fn default() -> Self {
        Round {
            asns: HashSet::default(),
            peers: BTreeSet::new(),
            everything: false,
            at: None,
            leg: Leg::Rest,
        }
    }
}

impl<A: Address> Round<A> {
    /// Has the paths judged again that an AS of these is in.
    pub(crate) fn add_asns(&mut self, asns: &OriginSet) {
        if asns.is_empty() {
            return;
        }
        self.asns.extend(asns.iter());
        if self.asns.len() > MOST_ASNS {
            return self.add_everything();
        }
        self.leg = Leg::Out { from: self.at };
    }

    /// Has the paths of a peer judged again.
    pub(crate) fn add_peer(&mut self, peer: PeerIndex) {
        self.peers.insert(peer);
        self.leg = Leg::Out { from: self.at };
    }

    /// Has all paths judged again.
    pub(crate) fn add_everything(&mut self) {
        self.everything = true;
        self.asns.clear();
        self.leg = Leg::Out { from: self.at };
    }

    /// Whether there is nothing to walk for.
    pub(crate) fn is_idle(&self) -> bool {
        self.leg == Leg::Rest
    }

    /// What is next to be walked.
    pub(crate) fn next(&self) -> Option<Stretch<A>> {
        match self.leg {
            Leg::Rest => None,
            Leg::Out { .. } => Some(Stretch { after: self.at, up_to: None }),
            Leg::Back { to } => Some(Stretch { after: self.at, up_to: Some(to) }),
        }
    }

    /// Whether it looks for a path.
    #[inline]
    pub(crate) fn looks_for(&self, path: &Path) -> bool {
        let is_in = |asn| self.asns.contains(&asn);
        self.everything
            || self.peers.contains(&path.peer())
            || (!self.asns.is_empty() && path.received().attributes().as_path().asns().any(is_in))
    }

    /// Notes that it has come to a prefix, or to the end of what [`Self::next`] gave.
    pub(crate) fn walked(&mut self, to: Option<Net<A>>) {
        match (to, self.leg) {
            (Some(to), _) => self.at = Some(to),
            (None, Leg::Out { from: Some(from) }) => {
                self.at = None;
                self.leg = Leg::Back { to: from };
            }
            (None, Leg::Back { to }) => self.end(Some(to)),
            (None, _) => self.end(None),
        }
    }

    fn end(&mut self, at: Option<Net<A>>) {
        *self = Round { at, ..Round::default() };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use palisade_policy::{Amendment, RovState, Verdict};

    use super::*;
    use crate::attribute_set::AttributeSet;

    fn net(at: u32) -> Net<u32> {
        Net::new(at << 8, 24)
    }

    #[test]
    fn a_list_longer_than_the_table_is_refused_and_emptied() {
        let mut ranges = Ranges::default();
        assert_eq!(ranges.extend((0..10).map(net), 10), Ok(()));
        assert_eq!(ranges.next(), Some((net(0), None)));
        ranges.judged(Some(net(0)));
        assert_eq!(ranges.extend((0..1).map(net), 10), Ok(()));
        assert_eq!(ranges.next(), Some((net(0), Some(net(0)))));
        assert_eq!(ranges.extend((0..1).map(net), 10), Err(TooMany));
        assert!(ranges.is_empty());
        assert_eq!(ranges.extend((3..4).map(net), 10), Ok(()));
        assert_eq!(ranges.next(), Some((net(3), None)), "from its beginning");
    }

    /// A table of ten prefixes, walked three at a time.
    fn slice(round: &mut Round<u32>) -> Vec<u32> {
        let Some(Stretch { after, up_to }) = round.next() else { return Vec::new() };
        let ahead = (0..10).filter(|at| after.is_none_or(|after| net(*at) > after));
        let ahead = ahead.filter(|at| up_to.is_none_or(|up_to| net(*at) <= up_to));
        let walked: Vec<u32> = ahead.take(3).collect();
        round.walked(walked.last().filter(|_| walked.len() == 3).map(|at| net(*at)));
        walked
    }

    fn whole(round: &mut Round<u32>) -> Vec<u32> {
        let mut walked = Vec::new();
        while !round.is_idle() {
            walked.extend(slice(round));
        }
        walked
    }

    #[test]
    fn what_joins_a_round_has_it_go_round_once_more_from_where_it_stands() {
        let mut round = Round::default();
        assert!(whole(&mut round).is_empty());
        round.add_peer(PeerIndex(1));
        assert_eq!((slice(&mut round), slice(&mut round)), (vec![0, 1, 2], vec![3, 4, 5]));
        round.add_peer(PeerIndex(2));
        assert_eq!(whole(&mut round), [6, 7, 8, 9, 0, 1, 2, 3, 4, 5]);
        // The next begins where the last ended.
        round.add_everything();
        assert_eq!(whole(&mut round), [6, 7, 8, 9, 0, 1, 2, 3, 4, 5]);
        // However often something joins, it gets on.
        round.add_everything();
        let mut seen = BTreeSet::new();
        for _ in 0..10 {
            seen.extend(slice(&mut round));
            round.add_peer(PeerIndex(3));
        }
        assert_eq!(seen.len(), 10);
    }

    #[test]
    fn more_as_numbers_than_a_round_looks_for_are_all_paths() {
        let set = Arc::new(AttributeSet::originated(std::net::IpAddr::from([0, 0, 0, 0]).into()));
        let verdict =
            Verdict { reason: None, observed: None, rov: RovState::NotFound, amendment: Amendment::NONE };
        let path = Path::new(set, PeerIndex(1), 0, verdict);
        let mut round = Round::<u32>::default();
        round.add_asns(&(1..=MOST_ASNS as u32).map(Asn).collect());
        assert!(!round.looks_for(&path) && !round.is_idle());
        round.add_asns(&[Asn(1_000_000)].into_iter().collect());
        assert!(round.looks_for(&path) && round.asns.is_empty());
    }
}
