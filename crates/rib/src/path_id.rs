//! The identifiers that we give paths on their way out (RFC 7911 s3).
//!
//! An identifier must tell a path from all others to its prefix, and stay for as long as the path stays. None is stored: it follows
//! from who sent the path and what that peer calls it.
//!
//! ```text
//!   the peer calls it nothing (0)     the peer's number, and 1
//!   it is called less than 2^19      | peer, 13 bits | its name, 19 bits |
//!   it is called anything else       | peer, 13 bits | its name folded, and moved on past those that are taken |
//! ```
//!
//! So one peer's names never touch the identifiers of another's paths, and names as implementations choose them, counting from 1,
//! are never moved. No identifier is 0, which some implementations do not take: the router itself, whose number is 0, has no names
//! for its paths.

use smallvec::SmallVec;

use crate::offer::Best;
use crate::path::MOST_PEERS;

/// Bits that the sender's own name for a path has in ours.
const NAME_BITS: u32 = 19;
const NAMES: u32 = 1 << NAME_BITS;

const _: () = assert!(MOST_PEERS as u64 * NAMES as u64 == 1 << 32);
/// What is made of the numbers of peers alone is below what has a name.
const _: () = assert!((MOST_PEERS as u32) < NAMES);

/// The identifiers of all paths that are on offer for a prefix, in their order.
pub(crate) fn path_ids<'a>(offered: impl Iterator<Item = &'a Best> + Clone) -> SmallVec<[u32; 4]> {
    let mut ids: SmallVec<[u32; 4]> = offered.clone().map(unmoved).collect();
    if offered.clone().any(|best| best.path_id >= NAMES) {
        let best: SmallVec<[&Best; 16]> = offered.collect();
        move_apart(&best, &mut ids);
    }
    ids
}

fn unmoved(best: &Best) -> u32 {
    let peer = u32::from(best.peer.0);
    match best.path_id {
        0 => peer + 1,
        name => peer << NAME_BITS | folded(name),
    }
}

/// What is less than [`NAMES`] stays as it is.
fn folded(name: u32) -> u32 {
    ((name >> NAME_BITS).wrapping_mul(0x9e37_79b1) >> (32 - NAME_BITS)) ^ (name % NAMES)
}

/// Gives paths whose names had to be folded identifiers of their own, in the order of those names, whatever order they are offered in.
fn move_apart(offered: &[&Best], ids: &mut [u32]) {
    let name = |at: usize| (offered[at].peer, offered[at].path_id);
    let mut order: SmallVec<[usize; 16]> = (0..offered.len()).collect();
    order.sort_unstable_by_key(|at| name(*at));
    let mut taken: SmallVec<[u32; 16]> = SmallVec::new();
    let mut before: Option<usize> = None;
    for at in order {
        // A path that is treated in several ways is one path.
        match before.filter(|before| name(*before) == name(at)) {
            Some(before) => ids[at] = ids[before],
            None => {
                while taken.contains(&ids[at]) {
                    ids[at] = next(ids[at]);
                }
                taken.push(ids[at]);
            }
        }
        before = Some(at);
    }
}

/// The identifier after one, of the same peer.
fn next(id: u32) -> u32 {
    (id & !(NAMES - 1)) | ((id + 1) % NAMES)
}

#[cfg(test)]
mod tests;
