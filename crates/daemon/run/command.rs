//! `palisade run --config FILE`: from a configuration file to a running router, until it ends.
//!
//! What happens to the router in between, and what signals do to it, is in [`serving`](super::serving).

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use miette::{IntoDiagnostic, WrapErr};
use palisade_fib::{Fib, FibConfig, NetlinkKernel, PALISADE_PROTOCOL};
use tracing::{Level, info, warn};

use super::passwords::{self, Passwords};
use super::serving::Serving;
use super::signals::Signals;
use super::{Router, Wanted};
use crate::CONFIG;
use crate::config::{self, Config};
use crate::control::socket::Claim;
use crate::feeds::keeper::Keeper;
use crate::feeds::{Feeds, Read};
use crate::judging::{self, Tables};
use crate::{logs, terminal};

/// What `run` is asked on the command line.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The configuration; `palisade check` says what it does
    #[arg(long, value_name = "FILE", default_value = CONFIG)]
    config: PathBuf,
}

/// Runs the router until it is told to stop.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    logs::start(Level::INFO);
    match start(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(report) => {
            terminal::tell(report.as_ref());
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: &Arguments) -> miette::Result<()> {
    let config = Config::load(&arguments.config)?;
    let passwords = passwords::read(&config)?;
    let tables = judging::standing(&config)?;
    tables.warnings.iter().for_each(|warning| terminal::tell(warning));
    let kernel = config.fib.as_ref().map(open_kernel).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().into_diagnostic()?;
    runtime.block_on(serve(arguments.config.clone(), Arc::new(config), tables, kernel, passwords))
}

fn open_kernel(fib: &config::Fib) -> miette::Result<Fib<NetlinkKernel>> {
    let config = FibConfig {
        table: fib.table,
        protocol: PALISADE_PROTOCOL,
        metric: fib.metric,
        preferred_source_v4: fib.preferred_source_ipv4,
        preferred_source_v6: fib.preferred_source_ipv6,
    };
    let kernel = NetlinkKernel::open().into_diagnostic().wrap_err("the kernel's routes can't be reached")?;
    Fib::open(kernel, config).into_diagnostic().wrap_err("the kernel's routes can't be kept")
}

async fn serve(
    path: PathBuf,
    config: Arc<Config>,
    tables: Tables,
    kernel: Option<Fib<NetlinkKernel>>,
    passwords: Passwords,
) -> miette::Result<()> {
    let signals = Signals::new().into_diagnostic().wrap_err("signals can't be received")?;
    let claim = claim_socket(&config.control)?;
    let metrics = config.metrics.map(listen_for_metrics).transpose()?;
    let Tables { snapshot, bogons, networks, .. } = tables;
    let snapshot = Arc::new(snapshot);
    let keeper = Keeper::new(Arc::clone(&config), Arc::clone(&snapshot), networks.state().facts);
    let unfinished = claim.as_ref().is_some_and(Claim::is_inherited);
    let mut router = Router::start(&config, snapshot, kernel, &passwords, unfinished)?;
    let (peers, policies) = (keeper.peers(), keeper.policies());
    router.configure(Wanted { config: &config, peers, policies, passwords: &passwords }).await;
    info!(asn = config.router.asn.0, id = %config.router.id, peers = config.peers.len(), "router started");
    let feeds = Feeds::start(&config, keeper.peers(), Read { bogons, networks });
    let feeds = feeds.into_diagnostic().wrap_err("the sources of what is judged by can't be started")?;
    let serving = Serving::new(path, config, keeper, router, feeds, passwords);
    serving.serve(signals, claim, metrics).await;
    Ok(())
}

/// Makes the control socket. One that somebody wrote down has to be there; the router does without the usual one.
fn claim_socket(control: &config::Control) -> miette::Result<Option<Claim>> {
    let Some(path) = &control.socket else { return Ok(None) };
    match Claim::make(path) {
        Ok(claim) => Ok(Some(claim)),
        Err(fault) if control.is_written => Err(fault.into()),
        Err(fault) => {
            warn!(%fault, "there is no control socket: `palisade show` can't ask this router");
            Ok(None)
        }
    }
}

/// Takes the address where metrics are served: the router does not start where it can't have it.
fn listen_for_metrics(address: SocketAddr) -> miette::Result<TcpListener> {
    let words = || format!("metrics can't be served at {address}, as [metrics] has it");
    TcpListener::bind(address).into_diagnostic().wrap_err_with(words)
}
