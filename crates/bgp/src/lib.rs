//! The BGP speaker, without I/O: bytes and a clock go in, bytes and timers come out.
//!
//! - **Words**: [`prefix`], [`as_path`], [`attributes`].
//! - **Messages**: [`message`] finds where one ends; [`open`] and [`capability`], [`update`], [`notification`] read them, and
//!   [`encode`] writes UPDATEs. What an attribute looks like, and what a [`fault`] in it leads to, is one row of
//!   [`attribute_table`].
//! - **Sessions**: [`session`] is the machine of RFC 4271 s8, [`negotiated`] what it runs with.
//!
//! It knows nothing of policy: what is well-formed is decided here, what is to be believed is not.

pub mod as_path;
mod attribute_block;
pub mod attribute_codes;
pub mod attribute_table;
pub mod attributes;
pub mod capability;
mod community;
mod connection;
pub mod encode;
pub mod fault;
pub mod message;
pub mod negotiated;
pub mod nlri;
pub mod notification;
pub mod open;
pub mod prefix;
mod reading;
#[cfg(test)]
mod sample;
pub mod session;
mod timers;
mod two_octet;
pub mod update;

pub use as_path::{AsPath, Asn};
pub use attribute_codes::AttributeCodes;
pub use attributes::Attributes;
pub use capability::AddPath;
pub use nlri::{Nlri, Path};
pub use notification::Notification;
pub use prefix::{Address, Family, Net, Prefix};
pub use reading::MAX_FAULTS;
pub use session::{Session, SessionConfig};
pub use update::{Context, Decoder, Update};
