//! What can be seen of the lab at a moment: the one thing that the view, the summary and the wait for the end look at.

use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_bgp::Asn;
use palisade_bgp::message::MessageKind;
use palisade_bgp::session::State;
use palisade_fib::FibStats;
use palisade_policy::{PerReason, Reason, Role, RovState};
use palisade_rib::Tally;

use super::cast::Cast;
use super::expected::Held;
use super::player::Performance;
use super::script::Counts;
use crate::run::Router;

/// Who looks.
pub(super) struct Audience<'a> {
    pub(super) cast: &'a Cast,
    pub(super) router: &'a Router,
    /// In the order of [`Cast::everybody`].
    pub(super) performances: &'a [Arc<Performance>],
    pub(super) began: Instant,
}

/// A moment.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) elapsed: Duration,
    /// The players' sessions.
    pub(super) sessions: Vec<SessionScene>,
    /// The listener's.
    pub(super) listener: SessionScene,
    pub(super) kernel: FibStats,
}

/// A session at a moment.
#[derive(Clone, Debug)]
pub(super) struct SessionScene {
    pub(super) name: String,
    pub(super) asn: Asn,
    pub(super) role: Role,
    pub(super) state: State,
    /// What the player has said, and whether that is all.
    pub(super) said: Counts,
    pub(super) has_said_all: bool,
    /// UPDATEs that the router has read.
    pub(super) updates: u64,
    /// What the router makes of them.
    pub(super) tally: Tally,
    /// What the player was told: announcements, withdrawals, and what is left of them.
    pub(super) heard: [u64; 3],
    /// Why the session is not up, where somebody said so.
    pub(super) fault: Option<String>,
}

impl Audience<'_> {
    /// Looks.
    pub(super) fn look(&self) -> Scene {
        let roster = Arc::clone(&self.router.roster().borrow());
        let looked = self.cast.everybody().zip(roster.peers()).zip(self.performances);
        let mut sessions: Vec<SessionScene> = looked
            .map(|((part, peer), performance)| SessionScene {
                name: peer.name.clone(),
                asn: part.asn,
                role: part.role,
                state: peer.status.state(),
                said: performance.said(),
                has_said_all: performance.is_done(),
                updates: peer.status.traffic.received.messages(MessageKind::Update),
                tally: peer.status.counters.read(),
                heard: performance.heard.all(),
                fault: performance
                    .end()
                    .or_else(|| peer.status.last_fault())
                    .or_else(|| performance.trouble()),
            })
            .collect();
        // Everybody is the parts and the listener, so there is a last one.
        let listener = sessions.remove(sessions.len() - 1);
        Scene {
            elapsed: self.began.elapsed(),
            sessions,
            listener,
            kernel: self.router.fib_stats().unwrap_or_default(),
        }
    }
}

impl SessionScene {
    pub(super) fn is_up(&self) -> bool {
        self.state == State::Established
    }

    /// Whether nothing more can come of it: all is said and read, or the session is over.
    fn is_over(&self) -> bool {
        self.has_said_all && (self.updates >= self.said.updates || !self.is_up())
    }
}

impl Scene {
    /// All sessions, the listener's last.
    pub(super) fn everybody(&self) -> impl Iterator<Item = &SessionScene> {
        self.sessions.iter().chain([&self.listener])
    }

    /// How many sessions are up.
    pub(super) fn up(&self) -> usize {
        self.everybody().filter(|session| session.is_up()).count()
    }

    /// What all players have said.
    pub(super) fn said(&self) -> Counts {
        self.sessions.iter().fold(Counts::default(), |sum, session| Counts {
            updates: sum.updates + session.said.updates,
            announced: sum.announced + session.said.announced,
            withdrawn: sum.withdrawn + session.said.withdrawn,
        })
    }

    /// What the router holds of all.
    pub(super) fn tally(&self) -> Tally {
        let mut sum = Tally::default();
        self.sessions.iter().for_each(|session| sum.add(&session.tally));
        sum
    }

    /// Whether everything is said, read, and given to the kernel.
    pub(super) fn is_played(&self) -> bool {
        self.sessions.iter().all(SessionScene::is_over) && self.kernel.pending == 0
    }

    /// What stays the same when nothing happens any more.
    pub(super) fn fingerprint(&self) -> impl PartialEq + use<> {
        let sessions: Vec<(u64, u64, Held)> = self
            .sessions
            .iter()
            .map(|session| (session.said.updates, session.updates, Held::of(&session.tally)))
            .collect();
        (sessions, self.listener.heard, self.kernel.operations, self.kernel.installed, self.up())
    }
}

/// The reasons for which something is counted, the most frequent first.
pub(super) fn by_frequency(counts: &PerReason<i64>) -> Vec<(Reason, i64)> {
    let mut found: Vec<(Reason, i64)> = counts.iter().map(|(reason, count)| (reason, *count)).collect();
    found.retain(|(_, count)| *count > 0);
    found.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    found
}

/// The states of the RPKI, in the order in which they are told.
pub(super) const ROV_ORDER: [RovState; 4] =
    [RovState::Valid, RovState::NotFound, RovState::InvalidOrigin, RovState::InvalidLength];
