//! What can be asked of a running router.

use std::net::IpAddr;

use palisade_bgp::prefix::PrefixError;
use palisade_bgp::{Family, Prefix};
use palisade_rib::query::Standing;
use palisade_rib::{Scope, Selection};
use serde::{Deserialize, Serialize};

use super::answer::Refusal;
use crate::run::RouterView;

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
        if let Ok(address) = text.parse::<IpAddr>() {
            return match self.longer {
                false => Ok(Scope::Longest(address)),
                true => {
                    Err(Refusal::new("bad-request", format!("`{text}` is an address, which covers nothing"))
                        .help("write a prefix, or leave `longer` out"))
                }
            };
        }
        match text.parse::<Prefix>() {
            Ok(prefix) if self.longer => Ok(Scope::Longer(prefix)),
            Ok(prefix) => Ok(Scope::Exact(prefix)),
            Err(fault @ PrefixError::HostBits(..)) => Err(Refusal::new("bad-request", fault.to_string())),
            Err(fault @ PrefixError::Syntax(_)) => Err(Refusal::new("bad-request", fault.to_string())
                .help("an address alone finds the longest prefix that holds it")),
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
    pub(super) fn selection(&self, view: &RouterView) -> Result<Selection, Refusal> {
        let peer = match &self.peer {
            None => None,
            Some(name) => Some(view.index_of(name).ok_or_else(|| Refusal::no_such_peer(name, view))?),
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
