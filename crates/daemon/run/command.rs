//! `palisade run --config FILE`: from a configuration file to a running router, and what signals do to it.
//!
//! SIGTERM and SIGINT end the sessions with a Cease and take our routes out of the kernel. SIGHUP reads the VRP files
//! again: only the routes that the difference touches are judged again, and nobody is asked for a route refresh. A file
//! that can't be read changes nothing. SIGUSR1 lists the kernel's routes and says whether they are those that they
//! should be.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use miette::{IntoDiagnostic, WrapErr};
use palisade_fib::{Fib, FibConfig, NetlinkKernel, PALISADE_PROTOCOL};
use palisade_policy::{RovIndex, Snapshot};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{Level, error, info, warn};

use super::Router;
use crate::CONFIG;
use crate::config::{self, Config};
use crate::control::socket::Claim;
use crate::control::{self, Answering};
use crate::judging;
use crate::judging::tables::{TableError, read_vrps};
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
    let judging::Tables { snapshot, warnings } = judging::tables(&config)?;
    warnings.iter().for_each(|warning| terminal::tell(warning));
    let tables = Arc::new(snapshot);
    info!(
        vrps = tables.rov.len(),
        route_objects = tables.irr.len(),
        peers = config.peers.len(),
        "tables loaded"
    );
    let kernel = config.fib.as_ref().map(open_kernel).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().into_diagnostic()?;
    runtime.block_on(serve(&config, tables, kernel))
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
    config: &Config,
    tables: Arc<Snapshot>,
    kernel: Option<Fib<NetlinkKernel>>,
) -> miette::Result<()> {
    let mut signals = Signals::new().into_diagnostic().wrap_err("signals can't be received")?;
    let claim = claim_socket(&config.control)?;
    let router = Router::start(config, Arc::clone(&tables), kernel)?;
    let control = claim.and_then(|claim| answer_at(claim, config, &router));
    info!(asn = config.router.asn.0, id = %config.router.id, "router started");
    let mut tables = tables;
    loop {
        match signals.next().await {
            Asked::Reload => tables = reload(config, tables, &router).await,
            Asked::Verify => verify(&router).await,
            Asked::Stop => break,
        }
    }
    info!("stopping");
    if let Some(control) = control {
        control.stop().await;
    }
    router.stop().await;
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

fn answer_at(claim: Claim, config: &Config, router: &Router) -> Option<control::Server> {
    let answering = Answering::new(config, router.view()?);
    match control::Server::start(claim, answering, control::Limits::default()) {
        Ok(server) => Some(server),
        Err(fault) => {
            error!(%fault, "the control socket can't be listened at");
            None
        }
    }
}

/// Has everything that new VRPs touch judged again, and says which tables hold from then on.
async fn reload(config: &Config, tables: Arc<Snapshot>, router: &Router) -> Arc<Snapshot> {
    match read_vrps_again(config, &tables) {
        Ok(new) => {
            let changed = tables.rov.changed_ranges(&new.rov);
            info!(
                vrps = new.rov.len(),
                changed = changed.len(),
                generation = new.generation,
                "VRPs read again"
            );
            let new = Arc::new(new);
            router.replace_tables(Arc::clone(&new), changed).await;
            new
        }
        Err(fault) => {
            error!(%fault, "VRPs could not be read again: the old ones stay");
            tables
        }
    }
}

/// The tables with the VRPs that the files hold now.
fn read_vrps_again(config: &Config, tables: &Snapshot) -> Result<Snapshot, TableError> {
    let mut vrps = Vec::new();
    for file in &config.rpki.files {
        vrps.extend(read_vrps(file.get_ref())?.vrps);
    }
    let rov = Arc::new(RovIndex::build(vrps));
    Ok(Snapshot { generation: tables.generation + 1, rov, ..tables.clone() })
}

/// Says in the log whether the kernel holds what it should.
async fn verify(router: &Router) {
    match router.verify_fib().await {
        None => info!("there is no [fib]: no kernel routes to compare"),
        Some(Err(fault)) => error!(%fault, "the kernel's routes could not be listed"),
        Some(Ok(found)) if found.agrees() => {
            info!(routes = found.agreed, unresolved = found.unresolved, "the kernel agrees");
        }
        Some(Ok(found)) => warn!(
            agreed = found.agreed,
            missing = found.missing.count,
            foreign = found.foreign.count,
            differing = found.differing.count,
            pending = found.pending,
            refused = found.refused,
            unresolved = found.unresolved,
            "the kernel does not agree; what differs is being put right"
        ),
    }
}

/// What a signal asks for.
enum Asked {
    Reload,
    Verify,
    Stop,
}

/// The signals that mean something.
struct Signals {
    reload: Signal,
    verify: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Signals {
            reload: signal(SignalKind::hangup())?,
            verify: signal(SignalKind::user_defined1())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.reload.recv() => Asked::Reload,
            _ = self.verify.recv() => Asked::Verify,
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
        }
    }
}
