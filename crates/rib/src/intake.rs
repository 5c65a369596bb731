//! From a session's UPDATEs to batches for the shards.
//!
//! An intake runs in the peer's task: it interns attributes, has the path stage judged once for each set, and sorts
//! prefixes to the shards that own them. A batch is one read's worth of UPDATEs, in the order they came.

use std::sync::Arc;

use palisade_bgp::Attributes;
use palisade_bgp::prefix::{Address, Net};
use palisade_bgp::update::Update;
use palisade_policy::{Peer, Snapshot, judge_path};

use crate::attribute_set::{AttributeSet, Interner};
use crate::judgement::Stamp;
use crate::path::PeerIndex;
use crate::touched::PolicyTouched;

/// What one peer said, for one shard.
#[derive(Debug)]
pub struct Batch {
    /// Who said it.
    pub peer: PeerIndex,
    /// Of IPv4.
    pub v4: Section<u32>,
    /// Of IPv6.
    pub v6: Section<u128>,
}

impl Batch {
    /// An empty one.
    pub fn new(peer: PeerIndex) -> Self {
        Batch { peer, v4: Section::default(), v6: Section::default() }
    }

    /// Announcements and withdrawals in it.
    pub fn len(&self) -> usize {
        self.v4.paths.len() + self.v6.paths.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Prefixes with their path identifiers.
pub type NetList<A> = [(Net<A>, u32)];

/// The announcements and withdrawals of one family, in order, as runs with the same attributes.
#[derive(Debug)]
pub struct Section<A: Address> {
    paths: Vec<(Net<A>, u32)>,
    runs: Vec<Run>,
}

#[derive(Debug)]
struct Run {
    /// `None` withdraws.
    attributes: Option<Arc<AttributeSet>>,
    end: usize,
}

impl<A: Address> Default for Section<A> {
    fn default() -> Self {
        Section { paths: Vec::new(), runs: Vec::new() }
    }
}

impl<A: Address> Section<A> {
    /// Each run's attributes (`None` for withdrawals) with its prefixes and their path identifiers.
    pub fn runs(&self) -> impl Iterator<Item = (Option<&Arc<AttributeSet>>, &NetList<A>)> {
        let mut start = 0;
        self.runs.iter().map(move |run| {
            let paths = &self.paths[start..run.end];
            start = run.end;
            (run.attributes.as_ref(), paths)
        })
    }

    /// Adds a path; `None` withdraws it.
    pub fn push(&mut self, attributes: Option<&Arc<AttributeSet>>, net: Net<A>, path_id: u32) {
        self.paths.push((net, path_id));
        let end = self.paths.len();
        match self.runs.last_mut() {
            Some(run) if run.attributes.as_ref().map(Arc::as_ptr) == attributes.map(Arc::as_ptr) => {
                run.end = end
            }
            _ => self.runs.push(Run { attributes: attributes.cloned(), end }),
        }
    }
}

/// One session's way into the table.
#[derive(Debug)]
pub struct Intake {
    peer: PeerIndex,
    policy: Arc<Peer>,
    /// How many times all of it has changed.
    policy_version: u32,
    interner: Interner,
    batches: Vec<Batch>,
    withdrawn: bool,
}

impl Intake {
    /// The way in for a peer, to `shards` shards.
    pub fn new(peer: PeerIndex, policy: Arc<Peer>, shards: usize, seed: u64) -> Self {
        let batches = (0..shards.max(1)).map(|_| Batch::new(peer)).collect();
        let marked = policy.role.filter(|role| role.marks_otc_on_receipt()).map(|_| policy.asn);
        Intake {
            peer,
            interner: Interner::new(marked, policy.link, seed),
            policy,
            policy_version: 0,
            batches,
            withdrawn: false,
        }
    }

    /// Judges what comes from now on by another policy of the same peer, in the same role. The shards must be told the same
    /// ([`Shard::set_policy`](crate::Shard::set_policy)), after the batches from before and ahead of those from now on.
    pub fn set_policy(&mut self, policy: Arc<Peer>, touched: &PolicyTouched) {
        self.policy = policy;
        let anew = u32::from(*touched == PolicyTouched::Everything);
        self.policy_version = self.policy_version.wrapping_add(anew);
    }

    /// Takes in one UPDATE.
    pub fn push(&mut self, update: &Update<'_>, tables: &Snapshot) {
        self.push_family::<u32>(update, tables, |batch| &mut batch.v4);
        self.push_family::<u128>(update, tables, |batch| &mut batch.v6);
    }

    fn push_family<A: Address>(
        &mut self,
        update: &Update<'_>,
        tables: &Snapshot,
        section: impl Fn(&mut Batch) -> &mut Section<A>,
    ) {
        for path in update.withdrawn::<A>() {
            let shard = shard_of(path.net, self.batches.len());
            section(&mut self.batches[shard]).push(None, path.net, path.path_id);
            self.withdrawn = true;
        }
        let Some((attributes, paths)) = update.announced::<A>() else { return };
        let set = self.intern(&attributes, tables);
        for path in paths {
            let shard = shard_of(path.net, self.batches.len());
            section(&mut self.batches[shard]).push(Some(&set), path.net, path.path_id);
        }
    }

    fn intern(&mut self, attributes: &Attributes<'_>, tables: &Snapshot) -> Arc<AttributeSet> {
        let policy = &self.policy;
        let stamp = Stamp::of(tables, self.policy_version);
        self.interner.intern(attributes, || (judge_path(attributes, policy, tables, &mut ()), stamp))
    }

    /// Whether a prefix was withdrawn since the last sweep.
    pub fn has_withdrawn(&self) -> bool {
        self.withdrawn
    }

    /// Lets go of attributes that no path uses any more.
    pub fn sweep(&mut self) {
        self.interner.sweep();
        self.withdrawn = false;
    }

    /// The batches that have something in them, with the number of their shard.
    pub fn take(&mut self) -> impl Iterator<Item = (usize, Batch)> {
        let peer = self.peer;
        let taken = self.batches.iter_mut().enumerate().filter(|(_, batch)| !batch.is_empty());
        taken
            .map(move |(shard, batch)| (shard, std::mem::replace(batch, Batch::new(peer))))
            .collect::<Vec<_>>()
            .into_iter()
    }
}

/// The shard that owns a prefix. It follows from the first 16 bits of an IPv4 address and 32 of an IPv6 one, so that
/// neighbours in the table are mostly neighbours in a shard.
pub fn shard_of<A: Address>(net: Net<A>, shards: usize) -> usize {
    let high = net.address().high_bits(A::BITS / 4 + 8 - A::BITS / 16);
    let mixed = high.wrapping_mul(0x9e37_79b1) >> 8;
    mixed as usize % shards.max(1)
}
