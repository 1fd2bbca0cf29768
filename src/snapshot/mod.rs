//! What a daemon that is restarted by command hands over to the program that takes its place.
//!
//! The process stays, with its id, the locks of its pid files and its children; its memory does not.
//! Most of what was in there is in the kernel, in the configuration or in the state file, and is taken
//! from there as after a crash. The rest is in here, as one JSON object.
//!
//! A program takes over from one that writes the same version of this, which its own trial run says
//! before anything is given up.

pub mod bfd;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::status::{Event, State};

pub use bfd::Bfd;

/// Another layout has another number.
pub const VERSION: u32 = 1;

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
    /// Real servers with an order of an operator.
    pub servers: Vec<Server>,
    /// Scripts that read FIFOs, which go on.
    pub readers: Vec<Reader>,
    /// The last changes, the oldest first.
    pub journal: Vec<Entry>,
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

/// One virtual router. Its scripts have run for this state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    pub name: String,
    pub state: State,
    /// Microseconds.
    pub since: u64,
    /// `None`: it started in this state.
    pub why: Option<String>,
    /// The base of the priority, by command of an operator.
    pub ordered: Option<u8>,
    /// A failover is in force that began with this instance.
    pub failover: Option<Failover>,
}

/// The end of an order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Until {
    /// Microseconds; `None`: it is to be taken back.
    pub end: Option<u64>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failover {
    /// Microseconds.
    pub end: u64,
    /// The router that is to be master; `None`: any.
    pub to: Option<IpAddr>,
}

/// One real server with an order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub service: String,
    pub name: String,
    /// `drain`, `disable`, `weight N`.
    pub order: String,
}

/// One sync group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub name: String,
    pub state: State,
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
        let Versioned { version, program } =
            serde_json::from_str(text).map_err(|e| format!("the snapshot cannot be read: {e}"))?;
        if version != VERSION {
            return Err(format!(
                "the snapshot of {program} has version {version}, this program takes over from {VERSION}"
            ));
        }
        serde_json::from_str(text).map_err(|e| format!("the snapshot cannot be read: {e}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::WallTime;
    use crate::status::{Change, Kind, Time};

    /// Never changed: a new layout gets a new file, and a new version.
    const FIRST: &str = include_str!("../../tests/snapshot/1.json");

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
        let event = Event { kind: Kind::Instance, name: "VI_1".into(), ..event };
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
                since: 4_000_000,
                why: Some("no advertisement in 3.609 s".into()),
                ordered: Some(50),
                failover: Some(Failover { end: 9_000_000, to: "10.0.0.2".parse().ok() }),
            }],
            maintenance: Some(Until { end: None }),
            servers: vec![Server {
                service: "[10.0.0.1]:tcp:80".into(),
                name: "[10.1.0.1]:tcp:80".into(),
                order: "weight 3".into(),
            }],
            groups: vec![Group { name: "G".into(), state: State::Master }],
            bfd: bfd::example(),
            readers: vec![Reader { pid: 4711, fifo: "notify_fifo".into() }],
            journal: vec![Entry { at: 4_000_000, event }],
        }
    }

    #[test]
    fn the_first_version_is_read_for_ever() {
        assert_eq!(Snapshot::parse(FIRST), Ok(first()));
        assert_eq!(first().text(), FIRST.trim_end());
    }

    #[test]
    fn another_version_is_refused_whatever_it_contains() {
        let other = r#"{"version":2,"program":"9.9","shape":"new"}"#;
        let refused = Snapshot::parse(other).expect_err("another version");
        assert!(
            refused.contains("of 9.9 has version 2, this program takes over from 1"),
            "{refused}"
        );
        for text in
            ["", "{}", r#"{"version":1,"program":"x","more":1}"#, r#"{"version":1,"program":"x"}"#]
        {
            assert!(Snapshot::parse(text).is_err(), "{text}");
        }
    }
}
