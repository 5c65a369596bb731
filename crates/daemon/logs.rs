//! What the router says while it runs: lines on standard error, as much as `PALISADE_LOG` asks for.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// Names the variable that says how much is logged, like `info` (the default), `debug` or `palisade_fib=trace,info`.
const VARIABLE: &str = "PALISADE_LOG";

/// Starts logging; colours only where a person reads.
pub(crate) fn start() {
    let filter =
        EnvFilter::builder().with_env_var(VARIABLE).with_default_directive(tracing::Level::INFO.into());
    let lines = tracing_subscriber::fmt().with_env_filter(filter.from_env_lossy()).with_writer(io::stderr);
    // A second start in one process, as in tests, keeps the first.
    let _ = lines.with_ansi(io::stderr().is_terminal()).with_target(false).try_init();
}
