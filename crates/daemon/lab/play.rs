//! The play, from the router's start to its stop.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{sleep, timeout};

use super::LabError;
use super::cast::{Cast, Material};
use super::expected::Expected;
use super::ground::{self, Ground};
use super::player::{Performance, Player};
use super::scene::{Audience, Scene, SessionScene};
use super::script;
use super::setting::Setting;
use super::stage::Stage;
use super::summary::{Summary, Verified};
use super::view::View;
use crate::control::socket::Claim;
use crate::control::{Answering, Limits, Server};
use crate::judging;
use crate::run::passwords::Passwords;
use crate::run::{Router, Wanted};

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// By when all sessions must be up.
const UP_WITHIN: Duration = Duration::from_secs(15);

/// For how long nothing may happen before the play is over: once everything is played, and is as expected; once everything
/// is played, and is not, or nobody knows what to expect; and in any case.
const QUIET_AS_EXPECTED: Duration = Duration::from_millis(200);
const QUIET: Duration = Duration::from_secs(1);
const QUIET_ANYWAY: Duration = Duration::from_secs(30);

/// How long the kernel may take to list all that it has.
const VERIFIED_WITHIN: Duration = Duration::from_secs(60);

/// How a play ends.
pub(super) enum Ending {
    /// It was played to its end; whether all went as it should.
    Played(bool),
    /// Somebody stopped it.
    Interrupted,
}

/// Plays. `hold` is shown the summary and where the router can be asked, and says whether it is to stay up.
pub(super) fn play(
    ground: &Ground,
    cast: &Cast,
    setting: &Setting,
    expected: Option<&Expected>,
    hold: impl FnOnce(&Summary, Option<&Path>) -> bool,
) -> Result<Ending, LabError> {
    let stage = Stage::build(ground, cast)?;
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().map_err(LabError::Thread)?;
    let ending = runtime.block_on(async {
        let mut signals = Signals::new().map_err(LabError::Thread)?;
        let router = start(ground, setting).await?;
        let ending = match enter(&stage, cast, setting) {
            Ok(performances) => {
                let audience =
                    Audience { cast, router: &router, performances: &performances, began: Instant::now() };
                let end = End { ground, cast, setting, expected, hold };
                end.reach(&audience, &mut signals).await
            }
            Err(error) => Err(LabError::Thread(error)),
        };
        router.stop().await;
        ending
    });
    stage.stop();
    if ending.is_ok() && ground.is_apart() {
        match ground::left_in_kernel().map_err(LabError::Kernel)? {
            0 => {}
            left => return Err(LabError::LeftBehind(left)),
        }
    }
    ending
}

async fn start(ground: &Ground, setting: &Setting) -> Result<Router, LabError> {
    let Setting { config, tables, .. } = setting;
    // The lab writes its own configuration, in which there are none.
    let passwords = Passwords::default();
    let mut router = match ground {
        Ground::Namespaces(_) => Router::start(
            config,
            Arc::clone(tables),
            Some(ground::kernel().map_err(LabError::Fib)?),
            &passwords,
            false,
        )?,
        Ground::Loopback { .. } => Router::start(
            config,
            Arc::clone(tables),
            Some(ground::memory().map_err(LabError::Fib)?),
            &passwords,
            false,
        )?,
    };
    let policies = judging::policies(config, &config.peers, tables, &[]);
    let wanted = Wanted { config, peers: &config.peers, policies: &policies, passwords: &passwords };
    router.configure(wanted).await;
    router.open_gate();
    Ok(router)
}

/// Sends the players on, each with its lines; the listener has none.
fn enter(stage: &Stage, cast: &Cast, setting: &Setting) -> io::Result<Vec<Arc<Performance>>> {
    let lines = script::start(cast)?.into_iter().map(Some).chain([None]);
    let mut performances = Vec::new();
    let players = cast.everybody().zip(&setting.seats).zip(lines).map(|((part, seat), lines)| {
        let performance = Arc::new(Performance::default());
        performances.push(Arc::clone(&performance));
        Player::new(part, cast.local_asn, *seat, lines, performance, stage.curtain())
    });
    stage.start(players.collect());
    Ok(performances)
}

/// What leads to a play's end.
struct End<'a, H> {
    ground: &'a Ground,
    cast: &'a Cast,
    setting: &'a Setting,
    expected: Option<&'a Expected>,
    hold: H,
}

impl<H: FnOnce(&Summary, Option<&Path>) -> bool> End<'_, H> {
    async fn reach(self, audience: &Audience<'_>, signals: &mut Signals) -> Result<Ending, LabError> {
        let mut view = View::new();
        let settled = tokio::select! {
            settled = settle(audience, self.expected, &mut view) => Some(settled),
            () = signals.stop() => None,
        };
        view.clear();
        let Some(settled) = settled else { return Ok(Ending::Interrupted) };
        let took = settled?;
        let verified = verify(audience.router).await;
        let summary = self.sum_up(audience.look(), took, &verified);
        let is_good = summary.is_good();
        let control = self.control(audience.router);
        if (self.hold)(&summary, control.as_ref().map(Server::socket)) {
            signals.stop().await;
        }
        if let Some(control) = control {
            control.stop().await;
        }
        Ok(Ending::Played(is_good))
    }

    /// Lets the router be asked. The lab does without where it can't be.
    fn control(&self, router: &Router) -> Option<Server> {
        let socket = std::env::temp_dir().join(format!("palisade-lab-{}.sock", std::process::id()));
        let answering = Answering::new(
            tokio::sync::watch::channel(Arc::clone(&self.setting.config)).1,
            router.view()?,
            None,
        );
        Server::start(Claim::make(&socket).ok()?, answering, Limits::default()).ok()
    }

    fn sum_up(&self, scene: Scene, took: Duration, verified: &Verified) -> Summary {
        let differences = self.expected.map(|expected| expected.differences(&scene));
        let mut summary = Summary::new(scene, took, self.ground, verified);
        summary.notes.clone_from(&self.setting.notes);
        summary.as_intended = differences.as_ref().map(Vec::is_empty);
        summary.differences = differences.unwrap_or_default();
        if let Material::Sample(_, seed) = self.cast.material {
            summary.seed = Some(seed);
        }
        summary
    }
}

/// Waits until everything is played and nothing happens any more. How long it took, from the first announcement to the last
/// change.
async fn settle(
    audience: &Audience<'_>,
    expected: Option<&Expected>,
    view: &mut View,
) -> Result<Duration, LabError> {
    let (mut seen, mut first, mut last) = (None, None, Instant::now());
    let mut was_up = false;
    loop {
        let scene = audience.look();
        view.show(&scene);
        was_up |= scene.up() == scene.everybody().count();
        if !was_up && scene.elapsed > UP_WITHIN {
            return Err(not_up(&scene));
        }
        if first.is_none() && scene.said().announced > 0 {
            first = Some(last);
        }
        let now = scene.fingerprint();
        if seen.as_ref() != Some(&now) {
            (seen, last) = (Some(now), Instant::now());
        }
        let quiet = match (scene.is_played(), expected) {
            (true, Some(expected)) if expected.differences(&scene).is_empty() => QUIET_AS_EXPECTED,
            (true, _) => QUIET,
            (false, _) => QUIET_ANYWAY,
        };
        if was_up && last.elapsed() >= quiet {
            return Ok(last - first.unwrap_or(last));
        }
        sleep(LOOK_EVERY).await;
    }
}

fn not_up(scene: &Scene) -> LabError {
    let down: Vec<&SessionScene> = scene.everybody().filter(|session| !session.is_up()).collect();
    let sessions = down.iter().map(|session| session.name.as_str()).collect::<Vec<_>>().join(", ");
    let faults: BTreeSet<&str> = down.iter().filter_map(|session| session.fault.as_deref()).collect();
    let faults = faults.into_iter().collect::<Vec<_>>().join("; ");
    LabError::NotUp { seconds: UP_WITHIN.as_secs(), sessions, faults }
}

async fn verify(router: &Router) -> Verified {
    match timeout(VERIFIED_WITHIN, router.verify_fib()).await {
        Ok(Some(Ok(agreement))) => Ok(agreement),
        Ok(Some(Err(error))) => Err(error.to_string()),
        Ok(None) => Err("the FIB has ended".into()),
        Err(_) => Err(format!("no answer came within {} s", VERIFIED_WITHIN.as_secs())),
    }
}

/// What ends the play early.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
