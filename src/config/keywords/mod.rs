//! Every keyword of the configuration language, one file per section of the manual page.
//!
//! Plain tables: what a keyword does is not told here, except that it does nothing yet
//! (`later`). Nothing inside a block that is not in effect is in effect.

mod bfd;
mod check;
mod global;
mod lvs;
mod net;
mod track;
mod vrrp;

pub(super) use check::SSL;
pub use global::ROOT;
pub(super) use global::{GLOBAL_DEFS, LVS_SYNC_DAEMON, LVS_TIMEOUTS};
pub(super) use lvs::{LVS_METHOD, REAL_SERVER, SERVER_GROUP, VIRTUAL_SERVER};
pub(super) use net::{STATIC_IPADDRESS, VIRTUAL_IPADDRESS};
pub(super) use track::{
    TRACK_FILE, TRACK_FILES, TRACK_INTERFACE, TRACK_PROCESS, TRACK_SCRIPT, VRRP_SCRIPT,
    VRRP_TRACK_PROCESS,
};
pub(super) use vrrp::{
    AUTHENTICATION, AUTH_HMAC, TRACK_GROUP, UNICAST_PEER, VRRP_INSTANCE, VRRP_SYNC_GROUP,
};

use super::keyword::{Block, Body, Kind};

/// The word that turns a weight round.
const REVERSE: Kind = Kind::OneOf(&["reverse"]);

/// Keywords that the reader of the text obeys, so that no table has them.
pub(super) const READER: [&str; 6] =
    ["include", "includea", "includeb", "includem", "includer", "includew"];

/// Calls `f` for `block` and every block within it.
pub(super) fn walk(block: &'static Block, f: &mut dyn FnMut(&'static Block)) {
    f(block);
    for k in block.keywords {
        if let Body::Keywords(inner) = k.body {
            walk(inner, f);
        }
    }
}

#[cfg(test)]
mod tests;
