//! The advertisements of an instance as they were last sent, ready for the socket.
//!
//! A packet is made when something in it changes, not when it is sent; its identification goes on
//! from one to the next, and so does its sequence number if it is authenticated.

use std::net::IpAddr;
use std::rc::Rc;

use super::{advert, Domain, Instance};
use crate::base::ids::InstanceId;
use crate::base::time::{Instant, WallTime};
use crate::model;
use crate::model::vrrp::{Authentication, ChecksumForm, Delivery};

/// One advertisement, with a copy for each destination.
#[derive(Debug)]
pub struct Outbound {
    pub source: IpAddr,
    pub copies: Box<[Copy]>,
    /// When the last one went out.
    pub(super) sent: Option<Instant>,
    config: Rc<model::vrrp::Instance>,
    priority: u8,
}

/// The packet for one destination.
#[derive(Debug)]
pub struct Copy {
    pub to: IpAddr,
    pub packet: Box<[u8]>,
    checksum: ChecksumForm,
}

impl Domain {
    /// Makes the next advertisement of this priority. `None`: the instance never had a source, or has
    /// no key to authenticate it. `wall` is asked for the time if the advertisement needs it.
    ///
    /// Without a source of its own now, the instance says farewell from the last one it had.
    pub fn outbound(
        &mut self,
        id: InstanceId,
        priority: u8,
        wall: impl FnOnce() -> WallTime,
    ) -> Option<&Outbound> {
        let instance = self.instance_mut(id)?;
        if instance.config.authentication == Authentication::Unusable {
            return None;
        }
        let before = instance.outbound.take();
        let source = instance.source().or_else(|| before.as_ref().map(|before| before.source))?;
        let mut next = before.unwrap_or_else(|| Box::new(Outbound::new(instance, source)));
        instance.ident = advert::next_ident(instance.ident);
        next.refresh(instance, priority, source);
        if let Some(guard) = &mut instance.guard {
            let copies = next.copies.iter_mut().map(|copy| &mut *copy.packet);
            if !guard.seal(&instance.config, source, wall(), copies) {
                return None;
            }
        }
        Some(instance.outbound.insert(next))
    }
}

impl Instance {
    /// True if advertisements come from this peer.
    pub fn has_peer(&self, addr: IpAddr) -> bool {
        matches!(&self.config.delivery, Delivery::Unicast { peers, .. }
            if peers.iter().any(|peer| peer.addr == addr))
    }
}

impl Outbound {
    fn new(instance: &Instance, source: IpAddr) -> Self {
        let config = Rc::clone(&instance.config);
        Self { source, copies: Box::default(), sent: None, config, priority: 0 }
    }

    /// The hop limit of a unicast advertisement, if it was configured.
    pub fn hops(&self) -> Option<u8> {
        match self.config.delivery {
            Delivery::Multicast { .. } => None,
            Delivery::Unicast { ttl, .. } => ttl,
        }
    }

    /// Brings the packets up to date, from scratch only if they must be.
    fn refresh(&mut self, instance: &Instance, priority: u8, source: IpAddr) {
        let is_same = Rc::ptr_eq(&self.config, &instance.config)
            && self.source == source
            && self.copies.iter().all(|copy| copy.checksum == instance.checksum_for(&copy.to));
        if !is_same || self.copies.is_empty() {
            self.make(instance, priority, source);
        } else if self.priority != priority {
            for copy in &mut self.copies {
                advert::set_priority(&mut copy.packet, &self.config, priority);
            }
        }
        self.priority = priority;
        for copy in &mut self.copies {
            advert::set_ident(&mut copy.packet, self.config.family, instance.ident);
        }
    }

    fn make(&mut self, instance: &Instance, priority: u8, source: IpAddr) {
        self.config = Rc::clone(&instance.config);
        self.source = source;
        let destinations: Vec<IpAddr> = match &self.config.delivery {
            Delivery::Multicast { group } => vec![*group],
            Delivery::Unicast { peers, .. } => peers.iter().map(|p| p.addr).collect(),
        };
        let config = &self.config;
        let made = destinations.into_iter().map(|to| {
            let (mut packet, checksum) = (Vec::new(), instance.checksum_for(&to));
            advert::emit_as(config, checksum, priority, source, to, &mut packet);
            Copy { to, checksum, packet: packet.into() }
        });
        self.copies = made.collect();
    }
}
