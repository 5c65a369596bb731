//! What can be asked of a running router.

use std::net::IpAddr;

use palisade_bgp::prefix::PrefixError;
use palisade_bgp::{Asn, Family, Prefix};
use palisade_rib::query::Standing;
use palisade_rib::{Scope, Selection};
use serde::{Deserialize, Serialize};

use super::answer::Refusal;
use crate::announcement::Announcement;
use crate::run::{Order, Roster};

/// Peers that are named where one is to be chosen.
const PEERS_NAMED: usize = 8;

/// A question.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Request {
    /// How the router is.
    Summary,
    /// How its peers are: all, or the one of that name.
    Peers {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// What they announce.
    Routes(RoutesRequest),
    /// How the sources are of what is judged by.
    Feeds,
    /// Its numbers, as Prometheus reads them.
    Metrics,
    /// To read the configuration again.
    Reload,
    /// To take what a source holds back.
    Confirm { feed: String },
    /// To have the session of the peer of that name do something.
    Peer { name: String, order: Order },
    /// The paths that peers announce, as they were received: what is needed to judge them again elsewhere.
    Paths,
    /// Why a route is as it is, or what would become of one.
    Explain(ExplainRequest),
}

/// Which route to explain.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ExplainRequest {
    /// A prefix, or an address, which stands for the longest prefix that holds it.
    pub(crate) prefix: String,
    /// The name of the peer that sent it, or is supposed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer: Option<String>,
    /// An announcement that nobody made. Without it, the paths that are held are explained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) suppose: Option<Announcement>,
}

/// Which routes.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RoutesRequest {
    /// A prefix, or an address, which stands for the longest prefix that holds it. Without it, all there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prefix: Option<String>,
    /// Whether what the prefix covers is meant as well.
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) longer: bool,
    /// The name of the peer that sent them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer: Option<String>,
    /// What became of them.
    pub(crate) show: Show,
    /// 4 or 6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) family: Option<u8>,
    /// How many at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<u64>,
}

/// Routes by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Show {
    /// Whatever became of them.
    #[default]
    All,
    /// Those that the judge accepts.
    Accepted,
    /// Those that it rejects.
    Filtered,
    /// The best ones.
    Best,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Request {
    /// Reads a request's line.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, Refusal> {
        serde_json::from_slice(line).map_err(|fault| {
            Refusal::new("bad-request", format!("this is no request: {fault}"))
                .help("ask {\"ask\":\"summary\"}, {\"ask\":\"peers\"} or {\"ask\":\"routes\"}")
        })
    }
}

/// A prefix, or the longest prefix of an address.
pub(super) fn around(text: &str) -> Result<Scope, Refusal> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Scope::Longest(address));
    }
    match text.parse::<Prefix>() {
        Ok(prefix) => Ok(Scope::Exact(prefix)),
        Err(fault @ PrefixError::HostBits(..)) => Err(Refusal::new("bad-request", fault.to_string())),
        Err(fault @ PrefixError::Syntax(_)) => Err(Refusal::new("bad-request", fault.to_string())
            .help("an address alone finds the longest prefix that holds it")),
    }
}

impl ExplainRequest {
    /// The places of the peers that may be supposed to send the announcement: the one that is named, or those that the path
    /// begins with.
    pub(crate) fn senders(&self, names: &[&str], asns: &[Asn]) -> Result<Vec<usize>, Refusal> {
        if let Some(name) = &self.peer {
            let at = names.iter().position(|known| known == name);
            return at.map(|at| vec![at]).ok_or_else(|| Refusal::no_such_name(name, names));
        }
        let path = self.suppose.as_ref().and_then(|announcement| announcement.as_path.as_deref());
        let first = path.and_then(|path| path.split_whitespace().next()?.parse::<Asn>().ok());
        let begins = |asn: &Asn| first.map_or(asns.len() == 1, |first| first == *asn);
        let found: Vec<usize> =
            asns.iter().enumerate().filter(|(_, asn)| begins(asn)).map(|(at, _)| at).collect();
        if found.is_empty() {
            let some = names.iter().take(PEERS_NAMED).copied().collect::<Vec<_>>().join(", ");
            let more = if names.len() > PEERS_NAMED { ", .." } else { "" };
            return Err(Refusal::new("bad-request", "which peer is supposed to send it?")
                .help(format!("name it with --peer: {some}{more}")));
        }
        Ok(found)
    }
}

impl RoutesRequest {
    /// The prefixes to look at, one after the other.
    pub(super) fn scopes(&self) -> Result<Vec<Scope>, Refusal> {
        let family = self.family()?;
        let Some(text) = &self.prefix else {
            if self.longer {
                return Err(Refusal::new("bad-request", "longer than what? there is no prefix")
                    .help("name a prefix, like 192.0.2.0/24"));
            }
            let families = Family::ALL.into_iter().filter(|each| family.is_none_or(|only| only == *each));
            return Ok(families.map(Scope::Family).collect());
        };
        let scope = self.around(text)?;
        match (family, scope) {
            (Some(Family::Ipv4), Scope::Exact(Prefix::V6(_)) | Scope::Longer(Prefix::V6(_)))
            | (Some(Family::Ipv6), Scope::Exact(Prefix::V4(_)) | Scope::Longer(Prefix::V4(_)))
            | (Some(Family::Ipv4), Scope::Longest(IpAddr::V6(_)))
            | (Some(Family::Ipv6), Scope::Longest(IpAddr::V4(_))) => {
                Err(Refusal::new("bad-request", format!("{text} is of the other family"))
                    .help("leave the family out: the prefix says it"))
            }
            _ => Ok(vec![scope]),
        }
    }

    fn around(&self, text: &str) -> Result<Scope, Refusal> {
        let scope = around(text)?;
        match scope {
            Scope::Exact(prefix) if self.longer => Ok(Scope::Longer(prefix)),
            Scope::Longest(_) if self.longer => {
                Err(Refusal::new("bad-request", format!("`{text}` is an address, which covers nothing"))
                    .help("write a prefix, or leave `longer` out"))
            }
            _ => Ok(scope),
        }
    }

    fn family(&self) -> Result<Option<Family>, Refusal> {
        match self.family {
            None => Ok(None),
            Some(4) => Ok(Some(Family::Ipv4)),
            Some(6) => Ok(Some(Family::Ipv6)),
            Some(other) => {
                Err(Refusal::new("bad-request", format!("there is no family {other}")).help("write 4 or 6"))
            }
        }
    }

    /// The paths to look for.
    pub(super) fn selection(&self, roster: &Roster) -> Result<Selection, Refusal> {
        let peer = match &self.peer {
            None => None,
            Some(name) => {
                let peer = roster.named(name).ok_or_else(|| Refusal::no_such_peer(name, roster))?;
                Some(peer.index)
            }
        };
        let standing = match self.show {
            Show::All => Standing::Any,
            Show::Accepted => Standing::Accepted,
            Show::Filtered => Standing::Rejected,
            Show::Best => Standing::Best,
        };
        Ok(Selection { peer, standing })
    }
}
