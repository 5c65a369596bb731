//! Metrics: the router's numbers, for programs that watch it, as Prometheus reads them.
//!
//! ```text
//!   catalogue (what there is) --> collect (what it is now) --> page (text) --> `palisade show metrics`, http://../metrics
//! ```
//!
//! Everything is read where it is kept: nobody who serves routes is asked, and the page is made by whoever wants it. The text is
//! version 0.0.4 of the exposition format.

pub(crate) mod catalogue;
mod collect;
mod page;
mod server;

pub(crate) use collect::text;
pub(crate) use server::{Limits, serve};

#[cfg(test)]
mod tests;
