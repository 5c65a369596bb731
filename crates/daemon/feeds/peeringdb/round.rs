//! When PeeringDB is asked what.
//!
//! ```text
//!            due                 answered, more to ask: after a pause
//!   resting ------> asking ---------------------------------------------> asking
//!      ^              |  '-- failed: later, the same question again -----'
//!      '--------------'
//!        all answered: the next round is due after `refresh`, a tenth more or less
//! ```
//!
//! A round asks for all peers' networks, [`MOST_ASKED`] at a time, and for those that stay away from route servers. Its
//! answers count together when the last is there; a question that fails is asked again, and those before it are not. What
//! a server says with Retry-After is obeyed, up to [`LONGEST_WAIT`].
//!
//! It is a machine without a clock and without a socket.

use std::collections::{BTreeSet, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use palisade_bgp::Asn;

use super::api::Question;
use super::facts::NetworkFacts;

/// Networks that one question is about: an address of 2,000 characters is taken everywhere.
pub(super) const MOST_ASKED: usize = 150;

/// Between two questions of a round: PeeringDB takes twenty a minute from whoever has no key.
pub(super) const PAUSE: Duration = Duration::from_secs(4);

/// The wait after a first failure, which doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(30);

/// The longest wait that our own patience comes to.
const MOST_PATIENCE: Duration = Duration::from_secs(3600);

/// The longest wait that a server can ask for.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// What is asked, and when.
#[derive(Debug)]
pub(super) struct Rounds {
    refresh: Duration,
    pause: Duration,
    peers: BTreeSet<Asn>,
    /// What is still to be asked in this round.
    questions: VecDeque<Question>,
    /// What was answered in it.
    answers: NetworkFacts,
    due: Instant,
    failures: u32,
}

impl Rounds {
    /// The first round is due at once, unless answers of that age are there.
    pub(super) fn new(now: Instant, peers: BTreeSet<Asn>, refresh: Duration, age: Option<Duration>) -> Self {
        let wait = age.map_or(Duration::ZERO, |age| refresh.saturating_sub(age));
        Rounds {
            refresh,
            pause: PAUSE,
            peers,
            questions: VecDeque::new(),
            answers: NetworkFacts::default(),
            due: now + wait,
            failures: 0,
        }
    }

    /// The same, which hurries.
    #[cfg(test)]
    pub(super) fn with_pause(self, pause: Duration) -> Self {
        Rounds { pause, ..self }
    }

    /// When there is something to ask.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// The peers whose networks are asked for.
    pub(super) fn peers(&self) -> impl Iterator<Item = Asn> {
        self.peers.iter().copied()
    }

    /// There are other peers. Of those that are new, nothing is known: a round that asks for all is due at once, but not
    /// sooner than a server that is in trouble is to be asked again.
    pub(super) fn want(&mut self, now: Instant, peers: BTreeSet<Asn>) {
        let news = peers.difference(&self.peers).next().is_some();
        self.peers = peers;
        if news {
            self.questions.clear();
            self.answers = NetworkFacts::default();
            self.due = if self.failures == 0 { now } else { self.due };
        }
    }

    /// The next question, once it is due.
    pub(super) fn question(&mut self, now: Instant) -> Option<Question> {
        if now < self.due {
            return None;
        }
        if self.questions.is_empty() {
            self.begin();
        }
        self.questions.front().cloned()
    }

    fn begin(&mut self) {
        let peers: Vec<Asn> = self.peers().collect();
        let networks = peers.chunks(MOST_ASKED).map(|some| Question::Networks(some.to_vec()));
        self.questions = networks.chain([Question::NeverViaRs]).collect();
        self.answers = NetworkFacts::default();
    }

    /// The question that was asked last is answered. All answers, where it was the round's last.
    pub(super) fn answered(&mut self, now: Instant, answer: &NetworkFacts) -> Option<NetworkFacts> {
        self.failures = 0;
        self.questions.pop_front();
        self.answers = std::mem::take(&mut self.answers).over(answer);
        if !self.questions.is_empty() {
            self.due = now + self.pause;
            return None;
        }
        self.due = now + varied(self.refresh, 10);
        Some(std::mem::take(&mut self.answers))
    }

    /// The question that was asked last is to be asked again, no sooner than the server says.
    pub(super) fn failed(&mut self, now: Instant, retry_after: Option<Duration>) {
        let patience = FIRST_WAIT.saturating_mul(1 << self.failures.min(16)).min(MOST_PATIENCE);
        self.failures = self.failures.saturating_add(1);
        let asked = retry_after.unwrap_or_default().min(LONGEST_WAIT);
        self.due = now + varied(patience, 4).max(asked);
    }
}

/// A time, longer or shorter by up to one part in so many: so that those who began together don't stay together.
fn varied(time: Duration, parts: u32) -> Duration {
    // Every `RandomState` has other keys.
    let chance = RandomState::new().hash_one(0u8) as u16;
    let most = time / parts;
    time - most + most * 2 * u32::from(chance) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feeds::peeringdb::facts::Network;

    const DAY: Duration = Duration::from_secs(86_400);

    fn peers(count: u32) -> BTreeSet<Asn> {
        (1..=count).map(Asn).collect()
    }

    fn answer(asn: u32) -> NetworkFacts {
        [(Asn(asn), Network::default())].into_iter().collect()
    }

    fn about(time: Duration, expected: Duration, parts: u32) -> bool {
        let most = expected / parts;
        (expected - most..=expected + most).contains(&time)
    }

    #[test]
    fn a_round_asks_for_all_and_counts_when_all_is_answered() {
        let now = Instant::now();
        let mut rounds = Rounds::new(now, peers(151), DAY, None);
        let Some(Question::Networks(first)) = rounds.question(now) else { panic!() };
        assert_eq!((first.len(), first[0]), (MOST_ASKED, Asn(1)));
        assert_eq!(rounds.answered(now, &answer(1)), None);
        assert_eq!(rounds.question(now), None, "there is a pause");
        let now = now + PAUSE;
        assert_eq!(rounds.question(now), Some(Question::Networks(vec![Asn(151)])));
        assert_eq!(rounds.question(now), Some(Question::Networks(vec![Asn(151)])), "until it is answered");
        assert_eq!(rounds.answered(now, &answer(151)), None);
        let now = now + PAUSE;
        assert_eq!(rounds.question(now), Some(Question::NeverViaRs));
        let all = rounds.answered(now, &answer(9)).unwrap();
        assert_eq!(all.iter().map(|(asn, _)| asn.0).collect::<Vec<_>>(), [1, 9, 151]);
        assert!(about(rounds.due() - now, DAY, 10), "{:?}", rounds.due() - now);
    }

    #[test]
    fn after_a_failure_the_same_is_asked_again_later_each_time_and_not_sooner_than_the_server_says() {
        let start = Instant::now();
        let mut rounds = Rounds::new(start, peers(1), DAY, None);
        for expected in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600] {
            let now = rounds.due();
            assert_eq!(rounds.question(now), Some(Question::Networks(vec![Asn(1)])));
            rounds.failed(now, None);
            let expected = Duration::from_secs(expected);
            assert!(about(rounds.due() - now, expected, 4), "{:?} for {expected:?}", rounds.due() - now);
        }
        let now = rounds.due();
        for (said, wait) in [(7200, Duration::from_secs(7200)), (u64::MAX, LONGEST_WAIT)] {
            rounds.failed(now, Some(Duration::from_secs(said)));
            assert_eq!(rounds.due() - now, wait);
        }
        let now = rounds.due();
        rounds.question(now);
        assert_eq!(rounds.answered(now, &answer(1)), None);
        rounds.failed(now, None);
        assert!(about(rounds.due() - now, FIRST_WAIT, 4), "it had answered meanwhile");
        let now = rounds.due();
        assert_eq!(rounds.question(now), Some(Question::NeverViaRs), "what was answered is not asked again");
    }

    #[test]
    fn answers_that_are_there_are_not_asked_for_before_they_are_old() {
        let now = Instant::now();
        let due = |age| Rounds::new(now, peers(1), DAY, age).due() - now;
        assert_eq!(due(None), Duration::ZERO);
        assert_eq!(due(Some(DAY / 4)), DAY / 4 * 3);
        assert_eq!(due(Some(DAY * 9)), Duration::ZERO);
    }

    #[test]
    fn new_peers_are_asked_for_at_once_and_those_that_left_not_any_more() {
        let now = Instant::now();
        let mut rounds = Rounds::new(now, peers(3), DAY, Some(DAY / 2));
        rounds.want(now, peers(2));
        assert_eq!(rounds.question(now), None);
        rounds.want(now, peers(4));
        assert_eq!(rounds.question(now), Some(Question::Networks(peers(4).into_iter().collect())));
        rounds.failed(now, None);
        rounds.want(now, peers(5));
        assert_eq!(rounds.question(now), None, "a server in trouble is left alone");
        let now = rounds.due();
        assert_eq!(rounds.question(now), Some(Question::Networks(peers(5).into_iter().collect())));
    }
}
