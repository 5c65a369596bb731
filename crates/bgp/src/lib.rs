//! The BGP speaker, without I/O: bytes and a clock go in, bytes and timers come out.

pub mod as_path;
pub mod attributes;
pub mod prefix;

pub use as_path::{AsPath, Asn};
pub use attributes::Attributes;
pub use prefix::{Address, Family, Net, Prefix};
