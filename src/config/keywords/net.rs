//! Lists of interfaces.

use crate::config::keyword::{opt, seconds, Entry, Kind, Unknown};

pub(super) static LINKBEAT_INTERFACES: Entry = Entry {
    name: "interface",
    head: &[Kind::Link],
    required: 1,
    options: &[opt("MII"), opt("ETHTOOL"), opt("IOCTL")],
    free: None,
    unknown: Unknown::IgnoreRest,
};

pub(super) static INTERFACE_UP_DOWN_DELAYS: Entry = Entry {
    name: "interface",
    head: &[Kind::Link, seconds(0, 255_000_000), seconds(0, 255_000_000)],
    required: 2,
    options: &[],
    free: None,
    unknown: Unknown::IgnoreRest,
};
