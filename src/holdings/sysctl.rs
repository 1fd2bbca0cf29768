//! Settings of interfaces under `/proc/sys/net`, changed while an owner wants them. The previous
//! value is restored after all objects that depend on the setting are gone.

use super::holding::Presence;
use super::kernel::{Purpose, RequestId};
use super::object::{Item, Key};
use super::repair::{EEXIST, ENODEV};
use super::{Action, Domain};
use crate::base::errno::KernelReply;
use crate::base::name::SharedName;

/// A setting of an interface with its wanted value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Sysctl {
    pub link: SharedName,
    pub setting: Setting,
    pub value: i32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Setting {
    /// Without it, the kernel removes all secondary addresses together with their primary.
    PromoteSecondaries,
    /// 1: ARP is answered only on the interface that has the address.
    ArpIgnore,
    /// 1: ARP is answered only on the interface through which the reply is routed.
    ArpFilter,
    /// 2: questions have an address of the interface through which they are sent.
    ArpAnnounce,
}

impl Setting {
    /// The first in their order.
    pub(super) const FIRST: Self = Self::PromoteSecondaries;

    /// The value that it is set to.
    pub const fn value(self) -> i32 {
        match self {
            Self::PromoteSecondaries | Self::ArpIgnore | Self::ArpFilter => 1,
            Self::ArpAnnounce => 2,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::PromoteSecondaries => "promote_secondaries",
            Self::ArpIgnore => "arp_ignore",
            Self::ArpFilter => "arp_filter",
            Self::ArpAnnounce => "arp_announce",
        }
    }
}

impl Domain {
    /// Changed settings with the index of the interface and the value to restore.
    pub fn changed_settings(&self) -> impl Iterator<Item = (u32, Setting, &str)> {
        self.settings.iter().map(|((index, setting), before)| (*index, *setting, before.as_str()))
    }

    pub(super) fn bring_about_sysctl(
        &mut self,
        index: u32,
        key: &Key,
        sysctl: &Sysctl,
        out: &mut Vec<Action>,
    ) {
        self.restorations.retain(|restoration| *restoration != (index, sysctl.setting));
        let item = Item::Sysctl(sysctl.setting, sysctl.value.to_string());
        self.ask_for(index, key, item, out);
    }

    /// The setting is no longer wanted.
    pub(super) fn withdraw_sysctl(&mut self, index: u32, setting: Setting) {
        self.restorations.push((index, setting));
    }

    /// Restores the old values once the kernel has completed all removals.
    pub(super) fn restore_settings(&mut self, out: &mut Vec<Action>) {
        if self.restorations.is_empty() || !self.kernel.is_idle() {
            return;
        }
        for (index, setting) in std::mem::take(&mut self.restorations) {
            if let Some(before) = self.settings.remove(&(index, setting)) {
                self.ask(index, Purpose::Remove(Item::Sysctl(setting, before)), out);
            }
        }
    }

    /// EEXIST: the setting already has this value, so it is not restored later.
    pub(super) fn on_sysctl_answered(
        &mut self,
        id: RequestId,
        index: u32,
        key: &Key,
        setting: Setting,
        answer: Answer,
        out: &mut Vec<Action>,
    ) {
        if let Some(before) = answer.before {
            self.settings.entry((index, setting)).or_insert(before);
        }
        match answer.errno {
            _ if !self.is_awaited(id, key) => {}
            0 | EEXIST => self.set(key, Presence::Present, false, out),
            ENODEV => self.set(key, Presence::NoLink, false, out),
            errno => {
                self.report_refused(key, errno, out);
                // Not retried, since the file system may be read-only.
                self.set(key, Presence::Waived, false, out);
            }
        }
    }

    pub(super) fn forget_settings(&mut self, index: u32) {
        self.settings.retain(|(of, _), _| *of != index);
    }
}

/// The kernel's answer to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// 0, or the errno of a refusal.
    pub errno: i32,
    /// The kernel's explanation of a refusal.
    pub text: Option<Box<str>>,
    /// Previous value of a setting.
    pub before: Option<String>,
}

impl From<KernelReply> for Answer {
    fn from(KernelReply { errno, text }: KernelReply) -> Self {
        Self { errno, text, before: None }
    }
}

impl From<i32> for Answer {
    fn from(errno: i32) -> Self {
        Self { errno, text: None, before: None }
    }
}
