//! All that a shard can say of one prefix: which of its paths is best, at which step of the decision process each other one lost,
//! and what of it every peer is sent, or why nothing.
//!
//! It recomputes; nothing is kept for it. What the judge says in detail is not here: whoever explains asks the judge again,
//! with the attributes that were [received](crate::AttributeSet::received).

use palisade_bgp::Family;
use palisade_bgp::prefix::{Address, Net, Prefix};
use palisade_policy::{Role, Treatment};

use crate::decision::{Step, local_preference, lost_at};
use crate::export::Withheld;
use crate::offer::{Offer, offers};
use crate::outgoing::holdings;
use crate::path::{Path, PeerIndex};
use crate::peer::Peers;
use crate::shard::Shard;
use crate::table::Table;

/// What a shard says of a prefix.
#[derive(Clone, Debug)]
pub struct Account {
    /// The prefix.
    pub prefix: Prefix,
    /// All paths to it; the best one, where there is any, comes first.
    pub paths: Vec<Told>,
    /// What every peer that is up is told, in the order of their numbers.
    pub exports: Vec<Export>,
}

/// A path, and what became of it.
#[derive(Clone, Debug)]
pub struct Told {
    /// The path.
    pub path: Path,
    /// What became of it.
    pub outcome: Outcome,
    /// The degree of preference that it is ranked by (RFC 4271 s9.1.1).
    pub local_preference: u32,
    /// Whether its peer is yet to say it again, after a restart or in a refresh.
    pub stale: bool,
}

/// What became of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is the best one.
    Best,
    /// The decision process prefers another, from this step on.
    Lost(Step),
    /// Its next hop can't be reached (RFC 4271 s9.1.2).
    Unreachable,
    /// The judge refuses it.
    Refused,
}

/// What a peer is told of a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The peer.
    pub peer: PeerIndex,
    /// What it is to us; `None` for a peer with which nothing is exchanged (RFC 8212).
    pub role: Option<Role>,
    /// The paths it is sent; one at most, unless its session has ADD-PATH.
    pub sent: Vec<Sent>,
    /// Why it is sent none, where that is so.
    pub silence: Option<Silence>,
}

/// A path that a peer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Whose path it is.
    pub from: PeerIndex,
    /// What its sender calls it (RFC 7911); 0 where that gives it no identifier.
    pub path_id: u32,
    /// How it is treated on its way.
    pub treatment: Treatment,
}

/// Why a peer is sent nothing of a prefix. Where several paths are on offer, it is why not the best of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// No path is accepted and reachable.
    NoPath,
    /// The session does not carry the family, or the peer has no role.
    NotExchanged,
    /// The path is the peer's own (split horizon).
    Its,
    /// Communities of the path ask that this peer is not told.
    Asked,
    /// Export policy.
    Withheld(Withheld),
}

impl Shard {
    /// All that there is to say of a prefix, which this shard owns.
    pub fn account(&self, prefix: Prefix) -> Account {
        let (paths, exports) = match prefix {
            Prefix::V4(net) => account(self.ipv4(), self.peers(), net),
            Prefix::V6(net) => account(self.ipv6(), self.peers(), net),
        };
        let stale = |told: &mut Told| told.stale = self.is_stale(prefix.family(), &told.path);
        let mut account = Account { prefix, paths, exports };
        account.paths.iter_mut().for_each(stale);
        account
    }
}

fn account<A: Address>(table: &Table<A>, peers: &Peers, net: Net<A>) -> (Vec<Told>, Vec<Export>) {
    let paths = table.paths(net);
    let lost = lost_at(paths, |peer| peers.ranking(peer));
    let outcome = |at: usize, path: &Path| match lost.iter().find(|(place, _)| *place == at) {
        Some((_, step)) => Outcome::Lost(*step),
        None if path.is_eligible() => Outcome::Best,
        None if path.verdict().accepted() => Outcome::Unreachable,
        None => Outcome::Refused,
    };
    let told = paths.iter().enumerate().map(|(at, path)| Told {
        path: path.clone(),
        outcome: outcome(at, path),
        local_preference: local_preference(path, peers.ranking(path.peer())),
        stale: false,
    });
    let told = told.collect();
    let offers = offers(paths, peers);
    (told, peers.numbers().map(|peer| export(peer, peers, A::FAMILY, &offers)).collect())
}

fn export(peer: PeerIndex, peers: &Peers, family: Family, offers: &[Offer]) -> Export {
    let role = peers.policy(peer).and_then(|policy| policy.role);
    let Some(view) = peers.peer(peer).and_then(|peer| peer.export(family)) else {
        return Export { peer, role, sent: Vec::new(), silence: Some(Silence::NotExchanged) };
    };
    let held = holdings(&view, &[peer], offers);
    let held = held.iter().filter(|held| held.to.includes(peer));
    let sent: Vec<Sent> = held
        .map(|held| Sent {
            from: held.offer.best.peer,
            path_id: held.offer.best.path_id,
            treatment: held.offer.treatment,
        })
        .collect();
    let silence = sent.is_empty().then(|| match offers.first().map(|first| &first.best) {
        None => Silence::NoPath,
        Some(best) if best.peer == peer => Silence::Its,
        Some(best) => view.withholds(best).map_or(Silence::Asked, Silence::Withheld),
    });
    Export { peer, role, sent, silence }
}
