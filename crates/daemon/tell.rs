//! `palisade reload`, `palisade confirm` and `palisade peer`: what a running router is told to do, and how that went.
//!
//! With `--json` what was done is an object on standard output. What was not done is told in words on standard error, and fails.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use crate::config::CONTROL_SOCKET;
use crate::control::answer::{DoneLine, Line, NOT_DONE};
use crate::control::client::{Answer, AskError, Heard};
use crate::control::command::Reloaded;
use crate::control::request::Request;
use crate::run::Order;
use crate::terminal;

/// Where the router is, and how it is told what came of it.
#[derive(clap::Args)]
struct Asking {
    /// The control socket of the router
    #[arg(long, value_name = "FILE", default_value = CONTROL_SOCKET)]
    socket: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// An order that is obeyed, as JSON.
#[derive(Serialize)]
struct Obeyed<'a> {
    peer: &'a str,
    order: &'static str,
    /// What the peer's operators are told.
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
}

/// A source that is believed, as JSON.
#[derive(Serialize)]
struct Believed<'a> {
    source: &'a str,
}

/// What `reload` is asked on the command line.
#[derive(clap::Args)]
pub(crate) struct ReloadArguments {
    #[command(flatten)]
    asking: Asking,
}

/// What `confirm` is asked on the command line.
#[derive(clap::Args)]
pub(crate) struct ConfirmArguments {
    /// The source, as `palisade show feeds` names it
    source: String,
    #[command(flatten)]
    asking: Asking,
}

/// What `peer` is asked on the command line.
#[derive(clap::Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct PeerArguments {
    #[command(subcommand)]
    what: PeerOrder,
}

#[derive(clap::Subcommand)]
enum PeerOrder {
    /// End its session, and keep it down until the peer is enabled
    Disable(WithWords),
    /// Let its session begin, whatever kept it down
    Enable(OfPeer),
    /// End its session, and let it begin anew at once
    Reset(WithWords),
    /// Ask it for all its routes again, or send it ours again; the session stays up
    Refresh {
        #[command(flatten)]
        of: OfPeer,
        /// Send it our routes again instead
        #[arg(long)]
        out: bool,
    },
}

/// Whose session.
#[derive(clap::Args)]
struct OfPeer {
    /// The peer, as `palisade show peers` names it
    name: String,
    #[command(flatten)]
    asking: Asking,
}

/// Whose session, and what the peer is told as it ends.
#[derive(clap::Args)]
struct WithWords {
    #[command(flatten)]
    of: OfPeer,
    /// What the peer's operators are told: up to 255 octets (RFC 9003)
    #[arg(long, value_name = "WORDS", default_value = "", hide_default_value = true)]
    message: String,
}

/// Has the router do something about a peer's session.
pub(crate) fn peer(arguments: &PeerArguments) -> ExitCode {
    let (of, order) = match &arguments.what {
        PeerOrder::Disable(WithWords { of, message }) => (of, Order::Disable(message.clone())),
        PeerOrder::Enable(of) => (of, Order::Enable),
        PeerOrder::Reset(WithWords { of, message }) => (of, Order::Reset(message.clone())),
        PeerOrder::Refresh { of, out: false } => (of, Order::RefreshIn),
        PeerOrder::Refresh { of, out: true } => (of, Order::RefreshOut),
    };
    let done = match order {
        Order::Disable(_) => "The session has ended, and stays down until `palisade peer enable`.\n",
        Order::Enable => "The session may begin.\n",
        Order::Reset(_) => "The session has ended, and begins anew.\n",
        Order::RefreshIn => "The peer is asked for all its routes again.\n",
        Order::RefreshOut => "The peer is sent all our routes again.\n",
    };
    let request = Request::Peer { name: of.name.clone(), order: order.clone() };
    tell(&request, &of.asking, |_| {
        let obeyed = Obeyed { peer: &of.name, order: order.slug(), message: order.words() };
        (done.into(), json(&obeyed))
    })
}

/// Has the router read its configuration again.
pub(crate) fn reload(arguments: &ReloadArguments) -> ExitCode {
    tell(&Request::Reload, &arguments.asking, |done| {
        let object = match &done {
            DoneLine::Reloaded(reloaded) => json(reloaded),
            other => json(other),
        };
        (words(done), object)
    })
}

/// Has the router believe what a source says, however much that changes.
pub(crate) fn confirm(arguments: &ConfirmArguments) -> ExitCode {
    let source = &arguments.source;
    tell(&Request::Confirm { feed: source.clone() }, &arguments.asking, |done| {
        (words(done), json(&Believed { source }))
    })
}

/// Tells the router, and prints what came of it: `told` says it in words, and as JSON.
fn tell(request: &Request, asking: &Asking, told: impl FnOnce(DoneLine) -> (String, String)) -> ExitCode {
    match ask(request, asking) {
        Ok(done) => {
            let (words, object) = told(done);
            terminal::print(if asking.json { &object } else { &words });
            ExitCode::SUCCESS
        }
        // What keeps the router from it is told as it tells it itself.
        Err(AskError::Refused(refusal)) if refusal.kind == NOT_DONE => {
            terminal::remark(refusal.message.trim_end());
            ExitCode::FAILURE
        }
        Err(error) => {
            terminal::tell(&error);
            ExitCode::FAILURE
        }
    }
}

/// An object of JSON. What is told has string keys alone, so that this can't fail.
fn json(object: &impl Serialize) -> String {
    serde_json::to_string_pretty(object).unwrap_or_default() + "\n"
}

fn ask(request: &Request, asking: &Asking) -> Result<DoneLine, AskError> {
    let mut answer = Answer::to(request, &asking.socket)?;
    let mut done = None;
    loop {
        match answer.next()? {
            Heard::Line(Line::Done(line)) => done = Some(line),
            Heard::Line(_) => return Err(AskError::Strange("it is about something else".into())),
            Heard::End(_) => return done.ok_or_else(|| AskError::Strange("it says nothing".into())),
        }
    }
}

fn words(done: DoneLine) -> String {
    match done {
        DoneLine::Ordered => "It is done.\n".into(),
        DoneLine::Confirmed => "It counts from now on.\n".into(),
        DoneLine::Reloaded(Reloaded { generation, started, stopped, restarted }) => {
            let sessions = match (started, stopped, restarted) {
                (0, 0, 0) => "no session was touched".into(),
                _ => format!("peers: {started} new, {stopped} gone, {restarted} with a new session"),
            };
            format!("The configuration holds from now on (generation {generation}); {sessions}.\n")
        }
    }
}
