//! MRT, the format of routing archives (RFC 6396; ADD-PATH, RFC 8050): read into routes, and written.
//!
//! ```text
//!   file, pipe      records::Records        reader::Reader             a Visitor
//!   (input.rs)  ->  cut into records,   ->  peers, entries, UPDATEs ->  replay, the lab's players
//!                   place found again       by bgp's Decoder
//! ```
//!
//! What is read: TABLE_DUMP and TABLE_DUMP_V2 (both families, with and without path identifiers), BGP4MP and BGP4MP_ET
//! messages and state changes in all their forms, and the type 5 of before 2001. All else is counted by kind and passed
//! over. What is damaged is told with its offset in the unpacked stream, and the rest is read; nothing is guessed: a
//! route whose peer is not known, or whose attributes can't be read, is not announced.
//!
//! bgpkit-parser reads the same files for comparison in tests, and names the kinds. It is not on the way of the routes:
//! it allocates each record, knows no offsets, and stops where a length is wrong.

mod bgp4mp;
mod damage;
mod kind;
mod octets;
mod peers;
mod reader;
mod recent;
mod records;
mod table_dump;
mod table_dump_v2;
pub(crate) mod write;

pub(crate) use damage::{Damage, Fault};
pub(crate) use kind::Kind;
pub(crate) use peers::PeerKey;
pub(crate) use reader::{Reader, Source, Visitor};
pub(crate) use recent::{Recall, SLOTS};

#[cfg(test)]
mod tests;
