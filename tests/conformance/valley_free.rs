//! ASPA verification in all small worlds, against the definition.
//!
//! The oracle knows no ramps. A route that came from a provider has climbed from its origin to a top, crossed at most once
//! between two tops, and come down from there; one that came from a customer or a peer has only climbed. It tries every
//! place for the top. Where some way is left in which each step up and down is attested, the path is Valid; where some is
//! left in which none is refuted, it is Unknown; otherwise it is Invalid.

use palisade_bgp::Asn;
use palisade_policy::aspa::verification::Direction;
use palisade_policy::{Aspa, AspaIndex, AspaState};

use crate::support::Announcement;

/// The providers of each AS of a path, of which only its neighbors on the path matter; `None` without an ASPA.
type World = Vec<Option<Vec<u32>>>;

/// What can be said of one AS being another's provider.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    Yes,
    No,
}

fn said(path: &[u32], world: &World, customer: usize, provider: usize) -> Said {
    match &world[customer] {
        None => Said::Nothing,
        Some(providers) if providers.contains(&path[provider]) => Said::Yes,
        Some(_) => Said::No,
    }
}

/// The path is given from its origin on, without repetitions.
fn oracle(path: &[u32], world: &World, direction: Direction) -> AspaState {
    let last = path.len() - 1;
    let some_way = |enough: &dyn Fn(Said) -> bool| {
        let climbs = |top: usize| (0..top).all(|at| enough(said(path, world, at, at + 1)));
        let descends = |top: usize| (top..last).all(|at| enough(said(path, world, at + 1, at)));
        let over = |top: usize| climbs(top) && (descends(top) || top < last && descends(top + 1));
        match direction {
            Direction::Upstream => climbs(last),
            Direction::Downstream => (0..=last).any(over),
        }
    };
    if some_way(&|said| said == Said::Yes) {
        AspaState::Valid
    } else if some_way(&|said| said != Said::No) {
        AspaState::Unknown
    } else {
        AspaState::Invalid
    }
}

fn verified(path: &[u32], world: &World, direction: Direction) -> AspaState {
    let aspas = path.iter().zip(world).filter_map(|(customer, providers)| {
        let providers = providers.as_ref()?.iter().copied().map(Asn).collect();
        Some(Aspa { customer: Asn(*customer), providers })
    });
    let words: Vec<String> = path.iter().rev().map(u32::to_string).collect();
    let announcement = Announcement::new(&words.join(" "), "192.0.2.1");
    let neighbor = path.last().copied().map(Asn);
    AspaIndex::build(aspas).verify_in(direction, announcement.attributes().as_path(), neighbor)
}

/// What an AS can say of its two neighbors on the path: nothing, or which of them are its providers.
fn statements(below: Option<u32>, above: Option<u32>) -> Vec<Option<Vec<u32>>> {
    let beside: Vec<u32> = below.into_iter().chain(above).collect();
    let lists = (0..1 << beside.len())
        .map(|set: usize| (0..beside.len()).filter(|at| set & 1 << at != 0).map(|at| beside[at]).collect());
    // An ASPA has a provider: somebody else, or 0, which says that there is none.
    let lists = lists.map(|list: Vec<u32>| Some(if list.is_empty() { vec![0, 9] } else { list }));
    std::iter::once(None).chain(lists).collect()
}

#[test]
fn every_world_of_up_to_six_networks_comes_out_by_the_definition() {
    let mut worlds = 0;
    for length in 1..=6 {
        let path: Vec<u32> = (1..=length).map(|at| at * 10).collect();
        let neighbor = |at: usize| path.get(at).copied();
        let choices: Vec<_> =
            (0..path.len()).map(|at| statements(neighbor(at.wrapping_sub(1)), neighbor(at + 1))).collect();
        let count: usize = choices.iter().map(Vec::len).product();
        for number in 0..count {
            let mut left = number;
            let pick = |said: &Vec<Option<Vec<u32>>>| {
                let picked = said[left % said.len()].clone();
                left /= said.len();
                picked
            };
            let world: World = choices.iter().map(pick).collect();
            for direction in [Direction::Upstream, Direction::Downstream] {
                let (found, expected) =
                    (verified(&path, &world, direction), oracle(&path, &world, direction));
                assert_eq!(found, expected, "{direction:?}, from the origin on {path:?}: {world:?}");
            }
            worlds += 1;
        }
    }
    assert!(worlds > 6_000, "only {worlds} worlds");
}

/// Prepending changes nothing, wherever it is.
#[test]
fn repetitions_count_once() {
    let path = [10, 20, 30, 40];
    let repeated = [10, 10, 10, 20, 30, 30, 40, 40, 40];
    let own = |asn: u32| path.iter().position(|other| *other == asn).unwrap();
    let choices: Vec<_> = (0..4)
        .map(|at: usize| statements(path.get(at.wrapping_sub(1)).copied(), path.get(at + 1).copied()).len())
        .collect();
    for number in 0..choices.iter().product::<usize>() {
        let mut left = number;
        let world: World = (0..4)
            .map(|at: usize| {
                let said = statements(path.get(at.wrapping_sub(1)).copied(), path.get(at + 1).copied());
                let picked = said[left % said.len()].clone();
                left /= said.len();
                picked
            })
            .collect();
        let widened: World = repeated.iter().map(|asn| world[own(*asn)].clone()).collect();
        for direction in [Direction::Upstream, Direction::Downstream] {
            let (one, other) = (verified(&path, &world, direction), verified(&repeated, &widened, direction));
            assert_eq!(one, other, "{direction:?} {world:?}");
        }
    }
}
