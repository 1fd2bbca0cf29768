//! Sockets of BFD: one to receive per family and port, one to send per session.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::rc::Rc;

use crate::base::addr::Family;
use crate::base::ids::SessionId;
use crate::daemon::tokens::Owner;
use crate::model::bfd::BfdInstance;
use crate::sys::bfd::{Batch, Ports, Receiver, Sender};
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

    /// Those that the sessions need.
    pub(super) fn needed(sessions: &[Rc<BfdInstance>]) -> BTreeSet<Self> {
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
    receivers: BTreeMap<Port, Receiver>,
    /// By session.
    senders: Vec<Outlet>,
    ports: Ports,
}

impl Default for Sockets {
    fn default() -> Self {
        let ports = Ports::new(random::seed());
        Self { receivers: BTreeMap::new(), senders: Vec::new(), ports }
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
        needed: &BTreeSet<Port>,
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
        missing.into_iter().filter_map(open).collect()
    }

    fn open_port(&mut self, port: Port, poll: &mut Poll<Owner>) -> Result<(), String> {
        let receiver = Receiver::open(port.family, port.multihop).map_err(|e| e.to_string())?;
        poll.add(receiver.fd(), Owner::Bfd(port)).map_err(|e| reason(&e))?;
        self.receivers.insert(port, receiver);
        Ok(())
    }

    /// Reads waiting packets; false if there may be more.
    pub(super) fn receive(&self, port: Port, batch: &mut Batch) -> io::Result<bool> {
        let Some(receiver) = self.receivers.get(&port) else { return Ok(true) };
        Ok(receiver.receive(batch)? < Batch::CAPACITY)
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
    pub(super) fn send(&mut self, id: SessionId, config: &BfdInstance, packet: &[u8], ttl: u8) {
        let slot = usize::from(id);
        if self.senders.len() <= slot {
            self.senders.resize_with(slot + 1, Outlet::default);
        }
        let outlet = &mut self.senders[slot];
        let name = &config.name;
        match outlet.send(config, &mut self.ports, packet, ttl) {
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

impl Outlet {
    fn send(
        &mut self,
        config: &BfdInstance,
        ports: &mut Ports,
        packet: &[u8],
        ttl: u8,
    ) -> Result<(), String> {
        let sender = match self.sender.take() {
            Some(sender) => sender,
            None => {
                let BfdInstance { neighbor, source, multihop, .. } = *config;
                Sender::open(neighbor, source, multihop, ports).map_err(|e| e.to_string())?
            }
        };
        self.sender.insert(sender).send(packet, ttl).map_err(|e| reason(&e))
    }
}
