//! The daemons that can be measured: for each its program, the configuration it is given, and how it is told of another.
//!
//! All get the same: passive sessions, a hold time of 240 s, every check off that not all of them make, and in an edge
//! router's load nothing sent to providers. Where a daemon can't do what a load asks, it is left out of it.

mod bird2;
mod floor;
mod frr;
mod gobgp;
mod openbgpd;
mod palisade;

use std::path::{Path, PathBuf};

use crate::load::{Load, News};
use crate::oracle::Rigor;
use crate::problem::Problem;

/// What a daemon is configured for.
#[derive(Clone, Debug)]
pub(crate) struct Setting<'a> {
    /// A folder of its own.
    pub(crate) dir: &'a Path,
    /// What will be played.
    pub(crate) load: &'a Load,
    /// A file of VRPs that it judges by.
    pub(crate) vrps: Option<&'a Path>,
    /// Whether every route but the probe's is refused.
    pub(crate) refuses_all: bool,
}

impl Setting<'_> {
    /// Whether routes are validated, by VRPs from a file or from a cache.
    fn validates(&self) -> bool {
        self.vrps.is_some() || self.load.news == News::Vrps
    }
}

/// How a daemon is told that its configuration has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reload {
    /// It isn't: this daemon takes no part in such phases.
    None,
    /// By SIGHUP.
    Hangup,
    /// By running a command beside it.
    Command(Vec<String>),
}

/// One daemon.
pub(crate) trait Daemon {
    /// What it is called, here and in the table.
    fn name(&self) -> &'static str;
    /// Its program.
    fn program(&self) -> PathBuf;
    /// What may be asked of it.
    fn rigor(&self) -> Rigor {
        Rigor::Exact
    }
    /// Why it can't take part in a load, where it can't.
    fn declines(&self, _load: &Load) -> Option<&'static str> {
        None
    }
    /// Whether it gets its VRPs by RTR, and not from a file.
    fn needs_cache(&self) -> bool {
        true
    }
    /// Writes its configuration.
    fn configure(&self, setting: &Setting<'_>) -> Result<(), Problem>;
    /// The command that runs it in the foreground.
    fn command(&self, setting: &Setting<'_>) -> Vec<String>;
    /// How it learns of another configuration.
    fn reload(&self, _setting: &Setting<'_>) -> Reload {
        Reload::None
    }
}

/// Where programs are that are named on the command line or not at all.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    /// Palisade.
    pub(crate) palisade: PathBuf,
    /// This harness itself, which is also the floor.
    pub(crate) harness: PathBuf,
}

/// All that there are, the floor first.
pub(crate) const NAMES: [&str; 7] = ["floor", "palisade", "bird2", "bird2-keeps", "frr", "openbgpd", "gobgp"];

/// The daemon of a name.
pub(crate) fn named(name: &str, programs: &Programs) -> Option<Box<dyn Daemon>> {
    Some(match name {
        "floor" => Box::new(floor::Floor(programs.harness.clone())),
        "palisade" => Box::new(palisade::Palisade(programs.palisade.clone())),
        "bird2" => Box::new(bird2::Bird2 { keeps: false }),
        "bird2-keeps" => Box::new(bird2::Bird2 { keeps: true }),
        "frr" => Box::new(frr::Frr),
        "openbgpd" => Box::new(openbgpd::OpenBgpd),
        "gobgp" | "gobgpd" => Box::new(gobgp::GoBgp),
        _ => return None,
    })
}

fn write(setting: &Setting<'_>, name: &str, text: &str) -> Result<(), Problem> {
    let path = setting.dir.join(name);
    std::fs::write(&path, text).map_err(Problem::file(&path))
}

fn path(setting: &Setting<'_>, name: &str) -> String {
    setting.dir.join(name).display().to_string()
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}
