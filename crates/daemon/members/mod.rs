//! The members of an exchange, as it exports them: an IX-F member export, schema versions 0.6 to 1.0.
//!
//! ```text
//!   member_list          a network, by its AS number
//!     connection_list    a port of it, at one of the export's exchanges (`ixp_id`), active or not
//!       vlan_list        a VLAN there (`vlan_id`)
//!         ipv4, ipv6     an address: whether it uses the route servers, its as-set, its limit   --> a Session
//! ```
//!
//! An [`Export`] is what one exchange's route server makes of that: a session for every address of an active connection,
//! unless the export says that the address does not use the route servers. It is not a configuration: what an operator
//! writes about a member comes on top, where the configuration is read.
//!
//! What versions differ in, of what is read here: 0.6 and 0.7 mark the exchange's route servers by
//! `member_type: "routeserver"`; 0.7 to 0.9 also by `service_type: ["ixrouteserver"]`, and 1.0 by
//! `services: [{"type": "ixrouteserver"}]`. All are understood whatever version is said. A route server is no client.
//!
//! An entry that is wrong is left out alone and named, a value that is wrong is ignored and named. What would leave the
//! operator with nobody, or with somebody else's members, is an error: no JSON, no such exchange, a choice among several
//! that was not made, not a single session.

mod entry;
mod json;
mod selection;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::Path;

use palisade_bgp::Asn;

pub(crate) use entry::{as_sets, number};

use crate::input::{Input, InputError};

/// Octets that an export may have, unpacked: the largest, of dozens of exchanges at once, have a tenth.
const MAX_OCTETS: usize = 32 << 20;

/// Notes of one kind that are put into words; the rest are counted.
const MAX_NOTED: usize = 8;

/// Which members are ours.
#[derive(Debug)]
pub(crate) struct Choice {
    /// Our own AS, whose entry is the route servers'.
    pub(crate) own_asn: Asn,
    /// The exchange; `None` for the only one.
    pub(crate) ixp_id: Option<u32>,
    /// The VLAN; `None` for the only one.
    pub(crate) vlan_id: Option<u32>,
    /// Members that are left out.
    pub(crate) except_asns: Vec<Asn>,
    /// Addresses that are left out.
    pub(crate) except_addresses: Vec<IpAddr>,
}

/// What an export comes to.
#[derive(Debug, Default)]
pub(crate) struct Export {
    /// The schema version that it says.
    pub(crate) version: String,
    /// The exchange that was taken, by its number and name; `None` where the export names none.
    pub(crate) exchange: Option<String>,
    /// The sessions, by AS number and address. At least one.
    pub(crate) sessions: Vec<Session>,
    /// Addresses that became no session, by why.
    pub(crate) skipped: BTreeMap<Skipped, usize>,
    /// Entries that were left out because they are wrong.
    pub(crate) left_out: Notes,
    /// Values that were not used because they are wrong.
    pub(crate) ignored: Notes,
    /// Addresses of which the export does not say whether they use the route servers.
    pub(crate) unmarked: Notes,
}

/// A member's address that is a client of the route server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// What it is called: by the member's name, AS and family, and, from its second address of the family on, a number.
    pub(crate) name: String,
    /// What the export calls the member.
    pub(crate) member: String,
    /// Its AS.
    pub(crate) asn: Asn,
    /// The address.
    pub(crate) address: IpAddr,
    /// Its as-sets, as `as_set` of a peer has them.
    pub(crate) as_set: Option<String>,
    /// Its limit.
    pub(crate) max_prefixes: Option<u32>,
}

/// Why an address became no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Skipped {
    /// It is at another exchange, or in another VLAN.
    Elsewhere,
    /// It is of our own AS.
    OwnAsn,
    /// It is a route server.
    RouteServer,
    /// The configuration leaves it out.
    Excepted,
    /// Its connection is not active.
    Inactive,
    /// It does not use the route servers.
    NotClient,
    /// The member has it twice.
    Twice,
    /// Its entry is wrong, which a note says.
    Wrong,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Skipped::Elsewhere => "at another exchange or in another VLAN",
            Skipped::OwnAsn => "of our own AS",
            Skipped::RouteServer => "a route server",
            Skipped::Excepted => "left out by `except`",
            Skipped::Inactive => "not active",
            Skipped::NotClient => "not using the route servers",
            Skipped::Twice => "listed twice",
            Skipped::Wrong => "wrong",
        })
    }
}

/// Things to tell, the first few in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notes {
    /// How many.
    pub(crate) count: usize,
    /// The first [`MAX_NOTED`].
    pub(crate) first: Vec<String>,
}

impl Notes {
    /// One more.
    pub(crate) fn note(&mut self, note: String) {
        self.count += 1;
        if self.first.len() < MAX_NOTED {
            self.first.push(note);
        }
    }
}

impl fmt::Display for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.first.join("; "))?;
        match self.count - self.first.len() {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// Why an export is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    /// It can't be opened.
    #[error(transparent)]
    Input(#[from] InputError),
    /// It can't be read on, which says which file it is.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// It has more than [`MAX_OCTETS`].
    #[error("it has more than {} MiB", MAX_OCTETS >> 20)]
    TooLarge,
    /// It is not JSON, or not of the shape.
    #[error("this is no member export: {0}")]
    Json(#[from] serde_json::Error),
    /// It has no list of members.
    #[error("this is no member export: it has no `member_list`")]
    NoMembers,
    /// It has several exchanges, and none was chosen.
    #[error("it has several exchanges: {0}")]
    WhichExchange(String),
    /// It has others than the one that was chosen.
    #[error("it has no exchange {0}, but {1}")]
    NoSuchExchange(u32, String),
    /// The exchange has several VLANs, and none was chosen.
    #[error("its members are in several VLANs: {0}")]
    WhichVlan(String),
    /// It has others than the one that was chosen.
    #[error("none of its members is in VLAN {0}, but in {1}")]
    NoSuchVlan(u32, String),
    /// Nothing in it makes a session.
    #[error("it makes not a single session: {0}")]
    Empty(String),
}

impl ExportError {
    /// What to do about it.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            ExportError::Input(InputError::Missing { .. }) => {
                "a relative name is one in the configuration's folder; `check --no-files` does without files"
            }
            ExportError::Input(_) | ExportError::Read(_) => "fetch it again",
            ExportError::TooLarge => "is it the export of one exchange's members?",
            ExportError::Json(_) | ExportError::NoMembers => {
                "it should be JSON of the IX-F member export schema, 0.6 to 1.0: fetch it again"
            }
            ExportError::WhichExchange(_) | ExportError::NoSuchExchange(..) => {
                "write the number of yours: `ixp_id = 42`"
            }
            ExportError::WhichVlan(_) | ExportError::NoSuchVlan(..) => {
                "write the number of the peering LAN: `vlan_id = 1`"
            }
            ExportError::Empty(_) => "a route server without members is not what is meant: fetch it again",
        }
    }
}

impl Export {
    /// Reads a file, however it is compressed.
    pub(crate) fn read(path: &Path, choice: &Choice) -> Result<Self, ExportError> {
        let mut octets = Vec::new();
        Input::open(path)?.take(MAX_OCTETS as u64 + 1).read_to_end(&mut octets)?;
        if octets.len() > MAX_OCTETS {
            return Err(ExportError::TooLarge);
        }
        Self::parse(&octets, choice)
    }

    /// Reads a text.
    pub(crate) fn parse(octets: &[u8], choice: &Choice) -> Result<Self, ExportError> {
        // A byte order mark says nothing about UTF-8.
        selection::select(octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets), choice)
    }

    /// How many members its sessions are of.
    pub(crate) fn members(&self) -> usize {
        self.sessions.chunk_by(|one, next| one.asn == next.asn).count()
    }
}

#[cfg(test)]
mod tests;
