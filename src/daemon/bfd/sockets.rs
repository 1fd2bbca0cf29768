//! Sockets of BFD: one to receive per family and port, one to send per session.

use std::fmt;
use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::os::fd::RawFd;
use std::rc::Rc;

use crate::base::addr::Family;
use crate::base::ids::SessionId;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::daemon::tokens::Owner;
use crate::holdings::Links;
use crate::model::bfd::BfdInstance;
use crate::sys::bfd::{Batch, Peer, Ports, Receiver, Sender};
use crate::sys::poll::Poll;
use crate::sys::random;
use crate::sys::reason;
use crate::wire::bfd::{MULTIHOP_PORT, PORT};

/// Where packets arrive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::daemon) struct Port {
    family: Family,
    pub(super) multihop: bool,
}

impl Port {
    pub(super) const ALL: [Self; 4] = [
        Self { family: Family::V4, multihop: false },
        Self { family: Family::V4, multihop: true },
        Self { family: Family::V6, multihop: false },
        Self { family: Family::V6, multihop: true },
    ];

    pub(in crate::daemon) const fn new(ipv6: bool, multihop: bool) -> Self {
        Self { family: if ipv6 { Family::V6 } else { Family::V4 }, multihop }
    }

    pub(in crate::daemon) const fn is_ipv6(self) -> bool {
        matches!(self.family, Family::V6)
    }

    pub(in crate::daemon) const fn is_multihop(self) -> bool {
        self.multihop
    }

    /// Those that the sessions need.
    pub(super) fn needed(sessions: &[Rc<BfdInstance>]) -> SortedSet<Self> {
        sessions.iter().map(|session| Self::of(session)).collect()
    }

    fn of(session: &BfdInstance) -> Self {
        Self { family: Family::of(&session.neighbor), multihop: session.multihop }
    }
}

/// `UDP port 3784 (IPv4)`
impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = if self.multihop { MULTIHOP_PORT } else { PORT };
        write!(f, "UDP port {number} ({})", self.family)
    }
}

pub(in crate::daemon) struct Sockets {
    receivers: SortedMap<Port, Receiver>,
    /// By session.
    senders: Vec<Outlet>,
    ports: Ports,
    /// Open ports of the program before this one.
    inherited: SortedMap<Port, Receiver>,
}

impl Default for Sockets {
    fn default() -> Self {
        let ports = Ports::new(random::seed());
        let (receivers, inherited) = (SortedMap::new(), SortedMap::new());
        Self { receivers, senders: Vec::new(), ports, inherited }
    }
}

/// The sending side of a session.
#[derive(Default)]
struct Outlet {
    sender: Option<Sender>,
    /// The last failure, which is logged once.
    failure: Option<String>,
}

impl Sockets {
    /// Opens the ports that are needed and closes the others. Returns those that cannot be opened.
    pub(super) fn listen(
        &mut self,
        needed: &SortedSet<Port>,
        poll: &mut Poll<Owner>,
    ) -> Vec<(Port, String)> {
        self.receivers.retain(|port, receiver| {
            let keep = needed.contains(port);
            if !keep {
                poll.remove(receiver.fd());
            }
            keep
        });
        let missing: Vec<_> =
            needed.iter().copied().filter(|port| !self.receivers.contains_key(port)).collect();
        let open = |port: Port| self.open_port(port, poll).err().map(|e| (port, e));
        let failures = missing.into_iter().filter_map(open).collect();
        self.inherited.clear();
        failures
    }

    /// A port that the program before this one has opened.
    pub(in crate::daemon) fn inherit(&mut self, port: Port, file: File) {
        self.inherited.insert(port, Receiver::inherited(port.family, file));
    }

    /// The socket of a session that goes on.
    pub(in crate::daemon) fn adopt(&mut self, id: SessionId, to: Peer, file: File) {
        // Without it, another one is opened.
        let Ok(sender) = Sender::inherited(to, file) else { return };
        self.ports.keep(&sender);
        self.outlet(id).sender = Some(sender);
    }

    /// The open ports.
    pub(in crate::daemon) fn receivers(&self) -> impl Iterator<Item = (Port, RawFd)> + '_ {
        self.receivers.iter().map(|(port, receiver)| (*port, receiver.fd()))
    }

    /// The socket that sends the packets of this session.
    pub(in crate::daemon) fn sender(&self, id: SessionId) -> Option<RawFd> {
        Some(self.senders.get(usize::from(id))?.sender.as_ref()?.fd())
    }

    fn open_port(&mut self, port: Port, poll: &mut Poll<Owner>) -> Result<(), String> {
        let receiver = match self.inherited.remove(&port) {
            Some(receiver) => receiver,
            None => Receiver::open(port.family, port.multihop).map_err(|e| e.to_string())?,
        };
        poll.add(receiver.fd(), Owner::Bfd(port)).map_err(|e| reason(&e))?;
        self.receivers.insert(port, receiver);
        Ok(())
    }

    /// Reads waiting packets; false if there may be more.
    pub(super) fn receive(&self, port: Port, batch: &mut Batch) -> io::Result<bool> {
        let Some(receiver) = self.receivers.get(&port) else { return Ok(true) };
        Ok(receiver.receive(batch)? < Batch::CAPACITY)
    }

    fn outlet(&mut self, id: SessionId) -> &mut Outlet {
        let slot = usize::from(id);
        if self.senders.len() <= slot {
            self.senders.resize_with(slot + 1, Outlet::default);
        }
        &mut self.senders[slot]
    }

    pub(super) fn close(&mut self, id: SessionId) {
        if let Some(outlet) = self.senders.get_mut(usize::from(id)) {
            if let Some(sender) = std::mem::take(outlet).sender {
                self.ports.close(sender);
            }
        }
    }

    /// Sends a packet. Its socket is opened when it is needed, so that a source address may come
    /// later. Failures of a kind are logged once, and packets that are lost are no matter: the next
    /// one follows.
    pub(in crate::daemon) fn send(
        &mut self,
        id: SessionId,
        config: &BfdInstance,
        links: &Links,
        packet: &[u8],
        ttl: u8,
    ) {
        self.outlet(id);
        let outlet = &mut self.senders[usize::from(id)];
        let name = &config.name;
        let sent = peer(config, links)
            .and_then(|to| outlet.send(to, config.source, &mut self.ports, packet, ttl));
        match sent {
            Ok(()) if outlet.failure.take().is_some() => log::info!("({name}) sends packets again"),
            Ok(()) => {}
            Err(why) => {
                if outlet.failure.as_ref() != Some(&why) {
                    log::warn!("({name}) Error sending packet: {why}");
                    outlet.failure = Some(why);
                }
            }
        }
    }
}

/// Where the packets of a session go, or why they cannot.
pub(in crate::daemon) fn peer(config: &BfdInstance, links: &Links) -> Result<Peer, String> {
    let BfdInstance { neighbor, multihop, ref interface, .. } = *config;
    let scope = match interface {
        Some(name) => links.get(name).ok_or_else(|| format!("no interface {name}"))?.index,
        None => 0,
    };
    Ok(Peer { neighbor, scope, multihop })
}

impl Outlet {
    fn send(
        &mut self,
        to: Peer,
        source: Option<IpAddr>,
        ports: &mut Ports,
        packet: &[u8],
        ttl: u8,
    ) -> Result<(), String> {
        if let Some(other) = self.sender.take_if(|sender| !sender.is_to(to)) {
            ports.close(other);
        }
        let sender = match self.sender.take() {
            Some(sender) => sender,
            None => Sender::open(to, source, ports).map_err(|e| e.to_string())?,
        };
        self.sender.insert(sender).send(packet, ttl).map_err(|e| reason(&e))
    }
}
