//! Virtual addresses as text.

use std::fmt::{self, Write as _};

use crate::base::addr::Family;
use crate::model::vrrp::{Broadcast, Scope, VirtualAddress};

/// A virtual address in the syntax of the configuration: `10.1.0.101/24 dev e0 scope global`. A
/// virtual interface is shown with the one below it, `base`: `dev vrrp.51@e0`.
pub(in crate::daemon) fn address(a: &VirtualAddress, base: Option<&str>) -> String {
    let family = Family::of(&a.prefix.addr);
    let mut out = a.prefix.addr.to_string();
    // With a peer, the length is the peer's.
    if a.peer.is_none() && a.prefix.len < family.bits() {
        let _ = write!(out, "/{}", a.prefix.len);
    }
    if let Broadcast::Address(broadcast) = a.broadcast {
        let _ = write!(out, " brd {broadcast}");
    }
    let _ = write!(out, " dev {}", a.interface);
    if let Some(base) = base {
        let _ = write!(out, "@{base}");
    }
    let _ = write!(out, " scope {}", ScopeName(a.scope));
    if let Some(label) = &a.label {
        let _ = write!(out, " label {label}");
    }
    if let Some(peer) = a.peer {
        let _ = write!(out, " peer {peer}/{}", a.prefix.len);
    }
    let v6 = family == Family::V6;
    let flags = [
        (a.home, "home"),
        (v6 && !a.nodad, "-nodad"),
        (a.mngtmpaddr, "mngtmpaddr"),
        (a.noprefixroute, "noprefixroute"),
        (a.autojoin, "autojoin"),
        (a.no_track, "no_track"),
        (v6 && a.preferred_lft == Some(0), "deprecated"),
        (v6 && a.preferred_lft.is_none(), "preferred_lft forever"),
    ];
    for (_, word) in flags.iter().filter(|(on, _)| *on) {
        let _ = write!(out, " {word}");
    }
    if let Some(seconds) = a.preferred_lft.filter(|&s| v6 && s > 0) {
        let _ = write!(out, " preferred_lft {seconds}");
    }
    out
}

struct ScopeName(Scope);

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Scope::GLOBAL => "global",
            Scope::SITE => "site",
            Scope::LINK => "link",
            Scope::HOST => "host",
            Scope::NOWHERE => "nowhere",
            Scope(number) => return write!(f, "{number}"),
        })
    }
}
