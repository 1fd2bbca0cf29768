//! What a daemon that is restarted by command hands over to the program that takes its place.
//!
//! The process stays, with its id, the locks of its pid files and its children; its memory does not.
//! Most of what was in there is in the kernel, in the configuration or in the state file, and is taken
//! from there as after a crash. The rest is in here, as one JSON object.
//!
//! A program takes over from one that writes the same version of this or an older one. Its own trial
//! run says so before anything is given up.

pub mod bfd;
mod router;
mod servers;
mod unfinished;

use serde::{Deserialize, Serialize};

use crate::base::json;
use crate::status::Event;

pub use router::{Failover, Group, Instance, Mark, Refused, Router};
pub use servers::{Check, CheckRun, LastResult, Probes, Server, Service, Weight};
pub use unfinished::{About, FifoLine, ScriptCommand, ScriptRun, ScriptsWaiting, UnsentMail};

pub use bfd::Bfd;

/// Another layout has another number. Version 2 has fields that 1 has not.
pub const VERSION: u32 = 2;

#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    pub version: u32,
    /// The program that wrote it.
    pub program: String,
    /// Restarts before this one.
    pub restarts: u32,
    /// CLOCK_MONOTONIC, in microseconds, at the time zero of all others in here.
    pub clock: u64,
    /// Where relative paths of the command line begin.
    pub directory: String,
    /// Errors of the configuration that runs, which are no reason to refuse it.
    pub flaws: Vec<String>,
    /// `--core-dump-pattern`: the pattern to restore at the end.
    pub core_pattern: Option<String>,
    /// The filter of log lines that was set by command.
    pub log_filter: Option<String>,
    pub descriptors: Descriptors,
    /// A copy of the process advertises for the masters, and sends BFD packets, until
    /// `descriptors.stand_in` is closed.
    pub is_advertising: bool,
    pub instances: Vec<Instance>,
    pub groups: Vec<Group>,
    pub bfd: Bfd,
    /// Maintenance is on.
    pub maintenance: Option<Until>,
    pub services: Vec<Service>,
    #[serde(default)]
    pub probes: Vec<Probes>,
    /// Scripts that read FIFOs, which go on.
    pub readers: Vec<Reader>,
    /// Notification scripts that run.
    pub runs: Vec<ScriptRun>,
    /// Changes whose scripts wait, in order.
    pub changes: Vec<ScriptsWaiting>,
    /// Lines that readers of FIFOs have not got, in order.
    pub lines: Vec<FifoLine>,
    pub mails: Vec<UnsentMail>,
    /// Tracked scripts with a result.
    pub scripts: Vec<TrackedScript>,
    /// The last changes, the oldest first.
    pub journal: Vec<Entry>,
    pub reloads: u64,
    pub reloads_refused: u64,
}

/// Descriptors that stay open.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descriptors {
    /// Locked pid files, in their order.
    pub pid_files: Vec<i32>,
    /// To the process that starts the daemon again if it dies.
    pub supervisor: Option<i32>,
    /// Sockets and FIFOs that are closed once there are new ones: until then, no multicast group is
    /// left, and no reader of a FIFO sees its end.
    pub replaced: Vec<i32>,
    /// To the copy that stands in.
    pub stand_in: Option<i32>,
}

/// The end of an order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// Microseconds; `None`: it is to be taken back.
    pub end: Option<u64>,
}

/// A tracked script.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackedScript {
    pub name: String,
    pub is_up: bool,
    /// Results in a row, as `rise` and `fall` count them.
    pub result: u32,
    /// The exit status of the last run that had one.
    pub status: i32,
    /// When it is run next, in microseconds.
    pub due: u64,
    /// The run that goes on.
    pub run: Option<TrackedRun>,
}

/// A run of a tracked script.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackedRun {
    pub pid: i32,
    /// As it is shown.
    pub command: String,
    /// When it has taken too long, in microseconds.
    pub end: u64,
}

/// A script that reads a FIFO.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reader {
    pub pid: i32,
    /// The keyword of the FIFO.
    pub fifo: String,
}

/// One change.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Microseconds.
    pub at: u64,
    pub event: Event,
}

impl Snapshot {
    /// As text, without line breaks.
    pub fn text(&self) -> String {
        // Plain data with text as keys has a form in JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// # Errors
    /// The text is no snapshot, or one of another version.
    pub fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
            program: String,
        }
        let unreadable = |e| format!("the snapshot cannot be read: {e}");
        let Versioned { version, program } = json::read(text.as_bytes()).map_err(unreadable)?;
        if !(1..=VERSION).contains(&version) {
            return Err(format!(
                "the snapshot of {program} has version {version}, this program takes over from 1 to {VERSION}"
            ));
        }
        json::read(text.as_bytes()).map_err(unreadable)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::base::time::WallTime;
    use crate::status::{Change, Counters, ObjectKind, State, Time};

    /// Never changed: a new layout gets a new file, and a new version.
    const FIRST: &str = include_str!("../../tests/snapshot/1.json");
    const SECOND: &str = include_str!("../../tests/snapshot/2.json");

    fn peer() -> IpAddr {
        [10, 0, 0, 2].into()
    }

    fn router() -> Router {
        Router { address: peer(), priority: 90, at: 3_000_000 }
    }

    fn about() -> About {
        let (name, of) = ("[10.1.0.1]:tcp:80".into(), Some("[10.0.0.1]:tcp:80".into()));
        About { kind: ObjectKind::Server, name, of }
    }

    fn first() -> Snapshot {
        let change = Change::State { from: Some("BACKUP".into()), to: "MASTER".into() };
        let why = Some("no advertisement in 3.609 s".into());
        let event = Event {
            number: 7,
            at: Time(WallTime(1_700_000_000_000_000)),
            change,
            why,
            ..Event::default()
        };
        let event = Event { kind: ObjectKind::Instance, name: "VI_1".into(), ..event };
        Snapshot {
            version: 1,
            program: "0.1.0".into(),
            restarts: 2,
            clock: 5_000_000,
            directory: "/etc".into(),
            flaws: vec!["(Line 7) Unknown keyword 'x'".into()],
            core_pattern: Some("core".into()),
            log_filter: Some("debug".into()),
            descriptors: Descriptors {
                pid_files: vec![5, 6],
                supervisor: Some(7),
                replaced: vec![17, 18],
                stand_in: Some(21),
            },
            is_advertising: true,
            instances: vec![Instance {
                name: "VI_1".into(),
                state: State::Master,
                priority: 90,
                since: 4_000_000,
                why: Some("no advertisement in 3.609 s".into()),
                ordered: Some(50),
                failover: Some(Failover { end: 9_000_000, to: "10.0.0.2".parse().ok() }),
                counters: Counters { advert_sent: 7, ..Counters::default() },
                transitions: [("silence".to_owned(), 3)].into(),
                contested: 1,
                heard: Some(router()),
                master_interval: 1_000_000,
                heirs: vec![router()],
                old_style: vec![peer()],
                marks: vec![Mark { from: peer(), sequence: 1 << 40, at: 3_000_000 }],
                tolerates_until: Some(6_000_000),
                ..Instance::default()
            }],
            maintenance: Some(Until { end: None }),
            services: vec![Service {
                name: "[10.0.0.1]:tcp:80".into(),
                is_met: true,
                since: 3_000_000,
                servers: vec![Server {
                    name: "[10.1.0.1]:tcp:80".into(),
                    order: Some("weight 3".into()),
                    is_up: true,
                    since: 2_000_000,
                    checks: vec![
                        None,
                        Some(Check {
                            has_run: true,
                            is_up: true,
                            weight: Weight::Instead(7),
                            retries: 2,
                            due: Some(6_000_000),
                            last: None,
                            run: None,
                        }),
                    ],
                }],
            }],
            probes: Vec::new(),
            groups: vec![Group { name: "G".into(), state: State::Master }],
            bfd: bfd::example(),
            readers: vec![Reader { pid: 4711, fifo: "notify_fifo".into() }],
            runs: vec![ScriptRun { pid: 4712, about: about(), command: "/bin/notify x".into() }],
            changes: vec![ScriptsWaiting {
                about: about(),
                word: "MASTER".into(),
                is_minor: false,
                commands: vec![ScriptCommand {
                    path: "/bin/notify".into(),
                    argv: vec!["notify".into()],
                    uid: 1,
                    gid: 2,
                    by_shell: true,
                    extra: vec!["x".into()],
                }],
            }],
            lines: vec![FifoLine { fifo: "notify_fifo".into(), text: "INSTANCE\n".into() }],
            mails: vec![UnsentMail {
                about: about(),
                from: "a@b".into(),
                to: vec!["c@d".into()],
                subject: "s".into(),
                text: "t".into(),
                tries: 1,
                due: 7_000_000,
                born: 1_000_000,
            }],
            scripts: vec![TrackedScript {
                name: "track".into(),
                is_up: true,
                result: 3,
                status: 1,
                due: 5_500_000,
                run: Some(TrackedRun { pid: 4713, command: "/bin/track".into(), end: 8_000_000 }),
            }],
            journal: vec![Entry { at: 4_000_000, event }],
            reloads: 4,
            reloads_refused: 1,
        }
    }

    fn second() -> Snapshot {
        let mut snapshot = Snapshot { version: 2, ..first() };
        let reason = "wrong password".into();
        let (first, last) = (2_000_000, 3_000_000);
        let refused = Refused { from: peer(), count: 4, first, last, reason, is_rival: true };
        snapshot.instances[0].ident = 7;
        snapshot.instances[0].refused = vec![refused];
        let run =
            CheckRun { pid: 4714, command: "/bin/check".into(), begun: 4_500_000, end: 9_000_000 };
        let check = snapshot.services[0].servers[0].checks[1].as_mut().expect("a check");
        check.last = Some(LastResult { text: "TCP_CHECK: up".into(), at: 4_000_000 });
        check.run = Some(run);
        let (kind, spans) = ("TCP_CHECK".into(), vec![3, 2]);
        snapshot.probes = vec![Probes { kind, up: 4, down: 1, unmade: 0, spans, sum: 9_000 }];
        snapshot
    }

    #[test]
    fn every_version_is_read_for_ever() {
        assert_eq!(Snapshot::parse(FIRST), Ok(first()));
        assert_eq!(Snapshot::parse(SECOND), Ok(second()));
        assert_eq!(second().text(), SECOND.trim_end());
    }

    #[test]
    fn another_version_is_refused_whatever_it_contains() {
        let other = r#"{"version":3,"program":"9.9","shape":"new"}"#;
        let refused = Snapshot::parse(other).expect_err("another version");
        assert!(
            refused.contains("of 9.9 has version 3, this program takes over from 1 to 2"),
            "{refused}"
        );
        for text in
            ["", "{}", r#"{"version":1,"program":"x","more":1}"#, r#"{"version":1,"program":"x"}"#]
        {
            assert!(Snapshot::parse(text).is_err(), "{text}");
        }
    }
}
