//! NLRI: prefixes as a message lists them (RFC 4271 s4.3; RFC 4760 s5; with ADD-PATH, RFC 7911 s3).
//!
//! Their syntax is checked once, by the decoder, over a whole field (RFC 7606 s5.3). What is handed out then is an iterator
//! over the octets themselves that has nothing left to fail at.

use std::marker::PhantomData;

use crate::prefix::{Address, Family, Net, nlri_octets};

/// A path as its sender names it: the prefix, and the path identifier where ADD-PATH is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path<A: Address> {
    /// The path identifier; 0 without ADD-PATH.
    pub path_id: u32,
    /// The prefix, its host bits masked off.
    pub net: Net<A>,
}

impl<A: Address> Path<A> {
    /// How many octets [`Path::write`] appends.
    #[inline]
    pub(crate) fn octets(self, add_path: bool) -> usize {
        if add_path { 5 + nlri_octets(self.net.len()) } else { 1 + nlri_octets(self.net.len()) }
    }

    /// Appends it as a message lists it; the path identifier only with ADD-PATH (RFC 7911 s3).
    #[inline]
    pub(crate) fn write(self, add_path: bool, out: &mut Vec<u8>) {
        if add_path {
            out.extend_from_slice(&self.path_id.to_be_bytes());
        }
        self.net.write_nlri(out);
    }
}

impl<A: Address> From<Net<A>> for Path<A> {
    /// The one path to a prefix, as it is without ADD-PATH.
    #[inline]
    fn from(net: Net<A>) -> Self {
        Path { path_id: 0, net }
    }
}

/// How many fields of one message may hold prefixes of one family that are withdrawn: the classic two and the two of RFC 4760.
pub(crate) const FIELDS: usize = 4;

/// The prefixes of one family in a message, field after field.
#[derive(Clone, Debug)]
pub struct Nlri<'a, A: Address> {
    rest: &'a [u8],
    later: [&'a [u8]; FIELDS - 1],
    add_path: bool,
    address: PhantomData<A>,
}

impl<'a, A: Address> Nlri<'a, A> {
    /// Over fields that [`is_sound`] has found in order.
    pub(crate) fn new([rest, later @ ..]: [&'a [u8]; FIELDS], add_path: bool) -> Self {
        Nlri { rest, later, add_path, address: PhantomData }
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty() && self.later.iter().all(|field| field.is_empty())
    }

    #[inline]
    fn take(&mut self) -> Option<Path<A>> {
        let mut rest = self.rest;
        let mut path_id = 0;
        if self.add_path {
            let (id, after) = rest.split_first_chunk::<4>()?;
            (path_id, rest) = (u32::from_be_bytes(*id), after);
        }
        let (&len, after) = rest.split_first()?;
        self.rest = after.get(nlri_octets(len)..)?;
        // Octets that follow the prefix are masked off with its host bits: reading a whole address is one load.
        Some(Path { path_id, net: Net::new(A::from_octets(after), len) })
    }
}

impl<A: Address> Iterator for Nlri<'_, A> {
    type Item = Path<A>;

    #[inline]
    fn next(&mut self) -> Option<Path<A>> {
        while self.rest.is_empty() {
            let next = self.later.iter_mut().find(|field| !field.is_empty())?;
            self.rest = std::mem::take(next);
        }
        self.take()
    }
}

/// Whether a field is a list of prefixes of a family: no length past the family's, and the last one whole (RFC 7606 s5.3).
pub(crate) fn is_sound(field: &[u8], family: Family, add_path: bool) -> bool {
    let longest = match family {
        Family::Ipv4 => 32,
        Family::Ipv6 => 128,
    };
    let mut rest = field;
    while !rest.is_empty() {
        let past_id = if add_path { rest.get(4..) } else { Some(rest) };
        let Some((&len, after)) = past_id.and_then(|octets| octets.split_first()) else { return false };
        match after.get(nlri_octets(len)..) {
            Some(after) if len <= longest => rest = after,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nets(fields: [&[u8]; 4], add_path: bool) -> Vec<String> {
        Nlri::<u32>::new(fields, add_path).map(|path| format!("{} {}", path.path_id, path.net)).collect()
    }

    #[test]
    fn fields_follow_each_other_and_empty_ones_are_passed_over() {
        let fields: [&[u8]; 4] = [&[], &[8, 10, 0], &[], &[20, 1, 2, 255]];
        assert_eq!(nets(fields, false), ["0 10.0.0.0/8", "0 0.0.0.0/0", "0 1.2.240.0/20"]);
        assert!(Nlri::<u32>::new([&[]; 4], true).is_empty());
        assert!(!Nlri::<u32>::new(fields, false).is_empty());
    }

    #[test]
    fn a_default_route_and_what_follows_it_are_three_prefixes_and_no_path_identifier() {
        let field: &[u8] = &[0, 16, 10, 0, 16, 10, 1];
        assert!(is_sound(field, Family::Ipv4, false));
        assert_eq!(nets([field, &[], &[], &[]], false), ["0 0.0.0.0/0", "0 10.0.0.0/16", "0 10.1.0.0/16"]);
    }

    #[test]
    fn path_identifiers_come_before_each_prefix() {
        let field: &[u8] = &[0, 0, 0, 7, 8, 10, 0, 0, 1, 0, 0];
        assert!(is_sound(field, Family::Ipv4, true));
        assert_eq!(nets([field, &[], &[], &[]], true), ["7 10.0.0.0/8", "256 0.0.0.0/0"]);
    }

    #[test]
    fn lengths_past_the_family_and_prefixes_past_the_field_are_unsound() {
        for (field, family, add_path, sound) in [
            (&[32, 1, 2, 3, 4][..], Family::Ipv4, false, true),
            (&[33, 1, 2, 3, 4, 5], Family::Ipv4, false, false),
            (&[33, 1, 2, 3, 4, 5], Family::Ipv6, false, true),
            (&[129; 18], Family::Ipv6, false, false),
            (&[24, 1, 2], Family::Ipv4, false, false),
            (&[0, 0, 0, 1], Family::Ipv4, true, false),
            (&[0, 0, 0], Family::Ipv4, true, false),
            (&[], Family::Ipv6, true, true),
        ] {
            assert_eq!(is_sound(field, family, add_path), sound, "{field:?} {family}");
        }
    }
}
