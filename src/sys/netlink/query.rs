//! Whole lists of the kernel.

use std::io;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_DUMP_INTR};
use netlink_packet_route::address::AddressMessage;
use netlink_packet_route::route::{RouteMessage, RouteProtocol};
use netlink_packet_route::rule::RuleMessage;
use netlink_sys::{protocols::NETLINK_ROUTE, Socket};

use super::super::pipeline::{limit_waiting, receive, whole};
use super::message::{parse_all, serialized, Message};
use super::{address_family, event, link, route, rule, FibKinds};
use crate::base::addr::{Family, PROTOCOL_KEEPALIVED};
use crate::base::link::KernelEvent;
use crate::base::route::Route;
use crate::base::rule::Rule;
use crate::wire::netlink::{errno, messages, NLMSG_ERROR};

/// Current state of the kernel: all links first, then all addresses.
///
/// `breathe` is called regularly, for work that must not wait for the end of a long list.
pub fn dump(breathe: &mut dyn FnMut()) -> io::Result<Vec<KernelEvent>> {
    let socket = querying()?;
    let addresses = serialized(libc::RTM_GETADDR, NLM_F_DUMP, &AddressMessage::default());
    let mut events = Vec::new();
    for question in [link::question(), addresses] {
        events.extend(list(&socket, "interfaces and addresses", &question, &event, breathe)?);
    }
    Ok(events)
}

/// The routes of one family and protocol, of all tables. The kernel selects them.
///
/// `breathe` is called regularly, for work that must not wait for the end of a long list.
pub fn dump_routes(
    family: Family,
    protocol: u8,
    breathe: &mut dyn FnMut(),
) -> io::Result<Vec<Route<u32>>> {
    let socket = querying()?;
    // Before Linux 4.20, all routes come.
    let _ = socket.set_netlink_get_strict_chk(true);
    let mut question = RouteMessage::default();
    question.header.address_family = address_family(family);
    question.header.protocol = RouteProtocol::from(protocol);
    let take = |message| match message {
        Message::NewRoute(m) => route::of(&m).filter(|r| r.protocol == protocol),
        _ => None,
    };
    let question = serialized(libc::RTM_GETROUTE, NLM_F_DUMP, &question);
    list(&socket, "routes", &question, &take, breathe)
}

/// The rules of one family and protocol.
///
/// `breathe` is called regularly, for work that must not wait for the end of a long list.
pub fn dump_rules(
    family: Family,
    protocol: u8,
    breathe: &mut dyn FnMut(),
) -> io::Result<Vec<Rule>> {
    let mut question = RuleMessage::default();
    question.header.family = address_family(family);
    let take = |message| match message {
        Message::NewRule(m) => rule::of(&m).filter(|r| r.protocol == Some(protocol)),
        _ => None,
    };
    let question = serialized(libc::RTM_GETRULE, NLM_F_DUMP, &question);
    list(&querying()?, "rules", &question, &take, breathe)
}

/// The routes and rules of these kinds that keepalived added.
///
/// `breathe` is called regularly, for work that must not wait for the end of a long list.
pub fn dump_fib(
    kinds: FibKinds,
    breathe: &mut dyn FnMut(),
) -> io::Result<(Vec<Route<u32>>, Vec<Rule>)> {
    let (mut routes, mut rules) = (Vec::new(), Vec::new());
    for (family, has_routes, has_rules) in [
        (Family::V4, kinds.routes_v4, kinds.rules_v4),
        (Family::V6, kinds.routes_v6, kinds.rules_v6),
    ] {
        if has_routes {
            routes.extend(dump_routes(family, PROTOCOL_KEEPALIVED, breathe)?);
        }
        if has_rules {
            rules.extend(dump_rules(family, PROTOCOL_KEEPALIVED, breathe)?);
        }
    }
    Ok((routes, rules))
}

/// A socket for queries.
fn querying() -> io::Result<Socket> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    limit_waiting(&socket)?;
    Ok(socket)
}

/// One list of the kernel, called `what` in errors.
fn list<T>(
    socket: &Socket,
    what: &str,
    question: &[u8],
    take: &dyn Fn(Message) -> Option<T>,
    breathe: &mut dyn FnMut(),
) -> io::Result<Vec<T>> {
    whole(what, || {
        let mut items = Vec::new();
        let mut push = |message| items.extend(take(message));
        let is_whole = ask(socket, question, &mut push, breathe)?;
        Ok(is_whole.then_some(items))
    })
}

/// Passes on the messages of a list; false if it changed meanwhile.
fn ask(
    socket: &Socket,
    question: &[u8],
    take: &mut dyn FnMut(Message),
    breathe: &mut dyn FnMut(),
) -> io::Result<bool> {
    socket.send(question, 0)?;
    let mut buffer = Vec::new();
    let mut is_whole = true;
    loop {
        receive(socket, &mut buffer)?;
        is_whole &= messages(&buffer).all(|(header, _)| header.flags & NLM_F_DUMP_INTR == 0);
        refused(&buffer)?;
        if parse_all(&buffer, take) {
            return Ok(is_whole);
        }
        breathe();
    }
}

/// # Errors
/// The datagram is the refusal of a query, or empty.
fn refused(datagram: &[u8]) -> io::Result<()> {
    match messages(datagram).next() {
        None => Err(io::ErrorKind::UnexpectedEof.into()),
        Some((header, body)) if header.kind == NLMSG_ERROR => {
            Err(io::Error::from_raw_os_error(errno(body).unwrap_or_default()))
        }
        Some(_) => Ok(()),
    }
}
