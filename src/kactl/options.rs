//! The command line of kactl: a table of commands and one of options, from which the help and the
//! manual page are made as well (`help.rs`).

mod orders;

use std::ffi::OsString;
use std::path::PathBuf;

use crate::control::{Command, Topic};

/// What is to be done. Help is of all commands, or of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    Help(Option<&'static str>),
    Version,
    Status { json: bool, watch: bool },
    Healthy { name: String },
    Show { topic: Topic, name: Option<String>, json: bool },
    Configuration { json: bool },
    Metrics,
    Explain { name: String },
    Events { since: u64, follow: bool, name: Option<String>, json: bool },
    Reload,
    Rehearse { file: String },
    Restart,
    Priority { name: String, base: Option<u8> },
    Order(Command),
    LogLevel { filter: Option<String> },
}

/// The command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// `None`: to be found.
    pub socket: Option<PathBuf>,
    pub action: Action,
}

/// A command in the form that the help shows it.
pub(super) struct CommandForm {
    pub(super) name: &'static str,
    pub(super) arguments: &'static str,
    pub(super) help: &'static str,
    pub(super) doc: &'static str,
}

pub(super) const COMMANDS: &[CommandForm] = &[
    CommandForm {
        name: "status",
        arguments: "[--json | --watch | --healthy NAME]",
        help: "Show virtual routers and servers in a table",
        doc:
            "With --json, all of it but the holdings, as one JSON document. With --watch, the table \
              is shown again every second. With --healthy, nothing is shown as long as the object \
              of this name is healthy, and the exit status tells: an instance or sync group has to \
              be MASTER or BACKUP without a fault, a virtual server has to have its quorum, a real \
              server or tracked object has to be up.",
    },
    CommandForm {
        name: "show",
        arguments: "TOPIC [NAME] [--json]",
        help: "Show all objects of a topic, or one of them, in detail",
        doc: "The topics are instance, group, track, service, server, holdings and config. The \
              servers of a virtual server are shown with its name, too. holdings are the objects \
              that the kernel is to hold, of one instance if NAME is given. config is the state of \
              the configuration and the outcome of the last reload.",
    },
    CommandForm {
        name: "metrics",
        arguments: "",
        help: "Print the status as metrics",
        doc: "The text format of Prometheus, as served by --metrics of keepalived(8).",
    },
    CommandForm {
        name: "explain",
        arguments: "NAME",
        help: "Say why an object is in its state",
        doc: "The present state with its reason, faults, each part of the priority, the last \
              changes with their causes, and the last refused advertisements by sender.",
    },
    CommandForm {
        name: "events",
        arguments: "[NAME] [--since N] [--follow] [--json]",
        help: "Show the journal",
        doc: "Each change has a number. With --since, those after this number are shown; with \
              --follow, also those to come. The daemon keeps the last 64 of each object, and 4096 \
              in all. With --json, each is an object on a line of its own.",
    },
    CommandForm {
        name: "reload",
        arguments: "[--dry-run FILE]",
        help: "Read the configuration again and wait for the outcome",
        doc: "The reason for a refusal is shown with file, line and column. With --dry-run, \
              nothing is changed: what a reload with FILE in place of the configuration would \
              change is shown.",
    },
    CommandForm {
        name: "restart",
        arguments: "",
        help: "Let the installed program take over, as after an upgrade",
        doc: "The process stays, and no peer notices: instances keep their states, addresses and \
              servers stay, BFD sessions stay up, and notification scripts are not run. A session \
              whose neighbour, source address or port has changed in the configuration begins \
              anew. The program first reads the configuration on trial; if it refuses that, or is \
              of a version that cannot take over, the daemon goes on as it is, and the reason is \
              shown. Notification scripts that run go on, those that wait for them follow, and mails \
              that are not sent are tried again. Tracked scripts that run go on, too; they and \
              checks keep their results and schedules. Checks under way begin anew. Counters go \
              on, but for those of checks and of the lateness of the daemon.",
    },
    CommandForm {
        name: "priority",
        arguments: "INSTANCE N | reset",
        help: "Use N, from 1 to 254, as the base of the priority of an instance",
        doc:
            "The parts of what the instance tracks are added to it as before. The order is shown \
              by status, is named as the cause of the changes it makes, stays in \
              force over reloads, restarts and crashes, and ends with reset, with the instance, or when \
              the daemon is stopped. An instance that owns its addresses has priority 255, \
              which is not changed.",
    },
    CommandForm {
        name: "failover",
        arguments: "NAME [--to ADDRESS] [--for TIME] [--force] [--dry-run] | NAME end",
        help: "Hand an instance or sync group over to another router",
        doc: "This router has to be MASTER. It goes on serving the addresses until another router \
              is heard to have taken over, and if none does, it goes on as before. The answer says \
              which router took over and when, or why none did. \
              Then this router is BACKUP with priority 1, until TIME is over (10m unless it is \
              given) or the order is ended with end, or the router that took over is gone; it \
              returns if its priority is higher and it may preempt. \
              A master does not hear the others. So a failover is refused unless another router was \
              heard as MASTER since this daemon started, and has not said goodbye; with --to, the one \
              of this address. With --force, it is tried nevertheless. \
              The others elect their master as ever: with --to, the failover is taken back if \
              another router takes over than the one of this address. \
              With --dry-run, nothing is done: the routers that could take over are shown.",
    },
    CommandForm {
        name: "maintenance",
        arguments: "on [--for TIME] | off",
        help: "Leave the work to other routers",
        doc: "Every instance has priority 1, and is handed over as by failover where this router is \
              MASTER; the answer says of each which router took over. Where none does, this router \
              stays MASTER until one comes, and it still takes over where no other is left. \
              An instance that owns its addresses is left alone. \
              Maintenance stays on over reloads, until TIME is over or it is off.",
    },
    CommandForm {
        name: "server",
        arguments: "SERVICE SERVER drain | disable | enable | weight N | check-now",
        help: "Drain, disable, enable or weigh a real server, or check it now",
        doc: "SERVICE and SERVER are the names that status shows. drain gives it weight 0, so that \
              connections go on and no new ones come; how many there are is shown; the quorum has to do \
              without its weight. disable takes it \
              out as a failed check would. weight gives it weight N, whatever the configuration and \
              the checks say. enable takes the order back. check-now lets its checks begin at once. \
              An order is shown by status, is named as the cause of the changes it makes, stays in force \
              over reloads, restarts and crashes, and ends with enable, with the server, or when the \
              daemon is stopped.",
    },
    CommandForm {
        name: "script",
        arguments: "NAME run-now",
        help: "Run a tracked script at once",
        doc: "Its result counts as any other, and the next run comes an interval later. It is not \
              run twice at the same time.",
    },
    CommandForm {
        name: "log-level",
        arguments: "FILTER | reset",
        help: "Log more or less of some modules",
        doc:
            "FILTER is that of the option --log-filter of keepalived(8). reset returns to the \
              filter that the daemon was started with.",
    },
];

pub(super) struct Flag {
    pub(super) long: &'static str,
    pub(super) short: &'static str,
    pub(super) value: Option<&'static str>,
    pub(super) help: &'static str,
    /// The commands that have it; none: all.
    pub(super) of: &'static [&'static str],
}

pub(super) const FLAGS: &[Flag] = &[
    Flag {
        long: "socket",
        short: "s",
        value: Some("PATH"),
        help: "The control socket; the default is that of the variable KACTL_SOCKET, or \
               /run/keepalived.sock, or the only one below /run/keepalived",
        of: &[],
    },
    Flag {
        long: "json",
        short: "j",
        value: None,
        help: "JSON instead of text",
        of: &["status", "show", "events"],
    },
    Flag { long: "watch", short: "w", value: None, help: "Repeat every second", of: &["status"] },
    Flag {
        long: "healthy",
        short: "",
        value: Some("NAME"),
        help: "Tell by the exit status whether this object is healthy",
        of: &["status"],
    },
    Flag {
        long: "follow",
        short: "f",
        value: None,
        help: "Wait for new events and show them as well",
        of: &["events"],
    },
    Flag {
        long: "since",
        short: "",
        value: Some("N"),
        help: "Show the events after number N",
        of: &["events"],
    },
    Flag {
        long: "dry-run",
        short: "",
        value: Some("[FILE]"),
        help: "Change nothing, show what would happen",
        of: &["reload", "failover"],
    },
    Flag {
        long: "to",
        short: "",
        value: Some("ADDRESS"),
        help: "Hand over to the router that sends from this address only",
        of: &["failover"],
    },
    Flag {
        long: "for",
        short: "",
        value: Some("TIME"),
        help: "End the order after this time, such as 90s, 10m, 2h or 1d",
        of: &["failover", "maintenance"],
    },
    Flag {
        long: "force",
        short: "",
        value: None,
        help: "Try it even if no other router was heard as MASTER",
        of: &["failover"],
    },
    Flag { long: "help", short: "h", value: None, help: "Print this help", of: &[] },
    Flag { long: "version", short: "v", value: None, help: "Print the version", of: &[] },
];

const TOPICS: &[(&str, Topic)] = &[
    ("instance", Topic::Instance),
    ("group", Topic::Group),
    ("track", Topic::Track),
    ("service", Topic::Service),
    ("server", Topic::Server),
    ("holdings", Topic::Holdings),
];

/// What can be shown.
pub(super) fn topics() -> Vec<&'static str> {
    TOPICS.iter().map(|(word, _)| *word).chain(["config"]).collect()
}

/// Reads the command line, without the name of the program.
///
/// # Errors
/// It is wrong; the text says how.
pub fn parse(arguments: &[OsString]) -> Result<Options, String> {
    let mut parser = getopts::Options::new();
    for flag in FLAGS {
        match flag.value {
            // The value of a long option is then only what follows "=".
            Some(value) if value.starts_with('[') => {
                parser.optflagopt(flag.short, flag.long, flag.help, value)
            }
            Some(value) => parser.optopt(flag.short, flag.long, flag.help, value),
            None => parser.optflag(flag.short, flag.long, flag.help),
        };
    }
    let found = parser.parse(arguments).map_err(|fail| format!("{fail}\n{SEE}"))?;
    let socket = found.opt_str("socket").map(PathBuf::from);
    if found.opt_present("help") {
        let find = |word: &String| COMMANDS.iter().find(|form| form.name == *word);
        let command = found.free.iter().find_map(find).map(|form| form.name);
        return Ok(Options { socket, action: Action::Help(command) });
    }
    if found.opt_present("version") {
        return Ok(Options { socket, action: Action::Version });
    }
    let mut words = found.free.iter().map(String::as_str);
    let command = words.next().ok_or_else(|| format!("which command?\n{SEE}"))?;
    let words: Vec<_> = words.collect();
    let known = COMMANDS.iter().any(|form| form.name == command);
    if let Some(flag) = FLAGS.iter().find(|flag| {
        known && !flag.of.is_empty() && found.opt_present(flag.long) && !flag.of.contains(&command)
    }) {
        return Err(format!("{command} has no option --{}\n{SEE}", flag.long));
    }
    let json = found.opt_present("json");
    let wrong = || {
        let form = COMMANDS.iter().find(|form| form.name == command);
        let form = form.map_or("", |form| form.arguments);
        Err(format!("the form is: kactl {command} {form}\n{SEE}"))
    };
    let name = |name: &&str| (*name).to_owned();
    let action = match (command, words.as_slice()) {
        ("status", []) => match (found.opt_str("healthy"), found.opt_present("watch")) {
            (Some(name), false) if !json => Action::Healthy { name },
            (None, watch) if !(watch && json) => Action::Status { json, watch },
            _ => return wrong(),
        },
        ("show", ["config"]) => Action::Configuration { json },
        ("show", [topic, names @ ..]) if names.len() <= 1 => {
            let Some((_, topic)) = TOPICS.iter().find(|(word, _)| word == topic) else {
                let words: Vec<_> = TOPICS.iter().map(|(word, _)| *word).collect();
                let list = words.join(", ");
                return Err(format!("'{topic}' is no topic; there are: {list}, config"));
            };
            Action::Show { topic: *topic, name: names.first().map(name), json }
        }
        ("metrics", []) => Action::Metrics,
        ("explain", [one]) => Action::Explain { name: name(one) },
        ("events", names) if names.len() <= 1 => {
            let since = found.opt_str("since").map_or(Ok(0), |text| {
                text.parse().map_err(|_| format!("'{text}' is not the number of an event"))
            })?;
            let (follow, name) = (found.opt_present("follow"), names.first().map(name));
            Action::Events { since, follow, name, json }
        }
        ("reload", files) => {
            match (found.opt_present("dry-run"), found.opt_str("dry-run"), files) {
                (false, _, []) => Action::Reload,
                (true, Some(file), []) => Action::Rehearse { file: absolute(&file) },
                (true, None, [file]) => Action::Rehearse { file: absolute(file) },
                _ => return wrong(),
            }
        }
        ("restart", []) => Action::Restart,
        ("priority", [one, "reset"]) => Action::Priority { name: name(one), base: None },
        ("priority", [one, base]) => match base.parse() {
            Ok(base @ 1..=254) => Action::Priority { name: name(one), base: Some(base) },
            _ => return Err(format!("'{base}' is neither a priority from 1 to 254 nor reset")),
        },
        ("log-level", ["reset"]) => Action::LogLevel { filter: None },
        ("log-level", [filter]) => Action::LogLevel { filter: Some(name(filter)) },
        _ if known => match orders::order(command, &words, &Given(&found)) {
            Some(action) => action?,
            None => return wrong(),
        },
        _ => return Err(format!("'{command}' is no command\n{SEE}")),
    };
    Ok(Options { socket, action })
}

/// The options of a command line.
struct Given<'a>(&'a getopts::Matches);

impl Given<'_> {
    fn has(&self, long: &str) -> bool {
        self.0.opt_present(long)
    }

    fn value(&self, long: &str) -> Option<String> {
        self.0.opt_str(long)
    }
}

const SEE: &str = "kactl --help lists the commands";

/// The daemon has a working directory of its own.
fn absolute(file: &str) -> String {
    std::path::absolute(file).map_or_else(|_| file.to_owned(), |path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::ServerCommand;

    fn action(line: &str) -> Result<Action, String> {
        let words: Vec<_> = line.split_whitespace().map(OsString::from).collect();
        parse(&words).map(|options| options.action)
    }

    #[test]
    fn commands_and_their_options() {
        let name = Some("VI_1".to_owned());
        let cases = [
            ("status", Action::Status { json: false, watch: false }),
            ("status --json", Action::Status { json: true, watch: false }),
            ("-w status", Action::Status { json: false, watch: true }),
            ("status --healthy VI_1", Action::Healthy { name: "VI_1".to_owned() }),
            (
                "show instance VI_1",
                Action::Show { topic: Topic::Instance, name: name.clone(), json: false },
            ),
            ("show server -j", Action::Show { topic: Topic::Server, name: None, json: true }),
            ("show config", Action::Configuration { json: false }),
            ("metrics", Action::Metrics),
            ("explain VI_1", Action::Explain { name: "VI_1".to_owned() }),
            (
                "events VI_1 --since 7 -f",
                Action::Events { since: 7, follow: true, name, json: false },
            ),
            ("reload", Action::Reload),
            ("reload --dry-run /k.conf", Action::Rehearse { file: "/k.conf".to_owned() }),
            ("priority VI_1 50", Action::Priority { name: "VI_1".to_owned(), base: Some(50) }),
            ("priority VI_1 reset", Action::Priority { name: "VI_1".to_owned(), base: None }),
            ("reload --dry-run=/k.conf", Action::Rehearse { file: "/k.conf".to_owned() }),
            (
                "failover VI_1 --to 10.0.0.2 --for 10m --dry-run",
                Action::Order(Command::Failover {
                    name: "VI_1".to_owned(),
                    to: "10.0.0.2".parse().ok(),
                    seconds: Some(600),
                    force: false,
                    dry_run: true,
                }),
            ),
            ("failover VI_1 end", Action::Order(Command::EndFailover { name: "VI_1".to_owned() })),
            (
                "maintenance on --for 90",
                Action::Order(Command::Maintenance { on: true, seconds: Some(90) }),
            ),
            ("maintenance off", Action::Order(Command::Maintenance { on: false, seconds: None })),
            (
                "server [192.0.2.1]:tcp:80 [10.0.0.1]:tcp:80 weight 7",
                Action::Order(Command::Server {
                    service: "[192.0.2.1]:tcp:80".to_owned(),
                    server: "[10.0.0.1]:tcp:80".to_owned(),
                    order: ServerCommand::Weight(7),
                }),
            ),
            ("script chk run-now", Action::Order(Command::Script { name: "chk".to_owned() })),
            ("log-level reset", Action::LogLevel { filter: None }),
            ("log-level debug", Action::LogLevel { filter: Some("debug".to_owned()) }),
            ("status --help", Action::Help(Some("status"))),
            ("dance --help", Action::Help(None)),
        ];
        for (line, expected) in cases {
            assert_eq!(action(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for line in [
            "",
            "dance",
            "show",
            "show moon",
            "show instance a b",
            "metrics VI_1",
            "metrics --json",
            "explain",
            "explain a b",
            "events --since x",
            "reload now",
            "reload --follow",
            "status --watch --json",
            "status --bogus",
            "log-level",
            "priority VI_1",
            "priority VI_1 255",
            "priority VI_1 0",
            "reload --dry-run",
            "failover",
            "failover VI_1 start",
            "failover VI_1 --to moon",
            "failover VI_1 --for 0",
            "failover VI_1 --for 10w",
            "failover VI_1 --for 99999999999999999d",
            "maintenance",
            "maintenance off on",
            "server a b",
            "server a b weight",
            "server a b weight -1",
            "server a b dance",
            "script chk",
            "status --force",
        ] {
            assert!(action(line).is_err(), "{line}");
        }
    }

    #[test]
    fn every_option_of_the_table_is_in_the_form_of_its_commands() {
        for flag in FLAGS {
            for command in flag.of {
                let form = COMMANDS.iter().find(|form| form.name == *command).expect(command);
                assert!(form.arguments.contains(flag.long), "--{} of {command}", flag.long);
            }
        }
    }
}
