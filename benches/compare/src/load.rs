//! What is played: how many sessions, who sends, who listens.
//!
//! - `fullK` is an edge router: K providers send the whole table, one customer listens.
//! - `rsN` is a route server: N members send prefixes of their own, and each gets all others'.
//! - `livingK` is an edge router as well, while the VRPs change that it judges by; `irrK`, while the IRR does.
//! - `actionsN` is a route server whose members all use action communities; `rs700` is `actions700` with 400,000 routes.
//!
//! `xM` after it gives the routes of each sender: `full2x100000`, `rs50x4000`. The last sender is also the probe, see the
//! `service` module.

use std::fmt;
use std::str::FromStr;

use crate::encode::Terms;
use crate::member;

/// Routes of a made-up full table.
const FULL_TABLE: usize = 1_000_000;
/// Routes of all members of a route server together, where nothing is said.
const ALL_MEMBERS: usize = 200_000;
/// The same in `rs700`.
const ALL_OF_RS700: usize = 400_000;
/// A made-up table's most routes: IPv4 has no room for more.
const MOST_ROUTES: usize = 1_200_000;

/// What sessions offer where policy stays as it is: a hold time that is long, since what is measured is the work.
pub(crate) const STILL: Terms = Terms { hold_time_s: 240, takes_refresh: false };
/// And where it changes: one by which it is heard who is late, and they send again what they are asked for.
const LIVING: Terms = Terms { hold_time_s: 30, takes_refresh: true };

/// What changes while a load is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Nothing that the daemon isn't told of by a reload.
    None,
    /// VRPs, by RTR.
    Vrps,
    /// Route objects and as-sets, by NRTM.
    Irr,
}

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
    /// What changes meanwhile.
    pub(crate) news: News,
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

    /// What its sessions offer.
    pub(crate) fn terms(&self) -> Terms {
        if self.news == News::None { STILL } else { LIVING }
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
            NoLoad("a load is `full2`, `living2`, `irr2`, `rs50`, `actions100` or `rs700`, or one of them with `x1000`".into())
        };
        let (head, each) = match name.split_once('x') {
            Some((head, each)) => (head, Some(each.parse::<usize>().map_err(|_| wrong())?)),
            None => (name, None),
        };
        let words = [
            ("full", Kind::Full, News::None),
            ("living", Kind::Full, News::Vrps),
            ("irr", Kind::Full, News::Irr),
            ("rs", Kind::RouteServer, News::None),
            ("actions", Kind::Actions, News::None),
        ];
        let (kind, news, count) = words
            .iter()
            .find_map(|(word, kind, news)| Some((*kind, *news, head.strip_prefix(word)?)))
            .ok_or_else(wrong)?;
        let senders: usize = count.parse().map_err(|_| wrong())?;
        let (kind, all) = if head == "rs700" { (Kind::Actions, ALL_OF_RS700) } else { (kind, ALL_MEMBERS) };
        let routes = match kind {
            Kind::Full => each.unwrap_or(FULL_TABLE),
            _ => each.map_or(all, |each| each.saturating_mul(senders)),
        };
        let load = Load { name: name.to_string(), kind, senders, routes, news };
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
        let living = load("living2x500");
        assert_eq!((living.kind, living.news, living.sessions()), (Kind::Full, News::Vrps, 3));
        assert!(living.terms().takes_refresh && !load("full2").terms().takes_refresh);
        assert_eq!(load("irr1").news, News::Irr);
    }

    #[test]
    fn refuses_what_it_can_not_make() {
        for name in ["", "rs", "rs0", "rs1002", "full2x", "full1x99999999", "rs-1", "ring5", "living0"] {
            assert!(name.parse::<Load>().is_err(), "{name}");
        }
    }
}
