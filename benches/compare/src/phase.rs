//! The phases of a run, by name, and what one came to.
//!
//! | phase | what is timed |
//! |---|---|
//! | `up` | all sessions at once, from the first connection until the last is established |
//! | `load` | from the first octet sent until every receiver holds exactly what it should |
//! | `policy` | a policy that refuses every route: until every receiver holds nothing |
//! | `policy-back` | the old policy again: until every receiver holds all again |
//! | `drop` | edge router: one provider's session ends, until the listener holds the best of the others' |
//! | `return` | and it is back and sends all again |
//! | `flap` | route server: half of the members' sessions end at once, until the others hold each other's alone |
//! | `flap-back` | and they are back and send all again |
//! | `single` | one VRP comes or goes, many times: from the first until the last is seen |
//! | `burst` | a hundred of them 5 ms apart: from the first until the listener holds exactly what it should |
//! | `replace` | a third of all VRPs have another origin: until the listener holds exactly what it should |
//! | `replace-back` | the old VRPs again, and the cache has forgotten what is new |
//! | `route-object` | one goes or comes back, several times: from the first until the last is seen |
//! | `as-set` | one of its members does, likewise |
//! | `withdraw` | all withdraw all, until nobody holds anything |
//! | `again` | the load once more, into a daemon that has seen it before |
//! | `slow` | the same, while one member reads at 10 kB/s: until all *others* hold what they should |

use crate::holding::Off;
use crate::load::{Load, News};
use crate::reaction::Reaction;
use crate::service::Waits;

/// Part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Step {
    /// `load` alone.
    Load,
    /// `policy` and `policy-back`.
    Policy,
    /// `drop` and `return`, for an edge router.
    Drop,
    /// `flap` and `flap-back`, for a route server.
    Flap,
    /// `single`, where VRPs change.
    Single,
    /// `burst`, likewise.
    Burst,
    /// `replace` and `replace-back`, likewise.
    Replace,
    /// `route-object` and `as-set`, where the IRR changes.
    Registry,
    /// `withdraw`, and memory after it.
    Withdraw,
    /// `again` and `slow`, for a route server.
    Slow,
}

impl Step {
    /// All, in the order in which they are played.
    pub(crate) const ALL: [Step; 10] = [
        Step::Load,
        Step::Policy,
        Step::Drop,
        Step::Flap,
        Step::Single,
        Step::Burst,
        Step::Replace,
        Step::Registry,
        Step::Withdraw,
        Step::Slow,
    ];

    /// Whether it is part of a load.
    pub(crate) fn is_of(self, load: &Load) -> bool {
        let is_route_server = load.is_route_server();
        match self {
            Step::Load | Step::Withdraw => true,
            Step::Policy => load.news == News::None,
            Step::Drop => load.news == News::None && !is_route_server,
            Step::Flap | Step::Slow => is_route_server,
            Step::Single | Step::Burst | Step::Replace => load.news == News::Vrps,
            Step::Registry => load.news == News::Irr,
        }
    }
}

/// What a phase came to.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Outcome {
    /// Its name.
    pub(crate) phase: &'static str,
    /// How long it took; `None` where it did not come to its end.
    pub(crate) seconds: Option<f64>,
    /// Whether every receiver held exactly what it should.
    pub(crate) exact: bool,
    /// By how much they did not, all together.
    pub(crate) off: Off,
    /// What was wrong with the last that came with wrong attributes, where any are held.
    pub(crate) wrong: Option<String>,
    /// Prefixes that arrived and are none of the table's.
    pub(crate) foreign: u64,
    /// Sessions that were lost, and why the first of them was.
    pub(crate) lost: usize,
    /// Why the first was lost.
    pub(crate) fault: Option<String>,
    /// Prefixes that arrived, announced or withdrawn.
    pub(crate) deliveries: u64,
    /// UPDATEs that arrived.
    pub(crate) updates: u64,
    /// Prefixes that came back to who announced them, which a real member would drop.
    pub(crate) echoed: u64,
    /// The longest time in which a session heard nothing though it did not yet hold what it should, in milliseconds.
    pub(crate) silence_ms: f64,
    /// How long news from the probe took.
    pub(crate) waits: Option<Waits>,
    /// How fast the daemon followed its policy's data.
    pub(crate) reaction: Option<Reaction>,
}
