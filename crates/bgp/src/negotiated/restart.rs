//! Whose routes are kept when a session ends (RFC 4724 s3, s4.2; RFC 8538 s2, s4; RFC 9494 s3.1).

use super::Negotiated;
use crate::capability::{Capability, LongLivedFamily, Restart};
use crate::open::Open;
use crate::prefix::Family;
use crate::session::{DownReason, SessionConfig};

/// How a peer restarts, where both ends keep routes meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerRestart {
    /// Whether it has just restarted: it is not to wait for our End-of-RIB, nor we for its (RFC 4724 s4.1).
    pub restarting: bool,
    /// Whether a NOTIFICATION leaves routes in place, too, unless it is a Hard Reset: both ends said so (RFC 8538 s2).
    pub notification: bool,
    /// How long it may take to come back, in seconds.
    pub restart_time_s: u16,
    /// What it says of each family that both ends route, by [`Family::index`]; `None` where its routes are not to be kept.
    pub families: [Option<Retained>; 2],
}

/// What a peer that restarts says of a family's routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retained {
    /// Whether it has gone on forwarding by those that it announced before. Where it has not, they are to go at once
    /// (RFC 4724 s4.2).
    pub forwarding: bool,
    /// For how long they may be kept once the restart time is over, in seconds (RFC 9494); 0 where either end does not do that.
    pub long_lived_s: u32,
    /// What it says of forwarding where that is so; it counts for routes that are long-lived by now (RFC 9494 s4.2).
    pub long_lived_forwarding: bool,
}

impl PeerRestart {
    /// Of several capabilities the last one counts (RFC 4724 s3).
    pub(super) fn new(config: &SessionConfig, open: &Open, families: [bool; 2]) -> Option<Self> {
        let ours = config.graceful_restart?;
        let restart = open.capabilities.iter().rev().find_map(|capability| match capability {
            Capability::GracefulRestart(restart) => Some(restart),
            _ => None,
        })?;
        let long_lived = open.capabilities.iter().rev().find_map(|capability| match capability {
            Capability::LongLived(families) if ours.long_lived_stale_time_s > 0 => Some(&families[..]),
            _ => None,
        });
        let retained = |family: Family| retained(restart, long_lived.unwrap_or_default(), family);
        Some(PeerRestart {
            restarting: restart.restarting,
            notification: restart.notification,
            restart_time_s: restart.restart_time_s,
            families: Family::ALL.map(|family| retained(family).filter(|_| families[family.index()])),
        })
    }
}

fn retained(restart: &Restart, long_lived: &[LongLivedFamily], family: Family) -> Option<Retained> {
    let is = |afi, safi| Family::from_afi_safi(afi, safi) == Some(family);
    let listed = restart.families.iter().rev().find(|one| is(one.afi, one.safi))?;
    let long_lived = long_lived.iter().rev().find(|one| is(one.afi, one.safi));
    Some(Retained {
        forwarding: listed.forwarding,
        long_lived_s: long_lived.map_or(0, |one| one.stale_time_s),
        long_lived_forwarding: long_lived.is_some_and(|one| one.forwarding),
    })
}

impl Negotiated {
    /// Whether the routes of any family are kept while the peer restarts.
    pub(crate) fn keeps_routes(&self) -> bool {
        let restart = self.peer_restart.as_ref();
        restart.is_some_and(|restart| restart.families.iter().any(Option::is_some))
    }

    /// The families whose routes are to be kept when the session ends for a reason. A connection that is lost leaves them in place
    /// (RFC 4724 s4.2); a NOTIFICATION only where both ends said so, and a Hard Reset never (RFC 8538 s3, s4).
    pub(crate) fn retained(&self, reason: &DownReason) -> [bool; 2] {
        let Some(restart) = &self.peer_restart else { return [false; 2] };
        let keeps = match reason {
            DownReason::ConnectionLost => true,
            DownReason::Left => false,
            DownReason::Sent { notification, .. } | DownReason::Received(notification) => {
                restart.notification && !notification.is_hard_reset()
            }
        };
        restart.families.map(|family| keeps && family.is_some())
    }
}
