//! Interfaces as the kernel describes them.

use libc::{
    IFLA_ADDRESS, IFLA_BROADCAST, IFLA_GROUP, IFLA_IFNAME, IFLA_INFO_DATA, IFLA_INFO_KIND,
    IFLA_LINK, IFLA_LINKINFO, IFLA_LINK_NETNSID, IFLA_MASTER, IFLA_MTU,
};

use super::{IFLA_IPVLAN_FLAGS, IFLA_IPVLAN_MODE, IFLA_MACVLAN_MODE};
use crate::base::addr::Mac;
use crate::base::link::{Link, LinkKind};
use crate::wire::netlink::{attributes, text_of, u16_of, u32_of};
use crate::wire::Malformed;

const IFLA_VRF_TABLE: u16 = 1;
/// A number too large for a mode is none that is looked for.
const NO_MODE: u8 = u8::MAX;

/// The fixed part of a message about an interface (`struct ifinfomsg`).
struct Header {
    hardware: u16,
    index: u32,
    flags: u32,
}

/// The fixed part and the attributes; `None` for the message of another family about an interface:
/// a bridge uses the same when a port leaves it, and the interface stays.
fn divided(body: &[u8]) -> Result<Option<(Header, &[u8])>, Malformed> {
    let (head, rest) = body.split_first_chunk::<16>().ok_or(Malformed)?;
    let header = Header {
        hardware: u16_of(&head[2..4])?,
        index: u32_of(&head[4..8])?,
        flags: u32_of(&head[8..12])?,
    };
    Ok((head[0] == libc::AF_UNSPEC as u8).then_some((header, rest)))
}

/// The index of an interface that was deleted.
pub(in crate::sys::netlink) fn removed(body: &[u8]) -> Result<Option<u32>, Malformed> {
    Ok(divided(body)?.map(|(header, _)| header.index))
}

/// The interface that a message describes.
pub(in crate::sys::netlink) fn described(body: &[u8]) -> Result<Option<Link>, Malformed> {
    let Some((header, rest)) = divided(body)? else { return Ok(None) };
    let has = |flag: i32| header.flags & flag as u32 != 0;
    let mut link = Link {
        index: header.index,
        name: "".into(),
        up: has(libc::IFF_UP) && has(libc::IFF_RUNNING),
        enabled: has(libc::IFF_UP),
        multicast: has(libc::IFF_MULTICAST),
        arp: !has(libc::IFF_NOARP),
        hardware: header.hardware,
        ..Link::plain(0, "")
    };
    let ethernet = header.hardware == libc::ARPHRD_ETHER;
    let mut elsewhere = false;
    // What precedes an attribute that cannot be read still counts: an interface does not disappear
    // because of something that is said of it.
    for (kind, value) in attributes(rest).map_while(Result::ok) {
        match kind {
            IFLA_IFNAME => link.name = text(value)?.into(),
            IFLA_MTU => link.mtu = u32_of(value)?,
            IFLA_ADDRESS if ethernet => link.mac = value.try_into().ok().map(Mac),
            IFLA_BROADCAST if ethernet => link.broadcast = value.try_into().ok().map(Mac),
            IFLA_LINK => link.parent = u32_of(value)?,
            IFLA_LINK_NETNSID => elsewhere = true,
            IFLA_MASTER => link.master = u32_of(value)?,
            IFLA_GROUP => link.group = u32_of(value)?,
            IFLA_LINKINFO => link.kind = link_kind(value)?,
            _ => {}
        }
    }
    if elsewhere {
        link.parent = 0;
    }
    Ok(Some(link))
}

fn text(value: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(text_of(value)).map_err(|_| Malformed)
}

fn link_kind(info: &[u8]) -> Result<LinkKind, Malformed> {
    let (mut name, mut data) = (&b""[..], None);
    for attribute in attributes(info) {
        match attribute? {
            (IFLA_INFO_KIND, value) => name = text_of(value),
            (IFLA_INFO_DATA, value) => data = Some(value),
            _ => {}
        }
    }
    let Some(data) = data else { return Ok(LinkKind::Other) };
    let mode = |number: u32| u8::try_from(number).unwrap_or(NO_MODE);
    Ok(match name {
        b"macvlan" => {
            let number = option(data, IFLA_MACVLAN_MODE)?.map(u32_of).transpose()?;
            LinkKind::Macvlan { mode: number.map_or(NO_MODE, mode) }
        }
        b"ipvlan" => {
            let number = option(data, IFLA_IPVLAN_MODE)?.map(u16_of).transpose()?;
            let flags = option(data, IFLA_IPVLAN_FLAGS)?.map(u16_of).transpose()?;
            let mode = number.map_or(NO_MODE, |number| mode(number.into()));
            LinkKind::Ipvlan { mode, flags: flags.unwrap_or(0) }
        }
        b"vrf" => {
            let table = option(data, IFLA_VRF_TABLE)?.map(u32_of).transpose()?;
            table.map_or(LinkKind::Other, |table| LinkKind::Vrf { table })
        }
        _ => LinkKind::Other,
    })
}

/// One of the options of an interface of a kind.
fn option(data: &[u8], wanted: u16) -> Result<Option<&[u8]>, Malformed> {
    for attribute in attributes(data) {
        match attribute? {
            (kind, value) if kind == wanted => return Ok(Some(value)),
            _ => {}
        }
    }
    Ok(None)
}
