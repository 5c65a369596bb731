//! Two routers on this host's loopback with a session: `near`, which waits, and `far`, which connects.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::time::{Duration, Instant};

use serde_json::Value;

use super::asked::{PATIENCE, Router};

/// The configuration of the near one, for [`Router::start`].
pub(crate) const NEAR: &str = r#"
[router]
asn = 64500
id = "192.0.2.1"
listen = ["127.0.0.1:PORT"]
networks = ["192.0.2.0/24"]
[control]
socket = "control.sock"
[checks]
bogon-prefix = "off"
bogon-asn = "off"
next-hop-martian = "off"
[[peer]]
name = "far"
address = "127.0.0.2"
asn = 64501
role = "peer"
passive = true
"#;

/// Both, with their session up. `near` and `far` are further keys of their peers, and may begin sections.
pub(crate) fn pair(near: &str, far: &str) -> (Router, Router) {
    let near = Router::start(&format!("{NEAR}{near}\n"), &[]);
    let theirs = NEAR
        .replace("64500", "196608")
        .replace("64501", "64500")
        .replace("196608", "64501")
        .replace("192.0.2.1\"", "192.0.2.2\"")
        .replace("127.0.0.1:", "127.0.0.2:")
        .replace("name = \"far\"", "name = \"near\"")
        .replace("address = \"127.0.0.2\"", "address = \"127.0.0.1\"")
        .replace("passive = true", &format!("port = {}\nlocal_address = \"127.0.0.2\"", near.port));
    let far = Router::start(&format!("{theirs}{far}\n"), &[]);
    wait(&near, "far", |peer| peer["state"] == "Established");
    wait(&far, "near", |peer| peer["state"] == "Established");
    (near, far)
}

/// What is said of a peer, once that is so.
pub(crate) fn wait(router: &Router, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let peer = router.json(&["peers", name]);
        if is_so(&peer) {
            return peer;
        }
        assert!(Instant::now() < until, "{peer:#}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
