//! A network of one's own: for a laboratory that must touch nobody's routes and need no privileges.
//!
//! ```text
//!   this process, after enter()                 one thread of it, after isolate_thread()
//!   +-------------------------+                 +-------------------------+
//!   | lo                      |                 | lo                      |
//!   | near end of the veth  --+-----------------+-- far end of the veth   |
//!   +-------------------------+                 +-------------------------+
//! ```
//!
//! Linux gives an ordinary user a network namespace where it gives it a user namespace too, in which the user is root
//! over that network and over nothing else. Many systems refuse that; every refusal is told with what could not be
//! done, so that the caller can do without. Namespaces and their links go when the process ends, however it ends.
//!
//! Not here: routes, which are [`crate::Fib`]'s.

use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use ipnet::IpNet;
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};
use socket2::SockRef;

/// How long the kernel may take to answer.
const ANSWER: Duration = Duration::from_secs(5);

/// What the system refuses.
#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    /// No namespace.
    #[error("the system gives this user no network namespace: {}", why(*.0))]
    Refused(Errno),
    /// A user namespace without anything in it.
    #[error("the system gives a user namespace without the rights in it: {file}: {source}")]
    Unmapped {
        /// What could not be written.
        file: &'static str,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The namespace is there, and is no use.
    #[error("the network namespace can't be furnished: {doing}: {source}")]
    Link {
        /// What was being done.
        doing: &'static str,
        /// The operating system's reason.
        source: io::Error,
    },
}

fn why(errno: Errno) -> String {
    match errno {
        Errno::EPERM => {
            "it may make no user namespace (EPERM; a container or a security module forbids it)".into()
        }
        Errno::ENOSPC => "the limit user.max_user_namespaces or user.max_net_namespaces is reached".into(),
        Errno::EINVAL | Errno::ENOSYS => format!("the kernel has none ({errno})"),
        other => other.desc().into(),
    }
}

/// What a process has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// A network namespace.
    Network,
    /// That, and a user namespace, which is to be entered first.
    UserAndNetwork,
}

/// Moves this process into a network namespace of its own with `lo` up, and, where it is not allowed to do that, into a
/// user namespace besides. To be called while the process has one thread: the kernel refuses a user namespace to more.
///
/// After an error the process may be in a namespace in which it can do nothing at all. Whoever would go on after a
/// refusal lets a child process try first.
pub fn enter() -> Result<Entered, NamespaceError> {
    let (uid, gid) = (geteuid(), getegid());
    let entered = match unshare(CloneFlags::CLONE_NEWNET) {
        Ok(()) => Entered::Network,
        Err(Errno::EPERM) => {
            unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET).map_err(NamespaceError::Refused)?;
            // Giving up setgroups is the condition for mapping a group (user_namespaces(7)).
            write("/proc/self/setgroups", "deny")?;
            write("/proc/self/uid_map", &format!("0 {uid} 1"))?;
            write("/proc/self/gid_map", &format!("0 {gid} 1"))?;
            Entered::UserAndNetwork
        }
        Err(errno) => return Err(NamespaceError::Refused(errno)),
    };
    Furnisher::open()?.up("lo")?;
    Ok(entered)
}

/// Moves the calling thread, and those that it starts, into another network namespace with `lo` up, and returns what
/// [`Furnisher::veth`] takes. Needs what [`enter`] gives.
pub fn isolate_thread() -> Result<OwnedFd, NamespaceError> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(NamespaceError::Refused)?;
    Furnisher::open()?.up("lo")?;
    let namespace = File::open("/proc/thread-self/ns/net").map_err(doing("name it"))?;
    Ok(namespace.into())
}

fn write(file: &'static str, text: &str) -> Result<(), NamespaceError> {
    std::fs::write(file, text).map_err(|source| NamespaceError::Unmapped { file, source })
}

/// Makes links and addresses in one namespace: the one that its thread was in when it was opened, wherever that thread is
/// now.
pub struct Furnisher {
    socket: Socket,
    sequence: u32,
}

impl Furnisher {
    /// Opens the way to the kernel.
    pub fn open() -> Result<Self, NamespaceError> {
        let open = || {
            let mut socket = Socket::new(NETLINK_ROUTE)?;
            socket.bind_auto()?;
            socket.connect(&SocketAddr::new(0, 0))?;
            SockRef::from(&socket).set_read_timeout(Some(ANSWER))?;
            Ok(socket)
        };
        Ok(Furnisher { socket: open().map_err(doing("open a netlink socket"))?, sequence: 0 })
    }

    /// Makes a pair of links joined as by a wire: `near` here, `far` in another namespace.
    pub fn veth(&mut self, near: &str, far: &str, namespace: BorrowedFd<'_>) -> Result<(), NamespaceError> {
        let mut peer = LinkMessage::default();
        peer.attributes.push(LinkAttribute::IfName(far.into()));
        peer.attributes.push(LinkAttribute::NetNsFd(namespace.as_raw_fd()));
        let data = InfoData::Veth(InfoVeth::Peer(peer));
        let mut link = LinkMessage::default();
        link.attributes.push(LinkAttribute::IfName(near.into()));
        link.attributes
            .push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Veth), LinkInfo::Data(data)]));
        self.ask(RouteNetlinkMessage::NewLink(link), NLM_F_CREATE | NLM_F_EXCL)
            .map_err(doing("make a veth pair"))?;
        Ok(())
    }

    /// Takes a link up.
    pub fn up(&mut self, name: &str) -> Result<(), NamespaceError> {
        let mut link = LinkMessage::default();
        link.header.index = self.index(name)?;
        link.header.flags = LinkFlags::Up;
        link.header.change_mask = LinkFlags::Up;
        self.ask(RouteNetlinkMessage::SetLink(link), 0).map_err(doing("take a link up"))?;
        Ok(())
    }

    /// Gives a link an address and the network around it. An IPv6 address is good at once: nobody else is on the link
    /// that could have it too.
    pub fn address(&mut self, name: &str, network: IpNet) -> Result<(), NamespaceError> {
        let mut message = AddressMessage::default();
        message.header.index = self.index(name)?;
        message.header.prefix_len = network.prefix_len();
        (message.header.family, message.header.flags) = match network.addr() {
            IpAddr::V4(_) => (AddressFamily::Inet, AddressHeaderFlags::empty()),
            IpAddr::V6(_) => (AddressFamily::Inet6, AddressHeaderFlags::Nodad),
        };
        message.attributes.push(AddressAttribute::Local(network.addr()));
        message.attributes.push(AddressAttribute::Address(network.addr()));
        self.ask(RouteNetlinkMessage::NewAddress(message), NLM_F_CREATE | NLM_F_EXCL)
            .map_err(doing("give a link an address"))?;
        Ok(())
    }

    /// The number of a link.
    fn index(&mut self, name: &str) -> Result<u32, NamespaceError> {
        let mut link = LinkMessage::default();
        link.attributes.push(LinkAttribute::IfName(name.into()));
        let found = self.ask(RouteNetlinkMessage::GetLink(link), 0).map_err(doing("find a link"))?;
        found
            .map(|link| link.header.index)
            .ok_or_else(|| doing("find a link")(io::ErrorKind::NotFound.into()))
    }

    /// Has a request carried out. The link that the kernel names in its answer, where it names one.
    fn ask(&mut self, request: RouteNetlinkMessage, flags: u16) -> io::Result<Option<LinkMessage>> {
        self.send(request, flags)?;
        let mut named = None;
        loop {
            let (answer, _) = self.socket.recv_from_full()?;
            let answer =
                NetlinkMessage::<RouteNetlinkMessage>::deserialize(&answer).map_err(io::Error::other)?;
            if answer.header.sequence_number != self.sequence {
                continue;
            }
            match answer.payload {
                NetlinkPayload::InnerMessage(RouteNetlinkMessage::NewLink(link)) => named = Some(link),
                NetlinkPayload::Error(refused) if refused.code.is_some() => return Err(refused.to_io()),
                NetlinkPayload::Error(_) => return Ok(named),
                _ => {}
            }
        }
    }

    fn send(&mut self, request: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut message = NetlinkMessage::from(request);
        message.header.flags = NLM_F_REQUEST | NLM_F_ACK | flags;
        message.header.sequence_number = self.sequence;
        message.finalize();
        let mut octets = vec![0; message.buffer_len()];
        message.serialize(&mut octets);
        self.socket.send(&octets, 0)?;
        Ok(())
    }
}

fn doing(doing: &'static str) -> impl FnOnce(io::Error) -> NamespaceError {
    move |source| NamespaceError::Link { doing, source }
}
