//! Options of TCP sockets that no library has ready-made: TCP-MD5 keys and the least TTL of what is taken.
//!
//! `nix` makes the system call; what is here is the options' numbers and the form of their values (linux/tcp.h, linux/in.h,
//! linux/in6.h).

use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;

use ipnet::IpNet;
use nix::errno::Errno;
use nix::libc::{self, c_int};
use nix::sys::socket::SetSockOpt;
use nix::sys::socket::sockopt::SetStruct;

use crate::secret::Secret;

/// `TCP_MD5SIG_EXT`, which takes a prefix of addresses.
const TCP_MD5SIG_EXT: c_int = 32;
/// `TCP_MD5SIG_FLAG_PREFIX`: the length of the prefix counts.
const FLAG_PREFIX: u8 = 1;
/// `TCP_MD5SIG_MAXKEYLEN`.
const KEY_OCTETS: usize = 80;
/// Octets of a `sockaddr_storage`.
const ADDRESS_OCTETS: usize = 128;

/// `struct tcp_md5sig`.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Md5Signature {
    address: [u8; ADDRESS_OCTETS],
    flags: u8,
    prefix_length: u8,
    key_length: u16,
    interface: u32,
    key: [u8; KEY_OCTETS],
}

#[derive(Clone)]
struct SetMd5;
nix::setsockopt_impl!(SetMd5, libc::IPPROTO_TCP, TCP_MD5SIG_EXT, Md5Signature, SetStruct<Md5Signature>);

#[derive(Clone)]
struct SetLeastTtl;
nix::setsockopt_impl!(SetLeastTtl, libc::IPPROTO_IP, libc::IP_MINTTL, c_int, SetStruct<c_int>);

#[derive(Clone)]
struct SetLeastHopLimit;
nix::setsockopt_impl!(SetLeastHopLimit, libc::IPPROTO_IPV6, libc::IPV6_MINHOPCOUNT, c_int, SetStruct<c_int>);

/// Has a socket sign what it exchanges with addresses of a prefix, and drop what is not signed; without a key, no more.
/// What is not there can be removed.
pub(super) fn set_md5_key(socket: &impl AsFd, with: IpNet, key: Option<&Secret>) -> io::Result<()> {
    let octets = key.map_or(&[][..], Secret::octets);
    let mut signature = Md5Signature {
        address: socket_address(with.network()),
        flags: FLAG_PREFIX,
        prefix_length: with.prefix_len(),
        key_length: u16::try_from(octets.len()).unwrap_or(u16::MAX),
        interface: 0,
        key: [0; KEY_OCTETS],
    };
    // A key that is too long is refused by the kernel, not cut.
    for (place, octet) in signature.key.iter_mut().zip(octets) {
        *place = *octet;
    }
    match SetMd5.set(socket, &signature) {
        Err(Errno::ENOENT) if key.is_none() => Ok(()),
        Err(Errno::ENOPROTOOPT) => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this kernel has no TCP-MD5 signatures (CONFIG_TCP_MD5SIG)",
        )),
        Err(Errno::ENOMEM) => Err(io::Error::new(
            io::ErrorKind::OutOfMemory,
            "the kernel has no room for another TCP-MD5 key: raise net.core.optmem_max",
        )),
        told => Ok(told?),
    }
}

/// Has a socket drop what comes with a lower TTL, or hop limit; 0 for nothing (RFC 5082 s3).
pub(super) fn set_least_ttl(socket: &impl AsFd, ipv6: bool, ttl: u8) -> io::Result<()> {
    let ttl = c_int::from(ttl);
    Ok(if ipv6 { SetLeastHopLimit.set(socket, &ttl) } else { SetLeastTtl.set(socket, &ttl) }?)
}

/// An address as a `sockaddr_in` or `sockaddr_in6` has it, without a port.
fn socket_address(address: IpAddr) -> [u8; ADDRESS_OCTETS] {
    let mut octets = [0; ADDRESS_OCTETS];
    let (family, at, address) = match address {
        IpAddr::V4(address) => (libc::AF_INET, 4, address.octets().to_vec()),
        IpAddr::V6(address) => (libc::AF_INET6, 8, address.octets().to_vec()),
    };
    let family = u16::try_from(family).unwrap_or_default().to_ne_bytes();
    octets[..family.len()].copy_from_slice(&family);
    octets[at..at + address.len()].copy_from_slice(&address);
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_finds_an_address_where_it_looks_for_it() {
        assert_eq!(size_of::<Md5Signature>(), 216);
        let v4 = socket_address(IpAddr::from([192, 0, 2, 1]));
        assert_eq!(v4[4..9], [192, 0, 2, 1, 0]);
        let v6 = socket_address("2001:db8::1".parse().unwrap());
        assert_eq!((&v6[8..12], v6[23], v6[24]), (&[0x20, 1, 0xd, 0xb8][..], 1, 0));
    }
}
