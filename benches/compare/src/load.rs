//! What is played: how many sessions, who sends, who listens.
//!
//! - `fullK` is an edge router: K providers send the whole table, one customer listens.
//! - `rsN` is a route server: N members send prefixes of their own, and each gets all others'.
//! - `actionsN` is a route server whose members all use action communities; `rs700` is `actions700` with 400,000 routes.
//!
//! `xM` after it gives the routes of each sender: `full2x100000`, `rs50x4000`. The last sender is also the probe, see the
//! `service` module.

use std::fmt;
use std::str::FromStr;

use crate::member;

/// Routes of a made-up full table.
const FULL_TABLE: usize = 1_000_000;
/// Routes of all members of a route server together, where nothing is said.
const ALL_MEMBERS: usize = 200_000;
/// The same in `rs700`.
const ALL_OF_RS700: usize = 400_000;
/// A made-up table's most routes: IPv4 has no room for more.
const MOST_ROUTES: usize = 1_200_000;

/// What a load is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An edge router between providers and a customer.
    Full,
    /// A route server.
    RouteServer,
    /// A route server whose members say where their routes may go.
    Actions,
}

/// One load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    /// As it was asked for.
    pub(crate) name: String,
    /// What it is like.
    pub(crate) kind: Kind,
    /// Sessions that send routes: the first ones.
    pub(crate) senders: usize,
    /// Routes of all senders together, or of each where all send the same table.
    pub(crate) routes: usize,
}

/// Why it is no load.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NoLoad(String);

impl Load {
    /// The session that the service is probed with: the last that sends.
    pub(crate) fn probe(&self) -> usize {
        self.senders - 1
    }

    /// All sessions.
    pub(crate) fn sessions(&self) -> usize {
        self.senders + usize::from(self.kind == Kind::Full)
    }

    /// Whether the daemon is a route server (RFC 7947).
    pub(crate) fn is_route_server(&self) -> bool {
        self.kind != Kind::Full
    }

    /// Whether a session is sent routes.
    pub(crate) fn receives(&self, session: usize) -> bool {
        match self.kind {
            Kind::Full => session == self.senders,
            _ => session < self.senders,
        }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

impl FromStr for Load {
    type Err = NoLoad;

    fn from_str(name: &str) -> Result<Self, NoLoad> {
        let wrong = || {
            NoLoad("a load is `full2`, `rs50`, `actions100` or `rs700`, or one of them with `x1000`".into())
        };
        let (head, each) = match name.split_once('x') {
            Some((head, each)) => (head, Some(each.parse::<usize>().map_err(|_| wrong())?)),
            None => (name, None),
        };
        let kinds = [("full", Kind::Full), ("rs", Kind::RouteServer), ("actions", Kind::Actions)];
        let (kind, count) = kinds
            .iter()
            .find_map(|(word, kind)| Some((*kind, head.strip_prefix(word)?)))
            .ok_or_else(wrong)?;
        let senders: usize = count.parse().map_err(|_| wrong())?;
        let (kind, all) = if head == "rs700" { (Kind::Actions, ALL_OF_RS700) } else { (kind, ALL_MEMBERS) };
        let routes = match kind {
            Kind::Full => each.unwrap_or(FULL_TABLE),
            _ => each.map_or(all, |each| each.saturating_mul(senders)),
        };
        let load = Load { name: name.to_string(), kind, senders, routes };
        if !(1..=MOST_ROUTES).contains(&routes) || senders == 0 || load.sessions() > member::MOST {
            return Err(NoLoad(format!(
                "`{name}`: 1 to {MOST_ROUTES} routes, and at most {} sessions",
                member::MOST
            )));
        }
        Ok(load)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_page_names() {
        let load = |name: &str| name.parse::<Load>().unwrap();
        assert_eq!(
            (load("full2").senders, load("full2").sessions(), load("full2").routes),
            (2, 3, 1_000_000)
        );
        assert_eq!((load("rs50").sessions(), load("rs50").routes), (50, 200_000));
        assert_eq!((load("rs700").kind, load("rs700").routes), (Kind::Actions, 400_000));
        assert_eq!((load("actions20x10").kind, load("actions20x10").routes), (Kind::Actions, 200));
        assert_eq!(load("rs1000x1").sessions(), 1_000);
    }

    #[test]
    fn refuses_what_it_can_not_make() {
        for name in ["", "rs", "rs0", "rs1002", "full2x", "full1x99999999", "rs-1", "ring5"] {
            assert!(name.parse::<Load>().is_err(), "{name}");
        }
    }
}
