//! The lists of interfaces.

use std::fmt;

use super::{line, quoted, seconds, Printer};
use crate::model::link::{LinkDelays, PolledLink};
use crate::model::vrrp::GarpGroup;
use crate::model::Config;

impl Printer {
    pub(super) fn link_lists(&mut self, config: &Config) -> fmt::Result {
        for group in &config.garp_groups {
            self.block(format_args!("garp_group"), |out| out.garp_group(group))?;
        }
        if !config.link_delays.is_empty() {
            self.block(format_args!("interface_up_down_delays"), |out| {
                config.link_delays.iter().try_for_each(|delays| out.link_delays(delays))
            })?;
        }
        if !config.polled_links.is_empty() {
            self.block(format_args!("linkbeat_interfaces"), |out| {
                config.polled_links.iter().try_for_each(|link| out.polled_link(link))
            })?;
        }
        Ok(())
    }

    fn garp_group(&mut self, group: &GarpGroup) -> fmt::Result {
        self.option("garp_interval", group.garp.map(seconds))?;
        self.option("gna_interval", group.gna.map(seconds))?;
        self.block(format_args!("interfaces"), |out| {
            group.interfaces.iter().try_for_each(|name| line!(out, "{}", quoted(name)))
        })
    }

    pub(super) fn garp_groups(&mut self, config: &Config) -> fmt::Result {
        config.garp_groups.iter().try_for_each(|group| self.garp_group(group))
    }

    pub(super) fn link_delays(&mut self, delays: &LinkDelays) -> fmt::Result {
        let name = quoted(&delays.interface);
        line!(self, "{name} {} {}", seconds(delays.down), seconds(delays.up))
    }

    pub(super) fn polled_link(&mut self, link: &PolledLink) -> fmt::Result {
        let name = quoted(&link.interface);
        match link.query {
            None => line!(self, "{name}"),
            Some(query) => line!(self, "{name} {}", query.word()),
        }
    }
}
