//! `palisade show`: asks the running router, and prints what it says.
//!
//! Text is for people: columns that line up, in the words that other daemons' users know. `--json` is for programs: an
//! array, or one object where one thing was asked for, with the keys of [`crate::control::answer`]. An answer that was
//! cut off fails, and leaves JSON that does not parse.

mod feeds;
mod peers;
mod routes;
mod summary;
pub(crate) mod text;

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::config::CONTROL_SOCKET;
use crate::control::answer::{EndLine, Line};
use crate::control::client::{Answer, AskError, Heard};
use crate::control::request::Request;
use crate::terminal;

/// What `show` is asked on the command line.
#[derive(Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
    /// The control socket of the router
    #[arg(long, value_name = "FILE", default_value = CONTROL_SOCKET, global = true)]
    socket: PathBuf,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum What {
    /// How the router is: uptime, sessions, prefixes, paths, the kernel's routes
    Summary,
    /// The peers: their sessions, and what became of their routes
    Peers(peers::Arguments),
    /// Where VRPs, ASPAs, route objects and the like come from, and how it stands with each source
    Feeds,
    /// All numbers, as Prometheus reads them; `[metrics]` serves them over HTTP
    Metrics,
    /// The routes that peers announce, rejected ones too, with the reason
    Routes(routes::Arguments),
}

/// Why nothing, or not everything, was shown.
#[derive(Debug)]
enum ShowError {
    Ask(AskError),
    /// Whoever reads the output has seen enough.
    Closed,
}

impl From<AskError> for ShowError {
    fn from(error: AskError) -> Self {
        ShowError::Ask(error)
    }
}

impl From<io::Error> for ShowError {
    fn from(_: io::Error) -> Self {
        ShowError::Closed
    }
}

/// Asks, and prints the answer.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let mut out = BufWriter::new(io::stdout().lock());
    let shown = match &arguments.what {
        What::Summary => summary::show(arguments, &mut out),
        What::Peers(what) => peers::show(arguments, what, &mut out),
        What::Metrics => metrics(arguments, &mut out),
        What::Feeds => feeds::show(arguments, &mut out),
        What::Routes(what) => routes::show(arguments, what, &mut out),
    };
    match shown.and_then(|()| Ok(out.flush()?)) {
        Ok(()) | Err(ShowError::Closed) => ExitCode::SUCCESS,
        Err(ShowError::Ask(error)) => {
            // What came before the error is shown before it.
            let _ = out.flush();
            terminal::tell(&error);
            ExitCode::FAILURE
        }
    }
}

/// The metrics have a form of their own, which `--json` does not change.
fn metrics(arguments: &Arguments, out: &mut impl Write) -> Result<(), ShowError> {
    ask(arguments, &Request::Metrics, |line| {
        let Line::Metrics(part) = line else { return Err(unasked()) };
        Ok(out.write_all(part.text.as_bytes())?)
    })?;
    Ok(())
}

/// Asks, and hands over every line of the answer.
fn ask(
    arguments: &Arguments,
    request: &Request,
    mut take: impl FnMut(Line) -> Result<(), ShowError>,
) -> Result<EndLine, ShowError> {
    let mut answer = Answer::to(request, &arguments.socket)?;
    loop {
        match answer.next()? {
            Heard::Line(line) => take(line)?,
            Heard::End(end) => return Ok(end),
        }
    }
}

/// That a line is not one of those that were asked for.
fn unasked() -> ShowError {
    ShowError::Ask(AskError::Strange("it is about something else".into()))
}

/// An array of JSON, an element a line, written as it comes.
struct Array<'a, W> {
    out: &'a mut W,
    is_empty: bool,
}

impl<'a, W: Write> Array<'a, W> {
    fn new(out: &'a mut W) -> Self {
        Array { out, is_empty: true }
    }

    fn push(&mut self, element: &impl Serialize) -> io::Result<()> {
        self.out.write_all(if self.is_empty { b"[\n" } else { b",\n" })?;
        self.is_empty = false;
        Ok(serde_json::to_writer(&mut *self.out, element)?)
    }

    fn end(self) -> io::Result<()> {
        self.out.write_all(if self.is_empty { b"[]\n" } else { b"\n]\n" })
    }
}

/// One object of JSON.
fn print_json(out: &mut impl Write, object: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, object)?;
    writeln!(out)
}
