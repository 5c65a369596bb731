//! An as-set expanded into the AS numbers that it comes to.
//!
//! Sets hold sets, made by people who never meet: there are cycles, sets that nobody has, and sets that come to
//! most of the Internet. The walk goes breadth first, so each set is met at its least depth, once; what is missing,
//! cyclic or cut off is reported, and a bound that is reached leaves origins *out*: the result is smaller than it
//! should be, never larger. An expansion without a single AS is an error: it must not become "allow none" in
//! silence, let alone "allow any".

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use palisade_bgp::Asn;

use crate::as_set::{AsSet, AsSetName, AsSetNameError, Member};
use crate::dependencies::Dependencies;
use crate::irr::{ChangedSets, IrrIndex};
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
    /// Ranges of prefixes that a route-set comes to.
    pub ranges: usize,
}

impl Default for ExpansionLimits {
    fn default() -> Self {
        ExpansionLimits { depth: 64, sets: 50_000, origins: 200_000, ranges: 1_000_000 }
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
    /// [`ExpansionLimits::ranges`].
    #[error("more prefix ranges than the limit")]
    Ranges,
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
    /// The sets that it would be different with if they were, all of them.
    pub dependencies: Dependencies,
}

/// How an origin comes to be in an as-set: it holds a set that holds a set .. that holds the AS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The sets, the one that was asked for first; none where the AS stands for itself.
    pub sets: Vec<VisitedSet>,
    /// The AS.
    pub origin: Asn,
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sets.iter().try_for_each(|set| write!(f, "{} -> ", set.name))?;
        self.origin.fmt(f)
    }
}

/// A set that an expansion visited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisitedSet {
    /// Its name.
    pub name: Arc<str>,
    /// The registry that it was taken from.
    pub source: Arc<str>,
    /// Steps from the set that was asked for.
    pub depth: usize,
}

/// A set that has a set above it as a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// The set.
    pub set: Arc<str>,
    /// Its member, which holds the set itself, directly or not.
    pub back_to: Arc<str>,
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

impl IrrIndex {
    /// Expands an as-set into AS numbers; an AS number stands for itself.
    pub fn expand(&self, name: &str, limits: &ExpansionLimits) -> Result<Expansion, ExpansionError> {
        let name = match name.parse()? {
            Member::Asn(asn) => return Ok(Expansion::of_asn(asn)),
            Member::Set(name) => name,
        };
        let walk = Walk::all(self, &name, limits);
        if walk.sets.is_empty() {
            return Err(ExpansionError::NotFound(name));
        }
        let expansion = walk.finish();
        if expansion.origins.is_empty() { Err(ExpansionError::Empty(name)) } else { Ok(expansion) }
    }

    /// The sets that the expansion of an as-set depends on, also where there is none to be had.
    pub fn dependencies(&self, name: &str, limits: &ExpansionLimits) -> Dependencies {
        match name.parse() {
            Ok(Member::Set(name)) => Walk::all(self, &name, limits).dependencies,
            Ok(Member::Asn(_)) | Err(_) => Dependencies::default(),
        }
    }

    /// The shortest way on which an AS comes to be in an as-set; `None` where it is not in it.
    pub fn chain(&self, as_set: &str, origin: Asn, limits: &ExpansionLimits) -> Option<Chain> {
        let name = match as_set.parse().ok()? {
            Member::Asn(asn) => return (asn == origin).then_some(Chain { sets: Vec::new(), origin }),
            Member::Set(name) => name,
        };
        let mut walk = Walk::new(self, limits);
        walk.enter(&name, None);
        while let Some(place) = walk.queue.pop_front() {
            if walk.holds(place, origin) {
                return Some(Chain { sets: walk.way_to(place), origin });
            }
            walk.visit(place);
        }
        None
    }
}

impl Expansion {
    fn of_asn(asn: Asn) -> Self {
        Expansion {
            origins: OriginSet::from_iter([asn]),
            sets: Vec::new(),
            missing: Vec::new(),
            cycles: Vec::new(),
            truncated: None,
            dependencies: Dependencies::default(),
        }
    }

    /// Whether it may be different because these sets are.
    pub fn depends_on(&self, changed: &ChangedSets) -> bool {
        self.dependencies.are_touched_by(changed)
    }
}

struct Walk<'a> {
    index: &'a IrrIndex,
    limits: &'a ExpansionLimits,
    sets: Vec<VisitedSet>,
    /// For each visited set: what it holds, the visited sets among that, and the one that led to it.
    contents: Vec<Contents<'a>>,
    /// Where in `sets` a set is, by where it lies in the index.
    places: HashMap<*const AsSet, usize>,
    queue: VecDeque<usize>,
    origins: Vec<Asn>,
    missing: Vec<AsSetName>,
    truncated: Option<Truncation>,
    dependencies: Dependencies,
}

struct Contents<'a> {
    set: &'a AsSet,
    inner: Vec<usize>,
    parent: Option<usize>,
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
            dependencies: Dependencies::default(),
        }
    }

    /// A walk through all that a set holds.
    fn all(index: &'a IrrIndex, name: &AsSetName, limits: &'a ExpansionLimits) -> Self {
        let mut walk = Walk::new(index, limits);
        walk.enter(name, None);
        while let Some(place) = walk.queue.pop_front() {
            walk.visit(place);
        }
        walk.dependencies.settle();
        walk
    }

    /// The place of a set, which is queued where it is new; `None` where it is missing or past a limit.
    fn enter(&mut self, name: &AsSetName, parent: Option<usize>) -> Option<usize> {
        let Some(set) = self.index.as_set(name) else {
            self.dependencies.note(&name.name);
            self.note_missing(name);
            return None;
        };
        if let Some(place) = self.places.get(&Arc::as_ptr(set)) {
            return Some(*place);
        }
        self.dependencies.note(&name.name);
        let depth = parent.map_or(0, |parent| self.sets[parent].depth + 1);
        if depth > self.limits.depth || self.sets.len() >= self.limits.sets {
            let bound = if depth > self.limits.depth { Truncation::Depth } else { Truncation::Sets };
            self.truncated.get_or_insert(bound);
            return None;
        }
        let place = self.sets.len();
        self.sets.push(VisitedSet { name: set.name.clone(), source: set.source.clone(), depth });
        self.contents.push(Contents { set, inner: Vec::new(), parent });
        self.places.insert(Arc::as_ptr(set), place);
        self.queue.push_back(place);
        Some(place)
    }

    fn visit(&mut self, place: usize) {
        let (index, set) = (self.index, self.contents[place].set);
        for asn in set.asns.iter().copied().chain(index.asns_by_reference(set)) {
            self.take_origin(asn);
        }
        for name in &set.sets {
            if let Some(inner) = self.enter(name, Some(place)) {
                self.contents[place].inner.push(inner);
            }
        }
    }

    fn holds(&self, place: usize, origin: Asn) -> bool {
        let set = self.contents[place].set;
        set.asns.binary_search(&origin).is_ok() || self.index.asns_by_reference(set).any(|asn| asn == origin)
    }

    /// The sets that led to one, and itself.
    fn way_to(&self, place: usize) -> Vec<VisitedSet> {
        let up = std::iter::successors(Some(place), |place| self.contents[*place].parent);
        let mut way: Vec<VisitedSet> = up.map(|place| self.sets[place].clone()).collect();
        way.reverse();
        way
    }

    /// Repetitions are many, so they are weeded out when the list reaches the limit, before the limit counts.
    fn take_origin(&mut self, asn: Asn) {
        if self.origins.len() >= self.limits.origins.saturating_mul(2) {
            self.weed_origins();
        }
        if self.origins.len() < self.limits.origins.saturating_mul(2) {
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
        let Walk { sets, origins, missing, truncated, dependencies, .. } = self;
        Expansion { origins: origins.into_iter().collect(), sets, missing, cycles, truncated, dependencies }
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
            let Some(inner) = self.contents[place].inner.get(*followed).copied() else {
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
