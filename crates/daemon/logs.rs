//! What the router says while it runs: lines on standard error, as much as `PALISADE_LOG` asks for.

use std::io::{self, IsTerminal};

use tracing::Level;
use tracing_subscriber::EnvFilter;

/// Names the variable that says how much is logged, like `info`, `debug` or `palisade_fib=trace,info`.
const VARIABLE: &str = "PALISADE_LOG";

/// Whether somebody asks for a log.
pub(crate) fn is_asked_for() -> bool {
    std::env::var_os(VARIABLE).is_some_and(|level| !level.is_empty())
}

/// Starts logging, down to a level unless the variable says more; colours only where a person reads.
pub(crate) fn start(level: Level) {
    let filter = EnvFilter::builder().with_env_var(VARIABLE).with_default_directive(level.into());
    let lines = tracing_subscriber::fmt().with_env_filter(filter.from_env_lossy()).with_writer(io::stderr);
    // A second start in one process, as in tests, keeps the first.
    let _ = lines.with_ansi(io::stderr().is_terminal()).with_target(false).try_init();
}
