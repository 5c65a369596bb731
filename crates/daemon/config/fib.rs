//! `[fib]`: where in the kernel accepted routes go.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use palisade_bgp::Family;
use toml::Spanned;

use super::problem::Fault;
use super::router::{Mode, Router};
use super::section::{Field, Section};
use super::value;

/// RT_TABLE_MAIN, the table that the kernel routes by unless told otherwise.
const MAIN: u32 = 254;

/// RT_TABLE_LOCAL, the kernel's own.
const LOCAL: u32 = 255;

/// Below routes that an administrator writes by hand, which have metric 0 or, in IPv6, 1024 unless told otherwise.
const DEFAULT_METRIC: u32 = 32;

/// A table of the kernel.
#[derive(Debug)]
pub(crate) struct Fib {
    /// Its number.
    pub(crate) table: u32,
    /// The metric of every route of ours in it.
    pub(crate) metric: u32,
    /// The source address of packets of this host's own that take an IPv4 route.
    pub(crate) preferred_source_ipv4: Option<Ipv4Addr>,
    /// The same for IPv6.
    pub(crate) preferred_source_ipv6: Option<Ipv6Addr>,
}

pub(super) fn read(mut section: Section<'_>, router: Option<&Router>) -> Fib {
    let table = section.required("table", "\"main\"", table);
    let metric = section.optional("metric", |field| field.integer(1, u32::MAX, ""));
    let mut fib = Fib {
        table: table.map_or(MAIN, Spanned::into_inner),
        metric: metric.map_or(DEFAULT_METRIC, Spanned::into_inner),
        preferred_source_ipv4: None,
        preferred_source_ipv6: None,
    };
    preferred_source(&mut section, &mut fib);
    if router.is_some_and(|router| router.mode == Mode::RouteServer) {
        let fault = Fault::new("a route server has no [fib]", "it forwards no packets (RFC 7947 s2)");
        section
            .problems()
            .push(section.span(), fault.help("remove the section, or write `mode = \"router\"`"));
    }
    section.end();
    fib
}

fn table(field: Field<'_>) -> Result<u32, Fault> {
    const HELP: &str = "write `table = \"main\"` or the number of a table of its own, like `table = 179`";
    match field.text() {
        Ok("main") => Ok(MAIN),
        Ok(_) => Err(field.not("no table that is known by name").help(HELP)),
        Err(_) => match field.integer(1, u32::MAX, "").map_err(|fault| fault.help(HELP))? {
            LOCAL => Err(field.not("the local table is the kernel's own").help(HELP)),
            number => Ok(number),
        },
    }
}

/// One address of each family at most.
fn preferred_source(section: &mut Section<'_>, fib: &mut Fib) {
    const KEY: &str = "preferred_source";
    let list = section.list(KEY, "\"192.0.2.1\", \"2001:db8::1\"", value::address);
    for address in list.map(|list| list.values).unwrap_or_default() {
        let taken = match *address.get_ref() {
            IpAddr::V4(address) => fib.preferred_source_ipv4.replace(address).is_some(),
            IpAddr::V6(address) => fib.preferred_source_ipv6.replace(address).is_some(),
        };
        if taken {
            let family = Family::of(*address.get_ref());
            let fault = Fault::new(format!("`{KEY}` has two {family} addresses"), "the second");
            section.problems().push(address.span(), fault.help("name one of each family at most"));
        }
    }
}
