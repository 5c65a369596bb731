//! What tests of the whole program share: namespaces to run it in, BIRDs for it to talk to, the program as a process, and
//! BGP as octets.

pub(crate) mod bird;
pub(crate) mod namespace;
pub(crate) mod random;
pub(crate) mod router;
pub(crate) mod vrp;
pub(crate) mod wire;
