//! The BGP speaker: wire codec, negotiation and session machine, without I/O.
