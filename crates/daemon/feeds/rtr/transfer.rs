//! What an answer of a cache carries: all of its data, or what has changed since a serial.
//!
//! PDUs are checked as they come (RFC 8210 s5.6, s5.7; 8210bis s5.12), and put in the form that indexes are made of.

use palisade_bgp::{Asn, Net, Prefix};
use palisade_policy::vrps::{MAX_ASPAS, MAX_PROVIDERS, MAX_VRPS};
use palisade_policy::{Aspa, OriginSet, Vrp};
use rpki::rtr::{State, Timing, pdu};

use super::dialogue::Fault;

/// The flag of an announcement; without it, it is a withdrawal (RFC 8210 s5.1).
const ANNOUNCE: u8 = 1;

/// An answer, from Cache Response to End of Data.
#[derive(Debug)]
pub(super) struct Transfer {
    /// The session and the serial that it leads to.
    pub(super) state: State,
    /// The times that the cache asks for; version 0 has none.
    pub(super) timing: Option<Timing>,
    /// Whether it is in a version of the protocol that has ASPAs: in another, nothing is said of them.
    pub(super) has_aspas: bool,
    /// What was carried.
    pub(super) content: Content,
}

/// What an answer carries.
#[derive(Debug)]
pub(super) enum Content {
    /// All that the cache has.
    Whole {
        /// Its VRPs.
        vrps: Vec<Vrp>,
        /// Its ASPAs.
        aspas: Vec<Aspa>,
    },
    /// What has changed, in the order it is to be applied.
    Delta(Vec<Change>),
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A VRP comes.
    Announce(Vrp),
    /// A VRP goes.
    Withdraw(Vrp),
    /// A customer has these providers, or no ASPA any more.
    Aspa(Asn, Option<OriginSet>),
}

/// The content of an answer while it comes.
#[derive(Debug)]
pub(super) struct Incoming {
    content: Content,
    entries: usize,
    aspas: usize,
    providers: usize,
}

impl Incoming {
    /// For the answer to a Reset Query.
    pub(super) fn whole() -> Self {
        Self::of(Content::Whole { vrps: Vec::new(), aspas: Vec::new() })
    }

    /// For the answer to a Serial Query.
    pub(super) fn delta() -> Self {
        Self::of(Content::Delta(Vec::new()))
    }

    fn of(content: Content) -> Self {
        Incoming { content, entries: 0, aspas: 0, providers: 0 }
    }

    /// All that came.
    pub(super) fn finish(self) -> Content {
        self.content
    }

    /// Another entry, of whatever kind: an answer has an end.
    pub(super) fn count(&mut self) -> Result<(), Fault> {
        self.entries += 1;
        if self.entries > MAX_VRPS { Err(Fault::TooMany) } else { Ok(()) }
    }

    pub(super) fn ipv4(&mut self, pdu: &pdu::Ipv4Prefix) -> Result<(), Fault> {
        let prefix =
            (pdu.prefix_len() <= 32).then(|| Prefix::V4(Net::new(pdu.prefix().to_bits(), pdu.prefix_len())));
        self.vrp(prefix, pdu.max_len(), pdu.asn().into_u32(), pdu.flags())
    }

    pub(super) fn ipv6(&mut self, pdu: &pdu::Ipv6Prefix) -> Result<(), Fault> {
        let prefix =
            (pdu.prefix_len() <= 128).then(|| Prefix::V6(Net::new(pdu.prefix().to_bits(), pdu.prefix_len())));
        self.vrp(prefix, pdu.max_len(), pdu.asn().into_u32(), pdu.flags())
    }

    fn vrp(&mut self, prefix: Option<Prefix>, max_length: u8, asn: u32, flags: u8) -> Result<(), Fault> {
        let prefix = prefix.ok_or(Fault::Corrupt("a prefix longer than an address"))?;
        let vrp = Vrp::new(prefix, max_length, Asn(asn))
            .map_err(|_| Fault::Corrupt("a maxLength out of its range"))?;
        match (&mut self.content, flags & ANNOUNCE) {
            (Content::Whole { vrps, .. }, ANNOUNCE) => vrps.push(vrp),
            (Content::Whole { .. }, _) => return Err(Fault::WithdrawnInReset),
            (Content::Delta(changes), ANNOUNCE) => changes.push(Change::Announce(vrp)),
            (Content::Delta(changes), _) => changes.push(Change::Withdraw(vrp)),
        }
        Ok(())
    }

    /// An ASPA, from its header's flags and what stands behind the header. (The crate's reader takes the withdrawals of
    /// today's draft, which have no providers, for errors.)
    ///
    /// In drafts before the twelfth the flags stood behind the header, whose own field was zero: read as today's, that
    /// is a withdrawal with providers, of a customer that nobody is.
    pub(super) fn aspa(&mut self, flags: u8, body: &[u8]) -> Result<(), Fault> {
        let (asns, []) = body.as_chunks::<4>() else { return Err(Fault::Corrupt("an ASPA's length")) };
        let mut asns = asns.iter().map(|asn| Asn(u32::from_be_bytes(*asn)));
        let customer = asns.next().ok_or(Fault::Corrupt("an ASPA's length"))?;
        let is_announced = flags & ANNOUNCE != 0;
        if !is_announced && asns.len() > 0 {
            return Err(Fault::OldAspa);
        }
        let providers: OriginSet = asns.collect();
        if is_announced && providers.is_empty() {
            return Err(Fault::AspaWithoutProviders(customer));
        }
        self.aspas += 1;
        self.providers += providers.len();
        if self.aspas > MAX_ASPAS || self.providers > MAX_PROVIDERS {
            return Err(Fault::TooMany);
        }
        match &mut self.content {
            Content::Whole { .. } if !is_announced => return Err(Fault::WithdrawnInReset),
            Content::Whole { aspas, .. } => aspas.push(Aspa { customer, providers }),
            Content::Delta(changes) => {
                changes.push(Change::Aspa(customer, is_announced.then_some(providers)));
            }
        }
        Ok(())
    }
}
