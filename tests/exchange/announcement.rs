//! What a member announces of a prefix: plain data that its BIRD is configured with and the oracle reads.

use crate::ask::{Ask, Form, Whom, Wish};
use crate::community::Community;

/// ORIGIN (RFC 4271 s5.1.1), the most preferred first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    Igp,
    Egp,
    Incomplete,
}

impl Origin {
    pub(crate) const ALL: [Origin; 3] = [Origin::Igp, Origin::Egp, Origin::Incomplete];

    /// As BIRD shows it; its filters want `ORIGIN_` and that in capitals.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Origin::Igp => "IGP",
            Origin::Egp => "EGP",
            Origin::Incomplete => "Incomplete",
        }
    }
}

/// A path as a member announces it.
#[derive(Clone, Debug)]
pub(crate) struct Announcement {
    /// Behind the member's own AS, which its BIRD puts in front. The last is the origin.
    pub(crate) path: Vec<u32>,
    pub(crate) origin: Origin,
    pub(crate) med: Option<u32>,
    /// What it asks the route server for.
    pub(crate) asks: Vec<(Ask, Form)>,
    /// Communities that are not for the route server to remove, well-known ones among them.
    pub(crate) others: Vec<Community>,
}

impl Announcement {
    pub(crate) fn over(path: &[u32]) -> Self {
        Announcement {
            path: path.to_vec(),
            origin: Origin::Igp,
            med: None,
            asks: Vec::new(),
            others: Vec::new(),
        }
    }

    pub(crate) fn med(mut self, med: u32) -> Self {
        self.med = Some(med);
        self
    }

    pub(crate) fn of_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    pub(crate) fn asking(mut self, form: Form, wish: Wish, whom: Whom) -> Self {
        self.asks.push((Ask::To(wish, whom), form));
        self
    }

    pub(crate) fn blackhole(mut self, form: Form) -> Self {
        self.asks.push((Ask::Blackhole, form));
        self
    }

    pub(crate) fn with(mut self, community: Community) -> Self {
        self.others.push(community);
        self
    }

    pub(crate) fn is_blackhole(&self) -> bool {
        self.asks.iter().any(|(ask, _)| *ask == Ask::Blackhole)
    }

    /// All its communities, each once.
    pub(crate) fn communities(&self) -> Vec<Community> {
        let asks = self.asks.iter().filter_map(|(ask, form)| ask.written(*form));
        let mut all: Vec<Community> = asks.chain(self.others.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
