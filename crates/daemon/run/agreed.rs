//! What a session that is up runs with, in words: for whoever wonders why a peer is sent this and not that.

use palisade_bgp::Family;
use palisade_bgp::message::MAX_LEN;
use palisade_bgp::negotiated::{Negotiated, PeerRestart, Retained};

/// What two OPENs agreed on, a phrase a thing: `IPv4`, `ADD-PATH sent for IPv4`.
pub(super) fn agreed(negotiated: &Negotiated) -> Vec<String> {
    let mut said = Vec::new();
    let families = || Family::ALL.into_iter().filter(|family| negotiated.families[family.index()]);
    said.extend(families().map(|family| family.to_string()));
    said.push(format!("hold time {} s", negotiated.hold_time_s));
    said.push(if negotiated.four_octet_as { "4-octet AS numbers" } else { "2-octet AS numbers" }.into());
    said.extend(refresh(negotiated).map(String::from));
    for family in families() {
        let add_path = negotiated.add_path[family.index()];
        said.extend(add_path.send.then(|| format!("ADD-PATH sent for {family}")));
        said.extend(add_path.receive.then(|| format!("ADD-PATH received for {family}")));
    }
    said.extend(negotiated.extended_next_hop.then(|| "IPv6 next hops for IPv4".into()));
    said.extend(messages(negotiated).map(String::from));
    said.extend(negotiated.peer_role.map(|role| format!("its role is {role}")));
    said.extend(negotiated.peer_restart.as_ref().map(restart));
    said
}

fn refresh(negotiated: &Negotiated) -> Option<&'static str> {
    match (negotiated.route_refresh, negotiated.enhanced_refresh) {
        (_, true) => Some("enhanced route refresh"),
        (true, false) => Some("route refresh"),
        _ => None,
    }
}

/// We take long messages where we send them, and may take them where the peer does not.
fn messages(negotiated: &Negotiated) -> Option<&'static str> {
    (negotiated.max_sent > MAX_LEN).then_some("extended messages")
}

fn restart(restart: &PeerRestart) -> String {
    let longest = restart.families.iter().flatten().map(|family: &Retained| family.long_lived_s).max();
    let long_lived =
        longest.filter(|seconds| *seconds > 0).map(|seconds| format!(", long-lived {seconds} s"));
    let notification = if restart.notification { ", also over a NOTIFICATION" } else { "" };
    let seconds = restart.restart_time_s;
    format!("graceful restart {seconds} s{}{notification}", long_lived.unwrap_or_default())
}
