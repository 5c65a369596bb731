//! A member of the exchange: one router on its LAN, with what it announces now.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use crate::announcement::Announcement;

pub(crate) const FRA: u32 = 1;
pub(crate) const AMS: u32 = 2;

/// A member. Its session carries both families.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Of its namespace too.
    pub(crate) name: &'static str,
    pub(crate) asn: u32,
    /// The end of its addresses on the LAN.
    pub(crate) host: u8,
    pub(crate) router_id: Ipv4Addr,
    /// Whether its session is over IPv6.
    pub(crate) over_v6: bool,
    pub(crate) regions: &'static [u32],
    /// Whether it takes all paths (ADD-PATH, RFC 7911).
    pub(crate) all_paths: bool,
    /// Whether its session is up.
    pub(crate) up: bool,
    pub(crate) announced: BTreeMap<IpNet, Announcement>,
}

impl Member {
    /// The six that there are: all kinds of sessions, an AS with two routers and one whose number takes four octets. What
    /// decides last between paths, the router ids, are in no order.
    pub(crate) fn all() -> Vec<Member> {
        let member = |name, asn, host, router_id, over_v6, regions, all_paths| Member {
            name,
            asn,
            host,
            router_id,
            over_v6,
            regions,
            all_paths,
            up: true,
            announced: BTreeMap::new(),
        };
        let id = |last| Ipv4Addr::new(10, 0, 0, last);
        vec![
            member("alpha", 51_001, 11, id(30), false, &[FRA], false),
            member("bravo", 51_002, 12, id(20), true, &[AMS], false),
            member("charlie", 51_003, 13, id(60), false, &[FRA, AMS], true),
            member("delta-1", 51_004, 14, id(10), false, &[FRA], false),
            member("delta-2", 51_004, 15, id(50), true, &[AMS], false),
            member("echo", 201_006, 16, id(40), true, &[], false),
        ]
    }

    pub(crate) fn v4(&self) -> Ipv4Addr {
        on_lan_v4(self.host)
    }

    pub(crate) fn v6(&self) -> Ipv6Addr {
        on_lan_v6(self.host)
    }

    pub(crate) fn link_local(&self) -> Ipv6Addr {
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, self.host.into())
    }

    /// The address of its end of the session.
    pub(crate) fn address(&self) -> IpAddr {
        if self.over_v6 { self.v6().into() } else { self.v4().into() }
    }
}

pub(crate) fn on_lan_v4(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, host)
}

pub(crate) fn on_lan_v6(host: u8) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, host.into())
}
