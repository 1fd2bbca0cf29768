//! The sync daemons, at most one of each role. Their options cannot be changed while they run.

use super::object::{Held, Trouble};
use crate::wire::netlink::ipvs::{Daemon, Request, Role};

const ESRCH: i32 = 3;
const EEXIST: i32 = 17;

#[derive(Debug, Default)]
struct Slot {
    wanted: Option<Daemon>,
    held: Held<Daemon>,
    under_way: bool,
    trouble: Trouble,
}

#[derive(Debug, Default)]
pub(super) struct Daemons {
    master: Slot,
    backup: Slot,
    /// A daemon was wanted at least once; until then, running ones are foreign and left alone.
    ours: bool,
    pub(super) dirty: bool,
}

impl Daemons {
    /// Sets the daemons that are to run.
    pub(super) fn want(&mut self, daemons: &[Daemon]) {
        self.ours |= !daemons.is_empty();
        for role in [Role::Master, Role::Backup] {
            let wanted = daemons.iter().find(|d| d.role == role).copied();
            let slot = self.slot(role);
            if slot.wanted != wanted {
                slot.wanted = wanted;
                slot.trouble.end();
            }
        }
        self.dirty = true;
    }

    /// Notes the daemons that are running.
    pub(super) fn seen(&mut self, daemons: &[Daemon]) {
        for role in [Role::Master, Role::Backup] {
            let held = daemons.iter().find(|d| d.role == role).copied();
            let slot = self.slot(role);
            if !slot.under_way {
                slot.held = held.map_or(Held::Absent, Held::As);
            }
        }
        self.dirty = true;
    }

    /// Requests for the differences, stops first.
    pub(super) fn reconcile(&mut self) -> Vec<Request> {
        self.dirty = false;
        if !self.ours {
            return Vec::new();
        }
        let (mut stop, mut start) = (Vec::new(), Vec::new());
        for role in [Role::Master, Role::Backup] {
            let slot = self.slot(role);
            if slot.under_way || slot.trouble.waiting {
                continue;
            }
            match (slot.wanted, slot.held) {
                (None, Held::Absent) => continue,
                (Some(wanted), Held::As(held)) if wanted.is_held_as(&held) => continue,
                (Some(wanted), Held::Absent) => start.push(Request::StartDaemon(wanted)),
                _ => stop.push(Request::StopDaemon(role)),
            }
            slot.under_way = true;
        }
        stop.append(&mut start);
        stop
    }

    /// Handles an answer; true if it was a refusal.
    pub(super) fn on_answer(&mut self, request: &Request, errno: i32) -> bool {
        let (role, held) = match (request, errno) {
            (Request::StartDaemon(d), 0) => (d.role, Some(Held::As(*d))),
            // Its options are unknown, so it has to be stopped first.
            (Request::StartDaemon(d), EEXIST) => (d.role, Some(Held::Somehow)),
            (Request::StartDaemon(d), _) => (d.role, None),
            (Request::StopDaemon(role), 0 | ESRCH) => (*role, Some(Held::Absent)),
            (Request::StopDaemon(role), _) => (*role, None),
            _ => return false,
        };
        let slot = self.slot(role);
        slot.under_way = false;
        let Some(held) = held else { return true };
        slot.held = held;
        self.dirty = true;
        false
    }

    pub(super) fn trouble(&mut self, role: Role) -> &mut Trouble {
        &mut self.slot(role).trouble
    }

    #[cfg(test)]
    pub(super) fn under_way(&self) -> usize {
        usize::from(self.master.under_way) + usize::from(self.backup.under_way)
    }

    fn slot(&mut self, role: Role) -> &mut Slot {
        match role {
            Role::Master => &mut self.master,
            Role::Backup => &mut self.backup,
        }
    }
}
