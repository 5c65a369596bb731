//! Fields read from the front of a slice, in network order. Each is `None` where the slice is too short, and takes
//! nothing then.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use palisade_bgp::Family;

/// What is left of a record's body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Octets<'a>(pub(super) &'a [u8]);

impl<'a> Octets<'a> {
    #[inline]
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    #[inline]
    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// An address of a family.
    #[inline]
    pub(super) fn address(&mut self, family: Family) -> Option<IpAddr> {
        match family {
            Family::Ipv4 => self.array::<4>().map(|octets| Ipv4Addr::from(octets).into()),
            Family::Ipv6 => self.array::<16>().map(|octets| Ipv6Addr::from(octets).into()),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
