//! Interfaces in route netlink: their description, and requests to make and change virtual ones.

mod described;

use libc::{RTM_DELLINK, RTM_NEWLINK};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL};

use super::Requests;
use crate::base::addr::Mac;
use crate::base::link::Surroundings;
use crate::model::vlink::{VirtualLink, VirtualLinkKind};
use crate::wire::netlink::Writer;

pub(super) use described::{described, removed};

const IFF_UP: u32 = libc::IFF_UP as u32;
const MACVLAN_MODE_PRIVATE: u32 = 1;
const IPVLAN_MODE_L2: u16 = 0;
const IFLA_MACVLAN_MODE: u16 = 1;
const IFLA_IPVLAN_MODE: u16 = 1;
const IFLA_IPVLAN_FLAGS: u16 = 2;
const IFLA_INET_CONF: u16 = 1;
const IFLA_INET6_ADDR_GEN_MODE: u16 = 8;
const IN6_ADDR_GEN_MODE_NONE: u8 = 1;

/// An IPv4 setting of an interface, with its number in netlink (IPV4_DEVCONF_*).
///
/// The kernel reports neither the old value nor a refusal of a single setting: the file of the same
/// name tells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u16)]
pub enum Inet4Conf {
    RpFilter = 8,
    ArpFilter = 13,
    ArpIgnore = 19,
    PromoteSecondaries = 20,
    AcceptLocal = 23,
}

impl<T> Requests<T> {
    /// Makes a virtual interface, which is down at first: no address must appear on it before its
    /// settings are in place. EEXIST: the name is taken. EBUSY: another interface has the hardware
    /// address, or the base has an owner that allows none.
    pub fn create_link(&mut self, link: &VirtualLink, place: Surroundings, asker: T) {
        self.pipeline.queue(asker, |out| creation(link, place, out));
    }

    /// Takes the kernel some 20 ms, until all processors have noticed.
    pub fn delete_link(&mut self, index: u32, asker: T) {
        self.link_request(RTM_DELLINK, Header { index, ..Header::default() }, asker, |_| {});
        self.pipeline.slow_down();
    }

    /// The same for one whose number is not known yet.
    pub fn delete_link_named(&mut self, name: &str, asker: T) {
        let content = |w: &mut Writer<'_>| w.bytes(libc::IFLA_IFNAME, name.as_bytes());
        self.link_request(RTM_DELLINK, Header::default(), asker, content);
        self.pipeline.slow_down();
    }

    /// Sets an interface up.
    pub fn raise_link(&mut self, index: u32, asker: T) {
        let header = Header { index, flags: IFF_UP, change: IFF_UP };
        self.link_request(RTM_NEWLINK, header, asker, |_| {});
    }

    pub fn set_link_mac(&mut self, index: u32, mac: Mac, asker: T) {
        self.change_link(index, asker, |w| w.bytes(libc::IFLA_ADDRESS, &mac.0));
    }

    /// Moves an interface into a VRF, or out of the one it is in.
    pub fn set_link_master(&mut self, index: u32, master: Option<u32>, asker: T) {
        self.change_link(index, asker, |w| w.u32(libc::IFLA_MASTER, master.unwrap_or(0)));
    }

    /// Moves an interface into a group. Even if it is in there already, the kernel notifies every
    /// listener.
    pub fn set_link_group(&mut self, index: u32, group: u32, asker: T) {
        self.change_link(index, asker, |w| w.u32(libc::IFLA_GROUP, group));
    }

    /// Changes IPv4 settings all at once.
    pub fn set_link_inet4(&mut self, index: u32, settings: &[(Inet4Conf, u32)], asker: T) {
        self.change_link(index, asker, |w| inet4(settings, w));
    }

    /// Has the kernel generate no link-local address for the interface.
    pub fn stop_link_local(&mut self, index: u32, asker: T) {
        self.change_link(index, asker, no_link_local);
    }

    fn change_link(&mut self, index: u32, asker: T, content: impl FnOnce(&mut Writer<'_>)) {
        self.link_request(RTM_NEWLINK, Header { index, ..Header::default() }, asker, content);
    }

    fn link_request(
        &mut self,
        kind: u16,
        header: Header,
        asker: T,
        content: impl FnOnce(&mut Writer<'_>),
    ) {
        self.pipeline.queue(asker, |out| message(kind, 0, header, content, out));
    }
}

/// The fixed part of a message about an interface (`struct ifinfomsg`).
#[derive(Clone, Copy, Default)]
struct Header {
    index: u32,
    flags: u32,
    /// The flags that count.
    change: u32,
}

impl Header {
    fn bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        for (at, word) in [(4, self.index), (8, self.flags), (12, self.change)] {
            bytes[at..at + 4].copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }
}

fn message(
    kind: u16,
    flags: u16,
    header: Header,
    content: impl FnOnce(&mut Writer<'_>),
    out: &mut Vec<u8>,
) {
    let mut w = Writer::begin(out, kind, flags);
    w.raw(&header.bytes());
    content(&mut w);
    w.finish();
}

fn creation(link: &VirtualLink, place: Surroundings, out: &mut Vec<u8>) {
    let content = |w: &mut Writer<'_>| {
        w.nested(libc::IFLA_LINKINFO, |w| kind_wanted(link.kind, w));
        w.u32(libc::IFLA_LINK, place.base);
        w.bytes(libc::IFLA_IFNAME, link.name.as_bytes());
        w.u32(libc::IFLA_GROUP, place.group);
        if let VirtualLinkKind::Macvlan { mac } = link.kind {
            w.bytes(libc::IFLA_ADDRESS, &mac.0);
        }
        if let Some(vrf) = place.vrf {
            w.u32(libc::IFLA_MASTER, vrf);
        }
    };
    message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, Header::default(), content, out);
}

fn kind_wanted(kind: VirtualLinkKind, w: &mut Writer<'_>) {
    match kind {
        VirtualLinkKind::Macvlan { .. } => {
            w.bytes(libc::IFLA_INFO_KIND, b"macvlan");
            w.nested(libc::IFLA_INFO_DATA, |w| w.u32(IFLA_MACVLAN_MODE, MACVLAN_MODE_PRIVATE));
        }
        VirtualLinkKind::Ipvlan { flags } => {
            w.bytes(libc::IFLA_INFO_KIND, b"ipvlan");
            w.nested(libc::IFLA_INFO_DATA, |w| {
                w.u16(IFLA_IPVLAN_MODE, IPVLAN_MODE_L2);
                w.u16(IFLA_IPVLAN_FLAGS, flags);
            });
        }
    }
}

/// Settings with their numbers as attributes, unlike in the kernel's description of an interface.
fn inet4(settings: &[(Inet4Conf, u32)], w: &mut Writer<'_>) {
    w.nested(libc::IFLA_AF_SPEC, |w| {
        w.nested(libc::AF_INET as u16, |w| {
            w.nested(IFLA_INET_CONF, |w| {
                settings.iter().for_each(|(setting, value)| w.u32(*setting as u16, *value));
            });
        });
    });
}

fn no_link_local(w: &mut Writer<'_>) {
    w.nested(libc::IFLA_AF_SPEC, |w| {
        w.nested(libc::AF_INET6 as u16, |w| {
            w.u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
        });
    });
}

/// The request for all interfaces.
pub(super) fn question() -> Vec<u8> {
    let mut out = Vec::new();
    message(libc::RTM_GETLINK, NLM_F_DUMP, Header::default(), |_| {}, &mut out);
    out
}

// The messages in the tests were recorded on such a machine.
#[cfg(all(test, target_endian = "little"))]
mod tests;
