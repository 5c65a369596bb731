//! The Linux kernel over raw netlink: one socket for requests, one for notifications.
//!
//! A batch is one `send` of many messages of which only the last asks for an acknowledgement. The kernel works through
//! all of them within the call and answers the ones it refuses by their sequence numbers, asked or not; so when the
//! last one's answer has come, whatever was not refused took effect.
//!
//! Notifications about our own requests would be a million messages that say nothing new, and would crowd out the
//! others. A socket filter drops them in the kernel, by the port number of the request socket.
//!
//! The notification socket is opened before anything is listed, so no change falls between the two.

mod decode;
mod encode;
mod numbers;

use crate::config::FibConfig;
use crate::error::{Errno, KernelError};
use crate::kernel::{Event, Kernel, KernelNextHop, KernelRoute, Link, Operation, Refusal};
use decode::Message;
use netlink_packet_core::{Emitable, NLM_F_DUMP_INTR, NLMSG_DONE, NLMSG_ERROR};
use netlink_packet_route::AddressFamily;
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::route::{RouteAttribute, RouteMessage};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use numbers::{RTM_GETNEXTHOP, RTM_NEWNEXTHOP};
use socket2::{SockFilter, SockRef};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// How long the kernel may take to answer. It answers a batch within the `send` itself.
const ANSWER_S: u64 = 5;

/// The kernel's datagrams are at most 32 KiB.
const DATAGRAM: usize = 64 * 1024;

/// What we ask for as receive buffers; `net.core.rmem_max` decides what we get.
const REQUEST_BUFFER: i32 = 4 << 20;
const NOTIFICATION_BUFFER: i32 = 32 << 20;

/// How often objects are listed again because they changed meanwhile.
const DUMP_TRIES: usize = 3;

/// After an overrun at most so many datagrams are thrown away at once.
const DISCARD: usize = 1_000_000;

/// The notifications of interest.
const GROUPS: [u32; 6] = [
    libc::RTNLGRP_LINK,
    libc::RTNLGRP_IPV4_IFADDR,
    libc::RTNLGRP_IPV6_IFADDR,
    libc::RTNLGRP_IPV4_ROUTE,
    libc::RTNLGRP_IPV6_ROUTE,
    libc::RTNLGRP_NEXTHOP,
];

/// The Linux kernel of this network namespace.
///
/// [`AsFd`] gives the notification socket, to sleep on until [`crate::Fib::poll_kernel`] has something to do.
pub struct NetlinkKernel {
    requests: Socket,
    notifications: Socket,
    sequence: u32,
    out: Vec<u8>,
    answer: Vec<u8>,
}

impl NetlinkKernel {
    /// Opens both sockets. Needs no privilege; changing something does.
    pub fn open() -> Result<Self, KernelError> {
        let (requests, port) = request_socket().map_err(doing("open the request socket"))?;
        let notifications = notification_socket(port).map_err(doing("open the notification socket"))?;
        let granted = notifications.get_rx_buf_sz().unwrap_or_default();
        tracing::debug!(port, notification_buffer = granted, "netlink sockets open");
        advise_on_compat_mode();
        let out = Vec::with_capacity(DATAGRAM);
        let answer = Vec::with_capacity(DATAGRAM);
        Ok(NetlinkKernel { requests, notifications, sequence: 0, out, answer })
    }

    /// Reserves `count` sequence numbers and returns the first.
    fn sequences(&mut self, count: usize) -> u32 {
        let first = self.sequence;
        // A batch is a few hundred messages; only distinctness among recent ones matters.
        self.sequence = first.wrapping_add(u32::try_from(count).unwrap_or(u32::MAX));
        first
    }

    /// Sends what is in `out`.
    fn send(&self) -> Result<(), KernelError> {
        loop {
            match self.requests.send(&self.out, 0) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed("send a batch", error)),
            }
        }
    }

    /// Lists things: `each` gets the payload of every message of kind `item`. False when the list may have holes.
    fn dump(
        &mut self,
        what: &'static str,
        kinds: (u16, u16),
        header: &[u8],
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<bool, KernelError> {
        let (request, item) = kinds;
        let sequence = self.sequences(1);
        self.out.clear();
        encode::dump(&mut self.out, request, header, sequence);
        self.send()?;
        let mut whole = true;
        loop {
            receive(&self.requests, &mut self.answer, 0)?;
            for message in decode::messages(&self.answer).filter(|message| message.sequence == sequence) {
                whole &= message.flags & NLM_F_DUMP_INTR == 0;
                match message.kind {
                    NLMSG_DONE | NLMSG_ERROR => return end_of_dump(what, message).map(|()| whole),
                    kind if kind == item => each(message.payload),
                    _ => {}
                }
            }
        }
    }
}

impl AsFd for NetlinkKernel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.notifications.as_fd()
    }
}

impl Kernel for NetlinkKernel {
    fn apply(
        &mut self,
        config: &FibConfig,
        operations: &[Operation],
        refusals: &mut Vec<Refusal>,
    ) -> Result<(), KernelError> {
        let Some(last) = operations.len().checked_sub(1) else { return Ok(()) };
        let first = self.sequences(operations.len());
        self.out.clear();
        for (sequence, (index, &operation)) in (0..).zip(operations.iter().enumerate()) {
            encode::operation(&mut self.out, config, operation, first.wrapping_add(sequence), index == last);
        }
        self.send()?;
        loop {
            receive(&self.requests, &mut self.answer, 0)?;
            for message in decode::messages(&self.answer).filter(|message| message.kind == NLMSG_ERROR) {
                // Late answers to an earlier batch that was given up have other numbers.
                let operation = message.sequence.wrapping_sub(first) as usize;
                if operation > last {
                    continue;
                }
                if let Some(errno) = decode::errno(message) {
                    refusals.push(Refusal { operation, errno, text: decode::words(message) });
                }
                if operation == last {
                    return Ok(());
                }
            }
        }
    }

    fn links(&mut self, each: &mut dyn FnMut(Link)) -> Result<(), KernelError> {
        let header = emitted(&LinkMessage::default());
        let kinds = (libc::RTM_GETLINK, libc::RTM_NEWLINK);
        self.dump("links", kinds, &header, &mut |payload| {
            decode::link(payload).into_iter().for_each(&mut *each)
        })?;
        Ok(())
    }

    fn next_hops(&mut self, each: &mut dyn FnMut(KernelNextHop)) -> Result<(), KernelError> {
        let kinds = (RTM_GETNEXTHOP, RTM_NEWNEXTHOP);
        for _ in 0..DUMP_TRIES {
            let listed = self.dump("nexthop objects", kinds, &[0; 8], &mut |payload| {
                decode::next_hop(payload).into_iter().for_each(&mut *each);
            });
            match listed {
                Err(KernelError::Dump { what, errno: Errno(libc::EOPNOTSUPP) }) => {
                    return Err(KernelError::Unsupported(what));
                }
                Err(error) => return Err(error),
                Ok(true) => return Ok(()),
                // An object missing from a list with holes would look like one that was flushed.
                Ok(false) => {}
            }
        }
        Err(KernelError::Overrun)
    }

    fn routes(&mut self, table: u32, each: &mut dyn FnMut(KernelRoute)) -> Result<bool, KernelError> {
        let mut whole = true;
        for family in [AddressFamily::Inet, AddressFamily::Inet6] {
            let mut request = RouteMessage::default();
            request.header.address_family = family;
            request.attributes.push(RouteAttribute::Table(table));
            let kinds = (libc::RTM_GETROUTE, libc::RTM_NEWROUTE);
            let listed = self.dump("routes", kinds, &emitted(&request), &mut |payload| {
                decode::route(payload).filter(|route| route.table == table).into_iter().for_each(&mut *each);
            });
            whole &= match listed {
                // A table exists from its first route on.
                Err(KernelError::Dump { errno, .. }) if errno.means_already_gone() => true,
                listed => listed?,
            };
        }
        Ok(whole)
    }

    fn events(&mut self, limit: usize, events: &mut Vec<Event>) -> Result<(), KernelError> {
        while events.len() < limit {
            match receive(&self.notifications, &mut self.answer, libc::MSG_DONTWAIT) {
                Ok(()) => events.extend(decode::messages(&self.answer).filter_map(decode::event)),
                Err(KernelError::TimedOut(_)) => break,
                Err(KernelError::Overrun) => {
                    // What is left is older than the comparison that follows, and would only be taken for news.
                    discard(&self.notifications, &mut self.answer);
                    return Err(KernelError::Overrun);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn request_socket() -> io::Result<(Socket, u32)> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    let port = socket.bind_auto()?.port_number();
    socket.connect(&SocketAddr::new(0, 0))?;
    // An error answer then carries the kernel's own words and not our whole request.
    socket.set_ext_ack(true)?;
    socket.set_cap_ack(true)?;
    // Without it the kernel ignores the table that a dump is asked for; every kernel with nexthop objects has it.
    if let Err(error) = socket.set_netlink_get_strict_chk(true) {
        tracing::debug!(%error, "dumps can't be narrowed to a table");
    }
    socket.set_rx_buf_sz(REQUEST_BUFFER)?;
    SockRef::from(&socket).set_read_timeout(Some(Duration::from_secs(ANSWER_S)))?;
    Ok((socket, port))
}

fn notification_socket(request_port: u32) -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.set_rx_buf_sz(NOTIFICATION_BUFFER)?;
    SockRef::from(&socket).attach_filter(&drop_messages_of(request_port))?;
    socket.bind_auto()?;
    for group in GROUPS {
        match socket.add_membership(group) {
            // Kernels without nexthop objects don't have their group either.
            Err(error) if group != libc::RTNLGRP_NEXTHOP => return Err(error),
            _ => {}
        }
    }
    Ok(socket)
}

/// A filter program: load `nlmsg_pid`, compare, drop or keep. The filter machine loads in network byte order.
fn drop_messages_of(port: u32) -> [SockFilter; 4] {
    const PID_OFFSET: u32 = 12;
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    [
        SockFilter::new(LOAD, 0, 0, PID_OFFSET),
        SockFilter::new(JUMP_IF_EQUAL, 0, 1, u32::from_be_bytes(port.to_ne_bytes())),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ]
}

/// Receives one datagram into `buffer`.
fn receive(socket: &Socket, buffer: &mut Vec<u8>, flags: libc::c_int) -> Result<(), KernelError> {
    loop {
        buffer.clear();
        match socket.recv_from(buffer, flags | libc::MSG_TRUNC) {
            // Only the kernel may speak, and it is port 0.
            Ok((_, sender)) if sender.port_number() != 0 => {}
            Ok((length, _)) if length > buffer.len() => return Err(KernelError::Overrun),
            Ok(_) => return Ok(()),
            Err(error) => match error.raw_os_error() {
                Some(libc::EINTR) => {}
                Some(libc::ENOBUFS) => return Err(KernelError::Overrun),
                Some(libc::EAGAIN) => return Err(KernelError::TimedOut(ANSWER_S)),
                _ => return Err(failed("receive", error)),
            },
        }
    }
}

fn discard(socket: &Socket, buffer: &mut Vec<u8>) {
    for _ in 0..DISCARD {
        if let Err(KernelError::TimedOut(_)) = receive(socket, buffer, libc::MSG_DONTWAIT) {
            return;
        }
    }
}

/// A dump ends with DONE, or with an error in either form.
fn end_of_dump(what: &'static str, message: Message<'_>) -> Result<(), KernelError> {
    match decode::errno(message) {
        None => Ok(()),
        Some(Errno(libc::EPERM | libc::EACCES)) => Err(KernelError::NotPermitted),
        Some(errno) => Err(KernelError::Dump { what, errno }),
    }
}

fn emitted(message: &impl Emitable) -> Vec<u8> {
    let mut bytes = vec![0; message.buffer_len()];
    message.emit(&mut bytes);
    bytes
}

/// With the compatibility mode on, a gateway that moves is announced once for each of its routes.
fn advise_on_compat_mode() {
    let mode = std::fs::read_to_string("/proc/sys/net/ipv4/nexthop_compat_mode").unwrap_or_default();
    if mode.trim() == "1" {
        tracing::info!(
            "net.ipv4.nexthop_compat_mode is 1: a gateway change is announced for each of its routes and takes \
             50 times as long as with 0"
        );
    }
}

fn failed(doing: &'static str, source: io::Error) -> KernelError {
    KernelError::Io { doing, source }
}

fn doing(what: &'static str) -> impl FnOnce(io::Error) -> KernelError {
    move |source| failed(what, source)
}
