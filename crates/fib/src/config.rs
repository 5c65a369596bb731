//! What the operator decides about the kernel routes: where they go and how they are recognised as ours.
//!
//! The triple of table, protocol and metric is the crate's identity in the kernel. The protocol number says "this is
//! Palisade's" to `ip route` and to the next run; the metric keeps our routes apart from other programs' routes to the
//! same prefix, because the kernel's replace goes by prefix and metric alone and would take a stranger's route over.

use crate::error::FibError;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The `rtm_protocol` of our routes and nexthop objects unless configured otherwise; no number that iproute2 knows.
pub const PALISADE_PROTOCOL: u8 = 213;

/// The number of the kernel's table `main`.
pub const MAIN_TABLE: u32 = 254;

/// The number of the table `local`, which belongs to the kernel's own addresses.
const LOCAL_TABLE: u32 = 255;

/// Protocol numbers up to this one are the kernel's and the administrator's (`static`).
const LAST_RESERVED_PROTOCOL: u8 = 4;

/// Where routes go in the kernel and what marks them as ours.
///
/// One protocol number belongs to one running instance in a network namespace: leftovers are recognised by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FibConfig {
    /// The routing table: [`MAIN_TABLE`] or another number except 0 and 255 (`local`).
    pub table: u32,
    /// Our own `rtm_protocol` (5..=255).
    pub protocol: u8,
    /// The route metric (`RTA_PRIORITY`), not 0, and one that no other program in this table uses.
    pub metric: u32,
    /// The source address for packets this machine sends over our IPv4 routes (`RTA_PREFSRC`).
    pub preferred_source_v4: Option<Ipv4Addr>,
    /// The same for IPv6.
    pub preferred_source_v6: Option<Ipv6Addr>,
}

impl Default for FibConfig {
    fn default() -> Self {
        FibConfig {
            table: MAIN_TABLE,
            protocol: PALISADE_PROTOCOL,
            metric: 32,
            preferred_source_v4: None,
            preferred_source_v6: None,
        }
    }
}

impl FibConfig {
    /// Refuses what the kernel would take for something else.
    pub(crate) fn check(&self) -> Result<(), FibError> {
        if self.table == 0 || self.table == LOCAL_TABLE {
            return Err(FibError::Config("the table can't be 0 (unspecified) or 255 (local)"));
        }
        if self.protocol <= LAST_RESERVED_PROTOCOL {
            return Err(FibError::Config(
                "protocol numbers 0 to 4 belong to the kernel and to static routes",
            ));
        }
        if self.metric == 0 {
            return Err(FibError::Config("the metric can't be 0: the kernel turns it into 1024 for IPv6"));
        }
        Ok(())
    }

    /// Whether `address` is one that our routes name as their source.
    pub(crate) fn is_preferred_source(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => self.preferred_source_v4 == Some(v4),
            IpAddr::V6(v6) => self.preferred_source_v6 == Some(v6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_accepted_and_the_kernels_own_numbers_are_not() {
        assert!(FibConfig::default().check().is_ok());
        for config in [
            FibConfig { table: 0, ..FibConfig::default() },
            FibConfig { table: 255, ..FibConfig::default() },
            FibConfig { protocol: 2, ..FibConfig::default() },
            FibConfig { metric: 0, ..FibConfig::default() },
        ] {
            assert!(matches!(config.check(), Err(FibError::Config(_))), "{config:?}");
        }
    }
}
