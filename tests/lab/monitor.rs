//! Kernel notifications about added and removed addresses, routes and rules (rtnetlink).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    bind, recv, setsockopt, socket, sockopt, AddressFamily, MsgFlags, NetlinkAddr, SockFlag,
    SockProtocol, SockType,
};

use super::{wait, Namespace, SOON};

const RTM_NEWADDR: u16 = 20;
const RTM_DELADDR: u16 = 21;
const RTMGRP_IPV4_IFADDR: u32 = 0x10;
const RTMGRP_IPV6_IFADDR: u32 = 0x100;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AddressEvent {
    Added(IpAddr),
    Removed(IpAddr),
}

pub(crate) struct AddressMonitor {
    socket: OwnedFd,
    events: Vec<AddressEvent>,
}

/// A socket that receives these groups of a namespace.
fn listen(namespace: &Namespace, groups: u32) -> OwnedFd {
    let _inside = namespace.enter();
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)
        .expect("netlink socket");
    let _ = setsockopt(&socket, sockopt::RcvBufForce, &(8 << 20));
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups)).expect("netlink groups");
    socket
}

/// Counts changes of routes and rules of keepalived's protocol number.
pub(crate) struct FibMonitor {
    socket: OwnedFd,
}

impl FibMonitor {
    pub(crate) fn new(namespace: &Namespace) -> Self {
        // RTMGRP_IPV4_ROUTE, RTMGRP_IPV4_RULE, RTMGRP_IPV6_ROUTE, RTMGRP_IPV6_RULE
        Self { socket: listen(namespace, 0x40 | 0x80 | 0x400 | 0x4_0000) }
    }

    /// Numbers of additions and removals since the last call.
    pub(crate) fn changes(&mut self) -> (usize, usize) {
        let (mut added, mut removed) = (0, 0);
        let mut buffer = [0; 65536];
        loop {
            let length = match recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
                Ok(length) => length,
                Err(Errno::EAGAIN) => return (added, removed),
                Err(e) => panic!("netlink: {e}"),
            };
            let kind = u16::from_ne_bytes([buffer[4], buffer[5]]);
            // A route has its protocol in the header; rules are few.
            let counts = !matches!(kind, 24 | 25) || (length > 21 && buffer[21] == 18);
            match kind {
                24 | 32 if counts => added += 1,
                25 | 33 if counts => removed += 1,
                _ => {}
            }
        }
    }
}

impl AddressMonitor {
    pub(crate) fn new(namespace: &Namespace) -> Self {
        let socket = listen(namespace, RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR);
        Self { socket, events: Vec::new() }
    }

    /// What changes after these addresses are there: a MASTER says so before it adds them.
    pub(crate) fn once_held(namespace: &Namespace, interface: &str, addresses: &[&str]) -> Self {
        wait(&format!("{interface} has {addresses:?}"), SOON, || {
            addresses.iter().all(|address| namespace.holds(interface, address))
        });
        Self::new(namespace)
    }

    /// All events so far, in order.
    pub(crate) fn events(&mut self) -> &[AddressEvent] {
        let mut buffer = [0; 65536];
        loop {
            match recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
                Ok(length) => parse(&buffer[..length], &mut self.events),
                Err(Errno::EAGAIN) => return &self.events,
                Err(e) => panic!("netlink: {e}"),
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.events();
        self.events.clear();
    }

    pub(crate) fn removed(&mut self, address: &str) -> bool {
        let address = address.parse().expect("an address");
        self.events().contains(&AddressEvent::Removed(address))
    }
}

fn parse(mut data: &[u8], events: &mut Vec<AddressEvent>) {
    while let Some(head) = data.get(..16) {
        let length = u32::from_ne_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let kind = u16::from_ne_bytes([head[4], head[5]]);
        let Some(message) = data.get(..length) else { return };
        if let Some(address) = address(message) {
            match kind {
                RTM_NEWADDR => events.push(AddressEvent::Added(address)),
                RTM_DELADDR => events.push(AddressEvent::Removed(address)),
                _ => {}
            }
        }
        data = data.get(length.next_multiple_of(4).max(16)..).unwrap_or_default();
    }
}

/// IFA_LOCAL, or IFA_ADDRESS if it is missing (IPv6).
fn address(message: &[u8]) -> Option<IpAddr> {
    let mut attributes = message.get(24..)?;
    let mut found = None;
    while attributes.len() >= 4 {
        let length = usize::from(u16::from_ne_bytes([attributes[0], attributes[1]]));
        let kind = u16::from_ne_bytes([attributes[2], attributes[3]]);
        let value = attributes.get(4..length)?;
        if kind == 2 || (kind == 1 && found.is_none()) {
            found = <[u8; 4]>::try_from(value).map(|a| Ipv4Addr::from(a).into()).ok();
            found = found
                .or_else(|| <[u8; 16]>::try_from(value).map(|a| Ipv6Addr::from(a).into()).ok());
        }
        attributes = attributes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}
