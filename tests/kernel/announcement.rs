//! What a neighbour announces: plain data that BIRD is fed with and the oracle judges.

use ipnet::IpNet;

use crate::support::vrp::Vrp;

/// A route as a neighbour announces it.
#[derive(Clone, Debug)]
pub(crate) struct Announcement {
    pub(crate) prefix: IpNet,
    /// Without the neighbour's own AS, which BIRD puts in front. The last is the origin.
    pub(crate) path: Vec<u32>,
    /// The path ends in an AS_SET of that origin and another.
    pub(crate) aggregated: bool,
    /// What the oracle last said against it.
    pub(crate) refusal: Option<&'static str>,
}

impl Announcement {
    pub(crate) fn new(prefix: IpNet, path: Vec<u32>) -> Self {
        Announcement { prefix, path, aggregated: false, refusal: None }
    }

    pub(crate) fn origin(&self) -> u32 {
        self.path.last().copied().unwrap_or(0)
    }
}

/// A table with the VRPs of its day.
pub(crate) struct Table {
    pub(crate) announcements: Vec<Announcement>,
    pub(crate) vrps: Vec<Vrp>,
}
