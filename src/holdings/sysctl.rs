//! Settings of interfaces under `/proc/sys/net`, for as long as an owner wants them. The value that
//! was there before comes back in the end, once all that the setting mattered to is gone.

use std::rc::Rc;

use super::holding::Presence;
use super::kernel::{Purpose, RequestId};
use super::object::{Item, Key, Object};
use super::repair::{EEXIST, ENODEV};
use super::{Action, Domain};

/// A setting of an interface, and the value it is wanted to have.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Sysctl {
    pub link: String,
    pub setting: Setting,
    pub value: i32,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Setting {
    /// Unless it is on, the kernel removes every secondary address together with its primary.
    PromoteSecondaries,
}

impl Setting {
    pub const fn name(self) -> &'static str {
        match self {
            Self::PromoteSecondaries => "promote_secondaries",
        }
    }
}

impl Domain {
    /// The settings that were changed, with the number of the interface and the value to go back to.
    pub fn changed_settings(&self) -> impl Iterator<Item = (u32, Setting, &str)> {
        self.settings.iter().map(|((index, setting), before)| (*index, *setting, before.as_str()))
    }

    pub(super) fn bring_about_sysctl(
        &mut self,
        index: u32,
        key: &Key,
        sysctl: &Rc<Sysctl>,
        out: &mut Vec<Action>,
    ) {
        self.restorations.retain(|restoration| *restoration != (index, sysctl.setting));
        let purpose = Purpose::Add(key.clone(), Object::Sysctl(Rc::clone(sysctl)));
        let id = self.ask(index, purpose, out);
        self.set(key, Presence::Asked(id), false, out);
    }

    /// The setting is wanted no more.
    pub(super) fn withdraw_sysctl(&mut self, index: u32, setting: Setting) {
        self.restorations.push((index, setting));
    }

    /// Goes back to the old values, unless the kernel has still to remove something.
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

    /// EEXIST: it has that value already, and nobody restores it.
    pub(super) fn on_sysctl_answered(
        &mut self,
        id: RequestId,
        index: u32,
        key: &Key,
        sysctl: &Rc<Sysctl>,
        answer: Answer,
        out: &mut Vec<Action>,
    ) {
        if let Some(before) = answer.before {
            self.settings.entry((index, sysctl.setting)).or_insert(before);
        }
        let is_awaited = self.holdings.get(key).is_some_and(|h| h.presence == Presence::Asked(id));
        if !is_awaited {
            return;
        }
        match answer.errno {
            0 | EEXIST => self.set(key, Presence::Present, false, out),
            ENODEV => self.set(key, Presence::NoLink, false, out),
            errno => {
                self.report_refused(key, errno, out);
                // The same answer would come again: the file system may be read-only.
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
    /// 0, or why it was refused.
    pub errno: i32,
    /// The value that a setting had before.
    pub before: Option<String>,
}

impl From<i32> for Answer {
    fn from(errno: i32) -> Self {
        Self { errno, before: None }
    }
}
