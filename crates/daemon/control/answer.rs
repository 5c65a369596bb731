//! What a running router says: the lines of an answer.
//!
//! Their keys are public API, as reasons are: a key may come, none changes its meaning. Counts are of now, times are in
//! seconds, reasons and states are slugs.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use palisade_bgp::notification::MAX_COMMUNICATION;
use serde::{Deserialize, Serialize};

use super::command::Reloaded;
use crate::announcement::AnnouncementError;
use crate::config::nearest;
use crate::explain::explanation::Explanation;
use crate::feeds::FeedStatus;
use crate::run::Roster;
use crate::run::agreed::Agreed;

/// The kind of a refusal that says why something was not done.
pub(crate) const NOT_DONE: &str = "not-done";

/// Letters of what somebody wrote that are said back to them.
const SAID_BACK: usize = 80;

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Line {
    Summary(Box<SummaryLine>),
    Peer(Box<PeerLine>),
    Route(Box<RouteLine>),
    Feed(Box<FeedStatus>),
    Metrics(MetricsLine),
    Done(DoneLine),
    Path(Box<PathLine>),
    Explanation(Box<Explanation>),
    /// The answer is whole.
    End(EndLine),
    /// There is no answer, or no more of it.
    Error(Refusal),
}

/// What was asked for is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DoneLine {
    Reloaded(Reloaded),
    Confirmed,
    /// The peer's session does as it was told.
    Ordered,
}

/// A part of the metrics: whole lines of text.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MetricsLine {
    pub(crate) text: String,
}

/// The end of a whole answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EndLine {
    /// Lines before this one.
    pub(crate) lines: u64,
    /// Whether there would have been more, had the request not asked for so many at most.
    pub(crate) limited: bool,
}

/// Why a request is not answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    /// A slug, for programs.
    pub(crate) kind: String,
    /// A sentence, for people.
    pub(crate) message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) help: Option<String>,
}

/// How the router is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SummaryLine {
    pub(crate) version: String,
    pub(crate) asn: u32,
    pub(crate) id: String,
    pub(crate) mode: String,
    pub(crate) uptime_s: u64,
    pub(crate) peers_configured: usize,
    pub(crate) peers_up: usize,
    /// With a path, accepted or not.
    pub(crate) prefixes_ipv4: usize,
    pub(crate) prefixes_ipv6: usize,
    pub(crate) paths_received: i64,
    pub(crate) paths_accepted: i64,
    pub(crate) paths_rejected: i64,
    pub(crate) update_groups_ipv4: usize,
    pub(crate) update_groups_ipv6: usize,
    pub(crate) vrps: usize,
    pub(crate) route_objects: usize,
    /// How often the tables that routes are judged by have been replaced.
    pub(crate) generation: u64,
    /// `null` where the kernel is left alone.
    pub(crate) kernel: Option<KernelLine>,
}

/// What the kernel holds, as far as the router knows without listing it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KernelLine {
    pub(crate) wanted: usize,
    pub(crate) installed: usize,
    pub(crate) pending: usize,
    /// Of those wanted, the ones whose next hop can't be reached.
    pub(crate) unresolved: usize,
    pub(crate) refused: usize,
}

/// How a peer is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PeerLine {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) asn: u32,
    pub(crate) role: Option<String>,
    /// How its connections are made and guarded.
    pub(crate) transport: TransportLine,
    /// The state of RFC 4271 s8.2.2.
    pub(crate) state: String,
    /// How long it has been up, or not up.
    pub(crate) lasts_s: u64,
    /// Of all its sessions.
    pub(crate) messages: MessagesLine,
    /// How many times a session has come up.
    pub(crate) times_up: u64,
    /// What the session that is up runs with.
    pub(crate) agreed: Option<Agreed>,
    /// Faults in UPDATEs that ended no session, by what they led to and the attribute.
    pub(crate) update_faults: BTreeMap<String, u64>,
    pub(crate) received: i64,
    pub(crate) accepted: i64,
    pub(crate) rejected: i64,
    pub(crate) max_prefixes: Option<u32>,
    /// Every limit of prefixes that holds for it.
    pub(crate) limits: Vec<LimitLine>,
    /// Whether one of them is nearly reached.
    pub(crate) near_limit: bool,
    /// Announcements that were not held: there was no room for more prefixes, or for more paths to one.
    pub(crate) dropped: i64,
    /// How many times it came near a limit, and reached one.
    pub(crate) limit_warnings: u64,
    pub(crate) limits_reached: u64,
    /// How many times in a row the session has failed.
    pub(crate) failures: u32,
    /// When the next attempt is made, or the peer's own is taken; `null` where that is now, or nothing is to be attempted.
    pub(crate) next_attempt_in_s: Option<u64>,
    /// Set while the session is kept down.
    pub(crate) held_down: Option<HeldDownLine>,
    /// Whether it is about to be shut down (RFC 8326).
    pub(crate) shutting_down: bool,
    pub(crate) rejected_by: BTreeMap<String, i64>,
    /// Those that a check which is only observed would have rejected.
    pub(crate) observed: BTreeMap<String, i64>,
    pub(crate) rpki: BTreeMap<String, i64>,
    /// Of the received ones, those that the peer is yet to say again, ..
    pub(crate) stale: i64,
    /// .. and why, by family, where that is so.
    pub(crate) stale_by_family: BTreeMap<String, StaleLine>,
    /// Why the session last went down, which further attempts leave as it is.
    pub(crate) last_end: Option<String>,
    /// Why the last connection, or attempt at one, ended.
    pub(crate) last_fault: Option<String>,
}

/// How a peer's connections are made and guarded.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TransportLine {
    /// The range that the peer is a guest of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) range: Option<String>,
    /// Our address of the session that is up, or else the one that is configured.
    pub(crate) local_address: Option<String>,
    /// Whether segments are signed (RFC 2385).
    pub(crate) md5: bool,
    /// How many hops away the peer may be; `null` for any number.
    pub(crate) hops: Option<u8>,
    /// Whether packets from farther away are dropped (RFC 5082).
    pub(crate) ttl_security: bool,
}

/// Messages by type, NOTIFICATIONs by error code, and octets, each way.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MessagesLine {
    pub(crate) received: OneWayLine,
    pub(crate) sent: OneWayLine,
}

/// What has gone one way.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OneWayLine {
    pub(crate) by_type: BTreeMap<String, u64>,
    pub(crate) notifications_by_code: BTreeMap<u8, u64>,
    pub(crate) octets: u64,
}

/// A limit of prefixes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LimitLine {
    /// What the configuration calls it.
    pub(crate) limit: String,
    pub(crate) most: u32,
    pub(crate) held: i64,
}

/// Why a session is kept down, and for how long; `null` until somebody frees it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct HeldDownLine {
    pub(crate) why: String,
    pub(crate) begins_in_s: Option<u64>,
}

/// Why paths are stale, and for how long that may last.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StaleLine {
    /// `restarting` and `long-lived` while the session is down, `returning` and `refreshing` while it is up.
    pub(crate) phase: String,
    /// Seconds until they go, or until they are long-lived.
    pub(crate) left_s: u64,
}

/// A path to a prefix.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RouteLine {
    pub(crate) prefix: String,
    /// `null` for what the router originates, which has no next hop either.
    pub(crate) peer: Option<String>,
    pub(crate) next_hop: Option<String>,
    pub(crate) as_path: String,
    pub(crate) origin: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) med: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) local_pref: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) only_to_customer: Option<u32>,
    /// RFC 7911; 0 where the peer sends none.
    pub(crate) path_id: u32,
    pub(crate) communities: Vec<String>,
    pub(crate) large_communities: Vec<String>,
    /// Sixteen hexadecimal digits each.
    pub(crate) extended_communities: Vec<String>,
    pub(crate) rpki: String,
    pub(crate) accepted: bool,
    /// Whether the decision process chose it.
    pub(crate) best: bool,
    /// An accepted path whose next hop can't be reached takes no part in the decision process.
    pub(crate) unreachable: bool,
    /// Its peer is yet to say it again, after a restart or in a refresh.
    pub(crate) stale: bool,
    pub(crate) reason: Option<String>,
    /// The check that would have rejected it, were it not only observed.
    pub(crate) observed: Option<String>,
    /// The reason as communities, by the scheme that is configured. They are on this copy alone.
    pub(crate) reject_communities: Vec<String>,
}

/// A path as it was received, and what became of it: enough to judge it again.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PathLine {
    pub(crate) prefix: String,
    pub(crate) peer: String,
    /// RFC 7911; 0 where the peer sends none.
    pub(crate) path_id: u32,
    /// The attributes in hexadecimal, ascending by type, with four-octet AS numbers and without NEXT_HOP and MP_REACH_NLRI.
    pub(crate) attributes: String,
    pub(crate) next_hop: IpAddr,
    /// The link-local address that may come beside an IPv6 one (RFC 2545 s3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) link_local: Option<Ipv6Addr>,
    pub(crate) reason: Option<String>,
    pub(crate) local_preference: u32,
    /// What import has changed, in clauses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) import: Vec<String>,
}

impl Refusal {
    pub(crate) fn new(kind: &str, message: impl Into<String>) -> Self {
        Refusal { kind: kind.into(), message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What a peer is to be told does not fit a NOTIFICATION (RFC 9003 s2).
    pub(super) fn too_many_words(octets: usize) -> Self {
        Refusal::new("bad-request", format!("the message has {octets} octets"))
            .help(format!("a peer can be told {MAX_COMMUNICATION} octets (RFC 9003)"))
    }

    /// The router ends while it answers.
    pub(super) fn stopping() -> Self {
        Refusal::new("stopping", "the router is being stopped")
    }

    pub(super) fn no_such_peer(name: &str, roster: &Roster) -> Self {
        let names: Vec<&str> = roster.peers().iter().map(|peer| peer.name.as_str()).collect();
        Self::no_such_name(name, &names)
    }

    /// Of all peers' `names` none is that one.
    pub(crate) fn no_such_name(name: &str, names: &[&str]) -> Self {
        let said: String = name.chars().take(SAID_BACK).collect();
        let help = match nearest(name, names) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "`palisade show peers` lists them".into(),
        };
        Refusal::new("no-such-peer", format!("there is no peer `{said}`")).help(help)
    }
}

impl From<AnnouncementError> for Refusal {
    fn from(error: AnnouncementError) -> Self {
        Refusal::new("bad-announcement", error.to_string())
    }
}
