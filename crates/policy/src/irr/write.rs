//! An index as RPSL, which [`super::IrrBuilder::read`] reads back: what a cache on disk consists of.
//!
//! Sets come first, by registry in the index's order, so that a reader who is told of no order meets the registries in
//! this one. Only what an index keeps is written: an object of a registry it is not.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::Arc;

use super::object::{AutNum, ByReference, Memberships};
use super::set_table::{NamedSet, Subject};
use super::{IrrIndex, RouteObject};
use crate::as_set::AsSet;
use crate::route_set::RouteSet;

/// About how long a line of members gets, in octets.
const LINE: usize = 1000;

impl IrrIndex {
    /// Writes all objects as RPSL.
    pub fn write_rpsl(&self, out: &mut impl Write) -> io::Result<()> {
        let place = |source: &Arc<str>| self.sources.find(source);
        let mut as_sets: Vec<&Arc<AsSet>> = self.as_set_objects().collect();
        as_sets.sort_unstable_by_key(|set| (place(&set.source), &set.name));
        let mut route_sets: Vec<&Arc<RouteSet>> = self.route_set_objects().collect();
        route_sets.sort_unstable_by_key(|set| (place(&set.source), &set.name));
        let mut aut_nums: Vec<AutNum> = self.aut_num_objects().collect();
        aut_nums.sort_unstable_by_key(|aut_num| (place(&aut_num.source), aut_num.asn));

        as_sets.into_iter().try_for_each(|set| write_as_set(out, set))?;
        route_sets.into_iter().try_for_each(|set| write_route_set(out, set))?;
        aut_nums.iter().try_for_each(|aut_num| write_aut_num(out, aut_num))?;
        for route in self.routes() {
            self.write_route(out, &route)?;
        }
        Ok(())
    }

    fn write_route(&self, out: &mut impl Write, route: &RouteObject) -> io::Result<()> {
        let class = match route.prefix {
            palisade_bgp::Prefix::V4(_) => "route",
            palisade_bgp::Prefix::V6(_) => "route6",
        };
        writeln!(out, "{class}:{}\norigin:{}", route.prefix, route.origin)?;
        let subject = Subject::Route(route.prefix, route.origin);
        if let Some(memberships) = self.memberships(&route.source, subject) {
            write_memberships(out, memberships)?;
        }
        write!(out, "source:{}\n\n", route.source)
    }
}

fn write_as_set(out: &mut impl Write, set: &AsSet) -> io::Result<()> {
    writeln!(out, "as-set:{}", set.name)?;
    write_list(out, "members", &set.asns)?;
    write_list(out, "members", &set.sets)?;
    write_end(out, set)
}

fn write_route_set(out: &mut impl Write, set: &RouteSet) -> io::Result<()> {
    writeln!(out, "route-set:{}", set.name)?;
    write_list(out, "mp-members", &set.members)?;
    write_end(out, set)
}

fn write_aut_num(out: &mut impl Write, aut_num: &AutNum) -> io::Result<()> {
    writeln!(out, "aut-num:{}", aut_num.asn)?;
    write_memberships(out, &aut_num.memberships)?;
    write!(out, "source:{}\n\n", aut_num.source)
}

fn write_end(out: &mut impl Write, set: &impl NamedSet) -> io::Result<()> {
    match set.by_reference() {
        ByReference::Nobody => {}
        ByReference::Any => out.write_all(b"mbrs-by-ref:ANY\n")?,
        ByReference::Maintainers(maintainers) => write_list(out, "mbrs-by-ref", maintainers)?,
    }
    write!(out, "source:{}\n\n", set.source())
}

fn write_memberships(out: &mut impl Write, memberships: &Memberships) -> io::Result<()> {
    write_list(out, "member-of", &memberships.member_of)?;
    write_list(out, "mnt-by", &memberships.mnt_by)
}

/// A list over as many attributes as it takes, so that no line grows without bound.
fn write_list<T: Display>(out: &mut impl Write, attribute: &str, items: &[T]) -> io::Result<()> {
    let mut line = String::new();
    for item in items {
        line.push_str(if line.is_empty() { "" } else { "," });
        line.push_str(&item.to_string());
        if line.len() > LINE {
            writeln!(out, "{attribute}:{line}")?;
            line.clear();
        }
    }
    if line.is_empty() { Ok(()) } else { writeln!(out, "{attribute}:{line}") }
}
