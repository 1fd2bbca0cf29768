//! Every keyword of the configuration language, one file per section of the manual page.
//!
//! Next to the table of a block is the struct for its contents. Each keyword names the setter that
//! stores its value there, or has no effect yet (`later`). [`lower`](mod@super::lower) interprets the
//! result as a whole. What a keyword does is explained in `man/keywords`, from which the manual page
//! is made; a keyword without a text there fails a test.

mod address;
mod bfd;
mod check;
mod encap;
mod firewall;
mod forwarding;
mod garp;
mod global;
mod group;
mod instance;
mod link;
mod notify;
mod page;
mod root;
mod route;
mod route_metrics;
mod rule;
mod server;
mod service;
mod sync;
mod track;
mod vlink;
mod vrrp;

pub(super) use address::{RawAddress, RawBroadcast, SCOPES, VIRTUAL_IPADDRESS};
pub(super) use bfd::{RawBfd, RawBfdAuth, BFD_AUTH, BFD_INSTANCE};
pub(super) use check::{
    CheckKind, RawCheck, BFD_CHECK, DNS_CHECK, FILE_CHECK, HTTP_GET, MISC_CHECK, PING_CHECK,
    RECORDS, SMTP_CHECK, SSL_GET, TCP_CHECK, UDP_CHECK,
};
pub(super) use encap::{RawEncap, RawKind};
pub(super) use forwarding::LVS_METHOD;
pub(super) use garp::{RawExtra, RawGarpGroup, GARP_EXTRA_IF, GARP_GROUP};
pub(super) use global::{
    ChecksDefaults, RawFifo, RawFifos, RawGlobal, RawLifeScript, RawMail, RawScriptRules,
    GLOBAL_DEFS,
};
pub(super) use group::{RawGroup, VRRP_SYNC_GROUP};
pub(super) use instance::{RawInstance, VRRP_INSTANCE};
pub(super) use link::{RawDelays, RawPolledLink, INTERFACE_UP_DOWN_DELAYS, LINKBEAT_INTERFACES};
pub(super) use notify::RawNotify;
pub(super) use page::{RawUrl, SSL, SSL_URL, URL};
pub use root::ROOT;
pub(super) use root::{TopLevel, TOP_LEVEL};
pub(super) use route::{RawHop, RawRoute, RawTarget, RawVia, VIRTUAL_ROUTES};
pub(super) use rule::{RawAction, RawRule, VIRTUAL_RULES};
pub(super) use server::{RawServer, REAL_SERVER};
pub(super) use service::{
    port, Inherited, RawGroupLine, RawService, UnreadServer, PERSISTENCE, SERVER_GROUP,
    VIRTUAL_SERVER,
};
pub(super) use sync::{RawSync, LVS_SYNC_DAEMON, LVS_TIMEOUTS};
pub(super) use track::{
    RawFile, RawLink, RawProcess, RawScript, RawTracked, RawWeight, TrackList, TRACK_BFD,
    TRACK_FILE, TRACK_FILES, TRACK_INTERFACE, TRACK_PROCESS, TRACK_SCRIPT, VRRP_SCRIPT,
    VRRP_TRACK_PROCESS,
};
pub(super) use vlink::{USE_IPVLAN, USE_VMAC};
pub(super) use vrrp::{
    version_number, RawSigning, RawTrackGroup, AUTHENTICATION, AUTH_HMAC, TRACK_GROUP, UNICAST_PEER,
};

use super::keyword::{Block, Body, ValueKind};

/// The word that reverses a weight.
const REVERSE: ValueKind = ValueKind::OneOf(&["reverse"]);

/// Keywords handled by the reader of the text, which are in no table.
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
