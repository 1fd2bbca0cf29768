//! The host as the configuration sees it: its interfaces and its name.

use super::links::LinkTable;
use crate::config::{Host, LinkFacts};
use crate::sys::process;

/// Answers the questions of the lowering from what the kernel last said.
pub(super) struct KernelHost<'a> {
    pub(super) links: &'a LinkTable,
}

impl Host for KernelHost<'_> {
    fn link(&self, name: &str) -> Option<LinkFacts> {
        let link = self.links.get(name)?;
        Some(LinkFacts {
            index: link.index,
            mtu: link.mtu,
            multicast: link.multicast,
            ethernet: link.mac.is_some(),
            arp: link.arp,
        })
    }

    fn hostname(&self) -> Option<String> {
        Some(process::uname().host)
    }
}
