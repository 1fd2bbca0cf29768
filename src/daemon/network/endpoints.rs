//! Sockets shared by instances, with their queues of advertisements.

use std::io;
use std::net::IpAddr;
use std::os::fd::RawFd;

use crate::base::ids::InstanceId;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::Instant;
use crate::daemon::tokens::{Owner, SocketId};
use crate::model::vrrp::{Authentication, Delivery, Instance};
use crate::sys::poll::Poll;
use crate::sys::raw::{Endpoint, EndpointKind, Outgoing, Scratch, SendQueue, Socket};
use crate::sys::reason;
use crate::vrrp::Outbound;

struct SocketSlot {
    socket: Socket,
    /// By router id; those that share one in the order of their arrival. A table without
    /// pointers: each packet looks here, and with many instances memory is cold.
    members: Vec<(u8, InstanceId)>,
    /// Arrival of the packet read last.
    read: Instant,
    queue: SendQueue<Tag>,
}

/// Context returned with the outcome of a packet.
#[derive(Clone, Copy)]
struct Tag {
    id: InstanceId,
    priority: u8,
    /// Copies for further peers are not counted as advertisements.
    is_copy: bool,
}

#[derive(Default)]
pub(in crate::daemon) struct Endpoints {
    slots: Vec<Option<SocketSlot>>,
    by_endpoint: SortedMap<Endpoint, SocketId>,
    of_instance: SortedMap<InstanceId, SocketId>,
    /// Sockets with something to send.
    waiting: SortedSet<SocketId>,
    /// Shares of instances in the receive buffers of their sockets, where configured.
    shares: SortedMap<InstanceId, usize>,
    /// `log_unknown_vrids`: the filter lets every virtual router through.
    pub(in crate::daemon) pass_all: bool,
}

/// Endpoint of an instance; `None` while its interface or source is unknown. `drops_reports`: no
/// report of group membership leaves through a VMAC.
pub(in crate::daemon) fn endpoint_of(
    config: &Instance,
    drops_reports: bool,
    index: impl Fn(&str) -> Option<u32>,
    source: Option<IpAddr>,
) -> Option<Endpoint> {
    let link = match config.advert_link() {
        Some(name) => Some((index(name)?, name.to_owned())),
        None => None,
    };
    let kind = match config.delivery {
        Delivery::Multicast { group } => {
            let is_dropped = drops_reports && config.advertises_from_vmac();
            let vmac = config.vlink.as_ref().filter(|_| is_dropped);
            let base = vmac.and_then(|vmac| index(&vmac.base));
            EndpointKind::Multicast { group, base }
        }
        Delivery::Unicast { .. } => EndpointKind::Unicast { local: source? },
    };
    let has_header = matches!(config.authentication, Authentication::Header(_));
    Some(Endpoint { family: config.family, link, kind, has_header })
}

pub(super) fn explained(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {what}: {}", reason(error)))
}

impl Endpoints {
    /// The descriptors through which instances listen: as long as one is open, no group is left.
    pub(in crate::daemon) fn descriptors(&self) -> impl Iterator<Item = RawFd> + '_ {
        self.slots.iter().flatten().map(|slot| slot.socket.rx_fd())
    }

    pub(in crate::daemon) fn of(&self, id: InstanceId) -> Option<&Endpoint> {
        let socket = self.of_instance.get(&id)?;
        self.slot(*socket).map(|s| s.socket.endpoint())
    }

    /// The socket of an instance, and its descriptors to receive and to send.
    pub(in crate::daemon) fn socket_of(&self, id: InstanceId) -> Option<(&Endpoint, [RawFd; 2])> {
        let socket = &self.slot(*self.of_instance.get(&id)?)?.socket;
        Some((socket.endpoint(), [socket.rx_fd(), socket.tx_fd()]))
    }

    /// The configured buffer of the socket of an instance, in bytes.
    pub(in crate::daemon) fn buffer_of(&self, id: InstanceId) -> usize {
        let slot = self.of_instance.get(&id).and_then(|socket| self.slot(*socket));
        let members = slot.into_iter().flat_map(|slot| &slot.members);
        let shares = members.filter_map(|(_, id)| self.shares.get(id));
        shares.fold(0, |sum: usize, share| sum.saturating_add(*share))
    }

    pub(in crate::daemon) fn socket(&self, id: SocketId) -> Option<&Socket> {
        self.slot(id).map(|s| &s.socket)
    }

    /// Instance addressed by a packet for this virtual router. Among unicast instances with the
    /// same router id, it is the one that has the sender as a peer.
    pub(in crate::daemon) fn addressee(
        &self,
        socket: SocketId,
        vrid: u8,
        has_peer: impl Fn(InstanceId) -> bool,
    ) -> Option<InstanceId> {
        let all = &self.slot(socket)?.members;
        let from = all.partition_point(|member| member.0 < vrid);
        let of_router = all[from..].iter().take_while(|member| member.0 == vrid);
        let mut members = of_router.map(|member| member.1);
        let first = members.clone().next()?;
        if members.clone().nth(1).is_none() {
            return Some(first);
        }
        Some(members.find(|id| has_peer(*id)).unwrap_or(first))
    }

    /// Attaches an instance to the socket of this endpoint, which the first one opens.
    pub(in crate::daemon) fn attach(
        &mut self,
        id: InstanceId,
        vrid: u8,
        endpoint: &Endpoint,
        poll: &mut Poll<Owner>,
    ) -> io::Result<()> {
        if self.of(id) == Some(endpoint) {
            return Ok(());
        }
        self.detach(id, vrid, poll);
        let socket = match self.by_endpoint.get(endpoint) {
            Some(socket) => *socket,
            None => self.open(endpoint, poll)?,
        };
        self.of_instance.insert(id, socket);
        if let Some(slot) = self.slot_mut(socket) {
            let at = slot.members.partition_point(|member| member.0 <= vrid);
            slot.members.insert(at, (vrid, id));
        }
        if !self.shares.is_empty() {
            self.resize(socket);
        }
        let filtered = self.refilter(socket);
        if filtered.is_err() {
            // A socket that cannot receive would be worse than none: the next attempt opens
            // another.
            self.detach(id, vrid, poll);
        }
        filtered.map_err(|e| explained("filter packets", &e))
    }

    /// Detaches an instance from its socket, which the last one closes.
    pub(in crate::daemon) fn detach(&mut self, id: InstanceId, vrid: u8, poll: &mut Poll<Owner>) {
        let Some(socket) = self.of_instance.remove(&id) else { return };
        let Some(slot) = self.slot_mut(socket) else { return };
        slot.members.retain(|member| *member != (vrid, id));
        if slot.members.is_empty() {
            poll.remove(slot.socket.rx_fd());
            let endpoint = slot.socket.endpoint().clone();
            self.by_endpoint.remove(&endpoint);
            self.waiting.remove(&socket);
            self.slots[socket.0 as usize] = None;
        } else {
            if let Err(e) = self.refilter(socket) {
                // The filter only saves work; the core checks every packet anyway.
                log::debug!("cannot narrow a socket filter: {e}");
            }
            if !self.shares.is_empty() {
                self.resize(socket);
            }
        }
    }

    /// Replaces the shares of instances in the receive buffers of their sockets.
    pub(in crate::daemon) fn share_buffers(&mut self, shares: SortedMap<InstanceId, usize>) {
        if shares == self.shares {
            return;
        }
        self.shares = shares;
        self.by_endpoint.values().for_each(|socket| self.resize(*socket));
    }

    /// The receive buffer is the sum of the shares, if there are any.
    fn resize(&self, socket: SocketId) {
        let Some(slot) = self.slot(socket) else { return };
        let shares = slot.members.iter().filter_map(|(_, id)| self.shares.get(id));
        let sum = shares.fold(0_usize, |sum, share| sum.saturating_add(*share));
        match slot.socket.set_receive_buffer(Some(sum).filter(|&bytes| bytes > 0)) {
            Ok(bytes) => {
                let endpoint = slot.socket.endpoint();
                log::debug!("VRRP sockpool: {}: {bytes} bytes to receive", endpoint.address());
            }
            Err(e) => log::debug!("cannot read the size of a receive buffer: {e}"),
        }
    }

    /// Notes that all packets up to this arrival time have been read.
    pub(in crate::daemon) fn note_read(&mut self, socket: SocketId, arrived: Instant) {
        if let Some(slot) = self.slot_mut(socket) {
            slot.read = arrived;
        }
    }

    /// Instances whose sockets may hold more packets, with the arrival time up to which they have
    /// been read.
    pub(in crate::daemon) fn unread(
        &self,
        sockets: impl Iterator<Item = SocketId>,
    ) -> SortedMap<InstanceId, Instant> {
        let slots = sockets.filter_map(|id| self.slot(id));
        slots.flat_map(|s| s.members.iter().map(|(_, id)| (*id, s.read))).collect()
    }

    /// Queues one advertisement on its socket, one copy per destination.
    pub(in crate::daemon) fn queue(&mut self, id: InstanceId, priority: u8, advert: &Outbound) {
        let Some(&socket) = self.of_instance.get(&id) else { return };
        let Some(slot) = self.slots.get_mut(socket.0 as usize).and_then(Option::as_mut) else {
            return;
        };
        let (source, hops) = (advert.source, advert.hops());
        for (n, copy) in advert.copies.iter().enumerate() {
            let outgoing = Outgoing { source, destination: copy.to, hops, packet: &copy.packet };
            slot.socket.queue(&mut slot.queue, Tag { id, priority, is_copy: n > 0 }, &outgoing);
        }
        self.waiting.insert(socket);
    }

    /// Sends the queued packets. `done` is called for every advertisement and every failure.
    /// Returns false if packets stay queued for lack of room in the kernel.
    pub(in crate::daemon) fn flush(
        &mut self,
        scratch: &mut Scratch,
        mut done: impl FnMut(InstanceId, u8, io::Result<()>),
    ) -> bool {
        let slots = &mut self.slots;
        self.waiting.retain(|socket| {
            let slot = slots.get_mut(socket.0 as usize).and_then(Option::as_mut);
            let Some(slot) = slot else { return false };
            let sent = slot.socket.send(&mut slot.queue, scratch, |tag, result| {
                if result.is_err() || !tag.is_copy {
                    done(tag.id, tag.priority, result);
                }
            });
            !sent
        });
        self.waiting.is_empty()
    }

    fn open(&mut self, endpoint: &Endpoint, poll: &mut Poll<Owner>) -> io::Result<SocketId> {
        let socket = Socket::open(endpoint)?;
        let free = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
        let id = SocketId(u32::try_from(free).expect("fewer than 2^32 sockets"));
        poll.add(socket.rx_fd(), Owner::VrrpSocket(id))
            .map_err(|e| explained("watch a socket", &e))?;
        log::debug!("VRRP sockpool: {socket}");
        if free == self.slots.len() {
            self.slots.push(None);
        }
        let queue = SendQueue::default();
        let (members, read) = (Vec::new(), Instant::ZERO);
        self.slots[free] = Some(SocketSlot { socket, members, read, queue });
        self.by_endpoint.insert(endpoint.clone(), id);
        Ok(id)
    }

    /// Drops packets of other virtual routers in the kernel, so that they cause no wake-up.
    fn refilter(&self, socket: SocketId) -> io::Result<()> {
        let Some(slot) = self.slot(socket) else { return Ok(()) };
        let mut vrids: Vec<u8> = slot.members.iter().map(|(vrid, _)| *vrid).collect();
        vrids.dedup();
        slot.socket.set_filter(&vrids, self.pass_all)
    }

    fn slot(&self, id: SocketId) -> Option<&SocketSlot> {
        self.slots.get(id.0 as usize)?.as_ref()
    }

    fn slot_mut(&mut self, id: SocketId) -> Option<&mut SocketSlot> {
        self.slots.get_mut(id.0 as usize)?.as_mut()
    }
}
