//! Output for operators and their programs: notifications, mail, log lines.

use std::path::PathBuf;

use crate::sys::systemd::Notifier;

pub(super) mod chatter;
pub(super) mod fifos;
pub(super) mod filter;
pub(super) mod mailer;
pub(super) mod marks;
pub(super) mod notices;
pub(super) mod report;
pub mod resolve;
pub(super) mod status;

use chatter::Chatter;
use fifos::Fifos;
use mailer::Mailer;
use status::SystemdStatus;

pub(super) struct Outlets {
    pub(super) fifos: Fifos,
    pub(super) mailer: Mailer,
    pub(super) chatter: Chatter,
    pub(super) systemd: Notifier,
    pub(super) standing: SystemdStatus,
    /// File for the outcome of each reload.
    pub(super) outcome_file: PathBuf,
}

impl Outlets {
    pub(super) fn new(systemd: Notifier) -> Self {
        Self {
            fifos: Fifos::new(),
            mailer: Mailer::new(),
            chatter: Chatter::default(),
            systemd,
            standing: SystemdStatus::default(),
            outcome_file: PathBuf::new(),
        }
    }
}
