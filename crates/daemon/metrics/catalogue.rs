//! Every metric that there is: name, type, and what it says. `docs/metrics.md` is this table (a test writes and holds it).
//!
//! Names are public API: one may come, none changes its meaning. Units are those of Prometheus: seconds, octets as bytes.

/// What kind of number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It goes up and down.
    Gauge,
    /// It only goes up, until the router starts anew. Its name ends in `_total`.
    Counter,
}

impl Kind {
    /// As Prometheus calls it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        }
    }
}

/// A metric.
#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// A sentence, without its end.
    pub(crate) help: &'static str,
    /// The labels of its samples, in order.
    pub(crate) labels: &'static [&'static str],
}

macro_rules! metrics {
    ($($constant:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        $(#[doc = $help] pub(super) static $constant: Metric =
            Metric { name: $name, kind: Kind::$kind, help: $help, labels: &[$($label),*] };)*
        /// All of them, in the order in which they are told.
        #[cfg(test)]
        pub(super) static ALL: &[&Metric] = &[$(&$constant),*];
    };
}

metrics! {
    INFO = Gauge "palisade_info" ["version", "asn", "router_id", "mode"] "The router itself; always 1";
    UPTIME = Gauge "palisade_uptime_seconds" [] "How long the router has run";
    PREFIXES = Gauge "palisade_prefixes" ["family"] "Prefixes with a path, accepted or not";
    UPDATE_GROUPS = Gauge "palisade_update_groups" ["family"] "Groups of peers that share the encoding of what they are sent";
    VRPS = Gauge "palisade_vrps" [] "Validated ROA payloads that routes are judged by";
    ASPAS = Gauge "palisade_aspas" [] "ASPAs that routes are judged by";
    ROUTE_OBJECTS = Gauge "palisade_route_objects" [] "Route objects that routes are judged by";
    GENERATION = Counter "palisade_tables_generation_total" [] "How often the tables that routes are judged by have been replaced";
    SOURCE_AGE = Gauge "palisade_source_age_seconds" ["feed", "source"] "Time since the data of a source was known to be good";
    SOURCE_ALARMING = Gauge "palisade_source_alarming" ["feed", "source"] "Whether somebody should look at a source";
    KERNEL_ROUTES = Gauge "palisade_kernel_routes" ["state"] "Routes for the kernel, by what became of them";
    KERNEL_OPERATIONS = Counter "palisade_kernel_operations_total" [] "Route operations that the kernel has carried out";
    KERNEL_MEDDLED = Counter "palisade_kernel_meddled_total" [] "Routes of ours that somebody else removed or changed";
    REFUSED = Counter "palisade_connections_refused_total" [] "Connections that were closed because no peer and no range has their address";
    RANGE_GUESTS = Gauge "palisade_range_guests" ["range"] "Peers that have come from a range, and are not forgotten yet";
    RANGE_MAX_PEERS = Gauge "palisade_range_max_peers" ["range"] "How many it may have";
    RANGE_REFUSED = Counter "palisade_range_connections_refused_total" ["range", "reason"] "Connections from a range that were closed before there was a peer, by reason";
    PEER_INFO = Gauge "palisade_peer_info" ["peer", "asn", "address", "role"] "A peer as it is configured; always 1";
    PEER_UP = Gauge "palisade_peer_up" ["peer"] "Whether its session is Established";
    PEER_STATE = Gauge "palisade_peer_state" ["peer", "state"] "The state of RFC 4271 s8.2.2 that its session is in; always 1";
    PEER_STATE_SECONDS = Gauge "palisade_peer_state_seconds" ["peer"] "How long its session has been up, or down";
    PEER_KEPT_DOWN = Gauge "palisade_peer_kept_down" ["peer"] "Whether its session is kept down, by an operator or a limit";
    PEER_SHUTTING_DOWN = Gauge "palisade_peer_shutting_down" ["peer"] "Whether its session is about to be shut down, and other paths are preferred meanwhile (RFC 8326)";
    PEER_SESSION = Gauge "palisade_peer_session_info" ["peer", "router_id", "hold_time", "four_octet_as", "add_path_ipv4", "add_path_ipv6", "extended_messages", "extended_next_hop", "route_refresh", "role", "graceful_restart", "long_lived", "md5", "ttl_security", "local_address", "tcp_user_timeout"] "What was agreed with it for the session that is up; always 1";
    PEER_SESSIONS = Counter "palisade_peer_sessions_total" ["peer"] "Times that its session came up";
    PEER_MESSAGES = Counter "palisade_peer_messages_total" ["peer", "direction", "type"] "Messages of its sessions";
    PEER_OCTETS = Counter "palisade_peer_bytes_total" ["peer", "direction"] "Octets of its sessions";
    PEER_REFUSED = Counter "palisade_peer_connections_refused_total" ["peer", "reason"] "Connections from its address that were closed at once, by reason";
    PEER_NOTIFICATIONS = Counter "palisade_peer_notifications_total" ["peer", "direction", "code"] "NOTIFICATIONs that ended a session or an attempt at one, by error code";
    PEER_FAULTS = Counter "palisade_peer_update_faults_total" ["peer", "outcome", "attribute"] "Faults in its UPDATEs that did not end the session (RFC 7606)";
    PEER_PATHS = Gauge "palisade_peer_paths" ["peer", "family", "state"] "Its paths: all that it announces, and those that are accepted";
    PEER_STALE = Gauge "palisade_peer_stale_paths" ["peer"] "Its paths that it has not said again since its session was lost, or since it began to say all again (RFC 4724, RFC 7313)";
    PEER_STALE_PHASE = Gauge "palisade_peer_stale_phase" ["peer", "family", "phase"] "Where its stale paths stand: restarting or long-lived while it is away, returning or refreshing while it says them again; always 1";
    PEER_STALE_LEFT = Gauge "palisade_peer_stale_left_seconds" ["peer", "family"] "How long that may last";
    PEER_REJECTED = Gauge "palisade_peer_rejected_paths" ["peer", "reason"] "Its paths that are rejected, by reason";
    PEER_OBSERVED = Gauge "palisade_peer_observed_paths" ["peer", "reason"] "Its paths that a check would reject, were it not only observed";
    PEER_RPKI = Gauge "palisade_peer_rpki_paths" ["peer", "state"] "Its paths by the outcome of origin validation (RFC 6811)";
    PEER_LIMIT = Gauge "palisade_peer_limit" ["peer", "limit"] "A limit of prefixes that holds for it";
    PEER_LIMIT_USED = Gauge "palisade_peer_limit_used" ["peer", "limit"] "How much of it is used";
    PEER_LIMIT_WARNINGS = Counter "palisade_peer_limit_warnings_total" ["peer"] "Times that it came near a limit of prefixes";
    PEER_LIMIT_REACHED = Counter "palisade_peer_limit_reached_total" ["peer"] "Times that it came with more than a limit of prefixes allows";
    PEER_DROPPED = Counter "palisade_peer_dropped_announcements_total" ["peer"] "Announcements that were not held: a limit of prefixes left no room, or there were 16 paths of the peer to the prefix";
}
