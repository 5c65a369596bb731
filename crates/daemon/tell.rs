//! `palisade reload` and `palisade confirm`: what a running router is told to do, and how that went.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::config::CONTROL_SOCKET;
use crate::control::answer::{DoneLine, Line, NOT_DONE};
use crate::control::client::{Answer, AskError, Heard};
use crate::control::command::Reloaded;
use crate::control::request::Request;
use crate::terminal;

/// Where the router is.
#[derive(clap::Args)]
struct Socket {
    /// The control socket of the router
    #[arg(long, value_name = "FILE", default_value = CONTROL_SOCKET)]
    socket: PathBuf,
}

/// What `reload` is asked on the command line.
#[derive(clap::Args)]
pub(crate) struct ReloadArguments {
    #[command(flatten)]
    to: Socket,
}

/// What `confirm` is asked on the command line.
#[derive(clap::Args)]
pub(crate) struct ConfirmArguments {
    /// The source, as `palisade show feeds` names it
    source: String,
    #[command(flatten)]
    to: Socket,
}

/// Has the router read its configuration again.
pub(crate) fn reload(arguments: &ReloadArguments) -> ExitCode {
    tell(&Request::Reload, &arguments.to)
}

/// Has the router believe what a source says, however much that changes.
pub(crate) fn confirm(arguments: &ConfirmArguments) -> ExitCode {
    tell(&Request::Confirm { feed: arguments.source.clone() }, &arguments.to)
}

fn tell(request: &Request, to: &Socket) -> ExitCode {
    match ask(request, to) {
        Ok(done) => {
            terminal::print(&words(done));
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

fn ask(request: &Request, to: &Socket) -> Result<DoneLine, AskError> {
    let mut answer = Answer::to(request, &to.socket)?;
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
