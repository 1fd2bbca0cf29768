//! Connection timeouts of the kernel. The original values are restored at the end.

use super::object::Trouble;
use crate::wire::netlink::ipvs::{Request, Timeouts};

#[derive(Debug, Default)]
pub(super) struct Held {
    /// Values before the first change.
    original: Option<Timeouts>,
    /// 0: the original value.
    wanted: Timeouts,
    held: Timeouts,
    under_way: bool,
    pub(super) trouble: Trouble,
    pub(super) dirty: bool,
}

impl Held {
    pub(super) fn want(&mut self, wanted: Timeouts) {
        if self.wanted != wanted {
            self.wanted = wanted;
            self.trouble.end();
            self.dirty = true;
        }
    }

    /// Notes the kernel's values. The first ones noted are restored at the end.
    pub(super) fn seen(&mut self, seen: Timeouts) {
        self.original.get_or_insert(seen);
        self.held = seen;
        self.dirty = true;
    }

    pub(super) fn reconcile(&mut self) -> Option<Request> {
        self.dirty = false;
        let target = self.target()?;
        if self.under_way || self.trouble.waiting || target == self.held {
            return None;
        }
        self.under_way = true;
        Some(Request::SetTimeouts(target))
    }

    /// Handles an answer; true if it was a refusal.
    pub(super) fn on_answer(&mut self, asked: Timeouts, errno: i32) -> bool {
        self.under_way = false;
        if errno == 0 {
            self.held = asked;
            self.dirty = true;
        }
        errno != 0
    }

    #[cfg(test)]
    pub(super) fn under_way(&self) -> usize {
        self.under_way.into()
    }

    fn target(&self) -> Option<Timeouts> {
        let original = self.original?;
        let or = |wanted, original| if wanted == 0 { original } else { wanted };
        Some(Timeouts {
            tcp: or(self.wanted.tcp, original.tcp),
            tcp_fin: or(self.wanted.tcp_fin, original.tcp_fin),
            udp: or(self.wanted.udp, original.udp),
        })
    }
}
