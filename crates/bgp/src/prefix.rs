//! A prefix as the table keeps it: a packed address and a length.
//!
//! `ipnet` is for what people see; here an address is the integer its bits spell, so that a mask is a shift, an order
//! is an integer's, and the whole of a prefix's subtree is one contiguous range: prefixes sort by address, then by
//! length, which puts every prefix before all that it covers. Whatever is generic over the family (the table, the
//! origin validation index) is generic over [`Address`].

use std::fmt;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The address families Palisade routes: unicast IPv4 and IPv6 (AFI 1 and 2, SAFI 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// AFI 1, SAFI 1.
    Ipv4,
    /// AFI 2, SAFI 1.
    Ipv6,
}

impl Family {
    /// Both, in the order they are listed everywhere.
    pub const ALL: [Family; 2] = [Family::Ipv4, Family::Ipv6];

    /// The number of IANA's registry of address families.
    pub const fn afi(self) -> u16 {
        match self {
            Family::Ipv4 => 1,
            Family::Ipv6 => 2,
        }
    }

    /// The family of an AFI and SAFI, where it is one that we route.
    pub const fn from_afi_safi(afi: u16, safi: u8) -> Option<Family> {
        match (afi, safi) {
            (1, 1) => Some(Family::Ipv4),
            (2, 1) => Some(Family::Ipv6),
            _ => None,
        }
    }

    /// The family of an address.
    pub const fn of(address: IpAddr) -> Family {
        match address {
            IpAddr::V4(_) => Family::Ipv4,
            IpAddr::V6(_) => Family::Ipv6,
        }
    }

    /// 0 and 1, for arrays that hold one of each.
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::Ipv4 => "IPv4",
            Family::Ipv6 => "IPv6",
        })
    }
}

/// The bits of an IPv4 (`u32`) or IPv6 (`u128`) address.
pub trait Address: Copy + Eq + Ord + Hash + fmt::Debug + Send + Sync + 'static {
    /// The family this is an address of.
    const FAMILY: Family;
    /// Bits in an address: 32 or 128.
    const BITS: u8;
    /// 0.0.0.0 or ::.
    const ZERO: Self;

    /// The address with all but its first `len` bits cleared; `len` above [`Self::BITS`] clears none.
    fn network(self, len: u8) -> Self;
    /// The address with all but its first `len` bits set: the last address of its network.
    fn broadcast(self, len: u8) -> Self;
    /// The first `count` bits as a number, `count` at most 32.
    fn high_bits(self, count: u8) -> u32;
    /// How many leading bits two addresses share.
    fn common_bits(self, other: Self) -> u8;
    /// The address whose leading octets these are; octets past the address's width are not read.
    fn from_octets(octets: &[u8]) -> Self;
    /// Calls `f` with the octets in network order.
    fn with_octets<R>(self, f: impl FnOnce(&[u8]) -> R) -> R;
    /// As people write it.
    fn to_ip(self) -> IpAddr;
    /// The family-blind prefix.
    fn prefix(net: Net<Self>) -> Prefix;
    /// The prefix of this family, where it is one.
    fn of_prefix(prefix: Prefix) -> Option<Net<Self>>;
}

macro_rules! address {
    ($int:ty, $family:ident, $variant:ident, $ip:ty) => {
        impl Address for $int {
            const FAMILY: Family = Family::$family;
            const BITS: u8 = <$int>::BITS as u8;
            const ZERO: Self = 0;

            #[inline]
            fn network(self, len: u8) -> Self {
                match Self::MAX.checked_shr(u32::from(len)) {
                    Some(host) => self & !host,
                    None => self,
                }
            }
            #[inline]
            fn broadcast(self, len: u8) -> Self {
                self | Self::MAX.checked_shr(u32::from(len)).unwrap_or(0)
            }
            #[inline]
            fn high_bits(self, count: u8) -> u32 {
                self.checked_shr(u32::from(<Self as Address>::BITS - count)).unwrap_or(0) as u32
            }
            #[inline]
            fn common_bits(self, other: Self) -> u8 {
                (self ^ other).leading_zeros() as u8
            }
            #[inline]
            fn from_octets(octets: &[u8]) -> Self {
                if let Some(whole) = octets.first_chunk() {
                    return Self::from_be_bytes(*whole);
                }
                let mut whole = [0; size_of::<Self>()];
                whole[..octets.len()].copy_from_slice(octets);
                Self::from_be_bytes(whole)
            }
            #[inline]
            fn with_octets<R>(self, f: impl FnOnce(&[u8]) -> R) -> R {
                f(&self.to_be_bytes())
            }
            fn to_ip(self) -> IpAddr {
                IpAddr::from(<$ip>::from(self))
            }
            fn prefix(net: Net<Self>) -> Prefix {
                Prefix::$variant(net)
            }
            fn of_prefix(prefix: Prefix) -> Option<Net<Self>> {
                match prefix {
                    Prefix::$variant(net) => Some(net),
                    _ => None,
                }
            }
        }
    };
}

address!(u32, Ipv4, V4, Ipv4Addr);
address!(u128, Ipv6, V6, Ipv6Addr);

/// A network of one family. Its host bits are always zero and its length never exceeds the family's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Net<A> {
    address: A,
    len: u8,
}

impl<A: Address> Net<A> {
    /// The default route of the family.
    pub const DEFAULT: Self = Net { address: A::ZERO, len: 0 };

    /// The network of the first `len` bits of `address`; host bits are masked off and `len` is cut to the
    /// family's width.
    #[inline]
    pub fn new(address: A, len: u8) -> Self {
        let len = len.min(A::BITS);
        Net { address: address.network(len), len }
    }

    /// Its first address.
    #[inline]
    pub fn address(self) -> A {
        self.address
    }

    /// Its length in bits.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a prefix length, not a count of items")]
    pub fn len(self) -> u8 {
        self.len
    }

    /// Its last address.
    #[inline]
    pub fn last(self) -> A {
        self.address.broadcast(self.len)
    }

    /// Whether every address of `other` is one of ours (an equal network is covered).
    #[inline]
    pub fn covers(self, other: Self) -> bool {
        self.len <= other.len && other.address.network(self.len) == self.address
    }

    /// The network that holds this one and is `len` bits long; itself where it is no longer than that.
    #[inline]
    pub fn truncate(self, len: u8) -> Self {
        if len >= self.len { self } else { Net { address: self.address.network(len), len } }
    }

    /// The NLRI encoding: a length in bits, then as few octets as hold them (RFC 4271 s4.3).
    #[inline]
    pub fn write_nlri(self, out: &mut Vec<u8>) {
        let end = out.len() + 1 + nlri_octets(self.len);
        out.push(self.len);
        // A whole address is one store; to copy as many octets as the length asks for would be a call.
        self.address.with_octets(|octets| out.extend_from_slice(octets));
        out.truncate(end);
    }
}

/// How many octets of address an NLRI of `len` bits carries.
#[inline]
pub const fn nlri_octets(len: u8) -> usize {
    (len as usize).div_ceil(8)
}

impl<A: Address> fmt::Display for Net<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address.to_ip(), self.len)
    }
}

impl<A: Address> fmt::Debug for Net<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A network of either family. Shown and parsed as `address/length`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prefix {
    /// An IPv4 network.
    V4(Net<u32>),
    /// An IPv6 network.
    V6(Net<u128>),
}

impl Prefix {
    /// The network of the first `len` bits of `address`, host bits masked off.
    pub fn new(address: IpAddr, len: u8) -> Self {
        match address {
            IpAddr::V4(address) => Prefix::V4(Net::new(address.to_bits(), len)),
            IpAddr::V6(address) => Prefix::V6(Net::new(address.to_bits(), len)),
        }
    }

    /// Its family.
    pub fn family(self) -> Family {
        match self {
            Prefix::V4(_) => Family::Ipv4,
            Prefix::V6(_) => Family::Ipv6,
        }
    }

    /// Its length in bits.
    #[expect(clippy::len_without_is_empty, reason = "a prefix length, not a count of items")]
    pub fn len(self) -> u8 {
        match self {
            Prefix::V4(net) => net.len,
            Prefix::V6(net) => net.len,
        }
    }

    /// Its first address.
    pub fn address(self) -> IpAddr {
        match self {
            Prefix::V4(net) => net.address.to_ip(),
            Prefix::V6(net) => net.address.to_ip(),
        }
    }

    /// Whether every address of `other` is one of ours; never across families.
    pub fn covers(self, other: Self) -> bool {
        match (self, other) {
            (Prefix::V4(ours), Prefix::V4(theirs)) => ours.covers(theirs),
            (Prefix::V6(ours), Prefix::V6(theirs)) => ours.covers(theirs),
            _ => false,
        }
    }

    /// Whether `address` lies within.
    pub fn contains(self, address: IpAddr) -> bool {
        self.covers(Prefix::new(address, 128))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address(), self.len())
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// Not of the form `address/length`.
    #[error(
        "`{0}` is not a prefix: expected an address, a slash and a length, like 192.0.2.0/24 or 2001:db8::/32"
    )]
    Syntax(String),
    /// Bits are set past the length: probably a typing error, so it is not masked in silence.
    #[error("`{0}` has host bits set: did you mean {1}?")]
    HostBits(String, Prefix),
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let net: IpNet = text.parse().map_err(|_| PrefixError::Syntax(text.into()))?;
        let prefix = Prefix::from(net);
        if net.addr() == prefix.address() {
            Ok(prefix)
        } else {
            Err(PrefixError::HostBits(text.into(), prefix))
        }
    }
}

impl From<IpNet> for Prefix {
    fn from(net: IpNet) -> Self {
        Prefix::new(net.addr(), net.prefix_len())
    }
}

impl From<Prefix> for IpNet {
    fn from(prefix: Prefix) -> Self {
        match prefix {
            Prefix::V4(net) => Ipv4Net::new_assert(Ipv4Addr::from(net.address), net.len).into(),
            Prefix::V6(net) => Ipv6Net::new_assert(Ipv6Addr::from(net.address), net.len).into(),
        }
    }
}

impl From<Net<u32>> for Prefix {
    fn from(net: Net<u32>) -> Self {
        Prefix::V4(net)
    }
}

impl From<Net<u128>> for Prefix {
    fn from(net: Net<u128>) -> Self {
        Prefix::V6(net)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn a_prefix_sorts_before_all_it_covers_and_after_all_before_it() {
        let mut all = ["10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/16", "9.255.0.0/16", "11.0.0.0/8", "0.0.0.0/0"]
            .map(prefix);
        all.sort();
        let order = ["0.0.0.0/0", "9.255.0.0/16", "10.0.0.0/8", "10.0.0.0/16", "10.1.0.0/16", "11.0.0.0/8"];
        assert_eq!(all, order.map(prefix));
    }

    #[test]
    fn host_bits_are_masked_in_nlri_and_refused_in_text() {
        assert_eq!(Prefix::new("1.2.255.0".parse().unwrap(), 20), prefix("1.2.240.0/20"));
        assert_eq!(
            "1.2.255.0/20".parse::<Prefix>(),
            Err(PrefixError::HostBits("1.2.255.0/20".into(), prefix("1.2.240.0/20")))
        );
    }

    #[test]
    fn covering_holds_at_both_ends_of_the_length() {
        assert!(prefix("0.0.0.0/0").covers(prefix("255.255.255.255/32")));
        assert!(prefix("::/0").covers(prefix("::/0")));
        assert!(!prefix("::/0").covers(prefix("0.0.0.0/0")));
        assert!(!prefix("10.0.0.0/9").covers(prefix("10.0.0.0/8")));
        assert!(prefix("2001:db8::/32").contains("2001:db8:ffff::1".parse().unwrap()));
    }

    #[test]
    fn nlri_takes_as_few_octets_as_hold_the_length() {
        for (text, octets) in
            [("0.0.0.0/0", &[0][..]), ("10.0.0.0/8", &[8, 10]), ("10.128.0.0/9", &[9, 10, 128])]
        {
            let Prefix::V4(net) = prefix(text) else { unreachable!() };
            let mut out = Vec::new();
            net.write_nlri(&mut out);
            assert_eq!(out, octets);
        }
    }
}
