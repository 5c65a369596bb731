//! How the TCP connections with a peer are made, and what guards them.
//!
//! | guard | a connection of ours | one of the peer's |
//! |---|---|---|
//! | MD5 signatures (RFC 2385) | before we connect | at the listening socket, and again on what it gives |
//! | TTL of what we send | before we connect | on what the listening socket gives; its own answers have 255 |
//! | least TTL of what we take (RFC 5082) | before we connect | likewise; at the listening socket itself where all peers have one |
//! | our own address | bound | looked at |
//!
//! A guard that can't be put up leaves no connection. An external peer is on a link of ours unless `multihop` says how far
//! away it is: its packets are sent with just so many hops to live, so that a session which is meant for the next router
//! never leads through a third one.
//!
//! Packets say that they are for the network's control (IP precedence, RFC 4271 s E; DSCP CS6, RFC 4594 s3.1).

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::time::Duration;

use nix::net::if_::{if_indextoname, if_nametoindex};
use socket2::{SockRef, Socket};
use tokio::net::{TcpSocket, TcpStream};

use super::passwords::Passwords;
use super::refusal::Refusal;
use super::tcp_options::{set_least_ttl, set_md5_key};
use crate::config::{Peer, Place};
use crate::secret::Secret;

/// TTL of packets that go anywhere, and what GTSM has all packets sent with (RFC 5082 s3).
pub(super) const MOST_TTL: u8 = 255;
/// DSCP CS6, which is precedence 6.
const NETWORK_CONTROL: u32 = 0xc0;

/// How connections with a peer are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transport {
    pub(crate) remote: SocketAddr,
    /// The interface that leads to the peer, where its address is link-local.
    pub(crate) interface: Option<String>,
    /// The address of ours that a session is from, where one is configured.
    pub(crate) local: Option<IpAddr>,
    /// What segments are signed with.
    pub(crate) password: Option<Secret>,
    /// How many hops away the peer is at most; `None` for as many as there are.
    pub(crate) hops: Option<u8>,
    /// Whether packets that may have come over more hops are dropped.
    pub(crate) ttl_security: bool,
    /// How long what was sent may stay unacknowledged, before the kernel gives the connection up (RFC 5482 s3.1); the peer is not told.
    pub(crate) user_timeout: Option<Duration>,
}

impl Transport {
    pub(super) fn new(peer: &Peer, passwords: &Passwords) -> Self {
        Transport {
            remote: SocketAddr::new(peer.address, peer.port),
            interface: peer.interface.clone(),
            local: peer.local_address,
            password: passwords.of(peer),
            hops: peer.transport.hops,
            ttl_security: peer.transport.ttl_security,
            user_timeout: peer.transport.user_timeout,
        }
    }

    /// Makes a connection.
    pub(super) async fn connect(self) -> io::Result<TcpStream> {
        let socket = if self.remote.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(key) = &self.password {
            set_md5_key(&socket, self.remote.ip().into(), Some(key))?;
        }
        self.guard(&SockRef::from(&socket))?;
        if let Some(address) = self.local {
            socket.bind(SocketAddr::new(address, 0))?;
        }
        socket.connect(self.on_its_link()?).await
    }

    /// Where the peer is.
    pub(crate) fn place(&self) -> Place {
        Place { address: self.remote.ip(), interface: self.interface.clone() }
    }

    /// The peer's address with the number that its interface has now: an interface may come late, or come again.
    fn on_its_link(&self) -> io::Result<SocketAddr> {
        let (SocketAddr::V6(remote), Some(interface)) = (self.remote, &self.interface) else {
            return Ok(self.remote);
        };
        let index = if_nametoindex(interface.as_str());
        let index = index.map_err(|_| {
            io::Error::new(io::ErrorKind::NotFound, format!("there is no interface {interface}"))
        })?;
        Ok(SocketAddrV6::new(*remote.ip(), remote.port(), 0, index).into())
    }

    /// Guards a connection that the peer has made, before anything is read of it.
    pub(super) fn take(&self, stream: &TcpStream) -> Result<(), NotTaken> {
        if let (Some(ours), there) = (self.local, stream.local_addr()?.ip().to_canonical())
            && ours != there
        {
            return Err(NotTaken::LocalAddress { ours, there });
        }
        // One that was made before the listening socket had the key is not signed.
        if let Some(key) = &self.password {
            set_md5_key(stream, self.remote.ip().into(), Some(key))?;
        }
        Ok(self.guard(&SockRef::from(stream))?)
    }

    fn guard(&self, socket: &Socket) -> io::Result<()> {
        let ttl = if self.ttl_security { MOST_TTL } else { self.hops.unwrap_or(MOST_TTL) };
        send_with(socket, self.remote.is_ipv6(), ttl)?;
        set_least_ttl(socket, self.remote.is_ipv6(), self.least_ttl())?;
        socket.set_tcp_user_timeout(self.user_timeout)
    }

    /// TTL of packets that have come over as many hops as they may; 0 where any may come.
    pub(super) fn least_ttl(&self) -> u8 {
        match self.hops {
            Some(hops) if self.ttl_security => MOST_TTL - (hops - 1),
            _ => 0,
        }
    }
}

/// Why a connection that a peer has made is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotTaken {
    #[error("it is to {there}, and `local_address` is {ours}")]
    LocalAddress { ours: IpAddr, there: IpAddr },
    /// What guards it can't be put up.
    #[error(transparent)]
    Guard(#[from] io::Error),
}

impl NotTaken {
    pub(super) const fn refusal(&self) -> Refusal {
        match self {
            NotTaken::LocalAddress { .. } => Refusal::LocalAddress,
            NotTaken::Guard(_) => Refusal::Guard,
        }
    }
}

/// Where a connection is from.
pub(super) fn place_of(from: SocketAddr) -> Place {
    let address = from.ip().to_canonical();
    let interface = match from {
        SocketAddr::V6(from) if from.ip().is_unicast_link_local() => if_indextoname(from.scope_id()).ok(),
        _ => None,
    };
    Place { address, interface: interface.and_then(|name| name.into_string().ok()) }
}

/// Has a socket send packets with that TTL, as the network's control.
pub(super) fn send_with(socket: &Socket, ipv6: bool, ttl: u8) -> io::Result<()> {
    if ipv6 {
        socket.set_unicast_hops_v6(ttl.into())?;
        socket.set_tclass_v6(NETWORK_CONTROL)
    } else {
        socket.set_ttl_v4(ttl.into())?;
        socket.set_tos_v4(NETWORK_CONTROL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transport(hops: Option<u8>, ttl_security: bool) -> Transport {
        let remote = "192.0.2.2:179".parse().unwrap();
        let (interface, local, password, user_timeout) = (None, None, None, None);
        Transport { remote, interface, local, password, hops, ttl_security, user_timeout }
    }

    #[test]
    fn what_may_come_over_more_hops_may_have_a_lower_ttl() {
        let least = |hops, security| transport(hops, security).least_ttl();
        assert_eq!([least(Some(1), true), least(Some(2), true), least(Some(255), true)], [255, 254, 1]);
        assert_eq!([least(Some(1), false), least(None, false), least(None, true)], [0; 3]);
    }

    #[tokio::test]
    async fn a_connection_has_the_time_to_live_of_its_peer_and_says_that_it_is_for_control() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.set_ttl(MOST_TTL.into()).unwrap();
        let remote = listener.local_addr().unwrap();
        for (hops, security, ttl) in
            [(Some(1), false, 1), (Some(3), false, 3), (None, false, 255), (Some(1), true, 255)]
        {
            let stream = Transport { remote, ..transport(hops, security) }.connect().await.unwrap();
            let socket = SockRef::from(&stream);
            assert_eq!((socket.ttl_v4().unwrap(), socket.tos_v4().unwrap()), (ttl, 0xc0));
        }
    }

    #[tokio::test]
    async fn a_connection_to_another_address_of_ours_is_not_taken() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let to =
            |local: &str| Transport { local: local.parse().ok(), ..transport(Some(1), true) }.take(&stream);
        assert!(to("127.0.0.1").is_ok());
        assert_eq!(
            to("127.0.0.2").unwrap_err().to_string(),
            "it is to 127.0.0.1, and `local_address` is 127.0.0.2"
        );
    }

    #[tokio::test]
    async fn an_interface_that_is_not_there_is_named() {
        let interface = Some("not-here".to_owned());
        let away =
            Transport { remote: "[fe80::1]:179".parse().unwrap(), interface, ..transport(Some(1), false) };
        assert_eq!(away.connect().await.unwrap_err().to_string(), "there is no interface not-here");
    }
}
