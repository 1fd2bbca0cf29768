//! The daemon as a whole.

use crate::base::time::Instant;
use crate::check::pool::Results;
use crate::cli::help;
use crate::daemon::runtime::Runtime;
use crate::daemon::status::order;
use crate::status::{CheckResults, Configuration, Daemon, Lateness, Queues, Spans, Time};
use crate::sys::log as logging;

impl Runtime {
    pub(in crate::daemon) fn daemon_status(&self) -> Daemon {
        let view = self.view();
        let (checks_running, checks_waiting) = self.lvs.pool.load();
        let lateness = &self.pace.lateness;
        let global = &self.running.config.global;
        Daemon {
            version: help::banner().to_string(),
            pid: std::process::id(),
            instance_name: global.instance_name.clone(),
            net_namespace: global.net_namespace.clone(),
            started: Time(view.wall_at(Instant::ZERO)),
            restarts: self.restart.count,
            restarting: self.restart.is_under_way(),
            restart_refused: self.restart.refused.clone(),
            now: Time(view.wall),
            configuration: self.configuration_status(),
            queues: Queues {
                mails: self.outlets.mailer.waiting(),
                notifications: self.cores.notify.waiting(),
                fifo_lines: self.cores.notify.queued_lines(),
                commands: self.commands.children.askers().count(),
                checks_running,
                checks_waiting,
                log_lines_dropped: logging::dropped(),
            },
            lateness: Lateness {
                turns: lateness.turns,
                late_turns: lateness.late_turns,
                worst: lateness.worst.as_secs_f64(),
                spans: Spans::from(&lateness.spans),
            },
            checks: self.lvs.pool.results().map(check_results).collect(),
            log_filter: self.control.log_filter.clone(),
            maintenance: order::maintenance(&view),
            last_event: self.journal.last(),
            instances: self.running.ids.len(),
            services: self.running.config.virtual_servers.len(),
        }
    }

    pub(in crate::daemon) fn configuration_status(&self) -> Configuration {
        let view = self.view();
        Configuration {
            file: self.options.config_file().display().to_string(),
            loaded: Time(view.wall_at(self.running.loaded)),
            flawed: !self.running.flaws.is_empty(),
            last_reload: self.running.last_reload.clone(),
            reloads: self.journal.totals.reloads,
            reloads_refused: self.journal.totals.reloads_refused,
        }
    }
}

fn check_results((kind, results): (&str, &Results)) -> CheckResults {
    CheckResults {
        kind: kind.to_owned(),
        up: results.up,
        down: results.down,
        unmade: results.unmade,
        spans: Spans::from(&results.spans),
    }
}
