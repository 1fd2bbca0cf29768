//! `virtual_server_group`: addresses, ranges of them, and firewall marks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Scene;
use crate::base::addr::Family;
use crate::base::diag::Span;
use crate::config::document::Node;
use crate::config::entry::LineUse;
use crate::config::keywords::{RawGroupLine, SERVER_GROUP};
use crate::model::lvs::GroupEntry;

/// Each address is a service of its own, with every real server in it. For a line, and for a group.
const MOST: u128 = 65_536;

/// Reads the lines of a group. Invalid lines are omitted.
pub(super) fn read(scene: &mut Scene<'_, '_>, node: Node<'_>) -> Vec<GroupEntry> {
    scene.checker.out.set_scope(node.arg(0).map(|name| name.text));
    let mut entries = Vec::new();
    let mut total = 0;
    for line in node.children() {
        let Some(entry) = entry(scene, line) else { continue };
        total += size(&entry);
        if total > MOST {
            let text = format!(
                "the group has more than {MOST} addresses: this line and all after it are skipped"
            );
            scene.error("virtual_server_group", line.keyword().span, text);
            break;
        }
        entries.push(entry);
    }
    scene.checker.out.set_scope(None);
    entries
}

fn entry(scene: &mut Scene<'_, '_>, line: Node<'_>) -> Option<GroupEntry> {
    let mut raw = RawGroupLine::default();
    if scene.checker.fill_line(line, &SERVER_GROUP, &mut raw) == LineUse::Useless {
        return None;
    }
    let RawGroupLine { words, mark, family } = raw;
    let mut wrong = |span: Span, text: String| {
        scene.error("virtual_server_group", span, format!("{text}: the line is skipped"));
        None
    };
    match (mark, words.as_slice()) {
        (Some(mark), []) => Some(GroupEntry::Fwmark { mark, family }),
        (None, [addresses, rest @ ..]) => {
            let Some((first, last)) = range(addresses.text) else {
                let text = format!("'{}' is not an address or a range", addresses.text);
                return wrong(addresses.span, text);
            };
            if !is_whole(addresses.text, first) {
                let text = format!("'{}' is not the first address of it", addresses.text);
                return wrong(addresses.span, text);
            }
            if !is_small(first, last) {
                let text = format!("'{}' has more than {MOST} addresses", addresses.text);
                return wrong(addresses.span, text);
            }
            let port = match rest.first() {
                None => 0,
                Some(word) => match word.text.parse() {
                    Ok(port) => port,
                    Err(_) => return wrong(word.span, format!("'{}' is not a port", word.text)),
                },
            };
            if let Some(word) = rest.get(1) {
                let text = format!("'{}' after address and port is ignored", word.text);
                scene.checker.out.warn("virtual_server_group", word.span, text);
            }
            Some(GroupEntry::Range { first, last, port })
        }
        (_, [.., word]) => wrong(word.span, format!("'{}' is too much", word.text)),
        (None, []) => None,
    }
}

/// First and last of `A`, `A-N`, `A-B` or `A/LENGTH`.
fn range(text: &str) -> Option<(IpAddr, IpAddr)> {
    let Some(at) = text.find(['-', '/']) else {
        let addr = text.parse().ok()?;
        return Some((addr, addr));
    };
    let first: IpAddr = text[..at].parse().ok()?;
    let rest = &text[at + 1..];
    if text.as_bytes()[at] == b'/' {
        let len: u8 = rest.parse().ok()?;
        return Some((first, last_of(first, len)?));
    }
    if let Ok(last) = rest.parse::<IpAddr>() {
        return Some((first, last));
    }
    let last = match first {
        IpAddr::V4(addr) => {
            let [a, b, c, _] = addr.octets();
            Ipv4Addr::new(a, b, c, rest.parse().ok()?).into()
        }
        IpAddr::V6(addr) => {
            let mut segments = addr.segments();
            segments[7] = u16::from_str_radix(rest, 16).ok()?;
            Ipv6Addr::from(segments).into()
        }
    };
    Some((first, last))
}

fn is_small(first: IpAddr, last: IpAddr) -> bool {
    between(first, last).is_some_and(|between| between < MOST)
}

/// `None` for two families.
fn between(first: IpAddr, last: IpAddr) -> Option<u128> {
    match (first, last) {
        (IpAddr::V4(a), IpAddr::V4(b)) => Some(u32::from(b).saturating_sub(u32::from(a)).into()),
        (IpAddr::V6(a), IpAddr::V6(b)) => Some(u128::from(b).saturating_sub(u128::from(a))),
        _ => None,
    }
}

/// Number of services of an entry.
fn size(entry: &GroupEntry) -> u128 {
    match *entry {
        GroupEntry::Range { first, last, .. } => between(first, last).unwrap_or(0) + 1,
        GroupEntry::Fwmark { .. } => 1,
    }
}

/// The last address of the prefix that `addr` is in.
fn last_of(addr: IpAddr, len: u8) -> Option<IpAddr> {
    let host_bits = u32::from(Family::of(&addr).bits().checked_sub(len)?);
    Some(match addr {
        IpAddr::V4(a) => {
            Ipv4Addr::from(u32::from(a) | u32::MAX.checked_shr(32 - host_bits).unwrap_or(0)).into()
        }
        IpAddr::V6(a) => {
            Ipv6Addr::from(u128::from(a) | u128::MAX.checked_shr(128 - host_bits).unwrap_or(0))
                .into()
        }
    })
}

/// False for a prefix with host bits.
fn is_whole(text: &str, first: IpAddr) -> bool {
    let Some(len) = text.split_once('/').and_then(|(_, len)| len.parse::<u32>().ok()) else {
        return true;
    };
    match first {
        IpAddr::V4(a) => u32::from(a).checked_shl(len).unwrap_or(0) == 0,
        IpAddr::V6(a) => u128::from(a).checked_shl(len).unwrap_or(0) == 0,
    }
}
