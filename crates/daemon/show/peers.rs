//! `palisade show peers`: a line a peer, or all there is to say of one.

mod detail;

use std::io::{self, Write};

use super::summary::signed;
use super::text::{Columns, Side, duration, harmless};
use super::{Array, ShowError, ask, print_json, unasked};
use crate::control::answer::{Line, PeerLine, StaleLine};
use crate::control::request::Request;

/// Letters of the last fault in the table; all of it is shown of one peer.
const FAULT_SHOWN: usize = 32;

/// What `show peers` is asked.
#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Show all of the peer of that name, with its rejected routes by reason
    name: Option<String>,
}

pub(super) fn show(
    arguments: &super::Arguments,
    what: &Arguments,
    out: &mut impl Write,
) -> Result<(), ShowError> {
    let request = Request::Peers { name: what.name.clone() };
    let mut peers = Vec::new();
    ask(arguments, &request, |line| {
        let Line::Peer(peer) = line else { return Err(unasked()) };
        peers.push(peer);
        Ok(())
    })?;
    match (arguments.json, what.name.is_some()) {
        (true, true) => peers.iter().try_for_each(|peer| print_json(out, peer))?,
        (true, false) => {
            let mut array = Array::new(out);
            peers.iter().try_for_each(|peer| array.push(peer))?;
            array.end()?;
        }
        (false, true) => peers.iter().try_for_each(|peer| detail::print(out, peer))?,
        (false, false) => table(out, &peers)?,
    }
    Ok(())
}

fn table(out: &mut impl Write, peers: &[Box<PeerLine>]) -> io::Result<()> {
    use Side::{Left, Right};
    const SIDES: [Side; 9] = [Left, Right, Left, Left, Right, Right, Right, Right, Left];
    let head = ["peer", "AS", "address", "state", "for", "received", "accepted", "rejected", "last fault"];
    let rows: Vec<_> =
        std::iter::once(head.map(String::from)).chain(peers.iter().map(|peer| row(peer))).collect();
    let columns = Columns::fit(SIDES, &rows);
    rows.iter().try_for_each(|row| columns.write(out, row))
}

fn row(peer: &PeerLine) -> [String; 9] {
    let is_up = peer.state == "Established";
    // What ended an earlier session is of no interest while there is one, or while what it said is still kept.
    let fault = match kept(peer) {
        Some(kept) => kept,
        None if is_up => String::new(),
        None => {
            peer.last_end.as_ref().or(peer.last_fault.as_ref()).map(|end| harmless(end)).unwrap_or_default()
        }
    };
    let cut = if fault.chars().count() > FAULT_SHOWN { ".." } else { "" };
    [
        peer.name.clone(),
        peer.asn.to_string(),
        peer.address.clone(),
        peer.state.clone(),
        duration(peer.lasts_s),
        signed(peer.received),
        signed(peer.accepted),
        signed(peer.rejected),
        fault.chars().take(FAULT_SHOWN).collect::<String>() + cut,
    ]
}

/// What is kept that the peer has not said again, and for how long: `restarting, 1,234 stale, 97 s left`.
fn kept(peer: &PeerLine) -> Option<String> {
    // Both families are mostly in the same phase; the one that is over first says what is next.
    let StaleLine { phase, left_s } = peer.stale_by_family.values().min_by_key(|line| line.left_s)?;
    Some(format!("{phase}, {} stale, {left_s} s left", signed(peer.stale)))
}
