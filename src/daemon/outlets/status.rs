//! Status line of the daemon in `systemctl status`.

use crate::daemon::config::outcome::Outcome;
use crate::daemon::runtime::Runtime;
use crate::sys::clock;
use crate::vrrp::Phase;

/// Last status sent to systemd, and the pending one.
#[derive(Debug, Default)]
pub(in crate::daemon) struct SystemdStatus {
    /// The status may have changed since it was sent.
    pub(in crate::daemon) stale: bool,
    told: String,
    /// `refused at Sun Nov 22 19:11:50 2026: (Line 7) ...`.
    last_reload: Option<String>,
}

impl SystemdStatus {
    /// Records the outcome of a reload.
    pub(in crate::daemon) fn reloaded(&mut self, outcome: &Outcome) {
        let word = if outcome.accepted { "done" } else { "refused" };
        let mut text = format!("{word} at {}", clock::local(clock::wall()).long());
        if let Some(reason) = outcome.reasons.first().filter(|_| !outcome.accepted) {
            text.push_str(": ");
            text.push_str(reason);
        }
        self.last_reload = Some(text);
        self.stale = true;
    }
}

impl Runtime {
    /// Sends one message at the end of a turn for all its changes.
    pub(in crate::daemon) fn tell_systemd(&mut self) {
        if !std::mem::take(&mut self.outlets.standing.stale) || !self.outlets.systemd.is_active() {
            return;
        }
        let phases = self
            .running
            .ids
            .iter()
            .filter_map(|id| self.cores.vrrp.instance(*id))
            .map(|i| i.phase());
        let reload = self.outlets.standing.last_reload.as_deref();
        let text = text(phases, self.running.config.virtual_servers.len(), reload);
        if text != self.outlets.standing.told {
            self.outlets.systemd.status(&text);
            self.outlets.standing.told = text;
        }
    }
}

fn text(phases: impl Iterator<Item = Phase>, services: usize, reload: Option<&str>) -> String {
    let (mut counts, mut all) = ([0; 3], 0);
    for phase in phases {
        all += 1;
        match phase {
            Phase::Master => counts[0] += 1,
            Phase::Backup => counts[1] += 1,
            Phase::Fault => counts[2] += 1,
            _ => {}
        }
    }
    let mut parts = Vec::new();
    if all > 0 {
        let [master, backup, fault] = counts;
        parts.push(format!("{master} MASTER, {backup} BACKUP, {fault} FAULT"));
    }
    if services > 0 {
        parts.push(format!("virtual servers: {services}"));
    }
    parts.extend(reload.map(|reload| format!("last reload {reload}")));
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_roles_and_names_the_last_reload() {
        let phases = [Phase::Master, Phase::Backup, Phase::Master, Phase::Init];
        assert_eq!(
            text(phases.into_iter(), 2, Some("refused at noon: (Line 7) x")),
            "2 MASTER, 1 BACKUP, 0 FAULT; virtual servers: 2; last reload refused at noon: (Line 7) x"
        );
        assert_eq!(text([].into_iter(), 1, None), "virtual servers: 1");
    }
}
