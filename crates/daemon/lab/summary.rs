//! What the lab came to, for a person and for a program: both print the same [`Summary`].

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use palisade_fib::{Agreement, FibStats};
use palisade_policy::{PerReason, Reason};
use serde::Serialize;

use super::ground::Ground;
use super::scene::{ROV_ORDER, Scene, SessionScene, by_frequency};
use super::view::{Sessions, a_second, counted};
use crate::terminal::grouped;

/// Columns that text takes at most, however wide the terminal is.
const WIDEST: usize = 120;

/// Columns from which on reasons and sentences stand side by side.
const ROOMY: usize = 100;

/// The numbers of a play.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// The seed of the sample; none for archives.
    pub(super) seed: Option<u64>,
    namespaces: bool,
    /// Why not.
    without_namespaces_because: Option<String>,
    seconds: f64,
    routes_per_second: u64,
    announcements: u64,
    withdrawals: u64,
    sessions_up: usize,
    sessions: Vec<Session>,
    held: i64,
    accepted: i64,
    rejected: i64,
    rejected_by: BTreeMap<&'static str, i64>,
    observed: BTreeMap<&'static str, i64>,
    rov: BTreeMap<&'static str, i64>,
    listener: Listener,
    kernel: Kernel,
    /// Whether it is as the sample's author meant; none for other material.
    pub(super) as_intended: Option<bool>,
    pub(super) differences: Vec<String>,
    pub(super) notes: Vec<String>,
    #[serde(skip)]
    scene: Scene,
}

#[derive(Debug, Serialize)]
struct Session {
    name: String,
    asn: u32,
    role: &'static str,
    up: bool,
    announced: u64,
    withdrawn: u64,
    held: i64,
    accepted: i64,
    rejected: i64,
    rejected_by: BTreeMap<&'static str, i64>,
    fault: Option<String>,
}

/// What the listener was told.
#[derive(Debug, Serialize)]
struct Listener {
    announcements: u64,
    withdrawals: u64,
    prefixes: u64,
}

#[derive(Debug, Serialize)]
struct Kernel {
    in_memory: bool,
    routes: usize,
    /// Routes whose next hop is on no link.
    unresolved: usize,
    /// Routes that the kernel would not take.
    refused: usize,
    agrees: bool,
    /// What is not as it should be.
    disagreement: Option<String>,
}

/// How the kernel answered, or why it did not.
pub(super) type Verified = Result<Agreement, String>;

impl Summary {
    /// What is seen in the end, after `took`.
    pub(super) fn new(scene: Scene, took: Duration, ground: &Ground, verified: &Verified) -> Self {
        let (said, tally) = (scene.said(), scene.tally());
        let [announcements, withdrawals, prefixes] = scene.listener.heard;
        let because = match ground {
            Ground::Namespaces(_) => None,
            Ground::Loopback { because } => Some(because.clone()),
        };
        Summary {
            seed: None,
            namespaces: because.is_none(),
            seconds: took.as_secs_f64(),
            routes_per_second: a_second(said.announced, took),
            announcements: said.announced,
            withdrawals: said.withdrawn,
            sessions_up: scene.up(),
            sessions: scene.everybody().map(Session::new).collect(),
            held: tally.received_total(),
            accepted: tally.accepted_total(),
            rejected: tally.rejected_total(),
            rejected_by: by_reason(&tally.rejected),
            observed: by_reason(&tally.observed),
            rov: ROV_ORDER.into_iter().map(|state| (state.slug(), tally.rov[state as usize])).collect(),
            listener: Listener { announcements, withdrawals, prefixes },
            kernel: Kernel::new(because.is_some(), &scene.kernel, verified),
            without_namespaces_because: because,
            as_intended: None,
            differences: Vec::new(),
            notes: Vec::new(),
            scene,
        }
    }

    /// Whether everything went as it should.
    pub(super) fn is_good(&self) -> bool {
        self.kernel.agrees
            && self.as_intended != Some(false)
            && self.sessions.iter().all(|session| session.up)
    }
}

impl Session {
    fn new(scene: &SessionScene) -> Self {
        let SessionScene { name, asn, role, said, tally, fault, .. } = scene;
        Session {
            name: name.clone(),
            asn: asn.0,
            role: role.slug(),
            up: scene.is_up(),
            announced: said.announced,
            withdrawn: said.withdrawn,
            held: tally.received_total(),
            accepted: tally.accepted_total(),
            rejected: tally.rejected_total(),
            rejected_by: by_reason(&tally.rejected),
            fault: fault.clone().filter(|_| !scene.is_up()),
        }
    }
}

impl Kernel {
    fn new(in_memory: bool, stats: &FibStats, verified: &Verified) -> Self {
        let disagreement = match verified {
            Ok(agreement) if agreement.agrees() => None,
            Ok(agreement) => Some(disagreement(agreement)),
            Err(why) => Some(why.clone()),
        };
        Kernel {
            in_memory,
            routes: verified.as_ref().map_or(stats.installed, |agreement| agreement.agreed),
            unresolved: stats.unresolved,
            refused: stats.refused,
            agrees: disagreement.is_none(),
            disagreement,
        }
    }
}

fn disagreement(agreement: &Agreement) -> String {
    let Agreement { missing, foreign, differing, pending, refused, whole, .. } = agreement;
    let parts = [
        (missing.count, "missing"),
        (foreign.count, "that nobody asked for"),
        (differing.count, "to another next hop"),
        (*pending, "still on their way"),
        (*refused, "refused"),
        (usize::from(!whole), "changed while they were listed"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    format!("routes {}", parts.join(", "))
}

fn by_reason(counts: &PerReason<i64>) -> BTreeMap<&'static str, i64> {
    by_frequency(counts).into_iter().map(|(reason, count)| (reason.slug(), count)).collect()
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head(f)?;
        write!(f, "\n{}\n", Sessions(&self.scene))?;
        self.rejected(f)?;
        self.rpki(f)?;
        writeln!(f)?;
        let told = [self.faults(), vec![self.listened(), self.kernel()], self.intended(), self.notes.clone()];
        told.concat().iter().try_for_each(|sentence| writeln!(f, "{}", wrapped(sentence, "")))
    }
}

impl Summary {
    fn head(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = format!(
            "{} and {} over {}, judged and installed in {:.2} s: {} routes a second.",
            some(self.announcements, "announcement", "s"),
            some(self.withdrawals, "withdrawal", "s"),
            some(self.scene.sessions.len() as u64, "session", "s"),
            self.seconds,
            grouped(self.routes_per_second),
        );
        writeln!(f, "{}", wrapped(&sentence, ""))
    }

    fn rejected(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = self.scene.tally();
        let (rejected, observed) = (by_frequency(&tally.rejected), by_frequency(&tally.observed));
        if rejected.is_empty() {
            writeln!(f, "Nothing is rejected.")?;
        } else {
            let (rejected, held) = (counted(self.rejected), counted(self.held));
            writeln!(f, "{rejected} of {held} paths held are rejected, and kept with their reason:")?;
        }
        rejected.iter().try_for_each(|(reason, count)| why(f, *reason, *count))?;
        if !observed.is_empty() {
            writeln!(f, "\nNot enforced for their peers, but seen:")?;
        }
        observed.iter().try_for_each(|(reason, count)| why(f, *reason, *count))?;
        writeln!(f)
    }

    fn rpki(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let states = ROV_ORDER.map(|state| {
            let count = self.rov.get(state.slug()).copied().unwrap_or_default();
            format!("{} {state} ({:.1}%)", counted(count), share(count, self.held))
        });
        writeln!(f, "{}", wrapped(&format!("RPKI: {}.", states.join(", ")), ""))
    }

    /// Sessions that are not up.
    fn faults(&self) -> Vec<String> {
        let down = self.sessions.iter().filter(|session| !session.up);
        let told = down.map(|session| {
            let why = session.fault.as_deref().unwrap_or("nobody says why");
            format!("The session with {} is down: {why}.", session.name)
        });
        told.collect()
    }

    fn listened(&self) -> String {
        let Listener { announcements, withdrawals, prefixes } = self.listener;
        // The router has no IPv6 address on the loopback to be the next hop.
        let prefix = if self.namespaces { "prefix" } else { "IPv4 prefix" };
        format!(
            "The listener, a customer, is told of the best of them: {}, after {} and {}.",
            some(prefixes, prefix, "es"),
            some(announcements, "announcement", "s"),
            some(withdrawals, "withdrawal", "s")
        )
    }

    fn kernel(&self) -> String {
        let Kernel { in_memory, routes, unresolved, ref disagreement, .. } = self.kernel;
        let kernel = if in_memory { "The kernel in memory" } else { "The kernel" };
        let routes = grouped(routes as u64);
        let unresolved = match unresolved {
            0 => String::new(),
            count => format!(" {} more have a next hop that is on no link.", grouped(count as u64)),
        };
        match disagreement {
            None => format!("{kernel} agrees: {routes} routes, each as it should be.{unresolved}"),
            Some(what) => {
                format!("{kernel} DISAGREES: {what}; {routes} routes are as they should be.{unresolved}")
            }
        }
    }

    fn intended(&self) -> Vec<String> {
        let but = match self.namespaces {
            true => ", peer by peer and reason by reason",
            false => ", but for next-hop-foreign: on the loopback no next hop is anybody's own",
        };
        match self.as_intended {
            None => Vec::new(),
            Some(true) => vec![format!("All is as the sample's author intended{but}.")],
            Some(false) => {
                let first = "It is NOT as the sample's author intended:".to_owned();
                let differences = self.differences.iter().map(|difference| format!("  {difference}"));
                [first].into_iter().chain(differences).collect()
            }
        }
    }
}

/// A number of things; `plural` is what is added to one thing's name.
pub(super) fn some(count: u64, thing: &str, plural: &str) -> String {
    format!("{} {thing}{}", grouped(count), if count == 1 { "" } else { plural })
}

/// A row: how many, the reason, what it means. In columns, where there is room for them.
fn why(f: &mut fmt::Formatter<'_>, reason: Reason, count: i64) -> fmt::Result {
    let longest = Reason::ALL.iter().map(|reason| reason.slug().len()).max().unwrap_or_default();
    let (slug, sentence) = (reason.slug(), reason.sentence());
    let count = format!("{:>7}  ", counted(count));
    let (head, indent) = match width() >= ROOMY {
        true => (format!("{count}{slug:longest$}  "), count.len() + longest + 2),
        false => (format!("{count}{slug}: "), count.len()),
    };
    writeln!(f, "{}", wrapped(&(head + sentence), &" ".repeat(indent)))
}

/// Columns of the terminal, or those that one would have.
fn width() -> usize {
    textwrap::termwidth().min(WIDEST)
}

/// A sentence in lines as wide as the terminal, those after the first indented.
pub(super) fn wrapped(sentence: &str, indent: &str) -> String {
    textwrap::fill(sentence, textwrap::Options::new(width()).subsequent_indent(indent))
}

fn share(count: i64, of: i64) -> f64 {
    if of > 0 { count as f64 / of as f64 * 100.0 } else { 0.0 }
}
