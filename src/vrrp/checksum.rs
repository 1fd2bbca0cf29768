//! Which form of the version 3 checksum a unicast peer is sent: ours, or the old one if it uses that
//! itself.

use std::net::IpAddr;

use super::action::{Action, Note};
use super::instance::Instance;
use super::receive::Advert;
use super::Domain;
use crate::base::ids::InstanceId;
use crate::base::time::Instant;
use crate::model::vrrp::{ChecksumForm, Delivery};

impl Domain {
    /// Learns from an acceptable advertisement. A stranger teaches nothing, and a peer that was
    /// upgraded is followed back.
    pub(super) fn learn_checksum(
        &mut self,
        id: InstanceId,
        advert: &Advert,
        now: Instant,
        out: &mut Vec<Action>,
    ) {
        let (Some(i), Some(form)) = (self.instance_mut(id), advert.form) else { return };
        let from = advert.source;
        let changed = if form == ChecksumForm::OldUnicast {
            i.may_follow(&from) && i.old_style.edit(|known| known.insert(from))
        } else {
            i.old_style.contains(&from) && i.old_style.edit(|known| known.remove(&from))
        };
        if changed {
            let note = Note::ChecksumFollowed { from, form: i.checksum_for(&from) };
            self.note(id, note, now, out);
        }
    }
}

impl Instance {
    /// The form of the checksum in what is sent to this address.
    pub fn checksum_for(&self, to: &IpAddr) -> ChecksumForm {
        if self.old_style.contains(to) {
            ChecksumForm::OldUnicast
        } else {
            self.config.checksum
        }
    }

    /// The configuration changed: those it no longer names are forgotten.
    pub(super) fn forget_strangers(&mut self) {
        let mut known = self.old_style.take();
        known.retain(|addr| self.may_follow(addr));
        self.old_style = known.into();
    }

    fn may_follow(&self, addr: &IpAddr) -> bool {
        let Delivery::Unicast { peers, .. } = &self.config.delivery else { return false };
        self.config.checksum_follows_peer
            && self.config.checksum == ChecksumForm::PseudoHeader
            && peers.iter().any(|peer| peer.addr == *addr)
    }
}
