//! The control socket: how a running router is asked, and the answer.
//!
//! ```text
//!   palisade show --> one line of JSON, the request ------> router
//!   palisade show <-- lines of JSON, the last is `end` <--- router
//! ```
//!
//! A connection is for one request: a line like `{"ask":"routes","peer":"member-a","show":"filtered"}`. The answer is a
//! line an object, each with one key that says what it is: `summary`, `peer` or `route`, and then, once, `end` or `error`.
//! An answer without either of these was cut off, and is not to be believed to be whole.
//!
//! A long answer is made as it is read: a page of each shard at a time, and no further page before the last is written.
//! So a client that reads slowly, or not at all, costs the router a place among [`Limits::clients`] and some tens of
//! kilobytes, and nobody any time; after [`Limits::stalled`] it costs nothing. It also means that routes which change
//! meanwhile are shown as they are when their page is reached. They are in the order of their prefixes all the same.
//!
//! The router can be told to read its configuration again, to believe a source, or to steer a peer's session, and nothing else. Who
//! may ask is a matter of the file's permissions: owner and group.

pub(crate) mod answer;
mod answering;
pub(crate) mod client;
pub(crate) mod command;
mod explaining;
pub(crate) mod request;
mod routes;
mod server;
pub(crate) mod socket;

pub(crate) use answering::Answering;
pub(crate) use server::{Limits, Server};
