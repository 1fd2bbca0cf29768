//! Route netlink: a pipelined request socket, a monitor socket for external changes, and dumps.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, RawFd};

use netlink_packet_core::{
    NetlinkHeader, NetlinkMessage, NetlinkPayload, NLM_F_CREATE, NLM_F_DUMP, NLM_F_DUMP_INTR,
    NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST,
};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, AddressScope, CacheInfo,
};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkLayerType, LinkMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::{protocols::NETLINK_ROUTE, Socket};

use super::filter::{attach, force_receive_buffer, set_receive_buffer, Program};
use super::pipeline::{limit_waiting, receive, whole, Pipeline};
use crate::base::addr::{Family, HostAddress, Mac, Prefix};
use crate::base::link::{KernelEvent, Link};
use crate::model::global::ReceiveBuffer;
use crate::wire::netlink::{errno, messages, NLMSG_DONE, NLMSG_ERROR};

/// Room for the changes of a busy moment; the kernel allocates it only when it is used.
const MONITOR_BUFFER: usize = 4 << 20;
const RTNLGRP_LINK: u32 = 1;
const RTNLGRP_IPV4_IFADDR: u32 = 5;
const RTNLGRP_IPV6_IFADDR: u32 = 9;

/// Pending requests with their owners.
pub struct Requests<T> {
    pipeline: Pipeline<T>,
}

impl<T> Requests<T> {
    pub fn open() -> io::Result<Self> {
        Ok(Self { pipeline: Pipeline::open(NETLINK_ROUTE)? })
    }

    /// # Errors
    /// The kernel refuses the size.
    pub fn set_receive_buffer(&self, buffer: ReceiveBuffer) -> io::Result<()> {
        self.pipeline.set_receive_buffer(buffer)
    }

    /// The port number the kernel names as the origin of what this socket changes.
    pub fn port(&self) -> io::Result<u32> {
        self.pipeline.port()
    }

    /// EEXIST: the address exists already, whatever its origin.
    pub fn add(&mut self, index: u32, address: &HostAddress, asker: T) {
        let message = RouteNetlinkMessage::NewAddress(address_message(index, address));
        self.queue(message, NLM_F_CREATE | NLM_F_EXCL, asker);
    }

    /// Changes what can be changed of an address that is there: its lifetime and, of an IPv6
    /// address, its flags.
    pub fn replace(&mut self, index: u32, address: &HostAddress, asker: T) {
        let message = RouteNetlinkMessage::NewAddress(address_message(index, address));
        self.queue(message, NLM_F_REPLACE, asker);
    }

    /// Removes the address whatever its label and its other options.
    pub fn remove(&mut self, index: u32, address: &HostAddress, asker: T) {
        let bytes = removal(index, address.prefix, address.peer);
        self.pipeline.queue(asker, |out| out.extend_from_slice(&bytes));
    }

    pub fn is_idle(&self) -> bool {
        self.pipeline.is_idle()
    }

    /// Sends one batch and appends the kernel's answers: the owner and 0 or an errno.
    pub fn flush(&mut self, answers: &mut Vec<(T, i32)>) -> io::Result<()> {
        self.pipeline.flush(answers)
    }

    /// Answers all waiting requests with this errno, when none can be sent.
    pub fn give_up(&mut self, errno: i32, answers: &mut Vec<(T, i32)>) {
        self.pipeline.give_up(errno, answers);
    }

    fn queue(&mut self, message: RouteNetlinkMessage, flags: u16, asker: T) {
        let bytes = serialize(message, NLM_F_REQUEST | flags);
        self.pipeline.queue(asker, |out| out.extend_from_slice(&bytes));
    }
}

fn serialize(message: RouteNetlinkMessage, flags: u16) -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    header.flags = flags;
    let mut packet = NetlinkMessage::new(header, NetlinkPayload::from(message));
    packet.finalize();
    let mut bytes = vec![0; packet.buffer_len()];
    packet.serialize(&mut bytes);
    bytes
}

/// The request to remove an address. With a `peer`, the prefix length is the peer's.
///
/// It contains only what the kernel needs to find the address, and neither label nor flags.
pub(super) fn removal(index: u32, prefix: Prefix, peer: Option<IpAddr>) -> Vec<u8> {
    let mut message = address_header(index, prefix);
    message.attributes.push(AddressAttribute::Local(prefix.addr));
    // The same IPv4 address may be there twice, with another peer or prefix.
    if prefix.addr.is_ipv4() {
        message.attributes.push(AddressAttribute::Address(peer.unwrap_or(prefix.addr)));
    }
    serialize(RouteNetlinkMessage::DelAddress(message), NLM_F_REQUEST)
}

fn address_header(index: u32, prefix: Prefix) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.index = index;
    message.header.prefix_len = prefix.len;
    message.header.family = match Family::of(&prefix.addr) {
        Family::V4 => AddressFamily::Inet,
        Family::V6 => AddressFamily::Inet6,
    };
    message
}

fn address_message(index: u32, a: &HostAddress) -> AddressMessage {
    let mut message = address_header(index, a.prefix);
    message.header.scope = AddressScope::from(a.scope);
    let list = &mut message.attributes;
    list.push(AddressAttribute::Local(a.prefix.addr));
    list.push(AddressAttribute::Address(a.peer.unwrap_or(a.prefix.addr)));
    list.extend(a.broadcast.map(AddressAttribute::Broadcast));
    list.extend(a.label.as_deref().map(|label| AddressAttribute::Label(label.to_owned())));
    // Whether an address is tentative is for the kernel to say.
    let flags = AddressFlags::from_bits_retain(a.flags & !HostAddress::TENTATIVE);
    if !flags.is_empty() {
        message.header.flags = AddressHeaderFlags::from_bits_truncate(flags.bits() as u8);
        list.push(AddressAttribute::Flags(flags));
    }
    if a.preferred != u32::MAX {
        let mut lifetimes = CacheInfo::default();
        lifetimes.ifa_preferred = a.preferred;
        lifetimes.ifa_valid = u32::MAX;
        list.push(AddressAttribute::CacheInfo(lifetimes));
    }
    list.extend(a.protocol.map(|protocol| AddressAttribute::Protocol(protocol.into())));
    message
}

/// Receives notifications of changes. Non-blocking.
pub struct Monitor {
    socket: Socket,
    buffer: Vec<u8>,
}

impl Monitor {
    pub fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.set_non_blocking(true)?;
        force_receive_buffer(socket.as_raw_fd(), MONITOR_BUFFER);
        for group in [RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR] {
            socket.add_membership(group)?;
        }
        Ok(Self { socket, buffer: Vec::new() })
    }

    /// # Errors
    /// The kernel refuses the size.
    pub fn set_receive_buffer(&self, buffer: ReceiveBuffer) -> io::Result<()> {
        set_receive_buffer(self.socket.as_raw_fd(), buffer, MONITOR_BUFFER)
    }

    /// Lets only these interfaces through (all of them when `links` is `None`), and no address that
    /// the socket with port number `own` added itself.
    ///
    /// Thousands of irrelevant changes then cause no wake-up at all.
    pub fn watch_only(&self, links: Option<&[u32]>, own: u32) -> io::Result<()> {
        attach(self.socket.as_raw_fd(), &change_filter(links, own))
    }

    /// Appends the changes of one datagram. `Ok(false)`: there was none.
    ///
    /// # Errors
    /// `ENOBUFS`: notifications were lost; a dump is needed.
    pub fn receive(&mut self, events: &mut Vec<KernelEvent>) -> io::Result<bool> {
        let there_was_one = self.next()?;
        if there_was_one {
            parse_all(&self.buffer, events);
        }
        Ok(there_was_one)
    }

    /// Discards pending notifications, which the following dump makes obsolete.
    pub fn discard(&mut self) {
        /// A host with more changes meanwhile must still be served.
        const MOST: usize = 100_000;
        for _ in 0..MOST {
            if let Ok(false) = self.next() {
                break;
            }
        }
    }

    /// Takes one datagram into the buffer; false if there is none.
    fn next(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        self.buffer.reserve(16384);
        match self.socket.recv(&mut self.buffer, 0) {
            Ok(_) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(e) => Err(e),
        }
    }
}

impl AsRawFd for Monitor {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

/// Program for [`Monitor::watch_only`]. In both kinds of message the interface index lies at the
/// same place, 4 bytes into the body.
fn change_filter(links: Option<&[u32]>, own: u32) -> Program {
    const RTM_NEWADDR: u16 = 20;
    const TYPE: u32 = 4;
    const PORT: u32 = 12;
    const INDEX: u32 = 20;
    /// Beyond this many the program would cost more than it saves.
    const MOST: usize = 200;
    let mut p = Program::default();
    // Own additions are known from the answers.
    p.load_half(TYPE);
    p.only_if(u32::from(RTM_NEWADDR.to_be()), 3);
    p.load_word(PORT);
    p.drop_if(own.to_be());
    if let Some(links) = links.filter(|l| l.len() <= MOST) {
        p.load_word(INDEX);
        for index in links {
            p.accept_if(index.to_be());
        }
        p.drop_all();
    }
    p.accept_all();
    p
}

/// Current state of the kernel: all links first, then all addresses.
///
/// `breathe` is called regularly, for work that must not wait for the end of a long list.
pub fn dump(breathe: &mut dyn FnMut()) -> io::Result<Vec<KernelEvent>> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    limit_waiting(&socket)?;
    let mut events = Vec::new();
    let links =
        serialize(RouteNetlinkMessage::GetLink(LinkMessage::default()), NLM_F_REQUEST | NLM_F_DUMP);
    let addresses = serialize(
        RouteNetlinkMessage::GetAddress(AddressMessage::default()),
        NLM_F_REQUEST | NLM_F_DUMP,
    );
    for question in [links, addresses] {
        let before = events.len();
        whole("interfaces and addresses", || {
            events.truncate(before);
            Ok(ask(&socket, &question, &mut events, breathe)?.then_some(()))
        })?;
    }
    Ok(events)
}

/// Appends a list; false if it changed meanwhile.
fn ask(
    socket: &Socket,
    question: &[u8],
    events: &mut Vec<KernelEvent>,
    breathe: &mut dyn FnMut(),
) -> io::Result<bool> {
    socket.send(question, 0)?;
    let mut buffer = Vec::new();
    let mut is_whole = true;
    loop {
        receive(socket, &mut buffer)?;
        is_whole &= messages(&buffer).all(|(header, _)| header.flags & NLM_F_DUMP_INTR == 0);
        let Some((header, body)) = messages(&buffer).next() else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        match header.kind {
            NLMSG_ERROR => {
                return Err(io::Error::from_raw_os_error(errno(body).unwrap_or_default()))
            }
            NLMSG_DONE => return Ok(is_whole),
            _ => {}
        }
        if parse_all(&buffer, events) {
            return Ok(is_whole);
        }
        breathe();
    }
}

/// Appends what the datagram says; true if it ends a dump.
///
/// A message that cannot be read (a newer kernel's) is skipped: the others still count.
fn parse_all(mut data: &[u8], events: &mut Vec<KernelEvent>) -> bool {
    while data.len() >= 16 {
        let length = u32::from_ne_bytes([data[0], data[1], data[2], data[3]]) as usize;
        if length < 16 || length > data.len() {
            break;
        }
        match NetlinkMessage::<RouteNetlinkMessage>::deserialize(&data[..length]) {
            Ok(message) => match message.payload {
                NetlinkPayload::Done(_) => return true,
                NetlinkPayload::InnerMessage(inner) => events.extend(event(inner)),
                _ => {}
            },
            Err(e) => log::debug!("netlink message skipped: {e}"),
        }
        data = &data[((length + 3) & !3).min(data.len())..];
    }
    false
}

fn event(message: RouteNetlinkMessage) -> Option<KernelEvent> {
    match message {
        RouteNetlinkMessage::NewLink(m) => link(m).map(KernelEvent::Link),
        // A bridge uses the same message when a port leaves it; the interface stays.
        RouteNetlinkMessage::DelLink(m) if m.header.interface_family == AddressFamily::Unspec => {
            Some(KernelEvent::LinkGone { index: m.header.index })
        }
        RouteNetlinkMessage::NewAddress(m) => {
            address(&m).map(|address| KernelEvent::Address { index: m.header.index, address })
        }
        RouteNetlinkMessage::DelAddress(m) => {
            address(&m).map(|address| KernelEvent::AddressGone { index: m.header.index, address })
        }
        _ => None,
    }
}

fn link(m: LinkMessage) -> Option<Link> {
    if m.header.interface_family != AddressFamily::Unspec {
        return None;
    }
    let has = |flag| m.header.flags.contains(flag);
    let mut link = Link {
        index: m.header.index,
        name: String::new(),
        up: has(LinkFlags::Up) && has(LinkFlags::Running),
        multicast: has(LinkFlags::Multicast),
        arp: !has(LinkFlags::Noarp),
        mtu: 1500,
        mac: None,
    };
    let ethernet = m.header.link_layer_type == LinkLayerType::Ether;
    for attribute in m.attributes {
        match attribute {
            LinkAttribute::IfName(name) => link.name = name,
            LinkAttribute::Mtu(mtu) => link.mtu = mtu,
            LinkAttribute::Address(a) if ethernet => {
                link.mac = <[u8; 6]>::try_from(a.as_slice()).ok().map(Mac);
            }
            _ => {}
        }
    }
    Some(link)
}

fn address(m: &AddressMessage) -> Option<HostAddress> {
    let (mut local, mut remote) = (None, None);
    let addr = Ipv4Addr::UNSPECIFIED.into();
    let mut address = HostAddress::plain(Prefix { addr, len: m.header.prefix_len });
    address.flags = m.header.flags.bits().into();
    if m.header.family == AddressFamily::Inet {
        address.scope = m.header.scope.into();
    }
    for attribute in &m.attributes {
        match attribute {
            AddressAttribute::Local(a) => local = Some(*a),
            AddressAttribute::Address(a) => remote = Some(*a),
            AddressAttribute::Broadcast(a) => address.broadcast = Some(*a),
            AddressAttribute::Label(label) => address.label = Some(label.as_str().into()),
            AddressAttribute::Flags(f) => address.flags = f.bits(),
            AddressAttribute::CacheInfo(c) => address.preferred = c.ifa_preferred,
            AddressAttribute::Protocol(p) => address.protocol = Some((*p).into()),
            _ => {}
        }
    }
    // Of an address that stays for ever, the kernel shows no time, but a flag.
    if address.flags & HostAddress::DEPRECATED != 0 {
        address.preferred = 0;
    }
    address.prefix.addr = local.or(remote)?;
    address.peer = remote.filter(|remote| *remote != address.prefix.addr);
    Some(address)
}
