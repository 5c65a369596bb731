//! What a member asks the route server for, and the community in which it does: the ready-made set as its documentation
//! lists it, written out here once more.

use crate::community::{BLACKHOLE, Community};
use crate::world::RS;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Announce,
    Withhold,
    /// So many times, 1 to 3.
    Prepend(u32),
    NoExport,
}

/// Towards whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    Peer(u32),
    Region(u32),
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    To(Wish, Whom),
    Blackhole,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Standard,
    Large,
    Extended,
}

impl Form {
    pub(crate) const ALL: [Form; 3] = [Form::Standard, Form::Large, Form::Extended];
}

impl Ask {
    /// The community; `None` for a peer whose AS number takes more octets than there are.
    pub(crate) fn written(self, form: Form) -> Option<Community> {
        match (self, form) {
            (Ask::To(wish, whom), Form::Large) => Some(large(wish, whom)),
            (Ask::To(_, Whom::Peer(asn)), Form::Standard) if asn > 65535 => None,
            (Ask::To(wish, whom), _) => {
                let (first, second) = two_fields(wish, whom);
                let standard = form == Form::Standard;
                Some(if standard { Community::Standard } else { Community::Target }(first, second))
            }
            (Ask::Blackhole, Form::Standard) => Some(BLACKHOLE),
            (Ask::Blackhole, Form::Large) => Some(Community::Large(RS, 666, 0)),
            // There is no extended one, but a second standard one.
            (Ask::Blackhole, Form::Extended) => Some(Community::Standard(RS, 666)),
        }
    }
}

fn large(wish: Wish, whom: Whom) -> Community {
    let (of_region, named) = match whom {
        Whom::Peer(asn) => (0, asn),
        Whom::Region(region) => (10, region),
        Whom::All => (0, 0),
    };
    let action = match wish {
        Wish::Withhold => of_region,
        Wish::Announce => of_region + 1,
        Wish::Prepend(times) => 100 + of_region + times,
        Wish::NoExport => 65281 + 20 * of_region,
    };
    Community::Large(RS, action, named)
}

fn two_fields(wish: Wish, whom: Whom) -> (u32, u32) {
    match (wish, whom) {
        (Wish::Announce, Whom::Peer(asn)) => (RS, asn),
        (Wish::Announce, Whom::Region(region)) => (65411, region),
        (Wish::Announce, Whom::All) => (RS, RS),
        (Wish::Withhold, Whom::Peer(asn)) => (0, asn),
        (Wish::Withhold, Whom::Region(region)) => (65410, region),
        (Wish::Withhold, Whom::All) => (0, RS),
        (Wish::Prepend(times), Whom::Peer(asn)) => (65500 + times, asn),
        (Wish::Prepend(times), Whom::Region(region)) => (65420 + times, region),
        (Wish::Prepend(times), Whom::All) => (65500 + times, RS),
        (Wish::NoExport, Whom::Peer(asn)) => (65281, asn),
        (Wish::NoExport, Whom::Region(region)) => (65481, region),
        (Wish::NoExport, Whom::All) => (65281, RS),
    }
}
