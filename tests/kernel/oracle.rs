//! What the kernel must hold: small, slow, and plain enough to be believed.
//!
//! Origin validation walks up a hash map a bit at a time (RFC 6811 s2); every other rule is a comparison with a list that is
//! written out here again. Nothing of the product is used.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::announcement::Announcement;
use crate::support::vrp::Vrp;

/// Our AS.
pub(crate) const OURS: u32 = 200_000;

/// What a neighbour is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Provider,
    Customer,
}

/// What all neighbours are judged by.
pub(crate) struct Registries {
    vrps: HashMap<IpNet, Vec<(u32, u8)>>,
    /// The route objects, and the members of the customer's as-set.
    pub(crate) route_objects: HashSet<(IpNet, u32)>,
    pub(crate) members: HashSet<u32>,
    bogons: Vec<IpNet>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rov {
    Valid,
    Invalid,
    NotFound,
}

const BOGONS: &str =
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
    192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
    ::/3 100::/64 2001:2::/48 2001:10::/28 2001:db8::/32 2002::/16 3ffe::/16 3fff::/20 4000::/2 8000::/1";

const TRANSIT_FREE: [u32; 15] =
    [174, 701, 1299, 2914, 3257, 3320, 3356, 3491, 5511, 6453, 6461, 6762, 6830, 7018, 12956];

impl Registries {
    pub(crate) fn new(vrps: &[Vrp]) -> Self {
        let bogons = BOGONS.split_whitespace().map(|text| text.parse().expect("a prefix")).collect();
        let mut registries = Registries {
            vrps: HashMap::new(),
            route_objects: HashSet::new(),
            members: HashSet::new(),
            bogons,
        };
        registries.replace_vrps(vrps);
        registries
    }

    pub(crate) fn replace_vrps(&mut self, vrps: &[Vrp]) {
        self.vrps.clear();
        for vrp in vrps {
            self.vrps.entry(vrp.prefix.trunc()).or_default().push((vrp.asn, vrp.max_length));
        }
    }

    pub(crate) fn rov(&self, prefix: IpNet, origin: Option<u32>) -> Rov {
        let mut covered = false;
        let mut at = Some(prefix);
        while let Some(net) = at {
            for &(asn, max_length) in self.vrps.get(&net).into_iter().flatten() {
                covered = true;
                if asn != 0 && origin == Some(asn) && prefix.prefix_len() <= max_length {
                    return Rov::Valid;
                }
            }
            at = net.supernet();
        }
        if covered { Rov::Invalid } else { Rov::NotFound }
    }

    /// Why an announcement is refused, in words; `None` where it is accepted.
    pub(crate) fn refusal(&self, announcement: &Announcement, role: Role) -> Option<&'static str> {
        let Announcement { prefix, path, aggregated, .. } = announcement;
        let longest = if prefix.addr().is_ipv4() { 24 } else { 48 };
        let shortest = if prefix.addr().is_ipv4() { 8 } else { 12 };
        let origin = (!aggregated).then(|| announcement.origin());
        let rov = self.rov(*prefix, origin);
        if path.contains(&OURS) {
            Some("loop")
        } else if *aggregated {
            Some("AS_SET")
        } else if path.iter().any(|asn| is_bogon_asn(*asn)) {
            Some("bogon AS")
        } else if prefix.prefix_len() == 0 {
            (role == Role::Customer).then_some("default route")
        } else if self.bogons.iter().any(|bogon| bogon.contains(prefix)) {
            Some("bogon prefix")
        } else if prefix.prefix_len() > longest {
            Some("too long")
        } else if prefix.prefix_len() < shortest {
            Some("too short")
        } else if rov == Rov::Invalid {
            Some("RPKI invalid")
        } else if role == Role::Customer {
            self.customer_refusal(announcement, rov)
        } else {
            None
        }
    }

    fn customer_refusal(&self, announcement: &Announcement, rov: Rov) -> Option<&'static str> {
        let (prefix, origin) = (announcement.prefix, announcement.origin());
        if announcement.path.iter().any(|asn| TRANSIT_FREE.contains(asn)) {
            Some("leak of a transit-free network")
        } else if !self.members.contains(&origin) {
            Some("not in the as-set")
        } else if rov != Rov::Valid && !self.route_objects.contains(&(prefix, origin)) {
            Some("not registered")
        } else {
            None
        }
    }
}

fn is_bogon_asn(asn: u32) -> bool {
    asn == 0 || asn == 23_456 || (64_496..=131_071).contains(&asn) || asn >= 4_200_000_000
}

/// What decides between paths here: the greater local preference, the shorter path, the lower router id and address.
pub(crate) type Rank = (std::cmp::Reverse<u32>, usize, u32, IpAddr);

/// Prefix to next hop.
pub(crate) type Routes = HashMap<IpNet, IpAddr>;
