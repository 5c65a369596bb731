//! What tests of the whole program share: namespaces to run it in, BIRDs for it to talk to, and the program as a process.

pub(crate) mod bird;
pub(crate) mod namespace;
pub(crate) mod random;
pub(crate) mod router;
pub(crate) mod vrp;
