//! A restart by command: another program takes the place of this one in the same process, and no
//! peer notices.
//!
//! First, the new program is run on trial with the snapshot and the configuration. If it refuses
//! either, everything stays as it is. Otherwise the daemon waits a moment for a mail that is under way,
//! and is replaced. Scripts go on. The new program finds the masters in the state file.

mod bfd;
mod index;
mod router;
mod servers;
mod snapshot;
mod unfinished;

pub(super) use index::SnapshotIndex;
pub(super) use snapshot::NO_ANSWER;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, RawFd};
use std::path::PathBuf;

use crate::base::sorted::SortedMap;
use crate::base::time::{Duration, Instant};
use crate::control::{Code, Failure};
use crate::daemon::runtime::Runtime;
use crate::daemon::tokens::Asker;
use crate::model::sandbox::Sandbox;
use crate::model::script::Script;
use crate::sys::children::{Outcome, Streams};
use crate::sys::process::{self, Relief, StandIn};
use crate::sys::{log as logging, netns, reason, takeover, users};
use crate::vrrp::{Action, Input, Unread};

/// As the first argument, it makes a program say whether it would take over.
pub const TRIAL: &str = "--try-snapshot";

/// Time for the trial. A long configuration has to be read.
const TRIAL_TIMEOUT: Duration = Duration::from_secs(60);
/// Time for a mail that is under way.
const SETTLING: Duration = Duration::from_secs(3);
/// Time for which a stand-in advertises, if neither the new program does nor the process ends.
const LONGEST: Duration = Duration::from_secs(10);
/// Lines of the trial that are passed on.
const MOST_LINES: usize = 10;

/// What a restart needs to know of the process, and where it stands.
#[derive(Default)]
pub(super) struct Restart {
    /// How often the daemon was restarted by command.
    pub(super) count: u32,
    /// Where it was started.
    pub(super) directory: PathBuf,
    /// The file that it was started from.
    pub(super) program: PathBuf,
    pub(super) pid_files: Vec<RawFd>,
    /// `--core-dump-pattern`: the pattern before that.
    pub(super) core_pattern: Option<String>,
    /// Why the last one did not take place.
    pub(super) refused: Option<String>,
    /// The snapshot to go on from, while the first configuration is put in force.
    pub(super) recalled: Option<SnapshotIndex>,
    /// Works until the first configuration is in force.
    pub(super) stand_in: Option<StandIn>,
    /// Sockets of BFD that the program before this one has opened.
    pub(super) sockets: SortedMap<RawFd, File>,
    stage: RestartStage,
}

#[derive(Default)]
enum RestartStage {
    #[default]
    Idle,
    Trial(Streams),
    Settling {
        until: Instant,
    },
}

impl Restart {
    /// For this process, where it was started.
    ///
    /// # Errors
    /// `/proc` or the working directory is not there.
    pub(super) fn of_process() -> io::Result<Self> {
        let (directory, program) = (std::env::current_dir()?, takeover::program()?);
        Ok(Self { directory, program, ..Self::default() })
    }

    pub(super) const fn is_under_way(&self) -> bool {
        !matches!(self.stage, RestartStage::Idle)
    }

    pub(super) const fn next_deadline(&self) -> Option<Instant> {
        match self.stage {
            RestartStage::Settling { until } => Some(until),
            RestartStage::Idle | RestartStage::Trial(_) => None,
        }
    }
}

impl Runtime {
    /// Begins a restart; its outcome is in the status.
    pub(super) fn begin_restart(&mut self) -> Result<(), Failure> {
        if self.restart.is_under_way() {
            let text = "a restart is under way".to_owned();
            return Err(Failure { code: Code::Busy, text });
        }
        if self.running.config.global.sandbox == Sandbox::Strict {
            let text =
                "with sandbox strict, no program can be executed: restart the service instead";
            return Err(Failure { code: Code::Request, text: text.to_owned() });
        }
        self.restart.refused = None;
        self.start_trial().map_err(|text| {
            self.refuse_restart(&text);
            Failure { code: Code::Request, text }
        })
    }

    fn start_trial(&mut self) -> Result<(), String> {
        let mut argv = Vec::with_capacity(self.options.argv.len() + 1);
        for word in &self.options.argv {
            let word = word.to_str().ok_or("the command line is not UTF-8")?;
            argv.push(word.to_owned());
        }
        argv.insert(1.min(argv.len()), TRIAL.to_owned());
        let path = self.restart.program.to_str().ok_or("the path of the program is not UTF-8")?;
        let script = Script { path: path.to_owned(), argv, user: users::own(), by_shell: false };
        let cannot = |e: io::Error| format!("cannot run {path}: {}", reason(&e));
        let streams = Streams::new(&self.snapshot(Vec::new(), None).text()).map_err(cannot)?;
        let (children, now) = (&mut self.commands.children, self.now);
        children
            .start_with(&script, &streams, Some(TRIAL_TIMEOUT), Asker::Trial, now)
            .map_err(cannot)?;
        self.restart.stage = RestartStage::Trial(streams);
        Ok(())
    }

    /// The trial has ended.
    pub(super) fn on_trial_ended(&mut self, outcome: Outcome, timed_out: bool) {
        let RestartStage::Trial(mut streams) = std::mem::take(&mut self.restart.stage) else {
            return;
        };
        let said = streams.read().unwrap_or_default().concat();
        let program = self.restart.program.display();
        let why = match outcome {
            Outcome::Exited(0) => {
                self.restart.stage = RestartStage::Settling { until: self.now + SETTLING };
                return;
            }
            _ if timed_out => format!("{program} took too long to read the configuration"),
            Outcome::Exited(status) => format!("{program} refuses it (exit {status})"),
            Outcome::Killed(signal) => format!("{program} was killed by signal {signal}"),
            Outcome::NotStarted(failure) => format!("{program}: {failure}"),
        };
        let lines = said.lines().take(MOST_LINES).map(|line| format!("\n  {line}"));
        let why = why.clone() + &lines.collect::<String>();
        self.refuse_restart(&why);
    }

    fn refuse_restart(&mut self, why: &str) {
        for (n, line) in why.lines().enumerate() {
            match n {
                0 => log::error!("Restart refused: {line}"),
                _ => log::error!("{line}"),
            }
        }
        self.restart.stage = RestartStage::Idle;
        self.restart.refused = Some(why.to_owned());
    }

    /// Replaces the program, if it is time. Returns if it is not, or if that fails.
    pub(super) fn maybe_restart(&mut self) {
        let RestartStage::Settling { until } = self.restart.stage else { return };
        if self.outlets.mailer.is_busy(self.now) && self.now < until {
            return;
        }
        log::info!("Restarting");
        self.drain();
        self.flush_adverts();
        self.save_originals();
        // These begin anew; the others go on.
        let (track, lvs) = (&self.cores.track, &self.lvs);
        self.commands.children.kill_some(|asker| match asker {
            Asker::Track(script) => !track.is_awaited(*script),
            Asker::Check(check) => lvs.lasting_script(*check).is_none(),
            Asker::Filter => true,
            Asker::Notify(_) | Asker::FifoScript(_) | Asker::Trial => false,
        });
        logging::finish(Duration::from_millis(100));
        let failure = self.replace_program();
        self.process.scheduling.apply_anew(&self.running.config);
        self.set_up_control();
        self.set_up_web();
        self.refuse_restart(&format!("cannot execute the program: {}", reason(&failure)));
    }

    /// For a copy of the process: advertises as before until the new program does. Gives its last
    /// word.
    fn stand_in(&mut self, relief: &Relief) -> String {
        self.network.rescue.disarm();
        #[cfg(debug_assertions)]
        self.maybe_fail(crate::daemon::start::fault::Moment::StandIn);
        let until = self.clock.now() + LONGEST;
        let mut actions = Vec::new();
        loop {
            self.now = self.clock.now();
            // Backups may have unread packets, and nothing is read here.
            let owed = Input::DeadlineAmid(Unread::Anything);
            self.cores.vrrp.handle(owed, self.now, &mut actions);
            for action in actions.drain(..) {
                if let Action::SendAdvert { id, priority } = action {
                    self.queue_advert(id, priority);
                }
            }
            self.flush_adverts();
            self.stand_in_for_sessions();
            let owed = [self.cores.vrrp.next_owed(), self.cores.bfd.next_owed(), Some(until)];
            let next = owed.into_iter().flatten().min().unwrap_or(until);
            if self.now >= until || relief.wait(next.since(self.now)) {
                return self.last_word();
            }
        }
    }

    fn replace_program(&mut self) -> io::Error {
        // The copy must not hold it when the new program opens its own.
        self.close_doors();
        let stand_in = process::stand_in(|relief| self.stand_in(relief));
        if let Err(e) = &stand_in {
            log::warn!("no advertisements and BFD packets during the restart: {}", reason(e));
        }
        let stand_in = stand_in.ok();
        let failure = self.execute(stand_in.as_ref().map(|far_end| far_end.as_raw_fd()));
        if let Some(stand_in) = stand_in {
            self.take_back(stand_in);
        }
        failure
    }

    fn execute(&mut self, stand_in: Option<RawFd>) -> io::Error {
        let replaced = self.network.endpoints.descriptors().chain(self.outlets.fifos.descriptors());
        let snapshot = self.snapshot(replaced.collect(), stand_in);
        let descriptors = &snapshot.descriptors;
        let locks = descriptors.pid_files.iter().copied();
        let sockets = descriptors.replaced.iter().copied().chain(snapshot.bfd.descriptors());
        let kept = locks.chain(descriptors.supervisor).chain(stand_in).chain(sockets);
        let (kept, text): (Vec<RawFd>, _) = (kept.collect(), snapshot.text());
        let argv: &[OsString] = &self.options.argv;
        // The new program finds the process as this one did.
        self.process.scheduling.inherited().restore();
        let there = netns::home();
        if let Some(home) = &self.process.namespace {
            if let Err(e) = netns::go(home) {
                return e;
            }
        }
        let failure = takeover::replace(&self.restart.program, argv, &text, &kept);
        if let (Some(_), Ok(there)) = (&self.process.namespace, there) {
            if let Err(e) = netns::go(&there) {
                log::error!("cannot return to the network namespace: {}", reason(&e));
            }
        }
        failure
    }
}
