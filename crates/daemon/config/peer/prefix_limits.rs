//! How many prefixes a peer may have beside `max_prefixes`, and what becomes of it where it has more.
//!
//! `max_prefixes` always holds, whoever says how many; it is read in [`bounds`](super::bounds). The others hold where they
//! are written: of a family, and of what is accepted of all that is received.

use std::time::Duration;

use super::bounds::prefix_limit;
use super::setting::{Origin, Setting, writer};
use crate::config::problem::Fault;
use crate::config::section::Section;
use crate::config::value;

/// How long a session that had too many prefixes stays down.
const DEFAULT_RESTART: Duration = Duration::from_secs(15 * 60);
/// The least and the most that may be written for that.
const RESTART: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(7 * 86_400)];
/// From which share of a limit on a warning is due, in percent.
const DEFAULT_WARNING_PERCENT: u8 = 80;

const RECEIVED: [&str; 2] = ["max_prefixes_ipv4", "max_prefixes_ipv6"];
const ACCEPTED: &str = "max_accepted";
const ACCEPTED_OF: [&str; 2] = ["max_accepted_ipv4", "max_accepted_ipv6"];
const WARNING: &str = "max_prefixes_warning";
const ACTION: &str = "max_prefixes_action";
const RESTART_AFTER: &str = "max_prefixes_restart";

/// The limits beside `max_prefixes`. Arrays are indexed by [`palisade_bgp::Family::index`].
#[derive(Clone, Debug)]
pub(crate) struct PrefixLimits {
    /// Of a family, received.
    pub(crate) received: [Option<Setting<u32>>; 2],
    /// Of both families together, accepted.
    pub(crate) accepted: Option<Setting<u32>>,
    /// Of a family, accepted.
    pub(crate) accepted_of: [Option<Setting<u32>>; 2],
    /// The share of a limit, in percent, from which on a warning is due.
    pub(crate) warning_percent: Setting<u8>,
    /// What follows from one prefix too many.
    pub(crate) action: Setting<Action>,
    /// After what time the session begins anew, where it is that.
    pub(crate) restart: Setting<Duration>,
}

/// What follows from one prefix too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// The session ends, and begins anew after a while.
    Restart,
    /// The session ends, until somebody has it begin anew.
    Down,
    /// The session goes on without those too many.
    DropNew,
}

impl Action {
    const ALL: [(&str, Action); 3] =
        [("restart", Action::Restart), ("down", Action::Down), ("drop-new", Action::DropNew)];

    /// Its name in the configuration.
    pub(crate) fn name(self) -> &'static str {
        Action::ALL.iter().find(|(_, action)| *action == self).map_or("", |(name, _)| name)
    }
}

impl PrefixLimits {
    /// Every limit that is written, with its key.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&'static str, Setting<u32>)> {
        let keys = RECEIVED.into_iter().chain([ACCEPTED]).chain(ACCEPTED_OF);
        let limits = self.received.into_iter().chain([self.accepted]).chain(self.accepted_of);
        keys.zip(limits).filter_map(|(key, limit)| Some((key, limit?)))
    }
}

/// Reads what of a peer's section is about them. `max_prefixes` is that limit, which the others can't exceed to any avail.
pub(super) fn read(section: &mut Section<'_>, max_prefixes: Setting<u32>) -> PrefixLimits {
    let received = RECEIVED.map(|key| limit(section, key, max_prefixes));
    let accepted = limit(section, ACCEPTED, max_prefixes);
    let accepted_of = ACCEPTED_OF.map(|key| limit(section, key, max_prefixes));
    let percent = |percent| u8::try_from(percent).unwrap_or(100);
    let percent = section.optional(WARNING, |field| field.integer(1, 100, " percent").map(percent));
    let warning_percent = Setting::new(section, WARNING, percent, DEFAULT_WARNING_PERCENT, Origin::Default);
    let action = section.optional(ACTION, |field| value::word(field, &Action::ALL));
    let action = Setting::new(section, ACTION, action, Action::Restart, Origin::Default);
    let restart = section.optional(RESTART_AFTER, |field| value::duration(field, RESTART[0], RESTART[1]));
    if let Some(written) = restart.as_ref().filter(|_| action.value != Action::Restart) {
        let message = format!("nothing restarts where `{ACTION}` is \"{}\"", action.value.name());
        section.problems().push(written.span(), Fault::new(message, "of no use").help("remove one of them"));
    }
    let restart = Setting::new(section, RESTART_AFTER, restart, DEFAULT_RESTART, Origin::Default);
    PrefixLimits { received, accepted, accepted_of, warning_percent, action, restart }
}

fn limit(section: &mut Section<'_>, key: &'static str, all: Setting<u32>) -> Option<Setting<u32>> {
    let written = section.optional(key, prefix_limit)?;
    let origin = writer(section, key);
    // One that somebody else gives may come and go.
    let fixed = matches!(all.origin, Origin::Peer | Origin::Group);
    if fixed && *written.get_ref() > all.value {
        let fault = Fault::new(format!("`{key}` is more than `max_prefixes`"), "never reached");
        section.problems().push(written.span(), fault.help(format!("write at most {}", all.value)));
    }
    Some(Setting { value: written.into_inner(), origin })
}
