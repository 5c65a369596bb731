//! Peerlock: which neighbors a network's routes may come through, as agreed with that network.
//!
//! A large network is heard from itself, or from those that it named. Anywhere else in a path it is a leak: somebody passes on
//! what it has no business with. So a path that holds a protected AS is refused, unless
//!
//! - the path begins with it: it is the neighbor, or the member that a route server speaks for;
//! - the path begins with one of its *upstreams*, and the protected AS comes right after: what an upstream passes on
//!   of somebody else's, who passes on the protected AS's, is a leak no less;
//! - the session is one that was named as a whole ([`Peer::may_carry`]), as a small network names its transit: there the
//!   protected AS may be anywhere.
//!
//! Each AS may be repeated. This is what NTT's filters of that name ask, with the last added for networks further down.

use palisade_bgp::{AsPath, Asn};

use crate::origin_set::OriginSet;
use crate::peer::Peer;

/// A protected AS, and whom its routes may come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peerlock {
    /// The protected AS.
    pub asn: Asn,
    /// Those that may pass its routes on, right behind it.
    pub upstreams: OriginSet,
}

/// All protected ASes. Immutable.
#[derive(Debug, Default)]
pub struct Peerlocks {
    /// By AS number.
    locks: Vec<Peerlock>,
}

impl Peerlocks {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.locks.len()
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.locks.is_empty()
    }

    /// Each of them, by AS number.
    pub fn iter(&self) -> impl Iterator<Item = &Peerlock> {
        self.locks.iter()
    }

    fn of(&self, asn: Asn) -> Option<&Peerlock> {
        let at = self.locks.binary_search_by_key(&asn, |lock| lock.asn).ok()?;
        self.locks.get(at)
    }

    /// The protected ASes in a path that may not be where they are.
    pub(crate) fn misplaced<'a>(
        &'a self,
        path: AsPath<'a>,
        peer: &'a Peer,
    ) -> impl Iterator<Item = Asn> + use<'a> {
        let mut places = Places::default();
        path.asns().filter(move |asn| {
            let behind = places.enter(*asn);
            let Some(lock) = self.of(*asn) else { return false };
            let expected = match behind {
                Behind::Nobody => true,
                Behind::First(first) => lock.upstreams.contains(first),
                Behind::Others => false,
            };
            !expected && !peer.may_carry.contains(*asn)
        })
    }
}

impl FromIterator<Peerlock> for Peerlocks {
    /// Of an AS that comes twice the upstreams of both count.
    fn from_iter<I: IntoIterator<Item = Peerlock>>(locks: I) -> Self {
        let mut all: Vec<Peerlock> = locks.into_iter().collect();
        all.sort_by_key(|lock| lock.asn);
        all.dedup_by(|later, first| {
            let same = later.asn == first.asn;
            if same {
                first.upstreams = first.upstreams.iter().chain(later.upstreams.iter()).collect();
            }
            same
        });
        Peerlocks { locks: all }
    }
}

/// What an AS in a path stands behind.
enum Behind {
    /// Nobody: the path begins with it.
    Nobody,
    /// The AS that the path begins with.
    First(Asn),
    /// More than one.
    Others,
}

/// A walk through a path, on which repetitions count once.
#[derive(Default)]
struct Places {
    current: Option<Asn>,
    /// The one before it, and how many stand there.
    before: Option<Asn>,
    count: usize,
}

impl Places {
    fn enter(&mut self, asn: Asn) -> Behind {
        if self.current != Some(asn) {
            self.count += usize::from(self.current.is_some());
            self.before = self.current.replace(asn);
        }
        match (self.count, self.before) {
            (0, _) => Behind::Nobody,
            (1, Some(first)) => Behind::First(first),
            _ => Behind::Others,
        }
    }
}
