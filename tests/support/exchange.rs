//! A route server on this host's loopback with two members. What is valid, what else it checks and what the members announce
//! is each test's own.

#![allow(dead_code, reason = "each test uses a part of it")]

use super::asked::{Member, Router};

/// The route server's configuration, for [`Router::start`]. `more` stands at the end of its [checks], and may begin sections.
pub(crate) fn configuration(more: &str) -> String {
    format!(
        r#"
[router]
mode = "route-server"
asn = 196608
id = "192.0.2.250"
listen = ["127.0.0.1:PORT"]
[control]
socket = "control.sock"
[rpki]
files = ["vrps.json"]
[checks]
next-hop-martian = "off"
{more}
[[peer]]
name = "member-a"
address = "127.0.0.2"
asn = 196701
as_set = "AS196701"
passive = true
[[peer]]
name = "member-b"
address = "127.0.0.3"
asn = 196702
as_set = "AS196702"
passive = true
"#
    )
}

/// The route server with these VRPs.
pub(crate) fn start(more: &str, vrps: &str) -> Router {
    Router::start(&configuration(more), &[("vrps.json", vrps)])
}

/// Both members.
pub(crate) fn join(router: &Router) -> [Member; 2] {
    [2, 3].map(|last| Member::join(router, last))
}
