//! Mirroring a registry by NRTM version 3: a dump, and from then on what changes.
//!
//! ```text
//!   dumps + CURRENTSERIAL --.
//!                            >--> index at a serial --.
//!   cache ------------------'         ^                |  -g SOURCE:3:NEXT-LAST, every minute
//!                                     '---- amended <--'
//! ```

mod mirror;
pub(crate) mod stream;

pub(super) use mirror::{Settings, run};
