//! Whether routes are kept over a restart, the peer's or ours, and for how long (RFC 4724, RFC 9494).

use palisade_bgp::capability::{MAX_RESTART_TIME_S, MAX_STALE_TIME_S};
use toml::Spanned;

use super::setting::{Origin, Setting};
use crate::config::problem::Fault;
use crate::config::section::Section;

/// As long as common implementations say.
const DEFAULT_RESTART_TIME_S: u16 = 120;

/// Over a restart, for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Restart {
    /// Seconds for which the peer is to keep our routes until we are back.
    pub(crate) restart_time_s: Setting<u16>,
    /// Seconds for which routes are kept after that, as the last resort: ours as we ask the peer, the peer's at most; with 0 they are not.
    pub(crate) long_lived_stale_time_s: Setting<u32>,
}

/// `None` where they go with the session.
pub(super) fn restart(section: &mut Section<'_>) -> Option<Restart> {
    const KEY: &str = "graceful_restart";
    const TIME: &str = "restart_time";
    const STALE: &str = "long_lived_stale_time";
    let on = section.optional(KEY, |field| field.boolean()).is_none_or(Spanned::into_inner);
    let restart_time = section.optional(TIME, |field| {
        let seconds = field.integer(1, MAX_RESTART_TIME_S.into(), " seconds")?;
        Ok(u16::try_from(seconds).unwrap_or(MAX_RESTART_TIME_S))
    });
    let stale_time = section.optional(STALE, |field| field.integer(0, MAX_STALE_TIME_S, " seconds"));
    if !on {
        let spans =
            [(TIME, restart_time.map(|time| time.span())), (STALE, stale_time.map(|time| time.span()))];
        for (key, span) in spans.into_iter().filter_map(|(key, span)| Some((key, span?))) {
            let fault = Fault::new(format!("without `{KEY}` there is no `{key}`"), "of no use");
            section.problems().push(span, fault.help(format!("remove it, or `{KEY} = false`")));
        }
        return None;
    }
    Some(Restart {
        restart_time_s: Setting::new(section, TIME, restart_time, DEFAULT_RESTART_TIME_S, Origin::Default),
        long_lived_stale_time_s: Setting::new(section, STALE, stale_time, 0, Origin::Default),
    })
}
