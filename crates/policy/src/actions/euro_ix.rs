//! The communities that exchanges use most.
//!
//! The large ones are those of Euro-IX's list ("Large BGP Communities", version 1.1): what to do, 0 to 999, is the second
//! field, whom it is about the third, and 0 there is all. The others follow what the route servers of many exchanges have
//! in common: `0:peer` and `rs:peer`, `0:rs` and `rs:rs`, a private AS number before the member's for the rest, and the
//! same fields again as route targets. Euro-IX's list has no regions; they take numbers from its ranges that it leaves
//! free. 65281 is what NO_EXPORT ends with.

use palisade_bgp::Asn;

use super::pattern::{Pattern, PatternError};
use super::{Action, Whom, Wish};

/// What is left out of the ready-made scheme for one route server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// What it would mean.
    pub action: Action,
    /// The pattern, as it is written with `rs`.
    pub pattern: &'static str,
    /// Why it can't be.
    pub because: Obstacle,
}

/// Why a pattern of the ready-made scheme can't be for a route server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// Its AS number does not fit.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// Its AS number is one of those that stand for something else.
    #[error("it would mean {} too", .0.slug())]
    Taken(Action),
}

/// A ready-made scheme for the route server of AS `rs`: what each pattern means. No two of them
/// [overlap](Pattern::overlaps).
pub fn euro_ix(rs: Asn) -> (Vec<(Action, Pattern)>, Vec<LeftOut>) {
    let (mut patterns, mut left_out) = (Vec::new(), Vec::new());
    for (action, texts) in EURO_IX {
        for pattern in texts {
            match fitting(pattern, action, rs, &patterns) {
                Ok(pattern) => patterns.push((action, pattern)),
                Err(because) => left_out.push(LeftOut { action, pattern, because }),
            }
        }
    }
    (patterns, left_out)
}

impl Action {
    /// The large community that the ready-made scheme has for it, as it is written with `rs`.
    pub fn example(self) -> &'static str {
        EURO_IX.iter().find(|(action, _)| *action == self).map_or("", |(_, [_, large, _])| large)
    }
}

fn fitting(text: &str, action: Action, rs: Asn, others: &[(Action, Pattern)]) -> Result<Pattern, Obstacle> {
    let pattern = Pattern::parse(text, rs)?;
    let taken = others.iter().find(|(other, taken)| *other != action && taken.overlaps(&pattern));
    taken.map_or(Ok(pattern), |(other, _)| Err(Obstacle::Taken(*other)))
}

const EURO_IX: [(Action, [&str; 3]); 19] = {
    use Action::Wish as To;
    use Whom::{All, Peer, Region};
    use Wish::{Announce, DoNotAnnounce, NoExport, PrependOnce, PrependThrice, PrependTwice};
    [
        (To(Announce, Peer), ["rs:peer", "rs:1:peer", "rt:rs:peer"]),
        (To(Announce, Region), ["65411:region", "rs:11:region", "rt:65411:region"]),
        (To(Announce, All), ["rs:rs", "rs:1:0", "rt:rs:rs"]),
        (To(DoNotAnnounce, Peer), ["0:peer", "rs:0:peer", "rt:0:peer"]),
        (To(DoNotAnnounce, Region), ["65410:region", "rs:10:region", "rt:65410:region"]),
        (To(DoNotAnnounce, All), ["0:rs", "rs:0:0", "rt:0:rs"]),
        (To(PrependOnce, Peer), ["65501:peer", "rs:101:peer", "rt:65501:peer"]),
        (To(PrependOnce, Region), ["65421:region", "rs:111:region", "rt:65421:region"]),
        (To(PrependOnce, All), ["65501:rs", "rs:101:0", "rt:65501:rs"]),
        (To(PrependTwice, Peer), ["65502:peer", "rs:102:peer", "rt:65502:peer"]),
        (To(PrependTwice, Region), ["65422:region", "rs:112:region", "rt:65422:region"]),
        (To(PrependTwice, All), ["65502:rs", "rs:102:0", "rt:65502:rs"]),
        (To(PrependThrice, Peer), ["65503:peer", "rs:103:peer", "rt:65503:peer"]),
        (To(PrependThrice, Region), ["65423:region", "rs:113:region", "rt:65423:region"]),
        (To(PrependThrice, All), ["65503:rs", "rs:103:0", "rt:65503:rs"]),
        (To(NoExport, Peer), ["65281:peer", "rs:65281:peer", "rt:65281:peer"]),
        (To(NoExport, Region), ["65481:region", "rs:65481:region", "rt:65481:region"]),
        (To(NoExport, All), ["65281:rs", "rs:65281:0", "rt:65281:rs"]),
        (Action::Blackhole, ["65535:666", "rs:666:0", "rs:666"]),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_actions_share_a_community() {
        for rs in [64500, 196_608, 65501, 65281, 666, 1] {
            let (patterns, _) = euro_ix(Asn(rs));
            for (at, (action, pattern)) in patterns.iter().enumerate() {
                assert_eq!(action.whom(), pattern.whom(), "{pattern}");
                for (other_action, other) in &patterns[..at] {
                    assert!(
                        action == other_action || !pattern.overlaps(other),
                        "{rs}: {pattern} and {other}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_action_has_an_example() {
        for action in Action::ALL {
            let pattern = Pattern::parse(action.example(), Asn(64500)).unwrap();
            assert_eq!((pattern.kind(), pattern.whom()), (super::super::Kind::Large, action.whom()));
        }
    }

    #[test]
    fn every_action_has_its_communities_and_four_octets_leave_some_out() {
        let actions: Vec<Action> = EURO_IX.map(|(action, _)| action).to_vec();
        assert_eq!(actions, Action::ALL);
        assert_eq!(euro_ix(Asn(64500)).1.len(), 0);
        let (_, left_out) = euro_ix(Asn(196_608));
        let texts: Vec<&str> = left_out.iter().map(|left_out| left_out.pattern).collect();
        assert_eq!(
            texts,
            [
                "rs:peer", "rs:rs", "rt:rs:rs", "0:rs", "65501:rs", "65502:rs", "65503:rs", "65281:rs",
                "rs:666"
            ]
        );
        let (_, left_out) = euro_ix(Asn(65501));
        let taken = Obstacle::Taken(Action::Wish(Wish::Announce, Whom::Peer));
        assert!(left_out.iter().any(|left_out| left_out.because == taken), "{left_out:?}");
    }
}
