//! What peers may originate, gathered from a whois server: their as-sets, the as-sets within, and for each origin the
//! prefixes that are registered for it.
//!
//! ```text
//!   as-sets of peers --!i--> members --!i--> members ..      each set once
//!                               `--AS--> !g, !6              each AS once, whichever peers it is behind
//! ```
//!
//! Sets are asked for one by one (`!iSET`) and not expanded by the server (`!iSET,1`, `!a4SET`), although that is more
//! questions: only so do the sets themselves come in, and with them the chain of sets that brought an origin in, and
//! what a change of one set touches. Pipelined, the questions cost a round trip a level of nesting. And the judge wants
//! pairs of prefix and origin, of which `!a4SET` leaves the origin out.
//!
//! What the last crawl found stands in for what the server refuses to tell, and for a peer's own as-set that is suddenly
//! empty or gone: an answer that fails must not take a peer's routes away. What a set further down loses is lost.

use std::collections::{HashMap, HashSet, VecDeque};

use palisade_bgp::{Asn, Family, Prefix};
use palisade_policy::IrrIndex;
use palisade_policy::as_set::{AsSetName, Member};
use palisade_policy::{IrrBuilder, IrrError};

use super::client::Asker;
use super::framing::Answer;
use super::question::{Query, Question, Sources};

/// How much is gathered from one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CrawlLimits {
    /// Sets asked for.
    pub(crate) sets: usize,
    /// AS numbers asked for.
    pub(crate) origins: usize,
    /// Prefixes of all of them together.
    pub(crate) prefixes: usize,
}

impl Default for CrawlLimits {
    fn default() -> Self {
        CrawlLimits { sets: 100_000, origins: 200_000, prefixes: 10_000_000 }
    }
}

/// Answers that were out of order and are named; the others are counted.
const MAX_NAMED: usize = 5;

/// What a server knows of what was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holdings {
    sets: HashMap<AsSetName, Vec<Member>>,
    routes: HashMap<(Asn, Family), Vec<Prefix>>,
}

impl Holdings {
    /// What an index of [`Holdings::index`] was made of, as far as it tells: what was asked for with the name of its
    /// registry and what without is the same there.
    pub(crate) fn of(index: &IrrIndex, label: &str) -> Self {
        let mut holdings = Holdings::default();
        for set in index.as_set_objects() {
            let asns = set.asns.iter().copied().map(Member::Asn);
            let members: Vec<Member> = asns.chain(set.sets.iter().cloned().map(Member::Set)).collect();
            let name = |source| AsSetName { source, name: (*set.name).into() };
            if set.source.eq_ignore_ascii_case(label) {
                holdings.sets.insert(name(None), members.clone());
            }
            holdings.sets.insert(name(Some((*set.source).into())), members);
        }
        for route in index.routes() {
            holdings.routes.entry((route.origin, route.prefix.family())).or_default().push(route.prefix);
        }
        holdings
    }

    /// Whether there is any set.
    pub(crate) fn has_sets(&self) -> bool {
        !self.sets.is_empty()
    }

    /// Whether there is any prefix.
    pub(crate) fn has_routes(&self) -> bool {
        !self.routes.values().all(Vec::is_empty)
    }

    /// An index of it. What has no registry in its name is from `label`.
    pub(crate) fn index(&self, label: &str) -> Result<IrrIndex, IrrError> {
        let mut builder = IrrBuilder::default();
        // Registries come in the order in which they are met: what the server takes a plain name for comes first.
        let mut sets: Vec<_> = self.sets.iter().collect();
        sets.sort_by(|(a, _), (b, _)| (&a.source, &a.name).cmp(&(&b.source, &b.name)));
        for (name, members) in sets {
            builder.add_as_set(name, members.clone(), name.source.as_deref().unwrap_or(label))?;
        }
        for ((origin, _), prefixes) in &self.routes {
            for prefix in prefixes {
                builder.add_route(*prefix, *origin, label)?;
            }
        }
        Ok(builder.build())
    }
}

/// What of a crawl is to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CrawlReport {
    /// Questions that were answered.
    pub(crate) answers: usize,
    /// Sets that no source has.
    pub(crate) missing: Names,
    /// Questions whose last good answer stands in, or nothing: the server refuses, or a peer's as-set has come out
    /// empty.
    pub(crate) refused: Names,
    /// Words of answers that are neither members nor prefixes.
    pub(crate) malformed: Names,
    /// Whether a limit left something out.
    pub(crate) truncated: bool,
}

impl CrawlReport {
    /// What is to be told of it, where anything is.
    pub(crate) fn note(&self) -> Option<String> {
        let mut notes = Vec::new();
        if self.truncated {
            notes.push("a limit left something out".to_owned());
        }
        for (names, what) in [
            (&self.refused, "refused or empty, the last answer stays"),
            (&self.missing, "sets that no registry has"),
            (&self.malformed, "answers that make no sense"),
        ] {
            if names.count > 0 {
                let more = if names.count > names.first.len() { ", .." } else { "" };
                notes.push(format!("{} {what}: {}{more}", names.count, names.first.join(", ")));
            }
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

/// The first of many names, and how many there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// At most [`MAX_NAMED`].
    pub(crate) first: Vec<String>,
    /// All.
    pub(crate) count: usize,
}

impl Names {
    fn note(&mut self, name: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < MAX_NAMED {
            self.first.push(name());
        }
    }
}

/// One crawl.
#[derive(Debug)]
pub(crate) struct Crawl<'a> {
    sources: Sources,
    limits: CrawlLimits,
    /// The sets that peers name.
    roots: HashSet<AsSetName>,
    last: &'a Holdings,
    found: Holdings,
    /// Sets and AS numbers that have been asked for, or will be.
    sets: HashSet<AsSetName>,
    origins: HashSet<Asn>,
    /// The sets that a question is about. `AS-A` and `RIPE::AS-A` may lead to the same one.
    asked: HashMap<Question, Vec<AsSetName>>,
    prefixes: usize,
    questions: VecDeque<Question>,
    report: CrawlReport,
}

impl<'a> Crawl<'a> {
    /// A crawl from what peers name, of `sources` where a name says nothing else. What the `last` one found stands in
    /// for what can't be had.
    pub(crate) fn new(wanted: &[Member], sources: Sources, limits: CrawlLimits, last: &'a Holdings) -> Self {
        let mut crawl = Crawl {
            sources,
            limits,
            roots: HashSet::new(),
            last,
            found: Holdings::default(),
            sets: HashSet::new(),
            origins: HashSet::new(),
            asked: HashMap::new(),
            prefixes: 0,
            questions: VecDeque::new(),
            report: CrawlReport::default(),
        };
        for member in wanted {
            if let Member::Set(name) = member {
                crawl.roots.insert(name.clone());
            }
            crawl.meet(member);
        }
        crawl
    }

    /// What was found, and what there is to tell of it.
    pub(crate) fn finish(self) -> (Holdings, CrawlReport) {
        (self.found, self.report)
    }

    fn meet(&mut self, member: &Member) {
        match member {
            Member::Asn(asn) => self.meet_origin(*asn),
            Member::Set(name) => self.meet_set(name),
        }
    }

    fn meet_set(&mut self, name: &AsSetName) {
        if self.sets.contains(name) {
            return;
        }
        if self.sets.len() == self.limits.sets {
            self.report.truncated = true;
            return;
        }
        self.sets.insert(name.clone());
        // What our parser takes for a registry's name and IRRd does not is asked of nobody.
        let sources = match &name.source {
            None => Some(self.sources.clone()),
            Some(source) => Sources::new([&**source]),
        };
        let Some(sources) = sources else { return self.report.missing.note(|| name.to_string()) };
        let question = Question { query: Query::Members(name.name.clone()), sources };
        self.asked.entry(question.clone()).or_default().push(name.clone());
        self.questions.push_back(question);
    }

    fn meet_origin(&mut self, asn: Asn) {
        if self.origins.contains(&asn) {
            return;
        }
        if self.origins.len() == self.limits.origins {
            self.report.truncated = true;
            return;
        }
        self.origins.insert(asn);
        for family in Family::ALL {
            let query = Query::Routes(asn, family);
            self.questions.push_back(Question { query, sources: self.sources.clone() });
        }
    }

    fn take_members(&mut self, name: AsSetName, answer: Answer) {
        let is_root = self.roots.contains(&name);
        let members = match answer {
            Answer::Data(octets) => self.members(&octets),
            Answer::Done => Vec::new(),
            Answer::NotFound if !is_root || !self.last.sets.contains_key(&name) => {
                self.report.missing.note(|| name.to_string());
                return;
            }
            _ => return self.keep_members(name),
        };
        if members.is_empty() && is_root {
            return self.keep_members(name);
        }
        self.hold_members(name, members);
    }

    fn keep_members(&mut self, name: AsSetName) {
        self.report.refused.note(|| name.to_string());
        if let Some(members) = self.last.sets.get(&name) {
            self.hold_members(name, members.clone());
        }
    }

    fn hold_members(&mut self, name: AsSetName, members: Vec<Member>) {
        members.iter().for_each(|member| self.meet(member));
        self.found.sets.insert(name, members);
    }

    fn members(&mut self, octets: &[u8]) -> Vec<Member> {
        let text = String::from_utf8_lossy(octets);
        let mut members = Vec::new();
        for word in text.split_ascii_whitespace() {
            match word.parse() {
                Ok(member) => members.push(member),
                Err(_) => self.report.malformed.note(|| short(word)),
            }
        }
        members
    }

    fn take_routes(&mut self, key: (Asn, Family), answer: Answer) {
        let prefixes = match answer {
            Answer::Data(octets) => self.prefixes(key.1, &octets),
            Answer::Done | Answer::NotFound => return,
            Answer::Ambiguous | Answer::Refused(_) => {
                self.report.refused.note(|| key.0.to_string());
                self.last.routes.get(&key).cloned().unwrap_or_default()
            }
        };
        let room = self.limits.prefixes - self.prefixes;
        self.report.truncated |= prefixes.len() > room;
        let prefixes: Vec<Prefix> = prefixes.into_iter().take(room).collect();
        self.prefixes += prefixes.len();
        self.found.routes.insert(key, prefixes);
    }

    fn prefixes(&mut self, family: Family, octets: &[u8]) -> Vec<Prefix> {
        let text = String::from_utf8_lossy(octets);
        let mut prefixes = Vec::new();
        for word in text.split_ascii_whitespace() {
            match word.parse::<Prefix>() {
                Ok(prefix) if prefix.family() == family => prefixes.push(prefix),
                _ => self.report.malformed.note(|| short(word)),
            }
        }
        prefixes
    }
}

impl Asker for Crawl<'_> {
    fn next_question(&mut self) -> Option<Question> {
        self.questions.pop_front()
    }

    fn take(&mut self, question: Question, answer: Answer) {
        self.report.answers += 1;
        match question.query {
            Query::Members(_) => {
                if let Some(name) = self.asked.get_mut(&question).and_then(Vec::pop) {
                    self.take_members(name, answer);
                }
            }
            Query::Routes(asn, family) => self.take_routes((asn, family), answer),
            // Nothing else is asked here.
            Query::Abilities | Query::AllMembers(_) | Query::Prefixes(..) => {}
        }
    }
}

/// A stranger's word, as much of it as one wants to read.
fn short(word: &str) -> String {
    const SHOWN: usize = 60;
    let shown: String = word.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if word.chars().nth(SHOWN).is_some() { shown + ".." } else { shown }
}
