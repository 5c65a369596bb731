//! Action communities: what a member of a route server asks for with the communities of its routes.
//!
//! A member can't configure the route server, but what it writes into its announcements can: announce this to AS 64501
//! alone, to everybody but Frankfurt, with two more of my AS towards that one. Which communities mean what is
//! configuration, an [`ActionScheme`] of [`Pattern`]s; [`euro_ix()`] is a ready-made one. Reading a path's communities
//! gives [`Wishes`], which say how the path is treated towards any member, and name those who may be treated unlike the
//! rest: whoever exports looks these up, and everybody else is treated alike. So a path costs its exceptions, and there
//! is no table per member.
//!
//! ```text
//!   communities --patterns--> (action, whom) --merged--> Wishes --towards(member)--> Treatment
//!        '-------scrubbed()--> what stays inside
//! ```
//!
//! What holds where several things are asked for:
//!
//! - *Announce or not*: what names the member holds before what names a region it is in, and that before what names
//!   all. At the same level "do not announce" wins, as in Euro-IX's list. A member whom nothing names is announced to,
//!   so "announce to" matters only where a wider "do not announce" is there to be undone.
//! - *Prepending*: the same levels; at the same level the largest count. A narrower wish replaces a wider one, and can't
//!   undo it: there is none for no prepending.
//! - *NO_EXPORT*: any wish that names the member, a region of it or all.
//! - A blackhole route (RFC 7999) goes where the same wishes let it.
//! - An exact community is looked for before one that names somebody: `rs:rs` is no wish about the route server's own AS.
//!   The number 0 names nobody, and nor does a number that no member has; such communities are scrubbed all the same.
//! - A path may name [`MAX_NAMED`] times somebody. One that has more is withheld from all: it can't be known whom the
//!   rest would have spared.
//!
//! Well-known communities (65535:*, RFC 1997, RFC 8326) are nobody's to redefine: no pattern matches them, but for
//! BLACKHOLE, and none is scrubbed. What members tell each other in communities that are in no pattern passes (RFC 7947
//! s2.2.4).

mod euro_ix;
mod index;
mod pattern;
mod wishes;

use palisade_bgp::attributes::{Community, ExtendedCommunity, LargeCommunity, NextHop};
use palisade_bgp::{Attributes, Family};

pub use euro_ix::{LeftOut, Obstacle, euro_ix};
pub use pattern::{Kind, Pattern, PatternError};
pub use wishes::{MAX_NAMED, Treatment, Wishes};

use index::{Index, Request};
use wishes::Draft;

/// A region of an exchange, by the number that stands for it in communities. Never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(pub u32);

/// Whom a wish is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whom {
    /// The members of one AS, which the community names.
    Peer,
    /// The members in one region, which the community names.
    Region,
    /// All members.
    All,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wish {
    /// To announce the route, in spite of a wider wish not to.
    Announce,
    /// Not to announce it.
    DoNotAnnounce,
    /// To announce it with the member's AS once more before its path.
    PrependOnce,
    /// Twice more.
    PrependTwice,
    /// Three times more.
    PrependThrice,
    /// To announce it with NO_EXPORT (RFC 1997).
    NoExport,
}

/// What a community can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// A wish about somebody.
    Wish(Wish, Whom),
    /// To drop traffic to the prefix (RFC 7999).
    Blackhole,
}

impl Action {
    /// All actions, in the order they are listed everywhere.
    pub const ALL: [Action; 19] = {
        use Whom::{All, Peer, Region};
        use Wish::{Announce, DoNotAnnounce, NoExport, PrependOnce, PrependThrice, PrependTwice};
        [
            Action::Wish(Announce, Peer),
            Action::Wish(Announce, Region),
            Action::Wish(Announce, All),
            Action::Wish(DoNotAnnounce, Peer),
            Action::Wish(DoNotAnnounce, Region),
            Action::Wish(DoNotAnnounce, All),
            Action::Wish(PrependOnce, Peer),
            Action::Wish(PrependOnce, Region),
            Action::Wish(PrependOnce, All),
            Action::Wish(PrependTwice, Peer),
            Action::Wish(PrependTwice, Region),
            Action::Wish(PrependTwice, All),
            Action::Wish(PrependThrice, Peer),
            Action::Wish(PrependThrice, Region),
            Action::Wish(PrependThrice, All),
            Action::Wish(NoExport, Peer),
            Action::Wish(NoExport, Region),
            Action::Wish(NoExport, All),
            Action::Blackhole,
        ]
    };

    /// Its name in configuration and output.
    pub const fn slug(self) -> &'static str {
        use Whom::{All, Peer, Region};
        use Wish::{Announce, DoNotAnnounce, NoExport, PrependOnce, PrependThrice, PrependTwice};
        match self {
            Action::Wish(Announce, Peer) => "announce-to-peer",
            Action::Wish(Announce, Region) => "announce-to-region",
            Action::Wish(Announce, All) => "announce-to-all",
            Action::Wish(DoNotAnnounce, Peer) => "do-not-announce-to-peer",
            Action::Wish(DoNotAnnounce, Region) => "do-not-announce-to-region",
            Action::Wish(DoNotAnnounce, All) => "do-not-announce-to-all",
            Action::Wish(PrependOnce, Peer) => "prepend-once-to-peer",
            Action::Wish(PrependOnce, Region) => "prepend-once-to-region",
            Action::Wish(PrependOnce, All) => "prepend-once-to-all",
            Action::Wish(PrependTwice, Peer) => "prepend-twice-to-peer",
            Action::Wish(PrependTwice, Region) => "prepend-twice-to-region",
            Action::Wish(PrependTwice, All) => "prepend-twice-to-all",
            Action::Wish(PrependThrice, Peer) => "prepend-thrice-to-peer",
            Action::Wish(PrependThrice, Region) => "prepend-thrice-to-region",
            Action::Wish(PrependThrice, All) => "prepend-thrice-to-all",
            Action::Wish(NoExport, Peer) => "no-export-to-peer",
            Action::Wish(NoExport, Region) => "no-export-to-region",
            Action::Wish(NoExport, All) => "no-export-to-all",
            Action::Blackhole => "blackhole",
        }
    }

    /// Whom a community of this action has to name.
    pub const fn whom(self) -> Whom {
        match self {
            Action::Wish(_, whom) => whom,
            Action::Blackhole => Whom::All,
        }
    }
}

/// What members may ask for, and with which communities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionScheme {
    /// By [`Kind::index`].
    kinds: [Index; Kind::ALL.len()],
    blackhole_next_hops: [Option<NextHop>; 2],
}

/// The action communities of a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scrubbed {
    /// Those of COMMUNITIES, in the order sent.
    pub communities: Vec<Community>,
    /// Those of EXTENDED COMMUNITIES.
    pub extended: Vec<ExtendedCommunity>,
    /// Those of LARGE_COMMUNITY.
    pub large: Vec<LargeCommunity>,
}

impl Scrubbed {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.communities.is_empty() && self.extended.is_empty() && self.large.is_empty()
    }
}

impl ActionScheme {
    /// What each pattern means, and the next hops of blackhole routes by [`Family::index`]. Of patterns that
    /// [overlap](Pattern::overlaps) the first holds.
    pub fn new(patterns: &[(Action, Pattern)], blackhole_next_hops: [Option<NextHop>; 2]) -> Self {
        let kinds = Kind::ALL.map(|kind| Index::build(patterns.iter().filter(|(_, p)| p.kind() == kind)));
        ActionScheme { kinds, blackhole_next_hops }
    }

    /// What a path's communities ask for; `None` where nothing is asked for, and it goes to everybody as it is.
    pub fn read(&self, attributes: &Attributes<'_>) -> Option<Wishes> {
        let mut draft = Draft::default();
        self.each(attributes, |request| {
            if let Action::Wish(wish, whom) = request.action {
                draft.take(wish, whom, request.named);
            }
        });
        draft.settle()
    }

    /// The action communities among a path's, which must not leave the router. BLACKHOLE is none of them: members act
    /// on it.
    pub fn scrubbed(&self, attributes: &Attributes<'_>) -> Scrubbed {
        let communities = attributes.communities();
        let extended = attributes.extended_communities();
        let large = attributes.large_communities();
        Scrubbed {
            communities: communities.filter(|community| self.community(*community).is_some()).collect(),
            extended: extended.filter(|community| self.extended(*community).is_some()).collect(),
            large: large.filter(|community| self.large(*community).is_some()).collect(),
        }
    }

    /// Whether a path carries BLACKHOLE (RFC 7999), or another community that means it here.
    pub fn is_blackhole(&self, attributes: &Attributes<'_>) -> bool {
        let mut found = attributes.communities().any(|community| community == Community::BLACKHOLE);
        self.each(attributes, |request| found |= request.action == Action::Blackhole);
        found
    }

    /// The next hop that members are told for a blackhole route; `None` where it stays as it was heard.
    pub fn blackhole_next_hop(&self, family: Family) -> Option<NextHop> {
        self.blackhole_next_hops[family.index()]
    }

    #[inline]
    fn each(&self, attributes: &Attributes<'_>, mut take: impl FnMut(Request)) {
        attributes.communities().filter_map(|community| self.community(community)).for_each(&mut take);
        attributes
            .extended_communities()
            .filter_map(|community| self.extended(community))
            .for_each(&mut take);
        attributes.large_communities().filter_map(|community| self.large(community)).for_each(&mut take);
    }

    #[inline]
    fn community(&self, Community(value): Community) -> Option<Request> {
        let fields = [value >> 16, value & 0xffff, 0];
        (fields[0] != pattern::WELL_KNOWN).then(|| self.find(Kind::Standard, fields)).flatten()
    }

    /// Both of the types that name an AS, whichever the sender's router chose: two octets for the first field and four
    /// for the second (RFC 4360 s3.1), or the other way round (RFC 5668).
    #[inline]
    fn extended(&self, ExtendedCommunity(octets): ExtendedCommunity) -> Option<Request> {
        let [kind, sub_kind, a, b, c, d, e, f] = octets;
        let kind_of_it = match sub_kind {
            0x02 => Kind::RouteTarget,
            0x03 => Kind::RouteOrigin,
            _ => return None,
        };
        let fields = match kind {
            0x00 => [u32::from_be_bytes([0, 0, a, b]), u32::from_be_bytes([c, d, e, f]), 0],
            0x02 => [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([0, 0, e, f]), 0],
            _ => return None,
        };
        self.find(kind_of_it, fields)
    }

    #[inline]
    fn large(&self, LargeCommunity(a, b, c): LargeCommunity) -> Option<Request> {
        self.find(Kind::Large, [a, b, c])
    }

    #[inline]
    fn find(&self, kind: Kind, fields: [u32; 3]) -> Option<Request> {
        self.kinds[kind.index()].find(fields)
    }
}
