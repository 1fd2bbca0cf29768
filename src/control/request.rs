//! What a client may ask for.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::reply::{Code, Failure};
use crate::base::json;

/// The version of requests and replies.
pub const VERSION: u32 = 1;

/// One request. Fields that are not known are an error: the daemon must not ignore a condition.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub version: u32,
    #[serde(rename = "do")]
    pub command: Command,
}

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Everything but the holdings.
    Status,
    /// One topic; one object of it if it is named.
    Show {
        topic: Topic,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// The status as metrics, in the text format of Prometheus.
    Metrics,
    /// The journal after this number, and with `follow`, what is added to it.
    Events {
        #[serde(default)]
        since: u64,
        #[serde(default)]
        follow: bool,
        /// Only those of objects of this name, and of the servers of this virtual server.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Reads the configuration again.
    Reload,
    /// Says what a reload with this file would change.
    Rehearse {
        file: String,
    },
    /// Lets the program that is installed take over. The outcome is in the status.
    Restart,
    /// Another base for the priority of an instance; `None`: that of the configuration.
    Priority {
        name: String,
        #[serde(default)]
        base: Option<u8>,
    },
    /// Hands an instance and its sync group over to another router.
    Failover {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<IpAddr>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
        /// Even if no such router was heard.
        #[serde(default)]
        force: bool,
        /// Says whether it would begin, and which routers could take over.
        #[serde(default)]
        dry_run: bool,
    },
    EndFailover {
        name: String,
    },
    /// Hands all instances over, and keeps them so until it is off.
    Maintenance {
        on: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<u64>,
    },
    /// Orders something of a real server, by the names of the status.
    Server {
        service: String,
        server: String,
        order: ServerCommand,
    },
    /// Runs a tracked script at once.
    Script {
        name: String,
    },
    /// Logs more or less of some modules; `None`: as at the start.
    LogLevel {
        #[serde(default)]
        filter: Option<String>,
    },
}

/// What can be ordered of a real server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerCommand {
    /// Weight 0, until the order is taken back.
    Drain,
    /// Down, until the order is taken back.
    Disable,
    /// Takes the order back.
    Enable,
    /// This weight, until the order is taken back.
    Weight(u32),
    /// Its checks begin at once.
    CheckNow,
}

/// What can be shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    Daemon,
    Instance,
    Group,
    Track,
    Service,
    Server,
    Holdings,
    /// Every object of this name, of any kind but holdings.
    Any,
}

impl Request {
    pub const fn new(command: Command) -> Self {
        Self { version: VERSION, command }
    }

    /// # Errors
    /// The line is no request, or one of another version. The text says what is wrong.
    pub fn parse(line: &[u8]) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let other = |version| {
            let text = format!("this daemon speaks version {VERSION}, not {version}");
            Failure { code: Code::Version, text }
        };
        match json::read::<Self>(line) {
            Ok(request) if request.version == VERSION => Ok(request),
            Ok(request) => Err(other(request.version)),
            Err(error) => match json::read::<Versioned>(line) {
                Ok(Versioned { version }) if version != VERSION => Err(other(version)),
                _ => {
                    let text = format!("the request cannot be read: {error}");
                    Err(Failure { code: Code::Request, text })
                }
            },
        }
    }

    /// As a line with its end.
    pub fn line(&self) -> Vec<u8> {
        // Plain data with text as keys has a form in JSON.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

impl Command {
    /// True if it changes nothing and shows nothing that only the daemon's user may see.
    pub const fn only_reads(&self) -> bool {
        match self {
            Self::Status | Self::Show { .. } | Self::Metrics | Self::Events { .. } => true,
            // It reads a file with the rights of the daemon.
            Self::Reload
            | Self::Rehearse { .. }
            | Self::Restart
            | Self::Priority { .. }
            | Self::Failover { .. }
            | Self::EndFailover { .. }
            | Self::Maintenance { .. }
            | Self::Server { .. }
            | Self::Script { .. }
            | Self::LogLevel { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Command> {
        let name = Some("VI_1".to_owned());
        vec![
            Command::Status,
            Command::Show { topic: Topic::Instance, name: name.clone() },
            Command::Show { topic: Topic::Holdings, name: None },
            Command::Metrics,
            Command::Events { since: 7, follow: true, name },
            Command::Reload,
            Command::Restart,
            Command::Rehearse { file: "/etc/k \"x\"\n.conf".to_owned() },
            Command::LogLevel { filter: None },
            Command::Priority { name: "VI_1".to_owned(), base: Some(50) },
            Command::Failover {
                name: "VI_1".to_owned(),
                to: Some(IpAddr::from([10, 0, 0, 2])),
                seconds: Some(600),
                force: false,
                dry_run: true,
            },
            Command::EndFailover { name: "VI_1".to_owned() },
            Command::Maintenance { on: true, seconds: None },
            Command::Script { name: "chk".to_owned() },
            Command::Server {
                service: "[10.0.0.9]:tcp:80".to_owned(),
                server: "[10.0.0.1]:tcp:80".to_owned(),
                order: ServerCommand::Weight(7),
            },
        ]
    }

    #[test]
    fn a_request_is_one_line_and_reads_back() {
        for command in all() {
            let request = Request::new(command);
            let line = request.line();
            let (last, text) = line.split_last().expect("a line");
            assert!(*last == b'\n' && !text.contains(&b'\n'), "{line:?}");
            assert_eq!(Request::parse(text).as_ref(), Ok(&request));
        }
    }

    #[test]
    fn the_documented_forms_are_understood() {
        for (text, command) in [
            (r#"{"version":1,"do":"status"}"#, Command::Status),
            (
                r#"{"do":{"show":{"topic":"server"}},"version":1}"#,
                Command::Show { topic: Topic::Server, name: None },
            ),
            (
                r#"{"version":1,"do":{"events":{}}}"#,
                Command::Events { since: 0, follow: false, name: None },
            ),
        ] {
            assert_eq!(Request::parse(text.as_bytes()), Ok(Request::new(command)), "{text}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused_with_a_reason() {
        let deep = "[".repeat(100_000);
        for (text, code) in [
            ("", Code::Request),
            ("\u{0}", Code::Request),
            (deep.as_str(), Code::Request),
            (r#"{"version":1}"#, Code::Request),
            (r#"{"version":1,"do":"dance"}"#, Code::Request),
            (r#"{"version":1,"do":{"events":{"until":3}}}"#, Code::Request),
            (r#"{"version":1,"do":"status","for":"ever"}"#, Code::Request),
            (r#"{"version":2,"do":"status"}"#, Code::Version),
            (r#"{"version":2,"do":{"dance":{"with":"stars"}},"for":"ever"}"#, Code::Version),
        ] {
            let failure = Request::parse(text.as_bytes()).expect_err(text);
            assert_eq!(failure.code, code, "{text}: {}", failure.text);
        }
    }

    #[test]
    fn only_what_changes_nothing_is_for_readers() {
        let reads: Vec<_> = all().iter().map(Command::only_reads).collect();
        assert!(reads[..5].iter().all(|reads| *reads) && reads[5..].iter().all(|reads| !reads));
    }
}
