//! How far a session is in telling its peer all routes of a family, and which mark says that it has.
//!
//! ```text
//!   up --> First --all shards--> End-of-RIB --> Told --asked--> BoRR, Again --all shards--> EoRR --> Told
//! ```
//!
//! The first table ends with End-of-RIB (RFC 4724 s2), before which no refresh begins (RFC 7313 s4). A refresh is marked where
//! the peer knows the marks. However often it asks meanwhile, one more after that is what it gets: each began after it had
//! asked, and a peer that asks all the time costs one walk round the table after the other, not a queue of them.

use palisade_bgp::Family;
use palisade_bgp::encode;
use palisade_bgp::message::{Refresh, route_refresh};

/// How far it is with one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Telling {
    what: What,
    shards: usize,
    /// Shards that have not sent all they hold.
    left: usize,
    /// Whether the peer asked for all of it again meanwhile.
    asked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// The first table.
    First,
    /// Nothing but news.
    Told,
    /// All of it once more, because the peer asked.
    Again,
}

/// What ends with the last shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The first table.
    FirstTable,
    /// A refresh.
    Refresh,
}

impl Telling {
    /// A session that has just come up, to which so many shards tell it; where none does, it is told so as by one.
    pub(crate) fn new(shards: usize) -> Self {
        Telling { what: What::First, shards, left: shards, asked: false }
    }

    /// The peer asks for all of it again.
    pub(crate) fn ask(&mut self) {
        self.asked = true;
    }

    /// Whether a refresh begins now: all shards are to be told.
    pub(crate) fn begins(&mut self) -> bool {
        let begins = self.what == What::Told && std::mem::take(&mut self.asked);
        if begins {
            (self.what, self.left) = (What::Again, self.shards);
        }
        begins
    }

    /// A shard has sent all that it holds; with the last one, something ends.
    pub(crate) fn walked(&mut self) -> Option<End> {
        let end = match self.what {
            What::First => End::FirstTable,
            What::Again => End::Refresh,
            What::Told => return None,
        };
        self.left = self.left.saturating_sub(1);
        if self.left > 0 {
            return None;
        }
        self.what = What::Told;
        Some(end)
    }
}

/// The mark of a beginning.
pub(super) fn beginning(family: Family) -> Vec<u8> {
    route_refresh(Refresh::Begins, family).to_vec()
}

/// The mark of an end.
pub(super) fn end(end: End, family: Family) -> Vec<u8> {
    let mut octets = Vec::new();
    match end {
        End::FirstTable => encode::end_of_rib(family, &mut octets),
        End::Refresh => octets.extend(route_refresh(Refresh::Ends, family)),
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_table_ends_before_a_refresh_begins_and_many_wishes_are_one() {
        let mut telling = Telling::new(2);
        telling.ask();
        assert!(!telling.begins());
        assert_eq!([telling.walked(), telling.walked()], [None, Some(End::FirstTable)]);
        assert!(telling.begins() && !telling.begins());
        for _ in 0..1000 {
            telling.ask();
            assert!(!telling.begins());
        }
        assert_eq!([telling.walked(), telling.walked()], [None, Some(End::Refresh)]);
        assert!(telling.begins());
        assert_eq!([telling.walked(), telling.walked()], [None, Some(End::Refresh)]);
        assert!(!telling.begins());
        assert_eq!(telling.walked(), None);
    }
}
