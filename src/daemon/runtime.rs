//! State of the running daemon, grouped by subsystem.

use std::fs::File;
use std::path::PathBuf;
use std::rc::Rc;

use crate::base::ids::InstanceId;
use crate::base::time::Instant;
use crate::cli::options::Options;
use crate::daemon::commands::Commands;
use crate::daemon::config::Running;
use crate::daemon::continuity::Continuity;
use crate::daemon::control::Control;
use crate::daemon::cores::Cores;
use crate::daemon::journal::Journal;
use crate::daemon::lvs::Lvs;
use crate::daemon::network::Network;
use crate::daemon::outlets::Outlets;
use crate::daemon::pace::Pace;
use crate::daemon::restart::Restart;
use crate::daemon::start::scheduling::Scheduling;
use crate::daemon::tokens::Owner;
use crate::model::vrrp::Instance;
use crate::sys::clock::Clock;
use crate::sys::poll::Poll;
use crate::sys::signals::Signals;
use crate::sys::supervise::Supervisor;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    Running,
    /// Priority-zero adverts are sent; held objects are being removed.
    Stopping,
}

pub(super) struct Runtime {
    pub(super) options: Options,
    pub(super) mode: Mode,
    /// Time of this turn, read once per group of events.
    pub(super) now: Instant,
    pub(super) clock: Clock,
    pub(super) poll: Poll<Owner>,
    pub(super) signals: Signals,
    pub(super) running: Running,
    pub(super) cores: Cores,
    pub(super) lvs: Lvs,
    pub(super) network: Network,
    pub(super) commands: Commands,
    pub(super) outlets: Outlets,
    pub(super) journal: Journal,
    pub(super) control: Control,
    pub(super) continuity: Continuity,
    pub(super) pace: Pace,
    pub(super) restart: Restart,
    pub(super) process: Process,
}

/// Environment of the process on its host.
pub(super) struct Process {
    /// Original network namespace, if the daemon has left it.
    pub(super) namespace: Option<File>,
    /// An earlier run was killed and may have left addresses.
    pub(super) follows_crash: bool,
    pub(super) scheduling: Scheduling,
    /// The process that starts the daemon again if it dies.
    pub(super) supervisor: Option<Supervisor>,
    /// The copy of the configuration in force.
    pub(super) in_force: PathBuf,
}

impl Runtime {
    pub(super) fn instance_config(&self, id: InstanceId) -> Option<Rc<Instance>> {
        self.cores.vrrp.instance(id).map(|i| i.config().clone())
    }

    /// The earliest of all deadlines but the urgent ones.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let all = [
            self.cores.next_deadline(),
            self.lvs.next_deadline(),
            self.network.next_deadline(),
            self.commands.next_deadline(),
            self.outlets.mailer.next_deadline(),
            self.outlets.chatter.next_deadline(),
            self.control.next_deadline(),
            self.restart.next_deadline(),
            self.schedule_deadline(),
        ];
        all.into_iter().flatten().min()
    }
}
