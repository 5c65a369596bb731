//! `[control]`, `[looking_glass]` and `[metrics]`: how a running router is asked, and in which words it answers.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use palisade_policy::RejectScheme;
use toml::Spanned;

use super::problem::Fault;
use super::section::{Field, Section};
use super::value;

/// The control socket, unless another is named.
pub(crate) const CONTROL_SOCKET: &str = "/run/palisade/control.sock";

/// Octets of a socket's name: the kernel has room for 108, the last of which is 0 (unix(7)).
const MOST_OCTETS: usize = 107;

/// How a running router is asked.
#[derive(Debug)]
pub(crate) struct Control {
    /// The socket; `None` where there is none.
    pub(crate) socket: Option<PathBuf>,
    /// Whether somebody wrote that: then the router does not start without it.
    pub(crate) is_written: bool,
}

impl Default for Control {
    fn default() -> Self {
        Control { socket: Some(CONTROL_SOCKET.into()), is_written: false }
    }
}

/// What the looking glass shows.
#[derive(Debug, Default)]
pub(crate) struct LookingGlass {
    /// How the reasons of rejected routes are written as communities.
    pub(crate) reject_communities: RejectScheme,
}

/// Reads where metrics are served.
pub(super) fn metrics(mut section: Section<'_>) -> Option<SocketAddr> {
    let listen = section.required("listen", "\"127.0.0.1:9179\"", value::socket);
    section.end();
    listen.map(Spanned::into_inner)
}

pub(super) fn control(mut section: Section<'_>, folder: &Path) -> Control {
    let socket = section.optional("socket", |field| socket(field, folder)).map(Spanned::into_inner);
    section.end();
    socket.map_or_else(Control::default, |socket| Control { socket, is_written: true })
}

pub(super) fn looking_glass(mut section: Section<'_>) -> LookingGlass {
    let words = RejectScheme::ALL.map(|scheme| (scheme.slug(), scheme));
    let scheme = section.optional("reject_communities", |field| value::word(field, &words));
    section.end();
    LookingGlass { reject_communities: scheme.map(Spanned::into_inner).unwrap_or_default() }
}

fn socket(field: Field<'_>, folder: &Path) -> Result<Option<PathBuf>, Fault> {
    if field.text()? == "off" {
        return Ok(None);
    }
    let path = value::path(field, folder)?;
    match path.as_os_str().len() {
        0..=MOST_OCTETS => Ok(Some(path)),
        octets => Err(field
            .not(&format!("the name of a socket has {MOST_OCTETS} octets at most, and this one has {octets}"))
            .help(format!("write a shorter one, like `{CONTROL_SOCKET}`, or `off`"))),
    }
}
