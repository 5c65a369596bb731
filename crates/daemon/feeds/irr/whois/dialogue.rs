//! A conversation with an IRRd server, without its socket: questions and octets that came go in, octets to send and
//! answers come out.
//!
//! ```text
//!   ask(question) --> waiting --transmit--> on the way (at most WINDOW) --receive--> next_answer
//! ```
//!
//! It begins with `!!`, which keeps the connection open, `!n`, which says who we are, and `!s-lc`, which tells the
//! server's own choice of sources, so that it can be gone back to. Questions are pipelined:
//! as many as the window has room for are sent before the first is answered, because a round trip a question would
//! take hours. The server answers in order, so an answer belongs to the oldest question that has none.
//!
//! The sources are a selection that the server keeps (`!s`). It is changed between questions where theirs differ,
//! and where the server refuses the change, what was asked of that selection counts as refused: an answer from other
//! sources than those asked for would let in what nobody meant.
//!
//! Time is an argument. A server that answers nothing for [`Limits::answer`] is given up, however alive it looks.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::framing::{Answer, Answers, FramingFault};
use super::question::{Question, Sources};

/// How far a conversation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Questions on the way at once.
    pub(crate) window: usize,
    /// Octets of one answer: `!a6` for the largest as-sets comes to 30 MB.
    pub(crate) answer_octets: usize,
    /// How long one answer may take.
    pub(crate) answer: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { window: 64, answer_octets: 128 << 20, answer: Duration::from_secs(60) }
    }
}

/// Why a conversation is over before all is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DialogueFault {
    /// What comes makes no sense.
    #[error(transparent)]
    Framing(#[from] FramingFault),
    /// An answer that nothing was asked for.
    #[error("it answers more than it was asked")]
    Unasked,
    /// The oldest question has waited too long.
    #[error("it has answered nothing for {} s", .0.as_secs())]
    Silent(Duration),
}

/// What the next answer will be to.
#[derive(Debug)]
enum Awaited {
    /// Our name.
    Name,
    /// The server's own choice of sources.
    Choice,
    /// The selection of sources.
    Selection,
    Question(Question),
}

/// One connection's conversation.
#[derive(Debug)]
pub(crate) struct Dialogue {
    limits: Limits,
    waiting: VecDeque<Question>,
    awaited: VecDeque<Awaited>,
    answers: Answers,
    /// What the server selects from once all that is on the way has come to it.
    selected: Sources,
    /// How the server's own choice is written; `None` until it has told.
    choice: Option<String>,
    /// Why the selection that holds for the oldest question was refused.
    refused: Option<String>,
    /// When the oldest question became that.
    oldest_since: Instant,
    begun: bool,
}

impl Dialogue {
    /// One in which nothing was said.
    pub(crate) fn new(limits: Limits, now: Instant) -> Self {
        Dialogue {
            limits,
            waiting: VecDeque::new(),
            awaited: VecDeque::new(),
            answers: Answers::new(limits.answer_octets),
            selected: Sources::default(),
            choice: None,
            refused: None,
            oldest_since: now,
            begun: false,
        }
    }

    /// One more question.
    pub(crate) fn ask(&mut self, question: Question) {
        self.waiting.push_back(question);
    }

    /// What may be sent now; empty where nothing may.
    pub(crate) fn transmit(&mut self, now: Instant) -> Vec<u8> {
        let mut out = String::new();
        if self.awaited.is_empty() {
            self.oldest_since = now;
        }
        if !self.begun {
            self.begun = true;
            out += "!!\n!npalisade\n!s-lc\n";
            self.awaited.extend([Awaited::Name, Awaited::Choice]);
        }
        while self.awaited.len() < self.limits.window
            && let Some(question) = self.waiting.front()
        {
            if question.sources != self.selected {
                let Some(selection) = self.selection(&question.sources) else { break };
                self.selected = question.sources.clone();
                out += &format!("!s{selection}\n");
                self.awaited.push_back(Awaited::Selection);
            }
            out += &format!("{}\n", question.query);
            self.awaited.extend(self.waiting.pop_front().map(Awaited::Question));
        }
        out.into_bytes()
    }

    /// How sources are written; `None` where that has to be waited for.
    fn selection(&self, sources: &Sources) -> Option<String> {
        if sources.is_default() { self.choice.clone() } else { Some(sources.as_str().into()) }
    }

    /// Takes what came.
    pub(crate) fn receive(&mut self, octets: &[u8]) {
        self.answers.push(octets);
    }

    /// The next question that is answered.
    pub(crate) fn next_answer(&mut self, now: Instant) -> Result<Option<(Question, Answer)>, DialogueFault> {
        while let Some(answer) = self.answers.next()? {
            self.oldest_since = now;
            match self.awaited.pop_front().ok_or(DialogueFault::Unasked)? {
                // A server that does not care who we are may say so.
                Awaited::Name => {}
                Awaited::Choice => self.choice = Some(choice(answer)),
                Awaited::Selection => self.refused = refusal(answer),
                Awaited::Question(question) => {
                    let answer = self.refused.clone().map_or(answer, Answer::Refused);
                    return Ok(Some((question, answer)));
                }
            }
        }
        Ok(None)
    }

    /// Whether everything that was asked is answered.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.awaited.is_empty()
    }

    /// What has no answer yet, in the order in which it was asked.
    pub(crate) fn into_unanswered(self) -> Vec<Question> {
        let asked = self.awaited.into_iter().filter_map(|awaited| match awaited {
            Awaited::Question(question) => Some(question),
            _ => None,
        });
        asked.chain(self.waiting).collect()
    }

    /// When the server's silence will have lasted too long.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        (!self.awaited.is_empty()).then(|| self.oldest_since + self.limits.answer)
    }

    /// Whether it has lasted too long.
    pub(crate) fn check(&self, now: Instant) -> Result<(), DialogueFault> {
        match self.deadline() {
            Some(deadline) if now >= deadline => Err(DialogueFault::Silent(self.limits.answer)),
            _ => Ok(()),
        }
    }
}

/// What the server selects from unless told. One that does not say, or says what can't be, is of the old kind, which knows
/// `-*` for all.
fn choice(answer: Answer) -> String {
    let Answer::Data(octets) = answer else { return "-*".into() };
    let text = String::from_utf8_lossy(&octets);
    match Sources::new(text.trim().split(',').map(str::trim)) {
        Some(sources) if !sources.is_default() => sources.as_str().into(),
        _ => "-*".into(),
    }
}

fn refusal(answer: Answer) -> Option<String> {
    match answer {
        Answer::Done | Answer::Data(_) => None,
        Answer::Refused(why) if !why.is_empty() => Some(why),
        _ => Some("the server has no such source".into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code fails by panicking")]

    use palisade_bgp::{Asn, Family};

    use super::super::question::Query;
    use super::*;

    fn question(asn: u32, sources: &[&str]) -> Question {
        let sources = Sources::new(sources.iter().copied()).unwrap();
        Question { query: Query::Routes(Asn(asn), Family::Ipv4), sources }
    }

    fn dialogue(window: usize) -> (Dialogue, Instant) {
        let now = Instant::now();
        (Dialogue::new(Limits { window, answer_octets: 100, answer: Duration::from_secs(9) }, now), now)
    }

    fn sent(dialogue: &mut Dialogue, now: Instant) -> String {
        String::from_utf8(dialogue.transmit(now)).unwrap()
    }

    #[test]
    fn questions_are_pipelined_as_far_as_the_window() {
        let (mut dialogue, now) = dialogue(4);
        (1..=4).for_each(|asn| dialogue.ask(question(asn, &[])));
        assert_eq!(sent(&mut dialogue, now), "!!\n!npalisade\n!s-lc\n!gAS1\n!gAS2\n");
        assert_eq!(sent(&mut dialogue, now), "");
        dialogue.receive(b"C\nC\nD\n");
        assert_eq!(dialogue.next_answer(now), Ok(Some((question(1, &[]), Answer::NotFound))));
        assert_eq!(dialogue.next_answer(now), Ok(None));
        assert_eq!(sent(&mut dialogue, now), "!gAS3\n!gAS4\n", "room for three, and no more is asked");
        dialogue.receive(b"C\nC\nA1\nxC\n");
        let told: Vec<_> = std::iter::from_fn(|| dialogue.next_answer(now).unwrap()).collect();
        assert_eq!(told.last(), Some(&(question(4, &[]), Answer::Data(b"x".to_vec()))));
        assert!(dialogue.is_idle());
        dialogue.receive(b"C\n");
        assert_eq!(dialogue.next_answer(now), Err(DialogueFault::Unasked));
    }

    #[test]
    fn sources_are_selected_where_they_differ_and_a_refusal_holds_for_all_that_ask_them() {
        let (mut dialogue, now) = dialogue(64);
        for (asn, sources) in [(1, &["A"][..]), (2, &["A"]), (3, &["NONE"]), (4, &["NONE"]), (5, &[])] {
            dialogue.ask(question(asn, sources));
        }
        let expected = "!!\n!npalisade\n!s-lc\n!sA\n!gAS1\n!gAS2\n!sNONE\n!gAS3\n!gAS4\n";
        assert_eq!(sent(&mut dialogue, now), expected);
        dialogue.receive(b"C\nA4\nA,B\nC\n");
        assert_eq!(dialogue.next_answer(now), Ok(None));
        assert_eq!(sent(&mut dialogue, now), "!sA,B\n!gAS5\n");
        dialogue.receive(b"C\nC\nC\nF no source\nC\nC\nC\nC\n");
        let told: Vec<_> = std::iter::from_fn(|| dialogue.next_answer(now).unwrap())
            .map(|(_, answer)| answer == Answer::Done)
            .collect();
        assert_eq!(told, [true, true, false, false, true]);
    }

    #[test]
    fn a_silent_server_is_given_up() {
        let (mut dialogue, now) = dialogue(64);
        assert_eq!(dialogue.deadline(), None);
        dialogue.ask(question(1, &[]));
        sent(&mut dialogue, now);
        let later = now + Duration::from_secs(8);
        dialogue.receive(b"C\nA9\n");
        assert_eq!(dialogue.next_answer(later), Ok(None));
        // Octets that make no answer don't count as life.
        dialogue.receive(b"1234");
        assert_eq!(dialogue.next_answer(later + Duration::from_secs(8)), Ok(None));
        assert_eq!(dialogue.check(later + Duration::from_secs(8)), Ok(()));
        let silent = DialogueFault::Silent(Duration::from_secs(9));
        assert_eq!(dialogue.check(later + Duration::from_secs(9)), Err(silent));
    }
}
