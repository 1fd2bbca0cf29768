//! The daemon as a whole.

use super::{counter, gauge, histogram, Family, Of};

pub(super) const FAMILIES: &[Family] = &[
    gauge(
        "keepalived_build_info",
        "The program; the value is always 1.",
        Of::Daemon(|d, s| s.add(&[("version", &d.version)], 1_u64)),
    ),
    gauge(
        "keepalived_start_time_seconds",
        "When the daemon started.",
        Of::Daemon(|d, s| s.add(&[], d.started)),
    ),
    gauge(
        "keepalived_config_loaded_time_seconds",
        "When the configuration that runs was read.",
        Of::Daemon(|d, s| s.add(&[], d.configuration.loaded)),
    ),
    gauge(
        "keepalived_config_flawed",
        "1 if the configuration that runs has errors that were corrected or left out.",
        Of::Daemon(|d, s| s.add(&[], d.configuration.flawed)),
    ),
    gauge(
        "keepalived_config_last_reload_successful",
        "0 if the last reload was refused.",
        Of::Daemon(|d, s| {
            s.add(&[], d.configuration.last_reload.as_ref().is_none_or(|reload| reload.accepted));
        }),
    ),
    counter(
        "keepalived_config_reloads_total",
        "Reloads, by their results.",
        Of::Daemon(|d, s| {
            let refused = d.configuration.reloads_refused;
            let accepted = d.configuration.reloads.saturating_sub(refused);
            s.add(&[("result", &"accepted")], accepted);
            s.add(&[("result", &"refused")], refused);
        }),
    ),
    gauge(
        "keepalived_mails_waiting",
        "Mails that are not sent yet.",
        Of::Daemon(|d, s| s.add(&[], d.queues.mails)),
    ),
    gauge(
        "keepalived_notifications_waiting",
        "Changes whose notify scripts wait for those of earlier changes.",
        Of::Daemon(|d, s| s.add(&[], d.queues.notifications)),
    ),
    gauge(
        "keepalived_fifo_lines_waiting",
        "Lines that wait for the readers of FIFOs.",
        Of::Daemon(|d, s| s.add(&[], d.queues.fifo_lines)),
    ),
    gauge(
        "keepalived_commands_running",
        "Commands that run: tracked scripts, notify scripts, checks.",
        Of::Daemon(|d, s| s.add(&[], d.queues.commands)),
    ),
    gauge(
        "keepalived_checks_running",
        "Checks that run.",
        Of::Daemon(|d, s| s.add(&[], d.queues.checks_running)),
    ),
    gauge(
        "keepalived_checks_waiting",
        "Checks that are due and wait for others.",
        Of::Daemon(|d, s| s.add(&[], d.queues.checks_waiting)),
    ),
    counter(
        "keepalived_log_lines_dropped_total",
        "Log lines that were dropped because no reader took them.",
        Of::Daemon(|d, s| s.add(&[], d.queues.log_lines_dropped)),
    ),
    counter(
        "keepalived_events_total",
        "Entries of the journal (kactl events).",
        Of::Daemon(|d, s| s.add(&[], d.last_event)),
    ),
    histogram(
        "keepalived_loop_lateness_seconds",
        "How much later than their deadlines turns of the loop began.",
        Of::Daemon(|d, s| s.spans(&[], &d.lateness.spans)),
    ),
    gauge(
        "keepalived_loop_worst_lateness_seconds",
        "The most that a turn of the loop was late since the start.",
        Of::Daemon(|d, s| s.add(&[], d.lateness.worst)),
    ),
    counter(
        "keepalived_checks_total",
        "Results of checks, by type of the check. This host could not carry out the unmade ones.",
        Of::Daemon(|d, s| {
            for checks in &d.checks {
                for (result, count) in
                    [("up", checks.up), ("down", checks.down), ("unmade", checks.unmade)]
                {
                    s.add(&[("type", &checks.kind), ("result", &result)], count);
                }
            }
        }),
    ),
    histogram(
        "keepalived_check_duration_seconds",
        "How long checks took, by type of the check.",
        Of::Daemon(|d, s| {
            for checks in &d.checks {
                s.spans(&[("type", &checks.kind)], &checks.spans);
            }
        }),
    ),
];
