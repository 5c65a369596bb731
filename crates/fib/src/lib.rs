//! Accepted routes into the Linux kernel.
