//! OpenBGPD asks for everything again, and is told it, once more than before.
//! (It does not answer such a request itself: it takes the family for one that was not agreed on.)

use crate::claims::SESSIONS;
use crate::lab::{Lab, wait_for};
use crate::route::items;

pub(crate) fn tell(lab: &mut Lab) {
    lab.start();
    lab.wait_for_sessions(&SESSIONS[..1]);
    wait_for(&1, || updates(lab));
    lab.peer().ask("neighbor 192.0.2.1 refresh");
    wait_for(&2, || updates(lab));
}

/// Prefixes that it has counted in our UPDATEs.
fn updates(lab: &mut Lab) -> u64 {
    let told = lab.peer().ask("-j show neighbor 192.0.2.1");
    let told: serde_json::Value = serde_json::from_str(&told).unwrap_or_default();
    let neighbor = items(&told["neighbors"]).next().cloned().unwrap_or_default();
    neighbor["stats"]["update"]["received"]["updates"].as_u64().unwrap_or(0)
}
