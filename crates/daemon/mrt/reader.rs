//! What the records of MRT files say: who announces and withdraws what.
//!
//! Routes are handed to a [`Visitor`] as they are read, with attributes that are views of the record: nothing is kept but
//! the peers. A record that can't be read is handed to it as [`Damage`], and the reading goes on.

use std::io::Read;
use std::iter;

use palisade_bgp::fault::Fault as AttributeFault;
use palisade_bgp::message::MessageKind;
use palisade_bgp::update::{RibEntry, RibEntryForm};
use palisade_bgp::{Address, Attributes, Context, Decoder, Family, Path, Prefix, Update};

use super::bgp4mp::{self, Message, StateChange};
use super::damage::{Damage, Fault};
use super::kind::{Body, Kind, MessageForm};
use super::peers::{PeerId, PeerKey, Peers};
use super::recent::{Recall, Recent};
use super::records::{HEADER, Record, Records};
use super::table_dump;
use super::table_dump_v2::{self, Rib};

/// Who a route comes from, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The peer that announced or withdrew it, by its number.
    pub(crate) peer: PeerId,
    /// The same peer, by its address and AS.
    pub(crate) key: PeerKey,
    /// Seconds since 1970: when the message came, or since when the dumped table has the route.
    pub(crate) time_s: u32,
    /// Whether its attributes were there before.
    pub(crate) recall: Recall,
}

/// What is done with that which MRT files hold.
pub(crate) trait Visitor {
    /// Routes of one set of attributes are announced.
    fn announced<A: Address>(
        &mut self,
        from: Source,
        attributes: Attributes<'_>,
        paths: impl Iterator<Item = Path<A>>,
    );
    /// Routes are withdrawn.
    fn withdrawn<A: Address>(&mut self, from: Source, paths: impl Iterator<Item = Path<A>>);
    /// Routes are announced with attributes that make them withdrawals (RFC 7606 s2, treat-as-withdraw).
    fn unusable<A: Address>(&mut self, from: Source, paths: impl Iterator<Item = Path<A>>);
    /// Attributes had faults, of whatever outcome.
    fn faults(&mut self, _from: Source, _faults: &[AttributeFault]) {}
    /// A session changed its state, as RFC 4271 s8.2.2 numbers them.
    fn state_changed(&mut self, _from: Source, _old: u16, _new: u16) {}
    /// A part of the file can't be read.
    fn damaged(&mut self, damage: Damage);
    /// A record was met of a kind that holds no unicast routes, or not in a form that is read.
    fn unread(&mut self, _kind: Kind) {}
    /// Whether it has seen enough, and the rest of the file need not be read.
    fn is_done(&self) -> bool {
        false
    }
}

/// Reads MRT files, one after another, keeping their peers apart.
#[derive(Default)]
pub(crate) struct Reader {
    decoder: Decoder,
    recent: Recent,
    peers: Peers,
    /// The last peer index table of the file.
    table: Option<Vec<(PeerId, PeerKey)>>,
}

impl Reader {
    pub(crate) fn new() -> Self {
        Reader::default()
    }

    /// Reads a file to its end, or until the visitor is done. Returns how many records were found in it.
    pub(crate) fn read(&mut self, input: impl Read, visitor: &mut impl Visitor) -> u64 {
        let mut records = Records::new(input);
        let mut count = 0;
        self.table = None;
        while !visitor.is_done() {
            match records.next() {
                Ok(None) => break,
                Ok(Some(record)) => {
                    count += 1;
                    let (offset, length) = (record.offset, record.body.len());
                    if let Err(fault) = self.record(record, visitor) {
                        if let Some(sound) = fault.sound(length) {
                            records.distrust(HEADER + sound);
                        }
                        visitor.damaged(Damage { offset, fault });
                    }
                }
                Err(damage) => visitor.damaged(damage),
            }
        }
        count
    }

    fn record(&mut self, record: Record<'_>, visitor: &mut impl Visitor) -> Result<(), Fault> {
        let Record { kind, time_s, mut body, .. } = record;
        if kind.kind == Kind::BGP4MP_ET {
            // Microseconds come first (RFC 6396 s3).
            body = body.get(4..).ok_or(Fault::Short("microseconds"))?;
        }
        match kind.body() {
            Body::Rib { family: Family::Ipv4, add_path } => self.rib::<u32>(body, add_path, visitor),
            Body::Rib { family: Family::Ipv6, add_path } => self.rib::<u128>(body, add_path, visitor),
            Body::Message(form) => {
                self.message(Message::read(body, form.four_octet_as)?, form, time_s, visitor)
            }
            Body::StateChange { four_octet_as } => {
                self.state_change(StateChange::read(body, four_octet_as)?, time_s, visitor)
            }
            Body::PeerIndexTable => self.peer_index_table(body),
            Body::TableDump(family) => self.table_dump(body, family, visitor),
            Body::OldUpdate => {
                let form = MessageForm { four_octet_as: false, add_path: false };
                self.message(bgp4mp::old_update(body)?, form, time_s, visitor)
            }
            Body::OldStateChange => self.state_change(StateChange::read_old(body)?, time_s, visitor),
            Body::OldOther => Ok(()),
            Body::Unread => {
                visitor.unread(kind);
                Ok(())
            }
        }
    }

    fn peer_index_table(&mut self, body: &[u8]) -> Result<(), Fault> {
        self.table = None;
        let keys = table_dump_v2::peer_index_table(body)?;
        let numbered = keys.into_iter().map(|key| Ok((self.peers.id(key)?, key)));
        self.table = Some(numbered.collect::<Result<_, _>>()?);
        Ok(())
    }

    /// The routes of one prefix. An entry of a peer that is not known is passed over, and told once all others are read.
    fn rib<A: Address>(
        &mut self,
        body: &[u8],
        add_path: bool,
        visitor: &mut impl Visitor,
    ) -> Result<(), Fault> {
        let mut rib = Rib::<A>::read(body, add_path)?;
        let peers = self.table.as_deref().ok_or(Fault::NoPeerIndexTable)?;
        let mut stranger = Ok(());
        while let Some(entry) = rib.next_entry()? {
            let Some(&(peer, key)) = peers.get(usize::from(entry.peer_index)) else {
                stranger = Err(Fault::NoSuchPeer { index: entry.peer_index, peers: peers.len() });
                continue;
            };
            let (decoded, recall) =
                self.recent.entry(&mut self.decoder, peer, entry.attributes, RibEntryForm::TableDumpV2);
            let from = Source { peer, key, time_s: entry.originated_s, recall };
            route(from, decoded, Path { path_id: entry.path_id, net: rib.net }, visitor);
        }
        stranger
    }

    fn table_dump(&mut self, body: &[u8], family: Family, visitor: &mut impl Visitor) -> Result<(), Fault> {
        for entry in table_dump::entries(body, family) {
            let entry = entry?;
            let peer = self.peers.id(entry.peer)?;
            let (decoded, recall) =
                self.recent.entry(&mut self.decoder, peer, entry.attributes, RibEntryForm::TableDump);
            let from = Source { peer, key: entry.peer, time_s: entry.originated_s, recall };
            match entry.prefix {
                Prefix::V4(net) => route(from, decoded, Path { path_id: 0, net }, visitor),
                Prefix::V6(net) => route(from, decoded, Path { path_id: 0, net }, visitor),
            }
        }
        Ok(())
    }

    fn message(
        &mut self,
        message: Message<'_>,
        form: MessageForm,
        time_s: u32,
        visitor: &mut impl Visitor,
    ) -> Result<(), Fault> {
        let peer = self.peers.id(message.ends.peer)?;
        if message.kind != MessageKind::Update {
            return Ok(());
        }
        let context = Context {
            four_octet_as: form.four_octet_as,
            internal: message.ends.peer.asn == message.ends.local_asn,
            add_path: [form.add_path; 2],
            ..Context::default()
        };
        let update = self.decoder.update(message.body, &context);
        let update = update.map_err(|notification| Fault::Update(notification.to_string()))?;
        let from = Source { peer, key: message.ends.peer, time_s, recall: Recall::Not };
        if !update.faults().is_empty() {
            visitor.faults(from, update.faults());
        }
        routes::<u32>(from, &update, visitor);
        routes::<u128>(from, &update, visitor);
        Ok(())
    }

    fn state_change(
        &mut self,
        change: StateChange,
        time_s: u32,
        visitor: &mut impl Visitor,
    ) -> Result<(), Fault> {
        let peer = self.peers.id(change.peer)?;
        let from = Source { peer, key: change.peer, time_s, recall: Recall::Not };
        visitor.state_changed(from, change.from, change.to);
        Ok(())
    }
}

/// The route of a RIB entry.
#[inline]
fn route<A: Address>(from: Source, entry: RibEntry<'_>, path: Path<A>, visitor: &mut impl Visitor) {
    if !entry.faults.is_empty() {
        visitor.faults(from, entry.faults);
    }
    match entry.attributes {
        Some(attributes) => visitor.announced(from, attributes, iter::once(path)),
        None => visitor.unusable(from, iter::once(path)),
    }
}

/// An UPDATE's routes of one family.
#[inline]
fn routes<A: Address>(from: Source, update: &Update<'_>, visitor: &mut impl Visitor) {
    let (withdrawn, unusable) = (update.withdrawn::<A>(), update.treated_as_withdrawn::<A>());
    if !unusable.is_empty() {
        let withdrawn_itself = withdrawn.clone().count().saturating_sub(unusable.clone().count());
        visitor.withdrawn(from, withdrawn.take(withdrawn_itself));
        visitor.unusable(from, unusable);
    } else if !withdrawn.is_empty() {
        visitor.withdrawn(from, withdrawn);
    }
    if let Some((attributes, paths)) = update.announced::<A>() {
        visitor.announced(from, attributes, paths);
    }
}
