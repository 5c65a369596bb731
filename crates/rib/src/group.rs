//! An update group: peers that are sent the same octets, of one family.
//!
//! ```text
//!                 room for all members?
//!   changes --yes--> encode once --> chunk --> every member's queue
//!      |
//!      no --> pending: prefix -> (what members were told, what is best now)      newest wins, undone changes vanish
//! ```
//!
//! What a member was told is never stored a peer: it follows from the best path before a change. A new member walks the
//! table in a group of its own; a member that reads slowly is split off, with what is pending for it; either is merged
//! back into the group of its view when it has nothing left to do, because then both have been told the same.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::fast::FixedState;
use palisade_bgp::prefix::{Address, Net};
use palisade_bgp::{Path, encode};

use crate::chunk::{Audience, ChunkWriter};
use crate::export::{Best, ExportView, same};
use crate::path::PeerIndex;
use crate::shard::Outbox;
use crate::table::Table;

/// How long a group waits for a member whose queue is full before it goes on without it.
const PATIENCE: Duration = Duration::from_millis(20);
/// Prefixes that are walked or drained at a time: enough to fill messages, few enough to serve others in between.
const STEP: usize = 4096;

/// A prefix whose best path is another one than before.
#[derive(Clone, Debug)]
pub struct Change<A: Address> {
    /// The prefix.
    pub net: Net<A>,
    /// The best path before.
    pub old: Option<Best>,
    /// The best path now.
    pub new: Option<Best>,
}

/// How much of the table the members were sent since they joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Walk<A: Address> {
    /// A new session: all up to and including this prefix. It was never told of what comes after.
    Joining(Option<Net<A>>),
    /// A refresh (RFC 2918): the same, but the members were told of all before.
    Refreshing(Option<Net<A>>),
    /// All of it.
    Complete,
}

/// Peers of one view that have been told the same.
#[derive(Debug)]
pub(crate) struct Group<A: Address> {
    view: ExportView,
    members: Vec<PeerIndex>,
    walk: Walk<A>,
    pending: HashMap<Net<A>, (Option<Best>, Option<Best>), FixedState>,
    blocked_since: Option<Instant>,
}

impl<A: Address> Group<A> {
    fn new(view: ExportView, members: Vec<PeerIndex>, walk: Walk<A>) -> Self {
        Group { view, members, walk, pending: HashMap::default(), blocked_since: None }
    }

    fn is_idle(&self) -> bool {
        self.walk == Walk::Complete && self.pending.is_empty()
    }

    fn has_room(&self, outbox: &impl Outbox) -> bool {
        self.members.iter().all(|member| outbox.has_room(*member))
    }

    /// Takes changes that have just been made.
    fn take(&mut self, changes: &[Change<A>], outbox: &mut impl Outbox) {
        if self.pending.is_empty() && self.has_room(outbox) {
            let walk = self.walk;
            self.send(changes.iter().filter(|change| walk.concerns(change.net)), outbox);
            return;
        }
        for change in changes.iter().filter(|change| self.walk.concerns(change.net)) {
            let (_, new) =
                self.pending.entry(change.net).or_insert_with(|| (change.old.clone(), change.new.clone()));
            new.clone_from(&change.new);
        }
    }

    /// Does one step of what is left to do; whether there is more that could be done at once.
    fn step(
        &mut self,
        table: &Table<A>,
        best: &impl Fn(Net<A>) -> Option<Best>,
        outbox: &mut impl Outbox,
    ) -> bool {
        if !self.pending.is_empty() {
            self.drain(outbox);
        } else {
            self.walk_on(table, best, outbox);
        }
        !self.is_idle()
    }

    fn drain(&mut self, outbox: &mut impl Outbox) {
        let nets: Vec<Net<A>> = self.pending.keys().copied().take(STEP).collect();
        let changes: Vec<Change<A>> = nets
            .into_iter()
            .filter_map(|net| self.pending.remove(&net).map(|(old, new)| Change { net, old, new }))
            .filter(|change| !same(&change.old, &change.new))
            .collect();
        if self.pending.is_empty() {
            self.pending = HashMap::default();
        }
        self.send(changes.iter(), outbox);
    }

    fn walk_on(
        &mut self,
        table: &Table<A>,
        best: &impl Fn(Net<A>) -> Option<Best>,
        outbox: &mut impl Outbox,
    ) {
        let (Walk::Joining(at) | Walk::Refreshing(at)) = self.walk else { return };
        let nets: Vec<Net<A>> = table.iter_after(at).take(STEP).map(|(net, _)| net).collect();
        let changes: Vec<Change<A>> =
            nets.iter().map(|net| Change { net: *net, old: None, new: best(*net) }).collect();
        self.send(changes.iter(), outbox);
        match nets.last().filter(|_| nets.len() == STEP) {
            Some(last) => self.walk.advance(*last),
            None => {
                self.walk = Walk::Complete;
                self.members.iter().for_each(|member| outbox.walked(*member, A::FAMILY));
            }
        }
    }

    /// Encodes changes once and queues them for every member.
    fn send<'a>(&self, changes: impl Iterator<Item = &'a Change<A>>, outbox: &mut impl Outbox) {
        let mut announced: Vec<(&Best, Net<A>)> = Vec::new();
        let mut withdrawn: Vec<(Audience, Net<A>)> = Vec::new();
        for change in changes {
            let old = change.old.as_ref().filter(|best| self.view.allows(best));
            let new = change.new.as_ref().filter(|best| self.view.allows(best));
            match (old, new) {
                (Some(old), None) => withdrawn.push((Audience::AllBut(old.peer), change.net)),
                (Some(old), Some(new)) if old.peer != new.peer && self.members.contains(&new.peer) => {
                    withdrawn.push((Audience::Only(new.peer), change.net));
                }
                _ => {}
            }
            announced.extend(new.map(|best| (best, change.net)));
        }
        let mut chunk = ChunkWriter::default();
        self.write_withdrawals(withdrawn, &mut chunk);
        self.write_announcements(announced, &mut chunk);
        if let Some(chunk) = chunk.finish() {
            outbox.send(&self.members, Arc::new(chunk));
        }
    }

    fn write_withdrawals(&self, mut withdrawn: Vec<(Audience, Net<A>)>, chunk: &mut ChunkWriter) {
        withdrawn.sort_unstable_by_key(|(audience, _)| *audience);
        for run in withdrawn.chunk_by(|one, next| one.0 == next.0) {
            let paths = run.iter().map(|(_, net)| Path::from(*net));
            chunk.write(run[0].0, |out| encode::withdrawals(paths, self.view.format(), out));
        }
    }

    fn write_announcements(&self, mut announced: Vec<(&Best, Net<A>)>, chunk: &mut ChunkWriter) {
        announced.sort_by_key(|(best, _)| (best.peer, Arc::as_ptr(&best.attributes)));
        let mut block = Vec::new();
        for run in announced.chunk_by(|one, next| one.0.is_same(next.0)) {
            let best = run[0].0;
            block.clear();
            encode::attribute_block(&best.attributes.attributes(), &self.view.rewrite(best), &mut block);
            let paths = run.iter().map(|(_, net)| Path::from(*net));
            let next_hop = self.view.next_hop(best);
            chunk.write(Audience::AllBut(best.peer), |out| {
                let fits = encode::announcements(&block, next_hop, paths.clone(), self.view.format(), out);
                // Attributes that leave no room for a prefix can't be passed on; what was said before must not stand.
                if fits.is_err() {
                    encode::withdrawals(paths, self.view.format(), out);
                }
            });
        }
    }
}

impl<A: Address> Walk<A> {
    /// Whether a change is news to the members, rather than something the walk will come to.
    fn concerns(&self, net: Net<A>) -> bool {
        match self {
            Walk::Joining(at) => at.is_some_and(|at| net <= at),
            Walk::Refreshing(_) | Walk::Complete => true,
        }
    }

    fn advance(&mut self, to: Net<A>) {
        if let Walk::Joining(at) | Walk::Refreshing(at) = self {
            *at = Some(to);
        }
    }
}

/// All groups of one family.
#[derive(Debug)]
pub(crate) struct Groups<A: Address> {
    groups: Vec<Group<A>>,
}

impl<A: Address> Default for Groups<A> {
    fn default() -> Self {
        Groups { groups: Vec::new() }
    }
}

impl<A: Address> Groups<A> {
    /// Takes in a new session's peer, which is then sent the whole table.
    pub(crate) fn join(&mut self, peer: PeerIndex, view: ExportView) {
        self.start_walk(peer, view, Walk::Joining(None));
    }

    /// Sends a peer the whole table again (RFC 2918 s4).
    pub(crate) fn refresh(&mut self, peer: PeerIndex) {
        let Some(group) = self.groups.iter_mut().find(|group| group.members.contains(&peer)) else { return };
        if matches!(group.walk, Walk::Joining(_)) {
            return;
        }
        let view = group.view;
        let pending = group.pending.clone();
        self.leave(peer);
        self.groups.push(Group { pending, ..Group::new(view, vec![peer], Walk::Refreshing(None)) });
    }

    /// Forgets a peer whose session has ended.
    pub(crate) fn leave(&mut self, peer: PeerIndex) {
        self.groups.iter_mut().for_each(|group| group.members.retain(|member| *member != peer));
        self.groups.retain(|group| !group.members.is_empty());
    }

    fn start_walk(&mut self, peer: PeerIndex, view: ExportView, walk: Walk<A>) {
        let fresh =
            |group: &&mut Group<A>| group.view == view && group.walk == walk && group.pending.is_empty();
        match self.groups.iter_mut().find(fresh) {
            Some(group) => group.members.push(peer),
            None => self.groups.push(Group::new(view, vec![peer], walk)),
        }
    }

    /// Gives every group the changes that have just been made.
    pub(crate) fn publish(&mut self, changes: &[Change<A>], outbox: &mut impl Outbox) {
        self.groups.iter_mut().for_each(|group| group.take(changes, outbox));
    }

    /// Does one step for every group that has something to do and members with room for it. Says when to come back:
    /// at once where more can be done, later where a group waits for a slow member.
    pub(crate) fn service(
        &mut self,
        now: Instant,
        table: &Table<A>,
        best: &impl Fn(Net<A>) -> Option<Best>,
        outbox: &mut impl Outbox,
    ) -> Option<Instant> {
        let mut again: Option<Instant> = None;
        let mut split = Vec::new();
        for group in self.groups.iter_mut().filter(|group| !group.is_idle()) {
            let due = if group.has_room(outbox) {
                group.blocked_since = None;
                group.step(table, best, outbox).then_some(now)
            } else {
                let since = *group.blocked_since.get_or_insert(now);
                let slow = (now >= since + PATIENCE).then(|| group.split_slow(outbox)).flatten();
                let went_on = slow.is_some();
                split.extend(slow);
                if went_on { Some(now) } else { (now < since + PATIENCE).then_some(since + PATIENCE) }
            };
            again = [again, due].into_iter().flatten().min();
        }
        self.groups.append(&mut split);
        self.merge_idle();
        again
    }

    /// How many groups there are.
    pub(crate) fn len(&self) -> usize {
        self.groups.len()
    }

    fn merge_idle(&mut self) {
        let mut at = 0;
        while at < self.groups.len() {
            let group = &self.groups[at];
            let twin = |other: &Group<A>| other.is_idle() && other.view == group.view;
            let before = if group.is_idle() { self.groups[..at].iter().position(twin) } else { None };
            match before {
                Some(before) => {
                    let mut merged = self.groups.swap_remove(at);
                    self.groups[before].members.append(&mut merged.members);
                }
                None => at += 1,
            }
        }
    }
}

impl<A: Address> Group<A> {
    /// Parts with the members whose queues are full, where others wait for them.
    fn split_slow(&mut self, outbox: &impl Outbox) -> Option<Group<A>> {
        let slow: Vec<PeerIndex> =
            self.members.iter().copied().filter(|member| !outbox.has_room(*member)).collect();
        if slow.len() == self.members.len() {
            return None;
        }
        self.members.retain(|member| !slow.contains(member));
        self.blocked_since = None;
        let mut group = Group::new(self.view, slow, self.walk);
        group.pending = self.pending.clone();
        Some(group)
    }
}
