//! Notifications of changes in the kernel, filtered in the kernel.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use netlink_sys::{protocols::NETLINK_ROUTE, Socket};

use super::event;
use super::message::parse_all;
use crate::base::addr::PROTOCOL_KEEPALIVED;
use crate::base::link::KernelEvent;
use crate::model::global::ReceiveBuffer;
use crate::sys::filter::{attach, force_receive_buffer, set_receive_buffer, Program};

/// Room for the changes of a busy moment; the kernel allocates it only when it is used.
const MONITOR_BUFFER: usize = 4 << 20;
const RTNLGRP_LINK: u32 = 1;
const RTNLGRP_IPV4_IFADDR: u32 = 5;
const RTNLGRP_IPV6_IFADDR: u32 = 9;

/// Kinds of routes and rules whose changes are received, as they are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FibKinds {
    pub routes_v4: bool,
    pub routes_v6: bool,
    pub rules_v4: bool,
    pub rules_v6: bool,
}

impl FibKinds {
    /// The groups of rtnetlink, and whether they are received.
    fn groups(self) -> [(u32, bool); 4] {
        const RTNLGRP_IPV4_ROUTE: u32 = 7;
        const RTNLGRP_IPV4_RULE: u32 = 8;
        const RTNLGRP_IPV6_ROUTE: u32 = 11;
        const RTNLGRP_IPV6_RULE: u32 = 19;
        [
            (RTNLGRP_IPV4_ROUTE, self.routes_v4),
            (RTNLGRP_IPV4_RULE, self.rules_v4),
            (RTNLGRP_IPV6_ROUTE, self.routes_v6),
            (RTNLGRP_IPV6_RULE, self.rules_v6),
        ]
    }

    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// Receives notifications of changes. Non-blocking.
pub struct Monitor {
    socket: Socket,
    buffer: Vec<u8>,
    kinds: FibKinds,
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
        Ok(Self { socket, buffer: Vec::new(), kinds: FibKinds::default() })
    }

    /// # Errors
    /// The kernel refuses the size.
    pub fn set_receive_buffer(&self, buffer: ReceiveBuffer) -> io::Result<()> {
        set_receive_buffer(self.socket.as_raw_fd(), buffer, MONITOR_BUFFER)
    }

    /// Receives changes of these kinds of routes and rules, and of no others: on a router with many
    /// routes, they would be a flood. True if there are more kinds than before.
    pub fn watch_fib(&mut self, kinds: FibKinds) -> io::Result<bool> {
        let mut has_more = false;
        for ((group, is_wanted), (_, was_wanted)) in
            kinds.groups().into_iter().zip(self.kinds.groups())
        {
            if is_wanted && !was_wanted {
                self.socket.add_membership(group)?;
                has_more = true;
            } else if was_wanted && !is_wanted {
                self.socket.drop_membership(group)?;
            }
        }
        self.kinds = kinds;
        Ok(has_more)
    }

    /// Kinds of routes and rules whose changes are received.
    pub const fn fib_kinds(&self) -> FibKinds {
        self.kinds
    }

    /// Lets only these interfaces through (all of them when `links` is `None`), only routes of
    /// keepalived's protocol number, and no address, route or rule that the socket with port number
    /// `own` changed itself.
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
            parse_all(&self.buffer, &mut |message| events.extend(event(message)));
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
    const TYPE: u32 = 4;
    const PORT: u32 = 12;
    const INDEX: u32 = 20;
    /// Of a route.
    const PROTOCOL: u32 = 21;
    /// Beyond this many the program would cost more than it saves.
    const MOST: usize = 200;
    let mut p = Program::default();
    let kind = |kind: u16| u32::from(kind.to_be());
    // Own additions are known from the answers, and so are own removals of routes and rules, of
    // which none takes another with it.
    for (message, has_protocol) in [
        (libc::RTM_NEWADDR, None),
        (libc::RTM_NEWROUTE, Some(true)),
        (libc::RTM_DELROUTE, Some(true)),
        (libc::RTM_NEWRULE, Some(false)),
        (libc::RTM_DELRULE, Some(false)),
    ] {
        let mut then = Program::default();
        then.load_word(PORT);
        then.drop_if(own.to_be());
        match has_protocol {
            None => {}
            Some(false) => then.accept_all(),
            Some(true) => {
                then.load_byte(PROTOCOL);
                then.accept_if(PROTOCOL_KEEPALIVED.into());
                then.drop_all();
            }
        }
        p.load_half(TYPE);
        p.only_if(kind(message), then.len());
        p.append(then);
    }
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
