//! An index that was amended answers as one that was built afresh from the same objects, and what it says has changed
//! is what has.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_bgp::{Asn, Prefix};
use palisade_policy::as_set::Member;
use palisade_policy::irr::{AutNum, ByReference, MOST_AMENDMENTS, Memberships};
use palisade_policy::route_set::RouteSetMember;
use palisade_policy::{
    AsSet, AsSetName, ExpansionLimits, IrrBuilder, IrrChange, IrrIndex, IrrObject, RouteObject, RouteSet,
};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use support::prefix;

const ORDER: [&str; 3] = ["RIPE", "RADB", "ARIN"];
const PREFIXES: [&str; 9] = [
    "10.0.0.0/8",
    "10.0.0.0/16",
    "10.0.0.0/24",
    "10.0.1.0/24",
    "10.128.0.0/9",
    "0.0.0.0/0",
    "2001:db8::/32",
    "2001:db8::/48",
    "2001:db8:1::/48",
];
const AS_SETS: [&str; 5] = ["AS-A", "AS-B", "AS-C", "AS1:AS-D", "AS-E"];
const ROUTE_SETS: [&str; 3] = ["RS-A", "RS-B", "AS2:RS-C"];
const MEMBERS: [&str; 10] =
    ["AS1", "AS2", "AS3", "AS4", "AS-A", "AS-B", "AS-C", "AS1:AS-D", "RADB::AS-A", "NOBODY::AS-B"];
const ROUTE_MEMBERS: [&str; 10] = [
    "10.0.0.0/8^+",
    "10.0.0.0/16^24-32",
    "2001:db8::/32^-",
    "AS1^+",
    "AS-A",
    "RS-A",
    "RS-B^-",
    "AS2:RS-C^+",
    "RADB::RS-A^24",
    "AS-E^-",
];

fn names(from: &'static [&'static str]) -> impl Strategy<Value = Box<[Arc<str>]>> {
    subsequence(from, 0..=from.len()).prop_map(|mut names| {
        names.sort_unstable();
        names.into_iter().map(Arc::from).collect()
    })
}

fn memberships(sets: &'static [&'static str]) -> impl Strategy<Value = Memberships> {
    let asked = (names(sets), names(&["MNT-A", "MNT-B"]));
    prop_oneof![
        2 => Just(Memberships::default()),
        1 => asked.prop_map(|(member_of, mnt_by)| match member_of.is_empty() {
            true => Memberships::default(),
            false => Memberships { member_of, mnt_by },
        })
    ]
}

fn by_reference() -> impl Strategy<Value = ByReference> {
    prop_oneof![
        Just(ByReference::Nobody),
        Just(ByReference::Any),
        Just(ByReference::Maintainers(Box::new(["MNT-A".into()]))),
    ]
}

fn source() -> impl Strategy<Value = Arc<str>> {
    select(&ORDER[..]).prop_map(Arc::from)
}

fn object() -> impl Strategy<Value = IrrObject> {
    let route = (select(&PREFIXES[..]), 1..5u32, source(), memberships(&ROUTE_SETS));
    let route = route.prop_map(|(net, origin, source, memberships)| {
        IrrObject::Route(RouteObject { prefix: prefix(net), origin: Asn(origin), source }, memberships)
    });
    let as_set = (select(&AS_SETS[..]), subsequence(&MEMBERS[..], 0..5), source(), by_reference());
    let as_set = as_set.prop_map(|(name, members, source, by_reference)| {
        let members = members.into_iter().map(|member| member.parse::<Member>().unwrap());
        IrrObject::AsSet(AsSet::new(&name.parse().unwrap(), &source, members, by_reference))
    });
    let route_set =
        (select(&ROUTE_SETS[..]), subsequence(&ROUTE_MEMBERS[..], 0..4), source(), by_reference());
    let route_set = route_set.prop_map(|(name, members, source, by_reference)| {
        let members = members.into_iter().map(|member| member.parse::<RouteSetMember>().unwrap()).collect();
        IrrObject::RouteSet(RouteSet { name: name.into(), source, members, by_reference })
    });
    let aut_num = (1..8u32, source(), memberships(&AS_SETS));
    let aut_num = aut_num.prop_map(|(asn, source, memberships)| {
        IrrObject::AutNum(AutNum { asn: Asn(asn), source, memberships })
    });
    prop_oneof![4 => route, 2 => as_set, 1 => route_set, 1 => aut_num]
}

/// What tells an object from others.
fn key(object: &IrrObject) -> (u8, String, Arc<str>) {
    let (class, name) = match object {
        IrrObject::Route(route, _) => (0, format!("{} {}", route.prefix, route.origin)),
        IrrObject::AsSet(set) => (1, set.name.to_string()),
        IrrObject::RouteSet(set) => (2, set.name.to_string()),
        IrrObject::AutNum(aut_num) => (3, aut_num.asn.to_string()),
    };
    (class, name, object.source().clone())
}

/// The objects that there are, simply.
#[derive(Clone, Default)]
struct Model(BTreeMap<(u8, String, Arc<str>), IrrObject>);

impl Model {
    fn apply(&mut self, change: IrrChange) {
        match change {
            IrrChange::Add(object) => drop(self.0.insert(key(&object), object)),
            IrrChange::Remove(object) => drop(self.0.remove(&key(&object))),
        }
    }

    fn build(&self) -> IrrIndex {
        let mut builder = IrrBuilder::with_order(ORDER);
        self.0.values().for_each(|object| builder.add(object.clone()).unwrap());
        builder.build()
    }

    /// One of those that are there, or the other one.
    fn one(&self, which: Index, other: IrrObject) -> IrrObject {
        if self.0.is_empty() {
            other
        } else {
            self.0.values().nth(which.index(self.0.len())).unwrap().clone()
        }
    }
}

/// Every answer of an index, in words.
fn answers(index: &IrrIndex) -> Vec<String> {
    let limits = ExpansionLimits::default();
    let mut answers = Vec::new();
    for (net, origin) in questions() {
        let registered = [0, 24, 128].map(|longest| registered(index, net, origin, longest));
        answers.push(format!("{net} {origin:?} {registered:?}"));
    }
    for net in PREFIXES.into_iter().chain(["10.0.0.7/32", "2001:db8::1/128"]) {
        let covering: Vec<String> = index.covering(prefix(net)).map(|object| object.to_string()).collect();
        answers.push(format!("{net} {covering:?}"));
    }
    let routes: Vec<RouteObject> = index.routes().collect();
    assert!(routes.iter().all(|route| index.contains(route)));
    answers.push(format!("{routes:?}"));
    let mut sets: Vec<String> = index.as_set_objects().map(|set| format!("{set:?}")).collect();
    sets.extend(index.route_set_objects().map(|set| format!("{set:?}")));
    sets.extend(index.aut_num_objects().map(|aut_num| format!("{aut_num:?}")));
    sets.sort();
    answers.extend(sets);
    for name in AS_SETS.into_iter().chain(["RADB::AS-A", "ARIN::AS-B"]) {
        answers.push(format!("{:?}", index.expand(name, &limits)));
        answers.push(format!("{:?}", index.dependencies(name, &limits)));
        answers.extend((1..8).map(|asn| format!("{:?}", index.chain(name, Asn(asn), &limits))));
    }
    answers.extend(ROUTE_SETS.map(|name| format!("{:?}", index.expand_route_set(name, &limits))));
    answers
}

/// Fails at the first answer that differs.
fn assert_same(one: &IrrIndex, other: &IrrIndex) {
    let (one, other) = (answers(one), answers(other));
    one.iter().zip(&other).for_each(|(one, other)| assert_eq!(one, other));
    assert_eq!(one.len(), other.len());
}

fn questions() -> impl Iterator<Item = (Prefix, Asn)> {
    let nets = PREFIXES.into_iter().chain(["10.0.0.7/32", "10.0.0.0/20", "2001:db8::1/128"]);
    nets.flat_map(|net| (1..5).map(move |origin| (prefix(net), Asn(origin))))
}

fn registered(index: &IrrIndex, net: Prefix, origin: Asn, longest: u8) -> bool {
    match net {
        Prefix::V4(net) => index.registered(net, origin, longest),
        Prefix::V6(net) => index.registered(net, origin, longest),
    }
}

/// What is said to have changed covers what has.
fn check_changes(old: &IrrIndex, new: &IrrIndex) {
    let ranges = old.changed_ranges(new);
    for (net, origin) in questions() {
        for longest in [0, 24, 128] {
            let same = registered(old, net, origin, longest) == registered(new, net, origin, longest);
            assert!(same || ranges.iter().any(|range| range.covers(net)), "{net} {origin} not in {ranges:?}");
        }
    }
    let limits = ExpansionLimits::default();
    let sets = old.changed_sets(new);
    for name in AS_SETS.into_iter().chain(["RADB::AS-A", "ARIN::AS-B"]) {
        let origins = |index: &IrrIndex| index.expand(name, &limits).map(|expansion| expansion.origins).ok();
        if origins(old) != origins(new) {
            assert!(old.dependencies(name, &limits).are_touched_by(&sets), "{name} is not told of {sets:?}");
            assert!(old.expand(name, &limits).map_or(true, |expansion| expansion.depends_on(&sets)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_amended_index_answers_as_one_built_afresh(
        initial in proptest::collection::vec(object(), 0..30),
        batches in proptest::collection::vec(
            proptest::collection::vec((object(), any::<Index>(), 0..4u8), 1..6), 1..6),
    ) {
        let mut model = Model::default();
        initial.into_iter().for_each(|object| model.apply(IrrChange::Add(object)));
        let (mut amended, mut fresh) = (model.build(), model.build());
        for batch in batches {
            let mut changes = Vec::new();
            for (object, which, kind) in batch {
                let change = match kind {
                    0 => IrrChange::Remove(object),
                    1 => IrrChange::Remove(model.one(which, object)),
                    _ => IrrChange::Add(object),
                };
                model.apply(change.clone());
                changes.push(change);
            }
            let (new_amended, new_fresh) = (amended.amended(changes), model.build());
            assert_same(&new_amended, &new_fresh);
            prop_assert_eq!(new_amended.len(), new_fresh.len());
            prop_assert_eq!((new_amended.as_sets(), new_amended.route_sets()), (new_fresh.as_sets(), new_fresh.route_sets()));
            check_changes(&amended, &new_amended);
            prop_assert_eq!(amended.changed_ranges(&new_amended), fresh.changed_ranges(&new_fresh));
            prop_assert_eq!(amended.changed_ranges(&new_fresh), fresh.changed_ranges(&new_amended));
            prop_assert_eq!(amended.changed_sets(&new_amended), fresh.changed_sets(&new_fresh));
            prop_assert!(new_amended.changed_sets(&new_fresh).is_empty() && new_amended.changed_ranges(&new_fresh).is_empty());
            (amended, fresh) = (new_amended, new_fresh);
        }
    }

    /// Each registry an index of its own, or all in one: nothing tells them apart.
    #[test]
    fn a_union_answers_as_one_index_of_all(
        objects in proptest::collection::vec(object(), 0..40),
        changes in proptest::collection::vec((object(), any::<bool>()), 1..6),
    ) {
        let mut all = Model::default();
        objects.into_iter().for_each(|object| all.apply(IrrChange::Add(object)));
        let parts_of = |all: &Model| ORDER.map(|source| {
            let mut part = Model::default();
            let own = all.0.values().filter(|object| **object.source() == *source);
            own.for_each(|object| part.apply(IrrChange::Add(object.clone())));
            Arc::new(part.build())
        });
        let parts = parts_of(&all);
        let (old, old_union) = (all.build(), IrrIndex::union(&parts));
        assert_same(&old_union, &old);
        // Whatever order the parts are in: that of the registries is configured.
        let [ripe, radb, arin] = parts.clone();
        assert_same(&IrrIndex::union(&[arin, ripe, radb]), &old);

        let changes: Vec<IrrChange> = changes.into_iter()
            .map(|(object, add)| if add { IrrChange::Add(object) } else { IrrChange::Remove(object) })
            .collect();
        changes.iter().for_each(|change| all.apply(change.clone()));
        let mut sources = ORDER.into_iter();
        let amended = parts.map(|part| {
            let source = sources.next().unwrap();
            let of_part = |change: &&IrrChange| match change {
                IrrChange::Add(object) | IrrChange::Remove(object) => **object.source() == *source,
            };
            Arc::new(part.amended(changes.iter().filter(of_part).cloned()))
        });
        let new_union = IrrIndex::union(&amended);
        check_changes(&old_union, &new_union);
        assert_same(&new_union, &all.build());
        let whole = Arc::new(old_union.amended(changes));
        check_changes(&old_union, &whole);
        assert_same(&whole, &all.build());
        prop_assert_eq!(old_union.changed_ranges(&whole), old.changed_ranges(&all.build()));
        prop_assert_eq!(old_union.changed_sets(&whole), old.changed_sets(&all.build()));
    }

    /// A cache on disk holds what the index did.
    #[test]
    fn what_is_written_is_read_back(
        objects in proptest::collection::vec(object(), 1..40),
        changes in proptest::collection::vec(object(), 0..6),
    ) {
        let mut model = Model::default();
        objects.into_iter().for_each(|object| model.apply(IrrChange::Add(object)));
        let index = model.build().amended(changes.into_iter().map(IrrChange::Add));
        let mut text = Vec::new();
        index.write_rpsl(&mut text).unwrap();
        let mut builder = IrrBuilder::with_order(ORDER);
        if let Ok(report) = builder.read(text.as_slice(), "NONE") {
            prop_assert_eq!(report.malformed.count, 0);
        }
        let read = builder.build();
        assert_same(&read, &index);
        let mut again = Vec::new();
        read.write_rpsl(&mut again).unwrap();
        prop_assert_eq!(String::from_utf8(again).unwrap(), String::from_utf8(text.clone()).unwrap());
        // Object by object, as a mirror sends them.
        let text = String::from_utf8(text).unwrap();
        let change = |object: &str| IrrChange::parse(object.as_bytes(), true, "NONE").unwrap().unwrap();
        let objects = text.split_terminator("\n\n").filter(|object| !object.is_empty());
        let mirrored = IrrBuilder::with_order(ORDER).build().amended(objects.map(change));
        assert_same(&mirrored, &index);
    }
}

/// More amendments than there may be: one less, as many, one more, and many more at once.
#[test]
fn amendments_past_the_limit_make_a_whole_table() {
    let route = |at: u32| {
        let prefix = Prefix::new([10, (at >> 16) as u8, (at >> 8) as u8, at as u8].into(), 32);
        RouteObject { prefix, origin: Asn(at), source: "RIPE".into() }
    };
    let set = |at: u32| {
        AsSet::new(
            &format!("AS-S{at}").parse::<AsSetName>().unwrap(),
            "RIPE",
            [Member::Asn(Asn(at))],
            ByReference::Nobody,
        )
    };
    let both = |at| [IrrObject::Route(route(at), Memberships::default()), IrrObject::AsSet(set(at))];
    let mut builder = IrrBuilder::default();
    (0..100).flat_map(both).for_each(|object| builder.add(object).unwrap());
    let base = builder.build();
    let most = MOST_AMENDMENTS as u32;
    for count in [most - 1, most, most + 1, 3 * most] {
        let amended = base.amended((0..100 + count).flat_map(both).map(IrrChange::Add));
        assert_eq!((amended.len(), amended.as_sets()), (100 + count as usize, 100 + count as usize));
        assert!((0..100 + count).all(|at| amended.contains(&route(at))));
        assert_eq!(base.changed_ranges(&amended).len(), count as usize);
        assert_eq!(base.changed_sets(&amended).names().len(), count as usize);
        let back = amended.amended((0..100 + count).flat_map(both).map(IrrChange::Remove));
        assert_eq!((back.len(), back.as_sets()), (0, 0));
        assert_eq!(amended.changed_sets(&back).names().len(), 100 + count as usize);
    }
}
