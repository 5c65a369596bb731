//! An as-set expanded into the AS numbers that it comes to.
//!
//! Sets hold sets, made by people who never meet: there are cycles, sets that nobody has, and sets that come to
//! most of the Internet. The walk goes breadth first, so each set is met at its least depth, once; what is missing,
//! cyclic or cut off is reported, and a bound that is reached leaves origins *out*: the result is smaller than it
//! should be, never larger. An expansion without a single AS is an error: it must not become "allow none" in
//! silence, let alone "allow any".

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use palisade_bgp::Asn;

use crate::as_set::{AsSet, AsSetName, AsSetNameError, Member};
use crate::irr::IrrIndex;
use crate::origin_set::OriginSet;

/// How many missing sets and how many cycles are named.
pub const MAX_NAMED: usize = 100;

/// How far an expansion goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpansionLimits {
    /// Sets within sets. The deepest that are seen have about 20.
    pub depth: usize,
    /// Sets visited.
    pub sets: usize,
    /// AS numbers. The whole Internet has about 80,000.
    pub origins: usize,
}

impl Default for ExpansionLimits {
    fn default() -> Self {
        ExpansionLimits { depth: 64, sets: 50_000, origins: 200_000 }
    }
}

/// Which bound cut an expansion off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Truncation {
    /// [`ExpansionLimits::depth`].
    #[error("sets nested deeper than the limit")]
    Depth,
    /// [`ExpansionLimits::sets`].
    #[error("more sets than the limit")]
    Sets,
    /// [`ExpansionLimits::origins`].
    #[error("more AS numbers than the limit")]
    Origins,
}

/// What an as-set comes to.
#[derive(Clone, Debug)]
pub struct Expansion {
    /// The AS numbers.
    pub origins: OriginSet,
    /// The sets that were visited, the one that was asked for first.
    pub sets: Vec<VisitedSet>,
    /// Sets that are named as members and that no registry has; at most [`MAX_NAMED`].
    pub missing: Vec<AsSetName>,
    /// Members that lead back to a set they are in; at most [`MAX_NAMED`].
    pub cycles: Vec<Cycle>,
    /// The bound that left something out, where one did.
    pub truncated: Option<Truncation>,
}

/// A set that an expansion visited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitedSet {
    /// Its name.
    pub name: Box<str>,
    /// The registry that it was taken from.
    pub source: Arc<str>,
    /// Steps from the set that was asked for.
    pub depth: usize,
}

/// A set that has a set above it as a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// The set.
    pub set: Box<str>,
    /// Its member, which holds the set itself, directly or not.
    pub back_to: Box<str>,
}

/// Why there is no expansion. What was expanded before stays good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpansionError {
    /// The name is none.
    #[error(transparent)]
    Name(#[from] AsSetNameError),
    /// No registry that was read has it.
    #[error("no registry that was read has the as-set {0}")]
    NotFound(AsSetName),
    /// It comes to no AS.
    #[error("the as-set {0} comes to no AS number: refused, because its peer could announce nothing")]
    Empty(AsSetName),
}

/// Expands an as-set, or a single AS number, which stands for itself.
pub(crate) fn expand(
    index: &IrrIndex,
    name: &str,
    limits: &ExpansionLimits,
) -> Result<Expansion, ExpansionError> {
    let name = match name.parse()? {
        Member::Asn(asn) => return Ok(Expansion::of_asn(asn)),
        Member::Set(name) => name,
    };
    let mut walk = Walk::new(index, limits);
    if walk.enter(&name, 0).is_none() {
        return Err(ExpansionError::NotFound(name));
    }
    while let Some(at) = walk.queue.pop_front() {
        walk.visit(at);
    }
    let expansion = walk.finish();
    if expansion.origins.is_empty() { Err(ExpansionError::Empty(name)) } else { Ok(expansion) }
}

impl Expansion {
    fn of_asn(asn: Asn) -> Self {
        let origins = OriginSet::from_iter([asn]);
        Expansion { origins, sets: Vec::new(), missing: Vec::new(), cycles: Vec::new(), truncated: None }
    }
}

struct Walk<'a> {
    index: &'a IrrIndex,
    limits: &'a ExpansionLimits,
    sets: Vec<VisitedSet>,
    /// For each visited set: what it holds, and the visited sets among that.
    contents: Vec<(&'a AsSet, Vec<usize>)>,
    /// Where in `sets` the set of a name and a source is.
    places: HashMap<(Box<str>, u16), usize>,
    queue: VecDeque<usize>,
    origins: Vec<Asn>,
    missing: Vec<AsSetName>,
    truncated: Option<Truncation>,
}

impl<'a> Walk<'a> {
    fn new(index: &'a IrrIndex, limits: &'a ExpansionLimits) -> Self {
        Walk {
            index,
            limits,
            sets: Vec::new(),
            contents: Vec::new(),
            places: HashMap::new(),
            queue: VecDeque::new(),
            origins: Vec::new(),
            missing: Vec::new(),
            truncated: None,
        }
    }

    /// The place of a set, which is queued where it is new; `None` where it is missing or past a limit.
    fn enter(&mut self, name: &AsSetName, depth: usize) -> Option<usize> {
        let Some(set) = self.index.as_set(name) else {
            self.note_missing(name);
            return None;
        };
        let key = (name.name.clone(), set.source);
        if let Some(place) = self.places.get(&key) {
            return Some(*place);
        }
        if depth > self.limits.depth || self.sets.len() >= self.limits.sets {
            let bound = if depth > self.limits.depth { Truncation::Depth } else { Truncation::Sets };
            self.truncated.get_or_insert(bound);
            return None;
        }
        let place = self.sets.len();
        let source = self.index.source(set.source);
        self.sets.push(VisitedSet { name: name.name.clone(), source, depth });
        self.contents.push((set, Vec::new()));
        self.places.insert(key, place);
        self.queue.push_back(place);
        Some(place)
    }

    fn visit(&mut self, place: usize) {
        let (set, depth) = (self.contents[place].0, self.sets[place].depth);
        for member in &set.members {
            match member {
                Member::Asn(asn) => self.take_origin(*asn),
                Member::Set(name) => {
                    if let Some(inner) = self.enter(name, depth + 1) {
                        self.contents[place].1.push(inner);
                    }
                }
            }
        }
    }

    /// Repetitions are many, so they are weeded out when the list reaches the limit, before the limit counts.
    fn take_origin(&mut self, asn: Asn) {
        if self.origins.len() >= 2 * self.limits.origins {
            self.weed_origins();
        }
        if self.origins.len() < 2 * self.limits.origins {
            self.origins.push(asn);
        }
    }

    fn weed_origins(&mut self) {
        self.origins.sort_unstable();
        self.origins.dedup();
        if self.origins.len() > self.limits.origins {
            self.origins.truncate(self.limits.origins);
            self.truncated.get_or_insert(Truncation::Origins);
        }
    }

    fn note_missing(&mut self, name: &AsSetName) {
        if self.missing.len() < MAX_NAMED && !self.missing.contains(name) {
            self.missing.push(name.clone());
        }
    }

    fn finish(mut self) -> Expansion {
        self.weed_origins();
        let cycles = self.cycles();
        let Walk { sets, origins, missing, truncated, .. } = self;
        Expansion { origins: origins.into_iter().collect(), sets, missing, cycles, truncated }
    }

    /// Depth first over what was visited: a member that is still open is above the set that has it.
    fn cycles(&self) -> Vec<Cycle> {
        let mut state = vec![Visit::New; self.sets.len()];
        let mut cycles = Vec::new();
        // The open sets, each with the number of its members already followed.
        let mut open = vec![(0, 0)];
        while let Some((place, followed)) = open.last_mut() {
            let place = *place;
            state[place] = Visit::Open;
            let Some(inner) = self.contents[place].1.get(*followed).copied() else {
                state[place] = Visit::Done;
                open.pop();
                continue;
            };
            *followed += 1;
            match state[inner] {
                Visit::New => open.push((inner, 0)),
                Visit::Open if cycles.len() < MAX_NAMED => {
                    let (set, back_to) = (self.sets[place].name.clone(), self.sets[inner].name.clone());
                    cycles.push(Cycle { set, back_to });
                }
                Visit::Open | Visit::Done => {}
            }
        }
        cycles
    }
}

#[derive(Clone, Copy)]
enum Visit {
    New,
    Open,
    Done,
}
