//! An update group: peers that are sent the same octets, of one family.
//!
//! ```text
//!                 room for all members?
//!   changes --yes--> encode once --> chunk --> every member's queue
//!      |
//!      no --> pending: prefix -> what members were told          newest wins, undone changes vanish
//! ```
//!
//! What a member was told is never stored a peer: it follows from what was on offer before a change. A new member walks the
//! table in a group of its own; a member that reads slowly is split off, with what is pending for it; either is merged
//! back into the group of its view when it has nothing left to do, because then both have been told the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_bgp::attributes::NextHop;
use palisade_bgp::encode;
use palisade_bgp::nlri;
use palisade_bgp::prefix::{Address, Net};
use palisade_policy::ActionScheme;

use crate::audience::Audience;
use crate::chunk::ChunkWriter;
use crate::export::ExportView;
use crate::offer::{Offer, Offers, same};
use crate::outgoing::{Announced, Outgoing, Withdrawn};
use crate::path::PeerIndex;
use crate::shard::Outbox;
use crate::table::Table;

/// How long a group lets members that have nothing left to write wait for those whose queues are full, before it goes on
/// without these: since the last of them made room, because on a busy machine they take turns.
const PATIENCE: Duration = Duration::from_millis(50);
/// The same, however many make room one after the other.
const PATIENCE_IN_ALL: Duration = Duration::from_secs(1);
/// How long the first member of a group waits for others whose sessions come up too, to be sent the table with them: after a
/// link was lost, hundreds return at once.
const GATHERING: Duration = Duration::from_millis(50);
/// Prefixes that are walked or drained at a time: enough to fill messages, few enough to serve others in between.
const STEP: usize = 2048;

/// A prefix whose paths are not on offer as before.
#[derive(Clone, Debug)]
pub struct Change<A: Address> {
    /// The prefix.
    pub net: Net<A>,
    /// What was on offer before.
    pub old: Offers,
    /// What is on offer now.
    pub new: Offers,
}

impl<A: Address> Change<A> {
    /// Whether the best path is another one, rather than only what comes after it.
    pub fn moves_best_path(&self) -> bool {
        match (self.old.first(), self.new.first()) {
            (Some(old), Some(new)) => !old.best.is_same(&new.best),
            (old, new) => old.is_some() || new.is_some(),
        }
    }
}

/// What encoding asks of the table: the offers of a prefix as they are now, and what communities mean.
pub(crate) struct Source<'a, A: Address> {
    pub(crate) table: &'a Table<A>,
    pub(crate) offers: &'a dyn Fn(Net<A>) -> Offers,
    pub(crate) actions: Option<&'a ActionScheme>,
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

/// That some members have nothing left to write, because others' queues are full.
#[derive(Clone, Copy, Debug)]
struct Wait {
    since: Instant,
    /// How many are full, and since when it is no fewer.
    full: usize,
    unchanged_since: Instant,
}

/// Peers of one view that have been told the same.
#[derive(Debug)]
pub(crate) struct Group<A: Address> {
    view: ExportView,
    /// In ascending order.
    members: Vec<PeerIndex>,
    walk: Walk<A>,
    /// Whether they are to be sent all of it once more after that.
    again: bool,
    /// Whether its one member asked for the refresh that it is sent, and waits to hear that it is over.
    asked: bool,
    /// Prefixes that members have yet to hear of, with what was on offer when they last did.
    pending: BTreeMap<Net<A>, Box<[Offer]>>,
    wait: Option<Wait>,
    /// Since when it gathers members that have been told nothing yet.
    gathering_since: Option<Instant>,
}

impl<A: Address> Group<A> {
    fn new(view: ExportView, members: Vec<PeerIndex>, walk: Walk<A>) -> Self {
        Group {
            view,
            members,
            walk,
            again: false,
            asked: false,
            pending: BTreeMap::new(),
            wait: None,
            gathering_since: None,
        }
    }

    fn is_idle(&self) -> bool {
        self.walk == Walk::Complete && self.pending.is_empty()
    }

    fn has_room(&self, outbox: &impl Outbox) -> bool {
        self.members.iter().all(|member| outbox.has_room(*member))
    }

    /// Takes changes that have just been made.
    fn take(&mut self, changes: &[Change<A>], actions: Option<&ActionScheme>, outbox: &mut impl Outbox) {
        let news = changes.iter().filter(|change| self.walk.concerns(change.net));
        if self.pending.is_empty() && self.has_room(outbox) {
            return self.send(news, actions, outbox);
        }
        for change in news {
            self.pending.entry(change.net).or_insert_with(|| change.old.iter().cloned().collect());
        }
    }

    /// Does one step of what is left to do; whether there is more that could be done at once.
    fn step(&mut self, source: &Source<'_, A>, outbox: &mut impl Outbox) -> bool {
        if self.pending.is_empty() {
            self.walk_on(source, outbox);
        } else {
            self.drain(source, outbox);
        }
        !self.is_idle()
    }

    fn drain(&mut self, source: &Source<'_, A>, outbox: &mut impl Outbox) {
        let drained = std::iter::from_fn(|| self.pending.pop_first()).take(STEP);
        let changes = drained.map(|(net, old)| Change {
            net,
            old: old.into_iter().collect(),
            new: (source.offers)(net),
        });
        let changes: Vec<Change<A>> = changes.filter(|change| !same(&change.old, &change.new)).collect();
        self.send(changes.iter(), source.actions, outbox);
    }

    fn walk_on(&mut self, source: &Source<'_, A>, outbox: &mut impl Outbox) {
        let (Walk::Joining(at) | Walk::Refreshing(at)) = self.walk else { return };
        let nets: Vec<Net<A>> = source.table.iter_after(at).take(STEP).map(|(net, _)| net).collect();
        let change = |net: &Net<A>| Change { net: *net, old: Offers::new(), new: (source.offers)(*net) };
        let changes: Vec<Change<A>> = nets.iter().map(change).collect();
        self.send(changes.iter(), source.actions, outbox);
        match nets.last().filter(|_| nets.len() == STEP) {
            Some(last) => self.walk.advance(*last),
            None => self.walked(outbox),
        }
    }

    /// The members have been sent all of it. They hear so of their first table, and of a refresh that they asked for: any other
    /// refresh is news like all.
    fn walked(&mut self, outbox: &mut impl Outbox) {
        let awaited = matches!(self.walk, Walk::Joining(_)) || std::mem::take(&mut self.asked);
        self.walk = match std::mem::take(&mut self.again) {
            true => Walk::Refreshing(None),
            false => Walk::Complete,
        };
        if awaited {
            self.members.iter().for_each(|member| outbox.walked(*member, A::FAMILY));
        }
    }

    /// Encodes changes once and queues them for every member.
    fn send<'a>(
        &self,
        changes: impl Iterator<Item = &'a Change<A>>,
        actions: Option<&ActionScheme>,
        outbox: &mut impl Outbox,
    ) {
        let mut outgoing = Outgoing::new();
        for change in changes {
            outgoing.add(&self.view, &self.members, change.net, &change.old, &change.new);
        }
        let mut chunk = ChunkWriter::default();
        self.write_withdrawals(outgoing.withdrawn, &mut chunk);
        self.write_announcements(outgoing.announced, actions, &mut chunk);
        if let Some(chunk) = chunk.finish() {
            outbox.send(&self.members, Arc::new(chunk));
        }
    }

    fn write_withdrawals(&self, mut withdrawn: Vec<Withdrawn<A>>, chunk: &mut ChunkWriter) {
        withdrawn.sort_by(|one, other| one.to.cmp(&other.to));
        for run in withdrawn.chunk_by(|one, next| one.to == next.to) {
            let paths = run.iter().map(|withdrawn| withdrawn.path);
            chunk.write(&run[0].to, |out| encode::withdrawals(paths, self.view.format, out));
        }
    }

    fn write_announcements(
        &self,
        announced: Vec<Announced<'_, A>>,
        actions: Option<&ActionScheme>,
        chunk: &mut ChunkWriter,
    ) {
        let place =
            |one: &Announced<'_, A>| (one.best.peer, Arc::as_ptr(&one.best.attributes), one.treatment);
        let mut announced: Vec<&Announced<'_, A>> = announced.iter().collect();
        announced.sort_by(|one, other| one.to.cmp(&other.to).then_with(|| place(one).cmp(&place(other))));
        let mut block = Vec::new();
        for run in announced.chunk_by(|one, next| place(one) == place(next) && one.to == next.to) {
            let Announced { to, treatment, best, .. } = run[0];
            let rewrite = self.view.rewrite::<A>(best, *treatment, actions);
            block.clear();
            encode::attribute_block(&best.attributes.attributes(), &rewrite, &mut block);
            let paths = run.iter().map(|announced| announced.path);
            self.write_run(&block, rewrite.next_hop, paths, to, chunk);
        }
    }

    fn write_run(
        &self,
        block: &[u8],
        next_hop: NextHop,
        paths: impl Iterator<Item = nlri::Path<A>> + Clone,
        to: &Audience,
        chunk: &mut ChunkWriter,
    ) {
        chunk.write(to, |out| {
            let fits = encode::announcements(block, next_hop, paths.clone(), self.view.format, out);
            // Attributes that leave no room for a prefix can't be passed on; what was said before must not stand.
            if fits.is_err() {
                encode::withdrawals(paths, self.view.format, out);
            }
        });
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
    /// Whether members that join are told nothing yet, because what is best is not known for certain (RFC 4724 s4.1).
    deferred: bool,
}

impl<A: Address> Default for Groups<A> {
    fn default() -> Self {
        Groups { groups: Vec::new(), deferred: false }
    }
}

impl<A: Address> Groups<A> {
    /// Has members that join be told nothing, or be told what there is.
    pub(crate) fn set_deferred(&mut self, deferred: bool) {
        self.deferred = deferred;
    }

    /// Takes in a new session's peer, which is then sent the whole table.
    pub(crate) fn join(&mut self, peer: PeerIndex, view: ExportView) {
        let fresh = |group: &&mut Group<A>| {
            group.view == view && group.walk == Walk::Joining(None) && group.pending.is_empty()
        };
        match self.groups.iter_mut().find(fresh) {
            Some(group) => group.admit([peer]),
            None => self.groups.push(Group::new(view, vec![peer], Walk::Joining(None))),
        }
    }

    /// Sends a peer the whole table again (RFC 2918 s4), and tells it when that is done.
    pub(crate) fn refresh(&mut self, peer: PeerIndex) {
        let Some(group) = self.groups.iter_mut().find(|group| group.members.contains(&peer)) else { return };
        if matches!(group.walk, Walk::Joining(_)) {
            return;
        }
        let view = group.view;
        let pending = group.pending.clone();
        self.leave(peer);
        let group = Group::new(view, vec![peer], Walk::Refreshing(None));
        self.groups.push(Group { pending, asked: true, ..group });
    }

    /// Has a peer be sent the whole table in other words, by a view that allows what the old one does.
    pub(crate) fn reword(&mut self, peer: PeerIndex, view: ExportView) {
        let has = |group: &&Group<A>| group.members.contains(&peer) && group.view != view;
        let Some(Group { walk, again, asked, pending, .. }) = self.groups.iter().find(has) else { return };
        let (walk, again) = match *walk {
            // What it has not been told of yet it is told in the new words; the rest comes after that.
            Walk::Joining(at) => (Walk::Joining(at), *again || at.is_some()),
            Walk::Refreshing(_) | Walk::Complete => (Walk::Refreshing(None), *again),
        };
        let group =
            Group { pending: pending.clone(), again, asked: *asked, ..Group::new(view, vec![peer], walk) };
        self.leave(peer);
        self.groups.push(group);
    }

    /// Sends everybody the whole table again, because the words have changed that it is said in.
    pub(crate) fn refresh_all(&mut self) {
        self.groups.iter_mut().for_each(Group::refresh);
    }

    /// Forgets a peer whose session has ended.
    pub(crate) fn leave(&mut self, peer: PeerIndex) {
        self.groups.iter_mut().for_each(|group| group.members.retain(|member| *member != peer));
        self.groups.retain(|group| !group.members.is_empty());
    }

    /// Gives every group the changes that have just been made.
    pub(crate) fn publish(
        &mut self,
        changes: &[Change<A>],
        actions: Option<&ActionScheme>,
        outbox: &mut impl Outbox,
    ) {
        self.groups.iter_mut().for_each(|group| group.take(changes, actions, outbox));
    }

    /// Does one step for every group that has something to do and members with room for it. Says when to come back:
    /// at once where more can be done, later where a group waits for a slow member.
    pub(crate) fn service(
        &mut self,
        now: Instant,
        source: &Source<'_, A>,
        outbox: &mut impl Outbox,
    ) -> Option<Instant> {
        let mut again: Option<Instant> = None;
        let mut split = Vec::new();
        let deferred = self.deferred;
        let waits = |group: &Group<A>| group.is_idle() || deferred && group.walk == Walk::Joining(None);
        for group in self.groups.iter_mut().filter(|group| !waits(group)) {
            let due = if let Some(until) = group.gathers_until(now) {
                Some(until)
            } else if group.has_room(outbox) {
                group.wait = None;
                group.step(source, outbox).then_some(now)
            } else if group.loses_patience(now, outbox) {
                split.push(group.split_slow(outbox));
                Some(now)
            } else {
                // Where all are full, the first that has room again says so.
                group.members.iter().any(|member| outbox.has_room(*member)).then_some(now + PATIENCE)
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
                    let merged = self.groups.swap_remove(at);
                    self.groups[before].admit(merged.members);
                }
                None => at += 1,
            }
        }
    }
}

impl<A: Address> Group<A> {
    /// Members that join are told the rest first: what comes after is no news to them yet.
    fn refresh(&mut self) {
        match self.walk {
            Walk::Joining(None) => {}
            Walk::Joining(Some(_)) => self.again = true,
            Walk::Refreshing(_) | Walk::Complete => self.walk = Walk::Refreshing(None),
        }
    }

    fn admit(&mut self, peers: impl IntoIterator<Item = PeerIndex>) {
        self.members.extend(peers);
        self.members.sort_unstable();
    }

    /// When a group that has told its members nothing yet is to begin, if that is not now.
    fn gathers_until(&mut self, now: Instant) -> Option<Instant> {
        if self.walk != Walk::Joining(None) {
            return None;
        }
        let until = *self.gathering_since.get_or_insert(now) + GATHERING;
        (now < until).then_some(until)
    }

    /// Whether members that have nothing left to write have waited too long for one whose queue is full. As long as all have
    /// something to write, nobody is held up, and one encoding goes on serving all.
    fn loses_patience(&mut self, now: Instant, outbox: &impl Outbox) -> bool {
        if !self.members.iter().any(|member| outbox.is_drained(*member)) {
            self.wait = None;
            return false;
        }
        let full = self.members.iter().filter(|member| !outbox.has_room(**member)).count();
        let wait = self.wait.get_or_insert(Wait { since: now, full, unchanged_since: now });
        if full < wait.full {
            (wait.full, wait.unchanged_since) = (full, now);
        }
        now >= wait.unchanged_since + PATIENCE || now >= wait.since + PATIENCE_IN_ALL
    }

    /// Parts with the members whose queues are full.
    fn split_slow(&mut self, outbox: &impl Outbox) -> Group<A> {
        let (fast, slow) = self.members.iter().partition(|member| outbox.has_room(**member));
        self.members = fast;
        self.wait = None;
        let mut group = Group::new(self.view, slow, self.walk);
        group.again = self.again;
        group.asked = self.asked;
        group.pending = self.pending.clone();
        group
    }
}
