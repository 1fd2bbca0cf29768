//! The lists of interfaces.

use super::fits::lines;
use super::text::{put, Printer};
use crate::model::link::{LinkDelays, LinkQuery, PolledLink};
use crate::model::Config;

impl Printer {
    pub(super) fn garp_groups(&mut self, config: &Config) {
        put!(self, TOP_LEVEL { for group in &config.garp_groups => { "garp_group" => GARP_GROUP {
            "garp_interval": group.garp;
            "gna_interval": group.gna;
            "interfaces" => each &group.interfaces;
        } } });
    }
}

lines! {
    INTERFACE_UP_DOWN_DELAYS => LinkDelays: |delays| {
        _: &delays.interface, delays.down, delays.up;
    }
    LINKBEAT_INTERFACES => PolledLink: |link| {
        _: &link.interface;
        "MII" if link.query == Some(LinkQuery::Mii);
        "ETHTOOL" if link.query == Some(LinkQuery::Ethtool);
        "IOCTL" if link.query == Some(LinkQuery::Flags);
    }
}
