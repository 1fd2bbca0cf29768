//! What a daemon and its children use.

use nix::unistd::Pid;

use crate::lab::Daemon;

/// The process and all below it.
fn family(daemon: &Daemon) -> Vec<Pid> {
    let mut all = vec![daemon.pid()];
    let mut at = 0;
    while let Some(parent) = all.get(at) {
        let path = format!("/proc/{parent}/task/{parent}/children");
        let children = std::fs::read_to_string(path).unwrap_or_default();
        let pids = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        all.extend(pids.map(Pid::from_raw));
        at += 1;
    }
    all
}

/// A line of numbers in `/proc/PID/status`.
fn status(pid: Pid, name: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

/// Processor time in ms.
pub(crate) fn cpu(daemon: &Daemon) -> f64 {
    let one = |pid: &Pid| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
        text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok()).unwrap_or(0.0)
    };
    family(daemon).iter().map(one).sum::<f64>() / 1e6
}

/// Anonymous memory in KiB.
pub(crate) fn memory(daemon: &Daemon) -> f64 {
    family(daemon).iter().map(|pid| status(*pid, "RssAnon")).sum()
}

/// How often it was woken.
pub(crate) fn wakeups(daemon: &Daemon) -> f64 {
    family(daemon).iter().map(|pid| status(*pid, "voluntary_ctxt_switches")).sum()
}
