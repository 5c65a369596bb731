//! From archives to what players say: UPDATEs in blocks, a thread a reading.
//!
//! A reading goes through its archives once and hands each player its blocks as they fill up. The way to a player holds
//! [`BLOCKS`] blocks; when it is full the reading waits, so that an archive of any size takes a few hundred kilobytes.

use std::io::{self, Cursor};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::thread;

use bytes::Bytes;
use hashbrown::HashMap;
use palisade_bgp::attributes::NextHop;
use palisade_bgp::encode::{self, Format};
use palisade_bgp::{Address, Attributes, Family, Path};
use tokio::sync::mpsc;

use super::cast::{Cast, Material};
use super::ground::v6_of;
use crate::input::Input;
use crate::mrt::{Damage, PeerKey, Reader, Source, Visitor};

/// Octets from which on a block goes to its player.
const BLOCK: usize = 1 << 15;

/// Blocks on the way to a player.
const BLOCKS: usize = 4;

/// Messages that a player is to send.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Whole messages.
    pub(super) octets: Bytes,
    /// What is in them.
    pub(super) counts: Counts,
}

/// What messages hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) updates: u64,
    pub(super) announced: u64,
    pub(super) withdrawn: u64,
}

/// What a player is given to say, block by block; at its end there is nothing more.
pub(super) type Lines = mpsc::Receiver<Block>;

/// Starts the readings. What each player is to say, in the order of the parts.
pub(super) fn start(cast: &Cast) -> io::Result<Vec<Lines>> {
    let (voices, lines): (Vec<_>, Vec<_>) = cast.parts.iter().map(|_| mpsc::channel(BLOCKS)).unzip();
    let start = |name: String, work: Box<dyn FnOnce() + Send>| thread::Builder::new().name(name).spawn(work);
    match &cast.material {
        Material::Sample(sample, _) => {
            for (at, (peer, voice)) in sample.peers.iter().zip(voices).enumerate() {
                let key = PeerKey { address: peer.address, asn: peer.asn };
                let (sample, mut reading) = (sample.clone(), Reading::default());
                reading.add(key, Voice::new(voice, None));
                let read = move || reading.read([Cursor::new(sample.peers[at].mrt.as_slice())].into_iter());
                start(format!("read-{at}"), Box::new(read))?;
            }
        }
        Material::Archives(files, keys) => {
            let mut reading = Reading::default();
            for ((part, key), voice) in cast.parts.iter().zip(keys).zip(voices) {
                reading.add(*key, Voice::new(voice, Some(part.address)));
            }
            let files: Vec<PathBuf> = files.clone();
            // They could all be opened a moment ago; one that is gone since then has nothing to say.
            let read = move || reading.read(files.iter().filter_map(|file| Input::open(file).ok()));
            start("read".into(), Box::new(read))?;
        }
    }
    Ok(lines)
}

/// A reading of some archives for some players.
#[derive(Default)]
struct Reading {
    players: HashMap<PeerKey, usize, foldhash::fast::RandomState>,
    voices: Vec<Voice>,
}

impl Reading {
    fn add(&mut self, key: PeerKey, voice: Voice) {
        self.players.insert(key, self.voices.len());
        self.voices.push(voice);
    }

    fn read<R: io::Read>(mut self, archives: impl Iterator<Item = R>) {
        let mut reader = Reader::new();
        for archive in archives {
            reader.read(archive, &mut self);
        }
        for mut voice in self.voices {
            voice.end();
        }
    }

    fn voice(&mut self, key: PeerKey) -> Option<&mut Voice> {
        let at = *self.players.get(&key)?;
        self.voices.get_mut(at)
    }
}

impl Visitor for Reading {
    fn announced<A: Address>(
        &mut self,
        from: Source,
        attributes: Attributes<'_>,
        paths: impl Iterator<Item = Path<A>>,
    ) {
        if let Some(voice) = self.voice(from.key) {
            voice.announce(attributes, paths);
        }
    }

    fn withdrawn<A: Address>(&mut self, from: Source, paths: impl Iterator<Item = Path<A>>) {
        if let Some(voice) = self.voice(from.key) {
            voice.withdraw(paths);
        }
    }

    /// Whoever heard them took them for withdrawals.
    fn unusable<A: Address>(&mut self, from: Source, paths: impl Iterator<Item = Path<A>>) {
        self.withdrawn(from, paths);
    }

    /// Told when the archives were looked through.
    fn damaged(&mut self, _: Damage) {}

    fn is_done(&self) -> bool {
        self.voices.iter().all(|voice| voice.sender.is_none())
    }
}

/// The way to a player.
struct Voice {
    /// `None` once the player is gone.
    sender: Option<mpsc::Sender<Block>>,
    /// Where the player is, when that is to be the next hop of all it says.
    next_hop: Option<Ipv4Addr>,
    octets: Vec<u8>,
    counts: Counts,
}

impl Voice {
    fn new(sender: mpsc::Sender<Block>, next_hop: Option<Ipv4Addr>) -> Self {
        Voice { sender: Some(sender), next_hop, octets: Vec::new(), counts: Counts::default() }
    }

    /// A set of attributes that fills a message by itself can't be said, and is left out.
    fn announce<A: Address>(&mut self, attributes: Attributes<'_>, paths: impl Iterator<Item = Path<A>>) {
        let next_hop = match (self.next_hop, A::FAMILY) {
            (None, _) => attributes.next_hop,
            (Some(own), Family::Ipv4) => NextHop::V4(own),
            (Some(own), Family::Ipv6) => IpAddr::V6(v6_of(own)).into(),
        };
        let mut announced = 0;
        let paths = paths.inspect(|_| announced += 1);
        let before = self.octets.len();
        if encode::announcements(attributes.wire, next_hop, paths, Format::PLAIN, &mut self.octets).is_ok() {
            self.counts.announced += announced;
            self.said(before);
        }
    }

    fn withdraw<A: Address>(&mut self, paths: impl Iterator<Item = Path<A>>) {
        let mut withdrawn = 0;
        let before = self.octets.len();
        encode::withdrawals(paths.inspect(|_| withdrawn += 1), Format::PLAIN, &mut self.octets);
        self.counts.withdrawn += withdrawn;
        self.said(before);
    }

    /// All is said: both tables are complete (RFC 4724 s2).
    fn end(&mut self) {
        let before = self.octets.len();
        Family::ALL.into_iter().for_each(|family| encode::end_of_rib(family, &mut self.octets));
        self.said(before);
        self.send();
    }

    /// Counts the messages that were added, and lets a full block go.
    fn said(&mut self, before: usize) {
        self.counts.updates += messages(&self.octets[before..]);
        if self.octets.len() >= BLOCK {
            self.send();
        }
    }

    fn send(&mut self) {
        let block = Block {
            octets: std::mem::take(&mut self.octets).into(),
            counts: std::mem::take(&mut self.counts),
        };
        if self.sender.as_ref().is_some_and(|sender| sender.blocking_send(block).is_err()) {
            self.sender = None;
        }
    }
}

/// How many messages there are, by the lengths in their headers (RFC 4271 s4.1).
fn messages(mut octets: &[u8]) -> u64 {
    let mut count = 0;
    while let [high, low] = *octets.get(16..18).unwrap_or_default() {
        octets = octets.get(usize::from(u16::from_be_bytes([high, low])).max(1)..).unwrap_or_default();
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use palisade_bgp::message::MAX_LEN;

    use super::*;
    use crate::sample::Sample;

    #[test]
    fn all_that_the_sample_says_is_said_in_blocks_that_wait_for_their_player() {
        let cast = Cast::of_sample(3);
        let truth: Vec<_> = Sample::generate(3).peers.into_iter().map(|peer| peer.truth).collect();
        for (mut lines, truth) in start(&cast).unwrap().into_iter().zip(truth) {
            let mut total = Counts::default();
            while let Some(block) = lines.blocking_recv() {
                assert_eq!(messages(&block.octets), block.counts.updates);
                assert!(block.octets.len() < BLOCK + MAX_LEN);
                total.updates += block.counts.updates;
                total.announced += block.counts.announced;
                total.withdrawn += block.counts.withdrawn;
            }
            assert_eq!((total.announced, total.withdrawn), (truth.announcements, truth.withdrawals));
        }
    }

    #[test]
    fn a_reading_ends_when_nobody_listens() {
        let cast = Cast::of_sample(3);
        drop(start(&cast).unwrap());
    }
}
