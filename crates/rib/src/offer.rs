//! What of a prefix's paths is on offer to whom.
//!
//! An [`Offer`] is a path, how it is treated on its way, and the peers it may go to. The offers of a prefix are in the
//! order of the decision process: an edge router's neighbours take the first path or nothing (RFC 4271 s9.2), a member of
//! an exchange takes the first that is offered to it, so that no path is hidden from it by one that it can't have (RFC
//! 7947 s2.3), and a peer with ADD-PATH takes them all (RFC 7911). Nothing is computed or kept a client: what members ask
//! for with communities is read once a path, and names its exceptions.

use std::sync::Arc;

use palisade_policy::{Role, Source, Treatment, exports, own_blackhole_words};
use smallvec::{SmallVec, smallvec};

use crate::attribute_set::{AttributeSet, Scope};
use crate::audience::Audience;
use crate::decision::{local_preference, ranked};
use crate::path::{MOST_PATHS, Path, PeerIndex};
use crate::peer::{Peers, Tags};

/// Paths of a prefix that are looked at for those whom the ones before are not offered to. What is past it stays hidden
/// from a member whom so many others shut out: the work that communities can cause must have an end. One peer has at most a
/// quarter of them ([`MOST_PATHS`]).
const MOST_RANKED: usize = 64;

const _: () = assert!(MOST_PATHS * 4 <= MOST_RANKED);

/// A path that may go out, with what exporting it needs to know even after its peer has gone.
#[derive(Clone, Debug)]
pub struct Best {
    /// Its attributes.
    pub attributes: Arc<AttributeSet>,
    /// Its degree of preference, which internal peers are told.
    pub local_preference: u32,
    /// Who sent it.
    pub peer: PeerIndex,
    /// Whether it asks for traffic to be dropped (RFC 7999), as communities are read now.
    pub blackhole: bool,
    /// The identifier that its sender gave it (RFC 7911), 0 where that gives none.
    pub path_id: u32,
    /// What that peer is to us.
    pub source: Source,
    /// Whether that peer is our client in route reflection (RFC 4456).
    pub from_client: bool,
    /// That peer's BGP identifier.
    pub router_id: u32,
    /// What is added on its way out.
    pub tags: Option<Arc<Tags>>,
}

impl Best {
    /// Whether the same is said of it: its attributes are those of the same peer, not only equal ones.
    pub fn is_same(&self, other: &Best) -> bool {
        self.peer == other.peer
            && Arc::ptr_eq(&self.attributes, &other.attributes)
            && self.local_preference == other.local_preference
            && self.router_id == other.router_id
            && self.blackhole == other.blackhole
            && self.tags == other.tags
    }

    /// Whether it is the path that its sender calls so, whatever is said of it.
    pub(crate) fn is_named_as(&self, other: &Best) -> bool {
        self.peer == other.peer && self.path_id == other.path_id
    }

    /// Whether nothing but what its offer says keeps it from a member of an exchange.
    fn is_unrestricted(&self) -> bool {
        let set = &self.attributes;
        exports(self.source, Role::RsClient)
            && set.scope() <= Scope::NotPeers
            && set.only_to_customer().is_none()
            && !set.is_long_lived_stale()
    }
}

/// A path, how it is treated, and to whom it may go so.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The path.
    pub best: Best,
    /// How it is treated on its way to them; where it is withheld, it goes to nobody.
    pub treatment: Treatment,
    /// To whom. The path's source is never among them.
    pub to: Audience,
}

impl Offer {
    pub(crate) fn is_same(&self, other: &Offer) -> bool {
        self.best.path_id == other.best.path_id
            && self.best.is_same(&other.best)
            && self.treatment == other.treatment
            && self.to == other.to
    }
}

/// The offers of a prefix: those of the best path first, and so on. The best path always has one, though it may be withheld.
pub type Offers = SmallVec<[Offer; 1]>;

/// Whether nothing is offered differently.
pub(crate) fn same(some: &[Offer], others: &[Offer]) -> bool {
    some.len() == others.len() && some.iter().zip(others).all(|(one, other)| one.is_same(other))
}

/// How many of a prefix's paths the peers that are up want to hear of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// The best one.
    #[default]
    Best,
    /// As many as it takes until everybody has been offered one that is not their own.
    OneEach,
    /// All that are accepted.
    All,
}

/// What of an entry's paths is on offer.
pub(crate) fn offers(paths: &[Path], peers: &Peers) -> Offers {
    let mut offers = Offers::new();
    let Some(first) = paths.first().filter(|path| path.is_eligible()) else { return offers };
    let depth = peers.depth();
    if paths.len() == 1 || depth == Depth::Best {
        push(first, peers, &mut offers);
        return offers;
    }
    let mut unserved = Audience::everybody();
    for path in ranked(paths, |peer| peers.ranking(peer)).take(MOST_RANKED) {
        let from = offers.len();
        push(path, peers, &mut offers);
        for offer in offers[from..].iter().filter(|offer| !offer.treatment.withheld) {
            if offer.best.is_unrestricted() {
                unserved = unserved.without(&offer.to);
            }
        }
        if unserved.is_nobody() && depth != Depth::All {
            break;
        }
    }
    offers
}

/// Adds the offers of one path: one to all, and one more for each treatment that some members are singled out for.
fn push(path: &Path, peers: &Peers, offers: &mut Offers) {
    let Some(best) = best(path, peers) else { return };
    let source = best.peer;
    let wishes = match (best.source, peers.actions()) {
        (Source::Peer(Role::RsClient | Role::Customer), Some(actions)) => {
            actions.read(&best.attributes.attributes())
        }
        _ => None,
    };
    let Some(wishes) = wishes else {
        offers.push(Offer { best, treatment: Treatment::default(), to: Audience::all_but([source]) });
        return;
    };
    let to_all = wishes.towards_all();
    let mut singled_out: SmallVec<[(Treatment, PeerIndex); 8]> = smallvec![];
    for (member, policy) in peers.named_by(&wishes) {
        let treatment = wishes.towards(policy.asn, &policy.regions);
        if treatment != to_all && member != source {
            singled_out.push((treatment, member));
        }
    }
    // Nobody outside speaks for what we tell ourselves.
    if to_all != Treatment::default() {
        singled_out.extend(peers.internal().iter().map(|internal| (Treatment::default(), *internal)));
    }
    singled_out.sort_unstable();
    singled_out.dedup();
    let excepted = singled_out.iter().map(|(_, member)| *member);
    let to = Audience::all_but(excepted.chain([source]));
    offers.push(Offer { best: best.clone(), treatment: to_all, to });
    for alike in singled_out.chunk_by(|one, next| one.0 == next.0).filter(|alike| !alike[0].0.withheld) {
        let to = Audience::only(alike.iter().map(|(_, member)| *member));
        offers.push(Offer { best: best.clone(), treatment: alike[0].0, to });
    }
}

/// `None` for a path of a peer without a role, which exchanges nothing (RFC 8212).
fn best(path: &Path, peers: &Peers) -> Option<Best> {
    /// The LOCAL_PREF that internal peers are told of what we originate; ahead of all others here alone.
    const INTERNAL_LOCAL_PREFERENCE: u32 = 100;
    let (peer, attributes, path_id) = (path.peer(), Arc::clone(path.attributes()), path.path_id());
    Some(match peers.peer(peer) {
        Some(known) => Best {
            blackhole: match own_blackhole_words(known.policy.role, peers.actions()) {
                Some(actions) => actions.is_blackhole(&path.received().attributes()),
                None => path.received().says_blackhole(),
            },
            attributes,
            local_preference: local_preference(path, &known.ranking),
            peer,
            path_id,
            source: Source::Peer(known.policy.role?),
            from_client: known.policy.reflector.is_some_and(|reflector| reflector.is_client),
            router_id: known.ranking.router_id,
            tags: known.tags.clone(),
        },
        None if peer == PeerIndex::LOCAL => Best {
            attributes,
            blackhole: false,
            local_preference: INTERNAL_LOCAL_PREFERENCE,
            peer,
            path_id,
            source: Source::Local,
            from_client: false,
            router_id: 0,
            tags: None,
        },
        None => return None,
    })
}
