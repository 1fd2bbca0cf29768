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

pub(super) use address::{RawAddress, RawBroadcast};
pub(super) use bfd::{RawBfd, RawBfdAuth, BFD_INSTANCE};
pub(super) use check::{CheckKind, RawCheck};
pub(super) use encap::{RawEncap, RawKind};
pub(super) use garp::{RawExtra, RawGarpGroup, GARP_GROUP};
pub(super) use global::{
    ChecksDefaults, RawFifo, RawFifos, RawGlobal, RawLifeScript, RawMail, RawScriptRules,
    GLOBAL_DEFS,
};
pub(super) use group::{RawGroup, VRRP_SYNC_GROUP};
pub(super) use instance::{RawInstance, VRRP_INSTANCE};
pub(super) use link::{RawDelays, RawPolledLink};
pub(super) use notify::RawNotify;
pub(super) use page::{RawUrl, SSL};
pub use root::ROOT;
pub(super) use root::{TopLevel, TOP_LEVEL};
pub(super) use route::{RawHop, RawRoute, RawTarget, RawVia};
pub(super) use rule::{RawAction, RawRule};
pub(super) use server::{RawServer, REAL_SERVER};
pub(super) use service::{
    port, Inherited, RawGroupLine, RawService, UnreadServer, PERSISTENCE, SERVER_GROUP,
    VIRTUAL_SERVER,
};
pub(super) use sync::RawSync;
pub(super) use track::{
    RawFile, RawLink, RawProcess, RawScript, RawTracked, RawWeight, TrackList, TRACK_FILE,
    VRRP_SCRIPT, VRRP_TRACK_PROCESS,
};
pub(super) use vrrp::{version_number, RawSigning, RawTrackGroup, TRACK_GROUP};

use super::keyword::{Block, Body, Kind};

/// The word that reverses a weight.
const REVERSE: Kind = Kind::OneOf(&["reverse"]);

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
