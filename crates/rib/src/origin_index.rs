//! Which prefixes a peer originates for which AS: so that a member which comes into a peer's as-set, or goes from it, costs a
//! look at the prefixes it is about, and no walk of the table.
//!
//! Only peers that are held to an as-set have their paths listed here: those who announce the whole table are not, and pay
//! nothing.

use std::collections::BTreeSet;

use palisade_bgp::Asn;
use palisade_bgp::prefix::{Address, Net};
use palisade_policy::OriginSet;

use crate::path::{Path, PeerIndex};

/// A peer's prefixes by origin.
type Listed<A> = BTreeSet<(Asn, Net<A>)>;

/// The prefixes of such peers, and what of them waits to be judged again.
#[derive(Debug)]
pub(crate) struct OriginIndex<A: Address> {
    peers: Vec<Option<Listed<A>>>,
    /// Origins of peers that wait. Never more than the index has.
    waiting: BTreeSet<(PeerIndex, Asn)>,
    /// The one whose turn it is, and after which prefix to go on.
    current: Option<(PeerIndex, Asn, Option<Net<A>>)>,
}

impl<A: Address> Default for OriginIndex<A> {
    fn default() -> Self {
        OriginIndex { peers: Vec::new(), waiting: BTreeSet::new(), current: None }
    }
}

impl<A: Address> OriginIndex<A> {
    /// Lists the paths of a peer from now on.
    pub(crate) fn open(&mut self, peer: PeerIndex) {
        if self.peers.len() <= peer.index() {
            self.peers.resize(peer.index() + 1, None);
        }
        self.peers[peer.index()] = Some(Listed::new());
    }

    /// Forgets all paths of a peer.
    pub(crate) fn close(&mut self, peer: PeerIndex) {
        if let Some(place) = self.peers.get_mut(peer.index()) {
            *place = None;
        }
        self.waiting.retain(|(waits, _)| *waits != peer);
        self.current.take_if(|(current, ..)| *current == peer);
    }

    /// Whether a peer's paths are listed.
    #[inline]
    pub(crate) fn lists(&self, peer: PeerIndex) -> bool {
        self.of(peer).is_some()
    }

    fn of(&self, peer: PeerIndex) -> Option<&Listed<A>> {
        self.peers.get(peer.index()).and_then(Option::as_ref)
    }

    /// A path of a peer has taken the place of one of another origin, or of none; `None` is no path any more, or no origin.
    /// `paths` are those that there are now.
    pub(crate) fn moved(
        &mut self,
        net: Net<A>,
        peer: PeerIndex,
        (from, to): (Option<Asn>, Option<Asn>),
        paths: &[Path],
    ) {
        let Some(listed) = self.peers.get_mut(peer.index()).and_then(Option::as_mut) else { return };
        if from == to {
            return;
        }
        let still = |origin: Asn| {
            let theirs = paths.iter().filter(|path| path.peer() == peer);
            theirs.into_iter().any(|path| path.origin_as() == Some(origin))
        };
        if let Some(from) = from.filter(|from| !still(*from)) {
            listed.remove(&(from, net));
        }
        if let Some(to) = to {
            listed.insert((to, net));
        }
    }

    /// Has a peer's paths of these origins judged again.
    pub(crate) fn touch(&mut self, peer: PeerIndex, origins: &OriginSet) {
        let Some(listed) = self.of(peer) else { return };
        let has = |origin: &Asn| after(listed, *origin, None).next().is_some();
        let found: Vec<Asn> = origins.iter().filter(has).collect();
        self.waiting.extend(found.into_iter().map(|origin| (peer, origin)));
    }

    /// Whether nothing waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.current.is_none()
    }

    /// The next prefixes of one peer to judge again, no more than `most`; `None` where nothing waits.
    pub(crate) fn next(&mut self, most: usize) -> Option<(PeerIndex, Vec<Net<A>>)> {
        let (peer, origin, at) = match self.current.take() {
            Some(current) => current,
            None => self.waiting.pop_first().map(|(peer, origin)| (peer, origin, None))?,
        };
        let nets: Vec<Net<A>> =
            self.of(peer).map(|listed| after(listed, origin, at).take(most).collect()).unwrap_or_default();
        if nets.len() == most {
            self.current = nets.last().map(|last| (peer, origin, Some(*last)));
        }
        Some((peer, nets))
    }
}

/// The prefixes of an origin, from the one after `net` on.
fn after<A: Address>(listed: &Listed<A>, origin: Asn, net: Option<Net<A>>) -> impl Iterator<Item = Net<A>> {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let from = net.map_or(Included((origin, Net::DEFAULT)), |net| Excluded((origin, net)));
    let range = listed.range((from, Unbounded));
    range.take_while(move |(of, _)| *of == origin).map(|(_, net)| *net)
}
