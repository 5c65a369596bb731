//! VRPs in an index that never changes: what [`crate::RovIndex`] is made of.

use palisade_bgp::{Address, Asn, Net, Prefix};

use crate::covering::{CoverIndex, Entry, Key, Record};
use crate::rov::RovState;
use crate::vrp::Vrp;

/// VRPs of both families, each under its prefix with its maxLength as the tag.
#[derive(Debug)]
pub(crate) struct VrpTable {
    v4: CoverIndex<u32>,
    v6: CoverIndex<u128>,
}

impl VrpTable {
    /// The table of these VRPs, in any order; equal ones count once.
    pub(crate) fn build(vrps: impl IntoIterator<Item = Vrp>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for vrp in vrps {
            let entry = Entry { asn: vrp.asn().0, tag: vrp.max_length().into() };
            match vrp.prefix() {
                Prefix::V4(net) => v4.push(Key::new(net, entry)),
                Prefix::V6(net) => v6.push(Key::new(net, entry)),
            }
        }
        VrpTable { v4: CoverIndex::build(v4), v6: CoverIndex::build(v6) }
    }

    /// What these VRPs alone say of a route.
    #[inline]
    pub(crate) fn validate<A: Address>(&self, net: Net<A>, origin: Option<Asn>) -> RovState {
        match A::prefix(net) {
            Prefix::V4(net) => validate(&self.v4, net, origin),
            Prefix::V6(net) => validate(&self.v6, net, origin),
        }
    }

    /// Those that cover a prefix, the most specific first.
    pub(crate) fn covering(&self, prefix: Prefix) -> impl Iterator<Item = Vrp> {
        let (v4, v6) = match prefix {
            Prefix::V4(net) => (Some(covering(&self.v4, net)), None),
            Prefix::V6(net) => (None, Some(covering(&self.v6, net))),
        };
        v4.into_iter().flatten().chain(v6.into_iter().flatten())
    }

    /// Whether any covers a prefix.
    pub(crate) fn covers(&self, prefix: Prefix) -> bool {
        self.covering(prefix).next().is_some()
    }

    /// Whether this very one is among them.
    pub(crate) fn contains(&self, vrp: Vrp) -> bool {
        self.covering(vrp.prefix())
            .take_while(|found| found.prefix() == vrp.prefix())
            .any(|found| found == vrp)
    }

    /// All of them, IPv4 first, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Vrp> {
        fn vrps<A: Address>(index: &CoverIndex<A>) -> impl Iterator<Item = Vrp> {
            index.iter().flat_map(|(net, records)| records.iter().filter_map(move |record| vrp(net, record)))
        }
        vrps(&self.v4).chain(vrps(&self.v6))
    }

    /// What a VRP's place in [`VrpTable::iter`] goes by.
    pub(crate) fn place(vrp: &Vrp) -> (Prefix, Asn, u8) {
        (vrp.prefix(), vrp.asn(), vrp.max_length())
    }

    /// The prefixes whose VRPs differ. Disjoint, in order.
    pub(crate) fn changed(&self, new: &VrpTable) -> Vec<Prefix> {
        let v4 = self.v4.changed(&new.v4, |_, old, new| same_vrps(old, new)).into_iter().map(Prefix::V4);
        v4.chain(self.v6.changed(&new.v6, |_, old, new| same_vrps(old, new)).into_iter().map(Prefix::V6))
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.v4.memory_bytes() + self.v6.memory_bytes()
    }
}

/// The VRP that a record stands for.
fn vrp<A: Address>(net: Net<A>, record: &Record) -> Option<Vrp> {
    let Entry { asn, tag } = record.entry();
    Vrp::new(A::prefix(net), u8::try_from(tag).ok()?, Asn(asn)).ok()
}

fn same_vrps(old: &[Record], new: &[Record]) -> bool {
    old.iter().map(Record::entry).eq(new.iter().map(Record::entry))
}

// As a call of its own it costs twice to three times as much in random order (measured): the misses of one route's
// lookup then no longer overlap with the next one's.
#[inline(always)]
fn validate<A: Address>(index: &CoverIndex<A>, net: Net<A>, origin: Option<Asn>) -> RovState {
    let origin = origin.filter(|origin| origin.0 != 0);
    let mut state = RovState::NotFound;
    for records in index.covering(net) {
        match origin.and_then(|origin| reach(records, origin)) {
            Some(max_length) if u16::from(net.len()) <= max_length => return RovState::Valid,
            Some(_) => state = RovState::InvalidLength,
            None if state == RovState::NotFound => state = RovState::InvalidOrigin,
            None => {}
        }
    }
    state
}

/// The greatest maxLength that one prefix's VRPs give an AS. Most prefixes have one VRP; one that has a great many
/// must not cost a walk over them all.
#[inline]
fn reach(records: &[Record], Asn(origin): Asn) -> Option<u16> {
    const WALKED: usize = 8;
    let of_origin = |record: &&Record| record.entry().asn == origin;
    let greatest = if records.len() <= WALKED {
        records.iter().rfind(of_origin)
    } else {
        let behind = records.partition_point(|record| record.entry().asn <= origin);
        records[..behind].last().filter(of_origin)
    };
    greatest.map(|record| record.entry().tag)
}

fn covering<A: Address>(index: &CoverIndex<A>, net: Net<A>) -> impl Iterator<Item = Vrp> + use<'_, A> {
    index.covering(net).flatten().filter_map(move |record| vrp(net.truncate(record.len()), record))
}
