//! Action communities: how a member says where its route may go (the scheme that Euro-IX documents).
//!
//! | what | standard | large |
//! |---|---|---|
//! | not to a peer | `0:peer` | `rs:0:peer` |
//! | to a peer, though to nobody else | `rs:peer` | `rs:1:peer` |
//! | to nobody | `0:rs` | `rs:0:0` |
//! | prepended 1 to 3 times to a peer | | `rs:101:peer` to `rs:103:peer` |
//!
//! What names a peer is stronger than what names all. Peers with a 4-octet AS number can be named by large communities
//! only. All of these are taken off on the way out, others stay (RFC 7948 s4.6).
//!
//! This module makes a mix of them, and says, apart from any daemon, where a route with some may go. Of a hundred sets
//! of attributes in the mix, 45 carry none; a member's first set always carries some, so that every member uses them:
//!
//! | of 100 | what |
//! |---|---|
//! | 14 | not to 1 to 4 peers, standard |
//! | 12 | not to 1 to 4 peers, large |
//! | 10 | to nobody but 1 to 20 peers, large |
//! | 6 | to nobody but 1 to 10 peers, standard |
//! | 8 | prepended to 1 to 3 peers |
//! | 4 | not to one peer, prepended to another |
//! | 1 | to nobody at all |

use crate::attributes::{Attributes, community};
use crate::member::{self, TARGET_ASN};
use crate::random::Random;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Deny,
    Permit,
    DenyAll,
    Prepend(u8),
}

/// Where the routes of a set may go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Only to those of `permitted`.
    pub(crate) nobody_else: bool,
    /// Peers that are named as to get it.
    pub(crate) permitted: Vec<u32>,
    /// Peers that are named as not to get it.
    pub(crate) denied: Vec<u32>,
    /// Peers that get it with the first AS repeated so many times more.
    pub(crate) prepended: Vec<(u32, u8)>,
}

impl Reach {
    /// What a set's communities ask for.
    pub(crate) fn of(attributes: &Attributes) -> Self {
        let mut reach = Reach::default();
        let standard = attributes.communities.iter().filter_map(|value| standard_action(*value));
        for (action, peer) in standard.chain(attributes.large.iter().filter_map(|value| large_action(*value)))
        {
            match action {
                Action::Deny => reach.denied.push(peer),
                Action::Permit => reach.permitted.push(peer),
                Action::DenyAll => reach.nobody_else = true,
                Action::Prepend(times) => reach.prepended.push((peer, times)),
            }
        }
        reach
    }

    /// Whether it may go to a peer.
    #[cfg(test)]
    fn is_open_to(&self, peer: u32) -> bool {
        !self.denied.contains(&peer) && (!self.nobody_else || self.permitted.contains(&peer))
    }
}

/// Whether a standard community is an action's, and so is taken off.
pub(crate) fn is_standard_action(value: u32) -> bool {
    standard_action(value).is_some()
}

/// Whether a large community is an action's.
pub(crate) fn is_large_action(value: [u32; 3]) -> bool {
    large_action(value).is_some()
}

fn standard_action(value: u32) -> Option<(Action, u32)> {
    match (value >> 16, value & 0xffff) {
        (0, TARGET_ASN) => Some((Action::DenyAll, 0)),
        (0, peer) => Some((Action::Deny, peer)),
        (TARGET_ASN, peer) => Some((Action::Permit, peer)),
        _ => None,
    }
}

fn large_action(value: [u32; 3]) -> Option<(Action, u32)> {
    match value {
        [TARGET_ASN, 0, 0] => Some((Action::DenyAll, 0)),
        [TARGET_ASN, 0, peer] => Some((Action::Deny, peer)),
        [TARGET_ASN, 1, peer] => Some((Action::Permit, peer)),
        [TARGET_ASN, times @ 101..=103, peer] => Some((Action::Prepend(times as u8 - 100), peer)),
        _ => None,
    }
}

/// Adds some of the mix to a set, or, where it `must`, some in any case.
pub(crate) fn add_some(attributes: &mut Attributes, members: usize, must: bool, random: &mut Random) {
    let draw = if must { 45 + random.below(55) } else { random.below(100) };
    match draw {
        0..45 => {}
        45..59 => deny(attributes, members, 4, true, random),
        59..71 => deny(attributes, members, 4, false, random),
        71..81 => {
            attributes.large.push([TARGET_ASN, 0, 0]);
            let peers = peers(members, 20, false, random);
            attributes.large.extend(peers.into_iter().map(|peer| [TARGET_ASN, 1, peer]));
        }
        81..87 => {
            attributes.communities.push(community(0, TARGET_ASN));
            let peers = peers(members, 10, true, random);
            attributes.communities.extend(peers.into_iter().map(|peer| community(TARGET_ASN, peer)));
        }
        87..95 => prepend(attributes, &peers(members, 3, false, random), random),
        95..99 => {
            let two = peers(members, 2, false, random);
            attributes.large.push([TARGET_ASN, 0, two[0]]);
            prepend(attributes, &two[1..], random);
        }
        _ => attributes.large.push([TARGET_ASN, 0, 0]),
    }
}

fn deny(attributes: &mut Attributes, members: usize, most: usize, standard: bool, random: &mut Random) {
    for peer in peers(members, most, standard, random) {
        match standard {
            true => attributes.communities.push(community(0, peer)),
            false => attributes.large.push([TARGET_ASN, 0, peer]),
        }
    }
}

fn prepend(attributes: &mut Attributes, peers: &[u32], random: &mut Random) {
    attributes.large.extend(peers.iter().map(|peer| [TARGET_ASN, random.between(101, 103), *peer]));
}

/// One to `most` distinct peers, only those with a 2-octet AS number where they stand in a standard community.
fn peers(members: usize, most: usize, standard: bool, random: &mut Random) -> Vec<u32> {
    let mut peers = Vec::new();
    for _ in 0..1 + random.below(most) {
        let peer = member::asn(random.below(members));
        let can_be_named = !standard || peer <= 0xffff;
        if can_be_named && !peers.contains(&peer) {
            peers.push(peer);
        }
    }
    if peers.is_empty() { vec![member::asn(0)] } else { peers }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(communities: &[u32], large: &[[u32; 3]]) -> Reach {
        Reach::of(&Attributes {
            path: vec![1],
            communities: communities.to_vec(),
            large: large.to_vec(),
            six: false,
        })
    }

    #[test]
    fn what_names_a_peer_is_stronger_than_what_names_all() {
        let rs = TARGET_ASN;
        let open = |r: &Reach| [64_512, 64_513].map(|peer| r.is_open_to(peer));
        assert_eq!(open(&reach(&[], &[[rs, 101, 64_512]])), [true, true]);
        assert_eq!(open(&reach(&[community(0, 64_512)], &[])), [false, true]);
        assert_eq!(open(&reach(&[community(0, rs), community(rs, 64_513)], &[])), [false, true]);
        assert_eq!(open(&reach(&[], &[[rs, 0, 0], [rs, 1, 64_512]])), [true, false]);
        assert_eq!(reach(&[], &[[rs, 103, 64_512]]).prepended, [(64_512, 3)]);
    }

    #[test]
    fn the_mix_is_the_same_every_time_and_holds_all_of_it() {
        let mix = || {
            let mut random = Random::new(5);
            let mut all = Vec::new();
            for n in 0..1_000 {
                let mut attributes =
                    Attributes { path: vec![1], communities: vec![], large: vec![], six: false };
                add_some(&mut attributes, 50, n == 0, &mut random);
                all.push(Reach::of(&attributes));
            }
            all
        };
        let all = mix();
        assert_eq!(all, mix());
        assert_ne!(all[0], Reach::default());
        let share = |wanted: fn(&Reach) -> bool| all.iter().filter(|reach| wanted(reach)).count();
        assert!((400..500).contains(&share(|reach| *reach == Reach::default())));
        assert!((120..240).contains(&share(|reach| reach.nobody_else)));
        assert!((80..160).contains(&share(|reach| !reach.prepended.is_empty())));
    }
}
