//! Messages that are played (RFC 4271 s4), encoded before the clock starts.

use std::sync::Arc;

use crate::attributes::Attributes;
use crate::member;
use crate::prefix::Prefix;
use crate::table::{Feed, Table};

/// The longest message (RFC 4271 s4.1).
const MOST_OCTETS: usize = 4_096;
/// Octets of whole messages that are queued as one: something more urgent waits for no more than this.
const CHUNK: usize = 64 * 1024;
/// The marker, length and type of a message.
const HEADER: usize = 19;

/// Whole messages.
pub(crate) type Chunk = Arc<[u8]>;

/// What a session offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The hold time, in seconds.
    pub(crate) hold_time_s: u16,
    /// Whether it may be asked to send everything again (RFC 2918).
    pub(crate) takes_refresh: bool,
}

/// An OPEN with both families (RFC 4760 s8) and 4-octet AS numbers (RFC 6793 s3).
pub(crate) fn open(session: usize, terms: Terms) -> Chunk {
    let asn = member::asn(session);
    let mut body = vec![4];
    body.extend(u16::try_from(asn).unwrap_or(23_456).to_be_bytes());
    body.extend(terms.hold_time_s.to_be_bytes());
    body.extend(member::address(session).octets());
    let mut capabilities = vec![1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1, 65, 4];
    capabilities.extend(asn.to_be_bytes());
    if terms.takes_refresh {
        capabilities.extend([2, 0]);
    }
    body.extend([capabilities.len() as u8 + 2, 2, capabilities.len() as u8]);
    body.extend(capabilities);
    message(1, &body).into()
}

/// A KEEPALIVE.
pub(crate) fn keepalive() -> Chunk {
    message(4, &[]).into()
}

/// A NOTIFICATION that says goodbye: Cease, administrative shutdown (RFC 4486 s4).
pub(crate) fn goodbye() -> Chunk {
    message(3, &[6, 2]).into()
}

/// All that a sender announces.
pub(crate) fn announcements(table: &Table, sender: usize) -> Vec<Chunk> {
    announced(table, sender, |_| true)
}

/// What it announces of one family.
pub(crate) fn announcements_of(table: &Table, sender: usize, six: bool) -> Vec<Chunk> {
    announced(table, sender, |set| set.six == six)
}

fn announced(table: &Table, sender: usize, is_meant: impl Fn(&Attributes) -> bool) -> Vec<Chunk> {
    let mut chunks = Chunks::default();
    for run in table.feeds[sender].sets.iter().filter(|run| is_meant(&table.sets[run.set as usize])) {
        let prefixes: Vec<Prefix> = run.places.iter().map(|place| table.prefixes[*place as usize]).collect();
        announce(sender, &table.sets[run.set as usize], &prefixes, &mut chunks);
    }
    chunks.finish()
}

/// The withdrawal of all that a sender announced.
pub(crate) fn withdrawals(table: &Table, feed: &Feed) -> Vec<Chunk> {
    let mut chunks = Chunks::default();
    for six in [false, true] {
        let places =
            feed.sets.iter().flat_map(|run| &run.places).map(|place| table.prefixes[*place as usize]);
        let prefixes: Vec<Prefix> = places.filter(|prefix| prefix.six == six).collect();
        withdraw(six, &prefixes, &mut chunks);
    }
    chunks.finish()
}

/// One announcement of the probe's.
pub(crate) fn probe(session: usize, prefix: Prefix) -> Chunk {
    let attributes =
        Attributes { path: vec![member::asn(session)], communities: vec![], large: vec![], six: false };
    let mut chunks = Chunks::default();
    announce(session, &attributes, &[prefix], &mut chunks);
    chunks.building.into()
}

/// The withdrawal of what the probe announced.
pub(crate) fn probes_gone(prefixes: &[Prefix]) -> Vec<Chunk> {
    let mut chunks = Chunks::default();
    withdraw(false, prefixes, &mut chunks);
    chunks.finish()
}

#[derive(Default)]
struct Chunks {
    building: Vec<u8>,
    done: Vec<Chunk>,
}

impl Chunks {
    fn push(&mut self, message: &[u8]) {
        self.building.extend_from_slice(message);
        if self.building.len() >= CHUNK {
            self.done.push(std::mem::take(&mut self.building).into());
        }
    }

    fn finish(mut self) -> Vec<Chunk> {
        if !self.building.is_empty() {
            self.done.push(self.building.into());
        }
        self.done
    }
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![0xff; 16];
    message.extend(((HEADER + body.len()) as u16).to_be_bytes());
    message.push(kind);
    message.extend_from_slice(body);
    message
}

fn update(withdrawn: &[u8], attributes: &[u8], nlri: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(4 + withdrawn.len() + attributes.len() + nlri.len());
    body.extend((withdrawn.len() as u16).to_be_bytes());
    body.extend_from_slice(withdrawn);
    body.extend((attributes.len() as u16).to_be_bytes());
    body.extend_from_slice(attributes);
    body.extend_from_slice(nlri);
    message(2, &body)
}

fn announce(sender: usize, attributes: &Attributes, prefixes: &[Prefix], chunks: &mut Chunks) {
    let block = block(sender, attributes);
    // What an UPDATE needs besides: two lengths, and MP_REACH_NLRI's own head.
    for nlri in portions(prefixes, MOST_OCTETS - HEADER - 4 - block.len() - 32) {
        let update = match attributes.six {
            false => update(&[], &block, &nlri),
            true => {
                let mut value = vec![0, 2, 1, 16];
                value.extend(member::address_six(sender).octets());
                value.push(0);
                value.extend(nlri);
                let mut all = attribute(0x80, 14, &value);
                all.extend_from_slice(&block);
                update(&[], &all, &[])
            }
        };
        chunks.push(&update);
    }
}

fn withdraw(six: bool, prefixes: &[Prefix], chunks: &mut Chunks) {
    for nlri in portions(prefixes, MOST_OCTETS - HEADER - 4 - 8) {
        let update = match six {
            false => update(&nlri, &[], &[]),
            true => update(&[], &attribute(0x80, 15, &[&[0, 2, 1], nlri.as_slice()].concat()), &[]),
        };
        chunks.push(&update);
    }
}

fn portions(prefixes: &[Prefix], most: usize) -> Vec<Vec<u8>> {
    let mut portions = Vec::new();
    let mut portion = Vec::new();
    for prefix in prefixes {
        if portion.len() + prefix.nlri_len() > most {
            portions.push(std::mem::take(&mut portion));
        }
        prefix.push_nlri(&mut portion);
    }
    if !portion.is_empty() {
        portions.push(portion);
    }
    portions
}

/// All attributes but MP_REACH_NLRI, in the order of their numbers.
fn block(sender: usize, attributes: &Attributes) -> Vec<u8> {
    let mut block = attribute(0x40, 1, &[0]);
    let mut path = vec![2, attributes.path.len() as u8];
    path.extend(attributes.path.iter().flat_map(|asn| asn.to_be_bytes()));
    block.extend(attribute(0x40, 2, &path));
    if !attributes.six {
        block.extend(attribute(0x40, 3, &member::address(sender).octets()));
    }
    let communities: Vec<u8> = attributes.communities.iter().flat_map(|value| value.to_be_bytes()).collect();
    let large: Vec<u8> =
        attributes.large.as_flattened().iter().flat_map(|value| value.to_be_bytes()).collect();
    for (kind, value) in [(8, communities), (32, large)] {
        if !value.is_empty() {
            block.extend(attribute(0xc0, kind, &value));
        }
    }
    block
}

fn attribute(flags: u8, kind: u8, value: &[u8]) -> Vec<u8> {
    let mut attribute = match u8::try_from(value.len()) {
        Ok(len) => vec![flags, kind, len],
        // Extended length (RFC 4271 s4.3).
        Err(_) => {
            let [high, low] = (value.len() as u16).to_be_bytes();
            vec![flags | 0x10, kind, high, low]
        }
    };
    attribute.extend_from_slice(value);
    attribute
}
