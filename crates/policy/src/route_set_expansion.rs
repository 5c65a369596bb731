//! A route-set expanded into ranges of prefixes (RFC 2622 s5.2, s2).
//!
//! Like the expansion of as-sets ([`crate::expansion`]): breadth first, every bound that is reached leaves prefixes
//! *out*, and one that comes to nothing is an error. A range operator on a set applies to every prefix of it, and those
//! of the sets above it to the result, so a set is visited once for each chain of operators that leads to it.
//!
//! What is registered for AS numbers and as-sets is gathered in one pass over all route objects at the end.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use palisade_bgp::Asn;

use crate::as_set::AsSetName;
use crate::dependencies::Dependencies;
use crate::expansion::{ExpansionLimits, MAX_NAMED, Truncation, VisitedSet};
use crate::irr::IrrIndex;
use crate::prefix_range::{PrefixRange, RangeOperator};
use crate::route_set::{RouteSet, RouteSetError, RouteSetMember, RouteSetName};

/// What a route-set comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSetExpansion {
    /// The ranges, in order, without repetition.
    pub ranges: Vec<PrefixRange>,
    /// The route-sets that were visited, the one that was asked for first; one is named for each chain of range
    /// operators that leads to it.
    pub sets: Vec<VisitedSet>,
    /// Sets that are named as members and that no registry has; at most [`MAX_NAMED`].
    pub missing: Vec<Box<str>>,
    /// The bound that left something out, where one did.
    pub truncated: Option<Truncation>,
    /// The sets that it would be different with if they were. What is registered for an AS is not among them.
    pub dependencies: Dependencies,
}

/// Why there is no expansion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteSetExpansionError {
    /// The name is none.
    #[error(transparent)]
    Name(#[from] RouteSetError),
    /// No registry that was read has it.
    #[error("no registry that was read has the route-set {0}")]
    NotFound(RouteSetName),
    /// It comes to no prefix.
    #[error("the route-set {0} comes to no prefix")]
    Empty(RouteSetName),
}

impl IrrIndex {
    /// Expands a route-set into ranges of prefixes. Where as-sets or AS numbers are in it, this reads through all
    /// route objects, which takes tens of milliseconds when there are millions.
    pub fn expand_route_set(
        &self,
        name: &str,
        limits: &ExpansionLimits,
    ) -> Result<RouteSetExpansion, RouteSetExpansionError> {
        let name: RouteSetName = name.parse()?;
        let mut walk = Walk::new(self, limits);
        walk.enter(&name, Operators::new(), 0);
        if walk.expansion.sets.is_empty() {
            return Err(RouteSetExpansionError::NotFound(name));
        }
        while let Some(visit) = walk.queue.pop_front() {
            walk.visit(&visit);
        }
        let expansion = walk.finish();
        if expansion.ranges.is_empty() { Err(RouteSetExpansionError::Empty(name)) } else { Ok(expansion) }
    }
}

/// The operators that apply to what a set holds, the innermost first.
type Operators = Vec<RangeOperator>;

struct Visit<'a> {
    set: &'a RouteSet,
    operators: Operators,
    depth: usize,
}

struct Walk<'a> {
    index: &'a IrrIndex,
    limits: &'a ExpansionLimits,
    queue: VecDeque<Visit<'a>>,
    seen: HashSet<(*const RouteSet, Operators)>,
    /// The operators that apply to what is registered for an AS.
    origins: HashMap<Asn, HashSet<Operators>>,
    /// How many there are in `origins`.
    origin_count: usize,
    expansion: RouteSetExpansion,
}

impl<'a> Walk<'a> {
    fn new(index: &'a IrrIndex, limits: &'a ExpansionLimits) -> Self {
        let expansion = RouteSetExpansion {
            ranges: Vec::new(),
            sets: Vec::new(),
            missing: Vec::new(),
            truncated: None,
            dependencies: Dependencies::default(),
        };
        let (queue, seen, origins) = (VecDeque::new(), HashSet::new(), HashMap::new());
        Walk { index, limits, queue, seen, origins, origin_count: 0, expansion }
    }

    fn enter(&mut self, name: &RouteSetName, operators: Operators, depth: usize) {
        self.expansion.dependencies.note(&name.name);
        let Some(set) = self.index.route_set(name) else {
            self.note_missing(name.to_string());
            return;
        };
        let key = (Arc::as_ptr(set), operators.clone());
        if self.seen.contains(&key) {
            return;
        }
        if depth > self.limits.depth || self.seen.len() >= self.limits.sets {
            self.cut(if depth > self.limits.depth { Truncation::Depth } else { Truncation::Sets });
            return;
        }
        self.seen.insert(key);
        self.expansion.sets.push(VisitedSet { name: set.name.clone(), source: set.source.clone(), depth });
        self.queue.push_back(Visit { set, operators, depth });
    }

    fn visit(&mut self, visit: &Visit<'a>) {
        for prefix in self.index.prefixes_by_reference(visit.set) {
            self.take(prefix.into(), &visit.operators);
        }
        for member in &visit.set.members {
            let within = |operator: &RangeOperator| under(*operator, &visit.operators);
            match member {
                RouteSetMember::Range(range) => self.take(*range, &visit.operators),
                RouteSetMember::Set(name, operator) => self.enter(name, within(operator), visit.depth + 1),
                RouteSetMember::Asn(asn, operator) => self.take_origin(*asn, within(operator)),
                RouteSetMember::AsSet(name, operator) => self.take_as_set(name, &within(operator)),
            }
        }
    }

    fn take_as_set(&mut self, name: &AsSetName, operators: &Operators) {
        let name = name.to_string();
        self.expansion.dependencies.merge(&self.index.dependencies(&name, self.limits));
        match self.index.expand(&name, self.limits) {
            Ok(expansion) => {
                if let Some(bound) = expansion.truncated {
                    self.cut(bound);
                }
                expansion.origins.iter().for_each(|asn| self.take_origin(asn, operators.clone()));
            }
            Err(_) => self.note_missing(name),
        }
    }

    fn take_origin(&mut self, asn: Asn, operators: Operators) {
        if self.origin_count >= self.limits.origins {
            self.cut(Truncation::Origins);
        } else if self.origins.entry(asn).or_default().insert(operators) {
            self.origin_count += 1;
        }
    }

    /// Repetitions are weeded out when the list reaches the limit, before the limit counts.
    fn take(&mut self, range: PrefixRange, operators: &Operators) {
        let Some(range) = operators.iter().try_fold(range, |range, operator| range.apply(*operator)) else {
            return;
        };
        if self.expansion.ranges.len() >= 2 * self.limits.ranges {
            self.weed();
        }
        if self.expansion.ranges.len() < 2 * self.limits.ranges {
            self.expansion.ranges.push(range);
        }
    }

    fn weed(&mut self) {
        self.expansion.ranges.sort_unstable();
        self.expansion.ranges.dedup();
        if self.expansion.ranges.len() > self.limits.ranges {
            self.expansion.ranges.truncate(self.limits.ranges);
            self.cut(Truncation::Ranges);
        }
    }

    fn note_missing(&mut self, name: String) {
        let missing = &mut self.expansion.missing;
        if missing.len() < MAX_NAMED && !missing.iter().any(|known| **known == *name) {
            missing.push(name.into());
        }
    }

    fn cut(&mut self, bound: Truncation) {
        self.expansion.truncated.get_or_insert(bound);
    }

    fn finish(mut self) -> RouteSetExpansion {
        let origins = std::mem::take(&mut self.origins);
        if !origins.is_empty() {
            for route in self.index.routes() {
                for operators in origins.get(&route.origin).into_iter().flatten() {
                    self.take(route.prefix.into(), operators);
                }
            }
        }
        self.weed();
        self.expansion.dependencies.settle();
        self.expansion
    }
}

/// An operator with those that apply after it.
fn under(operator: RangeOperator, outer: &Operators) -> Operators {
    let repeated = outer.first() == Some(&operator) && operator.is_idempotent();
    if operator == RangeOperator::Itself || repeated {
        return outer.clone();
    }
    std::iter::once(operator).chain(outer.iter().copied()).collect()
}
