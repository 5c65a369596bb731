//! How a peer's TCP connections are guarded and how far they reach: MD5 signatures, hops, time-outs.
//!
//! | key | what | default |
//! |---|---|---|
//! | `md5_password`, `md5_password_file` | every segment is signed (RFC 2385) | no signatures |
//! | `multihop` | how many hops away the peer is | 1; an internal peer may be anywhere |
//! | `ttl_security` | packets from farther away are dropped unread (RFC 5082) | `false` |
//! | `tcp_user_timeout` | how long what was sent may stay unacknowledged (RFC 5482) | the kernel's patience |
//!
//! The two passwords are one thing, written here or in a file, so that a configuration can be shown to others. A password
//! that can't be read keeps the router from taking the configuration: it never does without one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use palisade_policy::Role;
use toml::Spanned;

use super::Peer;
use crate::config::problem::{Fault, Problems};
use crate::config::section::{Field, Section};
use crate::config::value;
use crate::secret::Secret;

/// Octets that a password may have: the kernel has room for so many (`TCP_MD5SIG_MAXKEYLEN`), as RFC 2385 s4.5 asks.
pub(crate) const MOST_PASSWORD_OCTETS: usize = 80;

/// What `tcp_user_timeout` may be. Below a second a lost segment or two would end the session.
const USER_TIMEOUTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3600));

/// How a peer's TCP connections are guarded and how far they reach.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    /// What segments are signed with; `None` where they are not.
    pub(crate) md5: Option<Password>,
    /// How many hops away the peer is at most; `None` where that does not matter.
    pub(crate) hops: Option<u8>,
    /// Whether packets that may have come over more hops are dropped.
    pub(crate) ttl_security: bool,
    /// How long what was sent may stay unacknowledged; `None` where that is left to the kernel.
    pub(crate) user_timeout: Option<Duration>,
}

/// A password, or where it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Password {
    /// It is written.
    Written(Secret),
    /// It is in a file.
    InFile(Spanned<PathBuf>),
}

/// Reads the keys.
pub(super) fn transport(section: &mut Section<'_>, role: Option<Role>, folder: &Path) -> Transport {
    let md5 = md5(section, folder);
    let multihop = section.optional("multihop", hops).map(Spanned::into_inner);
    let security = section.optional("ttl_security", |field| field.boolean());
    let ttl_security = security.as_ref().is_some_and(|security| *security.get_ref());
    if let Some(security) = security.filter(|_| ttl_security && multihop.is_none())
        && role == Some(Role::Internal)
    {
        let fault = Fault::new("how far away may this internal peer be?", "farther is dropped");
        let help = "write `multihop = 1` where it is on a link of ours, or how many hops away it is";
        section.problems().push(security.span(), fault.help(help));
    }
    let (least, most) = USER_TIMEOUTS;
    let user_timeout = section.optional("tcp_user_timeout", |field| value::duration(field, least, most));
    Transport {
        md5,
        hops: multihop.or((role != Some(Role::Internal)).then_some(1)),
        ttl_security,
        user_timeout: user_timeout.map(Spanned::into_inner),
    }
}

/// The kernel's keys are by address, whatever the link: neighbours that have one link-local address have one password.
pub(in crate::config) fn one_password_an_address(peers: &[Peer], problems: &Problems) {
    let mut known: BTreeMap<IpAddr, &Peer> = BTreeMap::new();
    for peer in peers.iter().filter(|peer| peer.interface.is_some()) {
        let first = known.entry(peer.address).or_insert(peer);
        if first.transport.md5 != peer.transport.md5 {
            let fault =
                Fault::new(format!("two peers have {} and differ in password", peer.address), "this one");
            let fault = fault
                .help("give both the same, or another address: the kernel does not tell their links apart");
            problems.push_pair(peer.span.clone(), fault, first.span.clone(), "and this one");
        }
    }
}

fn md5(section: &mut Section<'_>, folder: &Path) -> Option<Password> {
    const WRITTEN: &str = "md5_password";
    const IN_FILE: &str = "md5_password_file";
    let written = section.optional(WRITTEN, password);
    let file = section.optional(IN_FILE, |field| value::path(field, folder));
    // What a peer writes itself stands before either of its group.
    match (written, file) {
        (Some(written), Some(file)) if section.is_grouped(WRITTEN) == section.is_grouped(IN_FILE) => {
            let fault = Fault::new(format!("`{WRITTEN}` and `{IN_FILE}` are one thing"), "said here");
            section.problems().push_pair(
                file.span(),
                fault.help("remove one of them"),
                written.span(),
                "and here",
            );
            None
        }
        (Some(written), file) if file.is_none() || section.is_grouped(IN_FILE) => {
            Some(Password::Written(written.into_inner()))
        }
        (_, file) => file.map(Password::InFile),
    }
}

/// A password. What is wrong with it is said without it.
fn password(field: Field<'_>) -> Result<Secret, Fault> {
    secret(field.text()?.as_bytes()).map_err(|label| {
        Fault::new(format!("`{}` can't be this", field.key), label)
            .help("write what the peer has; `openssl rand -base64 24` makes one")
    })
}

/// A password for TCP-MD5; `Err` says why these octets are none.
pub(crate) fn secret(octets: &[u8]) -> Result<Secret, String> {
    match octets.len() {
        0 => Err("there is nothing in it".into()),
        1..=MOST_PASSWORD_OCTETS => Ok(Secret::new(octets)),
        octets => Err(format!("it has {octets} octets, and {MOST_PASSWORD_OCTETS} is the most (RFC 2385)")),
    }
}

fn hops(field: Field<'_>) -> Result<u8, Fault> {
    let hops = field.integer(1, u32::from(u8::MAX), " hops")?;
    Ok(u8::try_from(hops).unwrap_or(u8::MAX))
}
