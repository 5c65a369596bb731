//! The routes that the running router holds, judged by the new policy, and held against what the router decided or against the
//! old policy.

use std::collections::HashMap;
use std::path::Path;

use palisade_bgp::Prefix;
use palisade_bgp::attributes::NextHop;
use palisade_policy::Role;

use super::PlanError;
use super::ledger::{Ledger, RouteKey, Ruling};
use super::side::Side;
use crate::announcement::Received;
use crate::control::answer::{Line, PathLine};
use crate::control::client::{Answer, AskError, Heard};
use crate::control::request::Request;

/// Asks the router for all of its paths.
pub(super) fn read(
    socket: &Path,
    old: Option<&Side>,
    new: &Side,
    keeps_paths: bool,
) -> Result<Ledger, PlanError> {
    let mut answer = Answer::to(&Request::Paths, socket)?;
    let mut comparing =
        Comparing { old, new, ledger: Ledger::default(), places: HashMap::new(), keeps_paths };
    loop {
        match answer.next()? {
            Heard::Line(Line::Path(path)) => comparing.compare(*path)?,
            Heard::Line(_) => return Err(strange("it is about something else")),
            Heard::End(_) => return Ok(comparing.ledger),
        }
    }
}

fn strange(why: &str) -> PlanError {
    AskError::Strange(why.into()).into()
}

struct Comparing<'a> {
    old: Option<&'a Side>,
    new: &'a Side,
    ledger: Ledger,
    /// The places of peers in the ledger.
    places: HashMap<String, usize>,
    keeps_paths: bool,
}

impl Comparing<'_> {
    fn compare(&mut self, path: PathLine) -> Result<(), PlanError> {
        let received = received(&path, self.new)?;
        let before = match self.old {
            Some(old) => rule(old, &received, &path.peer),
            None => {
                Ruling { rejected: path.reason, local_preference: path.local_preference, import: path.import }
            }
        };
        let after = rule(self.new, &received, &path.peer);
        let next = self.ledger.peers.len();
        let peer = *self.places.entry(path.peer).or_insert_with_key(|name| {
            self.ledger.peers.push(name.clone());
            next
        });
        let key = RouteKey { prefix: received.prefix, peer, path_id: path.path_id };
        self.ledger.judged += 1;
        if let Some(difference) = before.difference(&after) {
            let as_path = self.keeps_paths.then(|| received.attributes().as_path().to_string());
            self.ledger.change(key, difference, as_path);
        }
        Ok(())
    }
}

fn rule(side: &Side, received: &Received, peer: &str) -> Ruling {
    match received.prefix {
        Prefix::V4(net) => side.rule(net, &received.attributes(), peer),
        Prefix::V6(net) => side.rule(net, &received.attributes(), peer),
    }
}

/// The path as the router's session received it.
fn received(path: &PathLine, new: &Side) -> Result<Received, PlanError> {
    let prefix = path.prefix.parse().map_err(|_| strange("a prefix is none"))?;
    let octets = octets(&path.attributes).ok_or_else(|| strange("attributes are no octets"))?;
    let next_hop = match (NextHop::from(path.next_hop), path.link_local) {
        (NextHop::V6 { global, .. }, link_local) => NextHop::V6 { global, link_local },
        (next_hop, _) => next_hop,
    };
    let configured = new.config.peers.iter().find(|peer| peer.name == path.peer);
    let is_internal = configured.is_some_and(|peer| peer.role == Some(Role::Internal));
    Received::new(prefix, &octets, next_hop, is_internal).map_err(|fault| strange(&fault.to_string()))
}

fn octets(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok()).collect()
}
