//! Expanding objects from dumps and from what the router keeps on disk, without asking anybody.

use std::path::{Path, PathBuf};

use palisade_policy::{
    ExpansionError, ExpansionLimits, IrrBuilder, IrrIndex, OriginSet, PrefixRange, RouteSetExpansionError,
};

use super::object::Object;
use super::{Found, Wanted};
use crate::judging::tables::{TableError, read_dump};

/// Reads dumps, the registries in this order, and expands objects.
pub(super) fn expand(
    dumps: &[PathBuf],
    order: &[String],
    objects: &[Object],
    wanted: &Wanted,
    reading: impl Fn(&Path),
) -> Result<Found, TableError> {
    let mut irr = IrrBuilder::with_order(order);
    for dump in dumps {
        reading(dump);
        read_dump(&mut irr, dump)?;
    }
    Ok(found(&irr.build(), objects, wanted))
}

/// What an index makes of objects.
fn found(index: &IrrIndex, objects: &[Object], wanted: &Wanted) -> Found {
    let mut found = Found::default();
    let limits = ExpansionLimits::default();
    for object in objects {
        match object {
            Object::Asn(asn) => found.asns.extend([*asn]),
            Object::AsSet(name) => take_as_set(index, &name.to_string(), &limits, &mut found),
            Object::RouteSet(name) => take_route_set(index, &name.to_string(), &limits, wanted, &mut found),
        }
    }
    if !wanted.asns {
        let origins: OriginSet = found.asns.iter().copied().collect();
        let wanted_ones = index.routes().filter(|route| {
            wanted.families.contains(&route.prefix.family()) && origins.contains(route.origin)
        });
        found.ranges.extend(wanted_ones.map(|route| PrefixRange::from(route.prefix)));
    }
    found
}

fn take_as_set(index: &IrrIndex, name: &str, limits: &ExpansionLimits, found: &mut Found) {
    match index.expand(name, limits) {
        Ok(expansion) => {
            found.asns.extend(expansion.origins.iter());
            found.truncated = found.truncated.or(expansion.truncated);
            found.missing.extend(expansion.missing.iter().map(ToString::to_string));
        }
        Err(ExpansionError::Empty(_)) => {}
        Err(ExpansionError::Name(_) | ExpansionError::NotFound(_)) => found.absent.extend([name.to_owned()]),
    }
}

fn take_route_set(
    index: &IrrIndex,
    name: &str,
    limits: &ExpansionLimits,
    wanted: &Wanted,
    found: &mut Found,
) {
    match index.expand_route_set(name, limits) {
        Ok(expansion) => {
            found.truncated = found.truncated.or(expansion.truncated);
            let of_family = |family| wanted.families.contains(&family);
            found.ranges.extend(expansion.ranges.iter().filter(|range| of_family(range.prefix.family())));
            found.missing.extend(expansion.missing.iter().map(ToString::to_string));
        }
        Err(RouteSetExpansionError::Empty(_)) => {}
        Err(RouteSetExpansionError::Name(_) | RouteSetExpansionError::NotFound(_)) => {
            found.absent.extend([name.to_owned()]);
        }
    }
}
