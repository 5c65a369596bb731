//! UPDATE, decoded.

use crate::attributes::Attributes;
use crate::fault::Fault;
use crate::nlri::Nlri;
use crate::notification::Notification;
use crate::prefix::{Address, Family};

/// What decoding an UPDATE depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Whether AS numbers have four octets (RFC 6793).
    pub four_octet_as: bool,
    /// Whether the peer is of our own AS.
    pub internal: bool,
    /// Whether prefixes carry path identifiers (RFC 7911), by [`Family::index`].
    pub add_path: [bool; 2],
    /// Whether the family was negotiated, by [`Family::index`]; others are passed over.
    pub families: [bool; 2],
}

impl Default for Context {
    /// An external peer with AS numbers of four octets, both families, and no path identifiers.
    fn default() -> Self {
        Context { four_octet_as: true, internal: false, add_path: [false; 2], families: [true; 2] }
    }
}

/// The form of the attributes in an MRT RIB entry (RFC 6396).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RibEntryForm {
    /// TABLE_DUMP: two-octet AS numbers (s4.2).
    TableDump,
    /// TABLE_DUMP_V2: four-octet AS numbers, MP_REACH_NLRI cut to its next hop (s4.3.4).
    TableDumpV2,
}

/// Decodes UPDATEs, one after the other, into buffers that it keeps.
#[derive(Debug, Default)]
pub struct Decoder {}

impl Decoder {
    /// A decoder with empty buffers.
    pub fn new() -> Self {
        Decoder::default()
    }

    /// Decodes the body of an UPDATE.
    pub fn update<'a>(&'a mut self, body: &'a [u8], context: &Context) -> Result<Update<'a>, Notification> {
        let _ = (body, context);
        unimplemented!()
    }

    /// Attributes as an MRT RIB entry holds them.
    pub fn rib_entry<'a>(&'a mut self, raw: &'a [u8], form: RibEntryForm) -> RibEntry<'a> {
        let _ = (raw, form);
        unimplemented!()
    }
}

/// What an MRT RIB entry holds.
#[derive(Clone, Copy, Debug)]
pub struct RibEntry<'a> {
    /// The attributes; `None` where a fault makes them unusable.
    pub attributes: Option<Attributes<'a>>,
    /// What was wrong.
    pub faults: &'a [Fault],
}

/// An UPDATE, read in place.
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    faults: &'a [Fault],
}

impl<'a> Update<'a> {
    /// The paths that are withdrawn; to be applied before what is announced.
    pub fn withdrawn<A: Address>(&self) -> Nlri<'a, A> {
        unimplemented!()
    }

    /// The paths that are announced.
    pub fn announced<A: Address>(&self) -> Option<(Attributes<'a>, Nlri<'a, A>)> {
        unimplemented!()
    }

    /// The family whose table is complete with this message.
    pub fn end_of_rib(&self) -> Option<Family> {
        unimplemented!()
    }

    /// What was wrong with it.
    pub fn faults(&self) -> &'a [Fault] {
        self.faults
    }
}
