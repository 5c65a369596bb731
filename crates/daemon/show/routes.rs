//! `palisade show routes`: a line a route, or a paragraph.

use std::io::{self, Write};

use palisade_policy::Reason;

use super::text::{Columns, Side, item};
use super::{Array, ShowError, ask, unasked};
use crate::control::answer::{Line, RouteLine};
use crate::control::request::{Request, RoutesRequest, Show};
use crate::terminal;

/// Routes that are seen before columns get their widths.
const SEEN_FIRST: usize = 256;

/// What `show routes` is asked.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// A prefix; or an address, for the longest prefix that holds it
    prefix: Option<String>,
    /// Show what the prefix covers, too
    #[arg(long, requires = "prefix")]
    longer: bool,
    /// Only the routes of the peer of that name
    #[arg(long, value_name = "NAME")]
    peer: Option<String>,
    /// Only those that are rejected
    #[arg(long, group = "standing")]
    filtered: bool,
    /// Only those that are accepted
    #[arg(long, group = "standing")]
    accepted: bool,
    /// Only the best ones
    #[arg(long, group = "standing")]
    best: bool,
    /// Only IPv4 or IPv6
    #[arg(long, value_name = "4|6", value_parser = clap::value_parser!(u8).range(4..=6))]
    family: Option<u8>,
    /// So many at most
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Show a paragraph a route, with its communities, as is done for a single prefix
    #[arg(long)]
    detail: bool,
}

impl Arguments {
    fn request(&self) -> RoutesRequest {
        let show = match (self.filtered, self.accepted, self.best) {
            (true, ..) => Show::Filtered,
            (_, true, _) => Show::Accepted,
            (.., true) => Show::Best,
            _ => Show::All,
        };
        RoutesRequest {
            prefix: self.prefix.clone(),
            longer: self.longer,
            peer: self.peer.clone(),
            show,
            family: self.family,
            limit: self.limit,
        }
    }
}

pub(super) fn show(
    arguments: &super::Arguments,
    what: &Arguments,
    out: &mut impl Write,
) -> Result<(), ShowError> {
    let request = Request::Routes(what.request());
    let is_detailed = what.detail || what.prefix.is_some() && !what.longer;
    let end = if arguments.json {
        let mut array = Array::new(out);
        let end = ask(arguments, &request, |line| Ok(array.push(&route(line)?)?))?;
        array.end()?;
        end
    } else if is_detailed {
        ask(arguments, &request, |line| Ok(paragraph(out, &*route(line)?)?))?
    } else {
        let mut head = HEAD.map(String::from);
        if what.accepted || what.best {
            head[REASON].clear();
        }
        let mut table = Table { out, head, first: Vec::new(), columns: None };
        let heard = ask(arguments, &request, |line| Ok(table.push(row(&*route(line)?))?));
        table.settle()?;
        heard?
    };
    out.flush()?;
    match end.lines {
        0 => terminal::remark("There is no such route."),
        1 if end.limited => terminal::remark("There are more than this one."),
        lines if end.limited => terminal::remark(&format!("There are more than these {lines}.")),
        _ => {}
    }
    Ok(())
}

fn route(line: Line) -> Result<Box<RouteLine>, ShowError> {
    match line {
        Line::Route(route) => Ok(route),
        _ => Err(unasked()),
    }
}

const LEGEND: &str =
    "Flags: * accepted, > best, ! next hop unreachable, x rejected, s stale; RPKI: V valid, I invalid";
const HEAD: [&str; 6] = ["", "prefix", "peer", "next hop", "rejected for", "AS path"];
/// The column that is of no use where nothing rejected is shown.
const REASON: usize = 4;

/// Rows that line up, the first of which decide how.
struct Table<'a, W> {
    out: &'a mut W,
    head: [String; 6],
    first: Vec<[String; 6]>,
    columns: Option<Columns<6>>,
}

impl<W: Write> Table<'_, W> {
    fn push(&mut self, row: [String; 6]) -> io::Result<()> {
        match &self.columns {
            Some(columns) => columns.write(self.out, &row),
            None => {
                self.first.push(row);
                if self.first.len() >= SEEN_FIRST { self.settle() } else { Ok(()) }
            }
        }
    }

    /// Decides on the widths, where that is still to be done, and writes what waited for it.
    fn settle(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.first);
        if self.columns.is_some() || rows.is_empty() {
            return Ok(());
        }
        let columns = Columns::fit([Side::Left; 6], std::iter::once(&self.head).chain(&rows));
        writeln!(self.out, "{LEGEND}")?;
        columns.write(self.out, &self.head)?;
        rows.iter().try_for_each(|row| columns.write(self.out, row))?;
        self.columns = Some(columns);
        Ok(())
    }
}

fn row(route: &RouteLine) -> [String; 6] {
    let rpki = match route.rpki.as_str() {
        "valid" => "V",
        "not-found" => "",
        _ => "I",
    };
    [
        format!("{:<2}{rpki}{}", flags(route), if route.stale { "s" } else { "" }),
        route.prefix.clone(),
        sender(route).into(),
        next_hop(route).into(),
        route.reason.clone().unwrap_or_default(),
        path(route),
    ]
}

fn flags(route: &RouteLine) -> &'static str {
    match route {
        RouteLine { accepted: false, .. } => "x",
        RouteLine { unreachable: true, .. } => "*!",
        RouteLine { best: true, .. } => "*>",
        _ => "*",
    }
}

fn sender(route: &RouteLine) -> &str {
    route.peer.as_deref().unwrap_or("(ours)")
}

fn next_hop(route: &RouteLine) -> &str {
    route.next_hop.as_deref().unwrap_or("-")
}

/// The AS path, and how it began: `i`, `e` or `?`, as everybody writes it.
fn path(route: &RouteLine) -> String {
    let origin = match route.origin.as_str() {
        "IGP" => "i",
        "EGP" => "e",
        _ => "?",
    };
    format!("{} {origin}", route.as_path).trim_start().into()
}

fn paragraph(out: &mut impl Write, route: &RouteLine) -> io::Result<()> {
    writeln!(out, "{} from {}", route.prefix, sender(route))?;
    let mut item = |name: &str, value: &str| match value {
        "" => Ok(()),
        value => item(out, &format!("  {name}"), value),
    };
    let meaning = route.reason.as_deref().and_then(Reason::meaning);
    let (sentence, reference) = meaning.unwrap_or_default();
    item("verdict", &verdict(route))?;
    item("stale", if route.stale { "its peer is yet to say it again" } else { "" })?;
    item("because", sentence)?;
    item("see", reference)?;
    item("reject community", &route.reject_communities.join(" "))?;
    item("would reject", &observed(route))?;
    item("RPKI", &route.rpki)?;
    item("next hop", next_hop(route))?;
    item("AS path", if route.as_path.is_empty() { "(empty)" } else { &route.as_path })?;
    item("origin", &route.origin)?;
    item("MED", &number(route.med))?;
    item("local preference", &number(route.local_pref))?;
    item("only to customer", &number(route.only_to_customer))?;
    item("path id", &number(Some(route.path_id).filter(|id| *id != 0)))?;
    item("communities", &route.communities.join(" "))?;
    item("large", &route.large_communities.join(" "))?;
    item("extended", &route.extended_communities.join(" "))
}

fn verdict(route: &RouteLine) -> String {
    match (&route.reason, flags(route)) {
        (Some(reason), _) => format!("rejected: {reason}"),
        (None, "*>") => "accepted, best".into(),
        (None, "*!") => "accepted, but its next hop can't be reached".into(),
        _ => "accepted".into(),
    }
}

fn observed(route: &RouteLine) -> String {
    route.observed.as_ref().map(|slug| format!("{slug}, which is only observed")).unwrap_or_default()
}

fn number(value: Option<u32>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
