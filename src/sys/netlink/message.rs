//! Messages of the kernel about interfaces, addresses, routes and rules, and requests like them.
//! No other kind is read: the enumeration of the crate would bring its readers of traffic control,
//! neighbours and statistics into the binary.

use std::error::Error;

use libc::{
    RTM_DELADDR, RTM_DELLINK, RTM_DELROUTE, RTM_DELRULE, RTM_NEWADDR, RTM_NEWLINK, RTM_NEWROUTE,
    RTM_NEWRULE,
};
use netlink_packet_core::{Emitable, Parseable};
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::rule::RuleMessage;

use super::link;
use crate::base::link::Link;
use crate::wire::netlink::{messages, Writer, NLMSG_DONE};

/// A message of the kernel.
#[derive(Debug)]
pub(super) enum Message {
    NewLink(Link),
    /// An interface, by its index.
    DelLink(u32),
    NewAddress(AddressMessage),
    DelAddress(AddressMessage),
    NewRoute(RouteMessage),
    DelRoute(RouteMessage),
    NewRule(RuleMessage),
    DelRule(RuleMessage),
}

impl Message {
    /// `None` for a kind that is not used.
    fn read(kind: u16, body: &[u8]) -> Result<Option<Self>, Box<dyn Error>> {
        Ok(Some(match kind {
            RTM_NEWLINK => return Ok(link::described(body)?.map(Self::NewLink)),
            RTM_DELLINK => return Ok(link::removed(body)?.map(Self::DelLink)),
            RTM_NEWADDR => Self::NewAddress(AddressMessage::parse(body)?),
            RTM_DELADDR => Self::DelAddress(AddressMessage::parse(body)?),
            RTM_NEWROUTE => Self::NewRoute(RouteMessage::parse(body)?),
            RTM_DELROUTE => Self::DelRoute(RouteMessage::parse(body)?),
            RTM_NEWRULE => Self::NewRule(RuleMessage::parse(body)?),
            RTM_DELRULE => Self::DelRule(RuleMessage::parse(body)?),
            _ => return Ok(None),
        }))
    }
}

/// Passes on the messages of a datagram; true if it ends a dump.
///
/// A message that cannot be read (a newer kernel's) is skipped: the others still count.
pub(super) fn parse_all(datagram: &[u8], take: &mut dyn FnMut(Message)) -> bool {
    for (header, body) in messages(datagram) {
        if header.kind == NLMSG_DONE {
            return true;
        }
        match Message::read(header.kind, body) {
            Ok(message) => message.into_iter().for_each(&mut *take),
            Err(e) => log::debug!("netlink message skipped: {e}"),
        }
    }
    false
}

/// Appends a request.
pub(super) fn request(kind: u16, flags: u16, body: &dyn Emitable, out: &mut Vec<u8>) {
    let mut bytes = vec![0; body.buffer_len()];
    body.emit(&mut bytes);
    let mut w = Writer::begin(out, kind, flags);
    w.raw(&bytes);
    w.finish();
}

/// A request by itself.
pub(super) fn serialized(kind: u16, flags: u16, body: &dyn Emitable) -> Vec<u8> {
    let mut out = Vec::new();
    request(kind, flags, body, &mut out);
    out
}
