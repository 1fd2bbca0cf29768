//! Route netlink: a pipelined request socket, and dumps.

mod encap;
mod link;
mod message;
mod metrics;
mod monitor;
mod query;
pub mod route;
pub mod rule;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use netlink_packet_core::{Emitable, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, AddressScope, CacheInfo,
};
use netlink_packet_route::AddressFamily;
use netlink_sys::protocols::NETLINK_ROUTE;

use super::pipeline::Pipeline;
use crate::base::addr::{Family, HostAddress, Prefix};
use crate::base::errno::KernelReply;
use crate::base::link::KernelEvent;
use crate::base::route::Route;
use crate::base::rule::Rule;
use crate::model::global::ReceiveBuffer;
use crate::model::route::Placement;

use message::{request, serialized, Message};

pub use link::Inet4Conf;
pub use monitor::{FibKinds, Monitor};
pub use query::{dump, dump_fib, dump_routes, dump_rules};

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
        let message = address_message(index, address);
        self.queue(libc::RTM_NEWADDR, &message, NLM_F_CREATE | NLM_F_EXCL, asker);
    }

    /// Changes what can be changed of an address that is there: its lifetime and, of an IPv6
    /// address, its flags.
    pub fn replace(&mut self, index: u32, address: &HostAddress, asker: T) {
        let message = address_message(index, address);
        self.queue(libc::RTM_NEWADDR, &message, NLM_F_REPLACE, asker);
    }

    /// Removes the address whatever its label and its other options.
    pub fn remove(&mut self, index: u32, address: &HostAddress, asker: T) {
        let bytes = removal(index, address.prefix, address.peer);
        self.pipeline.queue(asker, |out| out.extend_from_slice(&bytes));
    }

    /// EEXIST: there is the same one, or one that may not have another beside it.
    pub fn add_route(&mut self, route: &Route<u32>, placement: Placement, asker: T) {
        let message = route::addition(route);
        self.queue(libc::RTM_NEWROUTE, &message, route::flags(placement), asker);
    }

    /// ESRCH: there is none.
    pub fn remove_route(&mut self, route: &Route<u32>, asker: T) {
        self.queue(libc::RTM_DELROUTE, &route::removal(route), 0, asker);
    }

    /// EEXIST: there is an equal one, whatever its origin.
    pub fn add_rule(&mut self, rule: &Rule, asker: T) {
        self.queue(libc::RTM_NEWRULE, &rule::message(rule), NLM_F_CREATE | NLM_F_EXCL, asker);
    }

    /// Removes the first rule that has all of this one. ENOENT: there is none.
    pub fn remove_rule(&mut self, rule: &Rule, asker: T) {
        self.queue(libc::RTM_DELRULE, &rule::message(rule), 0, asker);
    }

    pub fn is_idle(&self) -> bool {
        self.pipeline.is_idle()
    }

    /// Sends one batch and appends the kernel's answers: the owner, and whether it was done.
    pub fn flush<A: From<KernelReply>>(&mut self, answers: &mut Vec<(T, A)>) -> io::Result<()> {
        self.pipeline.flush(answers)
    }

    /// Answers all waiting requests with this errno, when none can be sent.
    pub fn give_up<A: From<KernelReply>>(&mut self, errno: i32, answers: &mut Vec<(T, A)>) {
        self.pipeline.give_up(errno, answers);
    }

    fn queue(&mut self, kind: u16, body: &dyn Emitable, flags: u16, asker: T) {
        self.pipeline.queue(asker, |out| request(kind, flags, body, out));
    }
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
    serialized(libc::RTM_DELADDR, 0, &message)
}

fn address_header(index: u32, prefix: Prefix) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.index = index;
    message.header.prefix_len = prefix.len;
    message.header.family = address_family(Family::of(&prefix.addr));
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

const fn address_family(family: Family) -> AddressFamily {
    match family {
        Family::V4 => AddressFamily::Inet,
        Family::V6 => AddressFamily::Inet6,
    }
}

fn event(message: Message) -> Option<KernelEvent> {
    match message {
        Message::NewLink(link) => Some(KernelEvent::Link(link)),
        Message::DelLink(index) => Some(KernelEvent::LinkGone { index }),
        Message::NewAddress(m) => {
            address(&m).map(|address| KernelEvent::Address { index: m.header.index, address })
        }
        Message::DelAddress(m) => {
            address(&m).map(|address| KernelEvent::AddressGone { index: m.header.index, address })
        }
        Message::NewRoute(m) => route::of(&m).map(Box::new).map(KernelEvent::Route),
        Message::DelRoute(m) => route::of(&m).map(Box::new).map(KernelEvent::RouteGone),
        Message::NewRule(m) => rule::of(&m).map(Box::new).map(KernelEvent::Rule),
        Message::DelRule(m) => rule::of(&m).map(Box::new).map(KernelEvent::RuleGone),
    }
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
