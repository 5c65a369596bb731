//! A neighbour: one AS at the other end of a link, with the routes it announces in groups that come and go together.

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::announcement::Announcement;
use crate::oracle::{Rank, Role};

/// Routes that BIRD announces or withdraws together.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) on: bool,
    pub(crate) announcements: Vec<Announcement>,
}

/// A neighbour.
pub(crate) struct Neighbor {
    pub(crate) name: &'static str,
    pub(crate) asn: u32,
    pub(crate) role: Role,
    pub(crate) router_id: Ipv4Addr,
    pub(crate) v4: Ipv4Addr,
    pub(crate) v6: Ipv6Addr,
    /// Our addresses on its link.
    pub(crate) ours: (Ipv4Addr, Ipv6Addr),
    /// Whether IPv6 has a session of its own, or goes over the IPv4 one.
    pub(crate) two_sessions: bool,
    pub(crate) hold_time_s: u16,
    /// Whether its sessions are up.
    pub(crate) up: bool,
    /// A prefix that is in more than one group is announced as the last of them says.
    pub(crate) groups: Vec<Group>,
}

impl Neighbor {
    pub(crate) fn group(&mut self, name: &str) -> &mut Group {
        self.groups.iter_mut().find(|group| group.name == name).expect("a group of this name")
    }

    pub(crate) fn rank(&self, announcement: &Announcement) -> Rank {
        let local_preference = if self.role == Role::Customer { 200 } else { 100 };
        let address = IpAddr::V4(self.v4);
        (Reverse(local_preference), announcement.path.len() + 1, self.router_id.to_bits(), address)
    }

    /// The next hop that its routes have.
    pub(crate) fn gateway(&self, announcement: &Announcement) -> IpAddr {
        if announcement.prefix.addr().is_ipv4() { self.v4.into() } else { self.v6.into() }
    }

    /// The name of each BGP protocol, with the families it carries.
    pub(crate) fn sessions(&self) -> Vec<(String, &'static [u8])> {
        if self.two_sessions {
            vec![(format!("{}_bgp4", self.name), &[4]), (format!("{}_bgp6", self.name), &[6])]
        } else {
            vec![(format!("{}_bgp", self.name), &[4, 6])]
        }
    }
}
