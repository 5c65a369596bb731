//! What the members of an update group are to be told when the offers of a prefix change.
//!
//! ```text
//!   offers before --> who was sent what \
//!                                         differences --> announcements, withdrawals, each with its audience
//!   offers now    --> who is due what   /
//! ```
//!
//! What a member was sent is not stored: it follows from the offers before the change, by the same rule as what it is due
//! now. So do the identifiers of paths (RFC 7911): `path_id.rs`.

use palisade_bgp::nlri;
use palisade_bgp::prefix::{Address, Net};
use palisade_policy::Treatment;
use smallvec::SmallVec;

use crate::audience::Audience;
use crate::export::ExportView;
use crate::offer::{Best, Depth, Offer};
use crate::path::PeerIndex;
use crate::path_id::path_ids;

/// A path that some members are to be sent.
pub(crate) struct Announced<'a, A: Address> {
    pub(crate) to: Audience,
    pub(crate) treatment: Treatment,
    pub(crate) best: &'a Best,
    pub(crate) path: nlri::Path<A>,
}

/// A prefix, or one path to it, that some members are to forget.
pub(crate) struct Withdrawn<A: Address> {
    pub(crate) to: Audience,
    pub(crate) path: nlri::Path<A>,
}

/// What goes out for some changes.
pub(crate) struct Outgoing<'a, A: Address> {
    pub(crate) announced: Vec<Announced<'a, A>>,
    pub(crate) withdrawn: Vec<Withdrawn<A>>,
}

/// A path with those of the members who hold it, or are to.
pub(crate) struct Held<'a> {
    pub(crate) to: Audience,
    pub(crate) offer: &'a Offer,
    path_id: u32,
}

impl Held<'_> {
    fn is_same(&self, other: &Held<'_>) -> bool {
        self.path_id == other.path_id
            && self.offer.treatment == other.offer.treatment
            && self.offer.best.is_same(&other.offer.best)
    }
}

pub(crate) type Holdings<'a> = SmallVec<[Held<'a>; 2]>;

impl<'a, A: Address> Outgoing<'a, A> {
    pub(crate) fn new() -> Self {
        Outgoing { announced: Vec::new(), withdrawn: Vec::new() }
    }

    /// Adds what `members` of a view, who are in ascending order, are to be told of a prefix whose offers have changed.
    pub(crate) fn add(
        &mut self,
        view: &ExportView,
        members: &[PeerIndex],
        net: Net<A>,
        old: &'a [Offer],
        new: &'a [Offer],
    ) {
        let (held, due) = (holdings(view, members, old), holdings(view, members, new));
        self.withdraw(members, net, &held, &due);
        for due in due {
            let mut to = due.to.clone();
            held.iter().filter(|held| held.is_same(&due)).for_each(|held| to = to.without(&held.to));
            if to.includes_any_of(members) {
                let Held { offer, path_id, .. } = due;
                let (best, treatment) = (&offer.best, offer.treatment);
                self.announced.push(Announced { to, treatment, best, path: nlri::Path { net, path_id } });
            }
        }
    }

    /// Those who held a path and are due none in its place have it withdrawn. An announcement takes the place of what was
    /// announced with the same identifier.
    fn withdraw(&mut self, members: &[PeerIndex], net: Net<A>, held: &[Held<'_>], due: &[Held<'_>]) {
        for paths in held.chunk_by(|one, next| one.path_id == next.path_id) {
            let path_id = paths[0].path_id;
            let had = paths.iter().fold(Audience::nobody(), |had, held| had.or(&held.to));
            let replaced = due.iter().filter(|due| due.path_id == path_id);
            let to = replaced.fold(had, |had, due| had.without(&due.to));
            if to.includes_any_of(members) {
                self.withdrawn.push(Withdrawn { to, path: nlri::Path { net, path_id } });
            }
        }
    }
}

/// Which of the members hold which of the paths on offer, once they were told. Equal identifiers stand together.
pub(crate) fn holdings<'a>(view: &ExportView, members: &[PeerIndex], offers: &'a [Offer]) -> Holdings<'a> {
    let mut holdings = Holdings::new();
    let goes = |offer: &Offer| !offer.treatment.withheld && view.allows(&offer.best);
    let going = offers.iter().filter(|offer| goes(offer));
    match view.depth() {
        Depth::Best => {
            let first = offers.first().map(|first| &first.best);
            let of_first = |offer: &&Offer| first.is_some_and(|first| offer.best.is_named_as(first));
            holdings.extend(going.filter(of_first).map(|offer| Held {
                to: offer.to.clone(),
                offer,
                path_id: 0,
            }));
        }
        Depth::OneEach => {
            let mut unserved = Audience::everybody();
            for offer in going {
                let to = unserved.and(&offer.to);
                unserved = unserved.without(&to);
                if to.includes_any_of(members) {
                    holdings.push(Held { to, offer, path_id: 0 });
                }
                if !unserved.includes_any_of(members) {
                    break;
                }
            }
        }
        Depth::All => {
            let ids = path_ids(offers.iter().map(|offer| &offer.best));
            let going = offers.iter().zip(ids).filter(|(offer, _)| goes(offer));
            holdings.extend(going.map(|(offer, path_id)| Held { to: offer.to.clone(), offer, path_id }));
        }
    }
    holdings
}
