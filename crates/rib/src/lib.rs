//! The routing table, one shard of it as a machine.
