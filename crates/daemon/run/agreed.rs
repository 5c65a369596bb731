//! What was agreed on for a session that is up, in the words of those who look at it.

use palisade_bgp::negotiated::{Negotiated, PeerRestart};
use palisade_bgp::{AddPath, Family};
use serde::{Deserialize, Serialize};

/// What a session runs with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Agreed {
    /// The peer's BGP identifier.
    pub(crate) router_id: String,
    /// 0 for none.
    pub(crate) hold_time_s: u16,
    /// `ipv4`, `ipv6`.
    pub(crate) families: Vec<String>,
    /// RFC 6793.
    pub(crate) four_octet_as: bool,
    /// What we do with path identifiers (RFC 7911): `off`, `send`, `receive` or `both`.
    pub(crate) add_path_ipv4: String,
    pub(crate) add_path_ipv6: String,
    /// The longest message that may be sent, in octets (RFC 8654), and the longest that may come.
    pub(crate) longest_sent: usize,
    pub(crate) longest_received: usize,
    /// IPv4 behind IPv6 next hops (RFC 8950).
    pub(crate) extended_next_hop: bool,
    /// `none`, `plain` (RFC 2918) or `enhanced` (RFC 7313).
    pub(crate) route_refresh: String,
    /// What the peer says that it is to us (RFC 9234).
    pub(crate) role: Option<String>,
    /// How the peer restarts (RFC 4724); `null` where nothing is kept meanwhile.
    pub(crate) restart: Option<AgreedRestart>,
}

/// What is kept while a peer restarts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AgreedRestart {
    pub(crate) restart_time_s: u16,
    /// Whether a NOTIFICATION is survived (RFC 8538).
    pub(crate) notification: bool,
    /// The families whose routes are kept.
    pub(crate) families: Vec<String>,
    /// The longest for which one of them is kept after that (RFC 9494); 0 for not at all.
    pub(crate) long_lived_s: u32,
}

impl From<&Negotiated> for Agreed {
    fn from(negotiated: &Negotiated) -> Self {
        Agreed {
            router_id: negotiated.peer_router_id.to_string(),
            hold_time_s: negotiated.hold_time_s,
            families: words(negotiated.families),
            four_octet_as: negotiated.four_octet_as,
            add_path_ipv4: add_path(negotiated.add_path[Family::Ipv4.index()]).into(),
            add_path_ipv6: add_path(negotiated.add_path[Family::Ipv6.index()]).into(),
            longest_sent: negotiated.max_sent,
            longest_received: negotiated.max_received,
            extended_next_hop: negotiated.extended_next_hop,
            route_refresh: match (negotiated.route_refresh, negotiated.enhanced_refresh) {
                (_, true) => "enhanced",
                (true, false) => "plain",
                (false, false) => "none",
            }
            .into(),
            role: negotiated.peer_role.map(|role| role.to_string()),
            restart: negotiated.peer_restart.as_ref().map(AgreedRestart::from),
        }
    }
}

impl From<&PeerRestart> for AgreedRestart {
    fn from(restart: &PeerRestart) -> Self {
        let kept = restart.families.iter().flatten();
        AgreedRestart {
            restart_time_s: restart.restart_time_s,
            notification: restart.notification,
            families: words(restart.families.each_ref().map(Option::is_some)),
            long_lived_s: kept.map(|kept| kept.long_lived_s).max().unwrap_or_default(),
        }
    }
}

/// The families that are so.
fn words(families: [bool; 2]) -> Vec<String> {
    let named = [(Family::Ipv4, "ipv4"), (Family::Ipv6, "ipv6")];
    named.iter().filter(|(family, _)| families[family.index()]).map(|(_, word)| (*word).into()).collect()
}

fn add_path(what: AddPath) -> &'static str {
    match (what.send, what.receive) {
        (false, false) => "off",
        (true, false) => "send",
        (false, true) => "receive",
        (true, true) => "both",
    }
}
