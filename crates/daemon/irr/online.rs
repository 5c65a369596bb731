//! Expanding objects by asking a server.
//!
//! A server that can (`!a`) is asked for the prefixes of a set at once; of another, the AS numbers that the set comes
//! to, and then the prefixes of each. A set that is named with its registry (`RIPE::AS-EXAMPLE`) is always taken the
//! second way: the registry says which set is meant, and not that its members' route objects must be there, too.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use indicatif::ProgressBar;
use palisade_bgp::Asn;
use palisade_policy::PrefixRange;
use palisade_policy::route_set::RouteSetMember;

use super::object::Object;
use super::{Found, Wanted};
use crate::feeds::irr::whois::client::{self, Asker, Server, WhoisError};
use crate::feeds::irr::whois::dialogue::Limits;
use crate::feeds::irr::whois::framing::Answer;
use crate::feeds::irr::whois::question::{Query, Question, Sources, has_prefixes};

/// The most prefixes and AS numbers that are taken.
const MOST_FOUND: usize = 20_000_000;
/// How long all of it may take.
const WHOLE: Duration = Duration::from_secs(1800);

/// Why a server's answers are of no use.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookupError {
    /// It does not answer.
    #[error(transparent)]
    Whois(#[from] WhoisError),
    /// It refuses a question.
    #[error("the server refuses `{question}`: {why}")]
    Refused {
        /// As it was asked.
        question: String,
        /// What it says.
        why: String,
    },
    /// It answers with something else than what was asked for.
    #[error("the server answers `{question}` with {words:?}")]
    Malformed {
        /// As it was asked.
        question: String,
        /// The beginning of what makes no sense.
        words: String,
    },
    /// More than [`MOST_FOUND`].
    #[error("it comes to more than {MOST_FOUND} prefixes and AS numbers")]
    TooMany,
}

/// Asks a server what objects come to.
pub(super) async fn expand(
    server: &Server,
    sources: Sources,
    objects: &[Object],
    wanted: &Wanted,
    progress: &ProgressBar,
) -> Result<Found, LookupError> {
    let mut lookup = Lookup::new(sources, objects, wanted, progress);
    client::ask(server, Limits::default(), WHOLE, &mut lookup).await?;
    match lookup.fault {
        Some(fault) => Err(fault),
        None => Ok(lookup.found),
    }
}

/// Objects that are being expanded.
struct Lookup<'a> {
    objects: &'a [Object],
    wanted: &'a Wanted,
    sources: Sources,
    questions: VecDeque<Question>,
    asked: HashSet<Asn>,
    found: Found,
    /// The first thing that went wrong. From then on nothing is asked.
    fault: Option<LookupError>,
    progress: &'a ProgressBar,
}

impl<'a> Lookup<'a> {
    fn new(sources: Sources, objects: &'a [Object], wanted: &'a Wanted, progress: &'a ProgressBar) -> Self {
        let first = Question { query: Query::Abilities, sources: sources.clone() };
        progress.inc_length(1);
        let (questions, asked, found) = (VecDeque::from([first]), HashSet::new(), Found::default());
        Lookup { objects, wanted, sources, questions, asked, found, fault: None, progress }
    }

    fn ask(&mut self, query: Query, sources: Sources) {
        self.questions.push_back(Question { query, sources });
        self.progress.inc_length(1);
    }

    fn begin(&mut self, has_prefixes: bool) {
        for object in self.objects {
            let (name, source) = match object {
                Object::Asn(asn) => {
                    self.meet(*asn);
                    continue;
                }
                Object::AsSet(set) => (&set.name, &set.source),
                Object::RouteSet(set) => (&set.name, &set.source),
            };
            let sources = match source {
                None => self.sources.clone(),
                Some(source) => Sources::new([&**source]).unwrap_or_default(),
            };
            if has_prefixes && source.is_none() && !self.wanted.asns {
                for family in &self.wanted.families {
                    self.ask(Query::Prefixes(name.clone(), *family), sources.clone());
                }
            } else {
                self.ask(Query::AllMembers(name.clone()), sources);
            }
        }
    }

    fn meet(&mut self, asn: Asn) {
        self.found.asns.insert(asn);
        if !self.wanted.asns && self.asked.insert(asn) {
            for family in &self.wanted.families {
                self.ask(Query::Routes(asn, *family), self.sources.clone());
            }
        }
    }

    fn take_word(&mut self, query: &Query, word: &str) -> Result<(), LookupError> {
        let malformed =
            || LookupError::Malformed { question: query.to_string(), words: word.chars().take(60).collect() };
        let prefixes_of = match query {
            Query::Routes(_, family) | Query::Prefixes(_, family) => Some(*family),
            _ => None,
        };
        if let Some(family) = prefixes_of {
            return match word.parse() {
                Ok(RouteSetMember::Range(range)) if range.prefix.family() == family => {
                    self.found.ranges.insert(range);
                    Ok(())
                }
                _ => Err(malformed()),
            };
        }
        match word.parse() {
            Ok(RouteSetMember::Asn(asn, _)) => self.meet(asn),
            Ok(RouteSetMember::Range(range)) => self.take_range(range),
            // A server leaves the names of sets that it does not have.
            Ok(RouteSetMember::Set(..) | RouteSetMember::AsSet(..)) => {
                self.found.missing.insert(word.to_ascii_uppercase());
            }
            Err(_) => return Err(malformed()),
        }
        Ok(())
    }

    fn take_range(&mut self, range: PrefixRange) {
        if self.wanted.families.contains(&range.prefix.family()) {
            self.found.ranges.insert(range);
        }
    }

    fn take_answer(&mut self, query: &Query, answer: Answer) -> Result<(), LookupError> {
        let of_set = match query {
            Query::AllMembers(set) | Query::Prefixes(set, _) => Some(set.to_string()),
            _ => None,
        };
        let refused = |why| Err(LookupError::Refused { question: query.to_string(), why });
        match answer {
            Answer::Data(octets) => {
                let text = String::from_utf8_lossy(&octets);
                text.split_ascii_whitespace().try_for_each(|word| self.take_word(query, word))?;
            }
            Answer::Done => {}
            Answer::NotFound => self.found.absent.extend(of_set),
            Answer::Ambiguous => return refused("there are several by that name".into()),
            Answer::Refused(why) => return refused(why),
        }
        match self.found.ranges.len() + self.found.asns.len() > MOST_FOUND {
            true => Err(LookupError::TooMany),
            false => Ok(()),
        }
    }
}

impl Asker for Lookup<'_> {
    fn next_question(&mut self) -> Option<Question> {
        self.questions.pop_front()
    }

    fn take(&mut self, question: Question, answer: Answer) {
        self.progress.inc(1);
        if self.fault.is_some() {
            return;
        }
        if question.query == Query::Abilities {
            let able = matches!(&answer, Answer::Refused(why) if has_prefixes(why));
            return self.begin(able);
        }
        if let Err(fault) = self.take_answer(&question.query, answer) {
            self.fault = Some(fault);
            self.questions.clear();
        }
    }
}
