//! The table of options: name, letter, argument, help, and the field it lands in.
//!
//! Usage, the manual page's list and the parser are all made from it. An entry may check its value
//! and store it, never act on it.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::options::{ConfigTest, Options, Request};
use crate::model::control::{ControlSocket, MetricsListen};
use crate::model::sandbox::Sandbox;
use crate::sys::log::{Facility, Spec};

/// Whether an option takes a value, and what the help calls it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arg {
    None,
    Required(&'static str),
    /// Only attached to its option: `-tFILE`, `--config-test=FILE`.
    Optional(&'static str),
}

/// Where an option lands.
#[derive(Clone, Copy, Debug)]
pub enum Lands {
    /// In a field. The value is empty where none was given. An error is text for the operator;
    /// the option is then as if it had not been given.
    Field(fn(&mut Options, &OsStr) -> Result<(), String>),
    /// The same, but nothing starts after an error.
    Checked(fn(&mut Options, &OsStr) -> Result<(), String>),
    /// It ends the scan: do this and nothing else.
    Request(fn(&OsStr) -> Request),
    /// All arguments that follow belong to genhash.
    Genhash,
}

/// Whether an option does something in this version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    Full,
    /// Accepted because scripts give it; the reason is logged at start.
    None(&'static str),
}

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    pub long: &'static str,
    pub short: Option<char>,
    pub arg: Arg,
    /// For the help: a few words.
    pub help: &'static str,
    /// For the manual page: what else must be known. May be empty.
    pub doc: &'static str,
    pub effect: Effect,
    pub lands: Lands,
}

impl PartialEq for Flag {
    fn eq(&self, other: &Self) -> bool {
        self.long == other.long
    }
}

impl Eq for Flag {}

const fn flag(long: &'static str, short: char, help: &'static str, lands: Lands) -> Flag {
    let short = if short == '\0' { None } else { Some(short) };
    Flag { long, short, arg: Arg::None, help, doc: "", effect: Effect::Full, lands }
}

/// For options without a letter.
const NO_LETTER: char = '\0';

impl Flag {
    const fn required(mut self, name: &'static str) -> Self {
        self.arg = Arg::Required(name);
        self
    }

    const fn optional(mut self, name: &'static str) -> Self {
        self.arg = Arg::Optional(name);
        self
    }

    const fn doc(mut self, text: &'static str) -> Self {
        self.doc = text;
        self
    }

    const fn without_effect(mut self, reason: &'static str) -> Self {
        self.effect = Effect::None(reason);
        self
    }
}

/// An option that sets one field to true.
macro_rules! set {
    ($field:ident) => {
        Lands::Field(|o, _| {
            o.$field = true;
            Ok(())
        })
    };
}

/// An option whose value is a path; an empty value leaves the default.
macro_rules! path {
    ($field:ident) => {
        Lands::Field(|o, value| {
            o.$field = path(value);
            Ok(())
        })
    };
}

/// An option whose value is text; an empty value leaves the default.
macro_rules! text {
    ($field:ident) => {
        Lands::Field(|o, value| {
            o.$field = text(value);
            Ok(())
        })
    };
}

/// Every option, in the order of the help.
pub static FLAGS: &[Flag] = &[
    flag("use-file", 'f', "Use the specified configuration file", path!(config_file))
        .required("FILE")
        .doc("The default is /etc/keepalived/keepalived.conf."),
    flag(
        "vrrp",
        'P',
        "Run everything except the health checkers",
        Lands::Field(|o, _| {
            o.run_checkers = false;
            Ok(())
        }),
    ),
    flag(
        "check",
        'C',
        "Run everything except VRRP",
        Lands::Field(|o, _| {
            o.run_vrrp = false;
            Ok(())
        }),
    ),
    flag(
        "no_bfd",
        'B',
        "Do not run BFD",
        Lands::Field(|o, _| {
            o.run_bfd = false;
            Ok(())
        }),
    ),
    flag("all", NO_LETTER, "Run all subsystems, even unconfigured ones", set!(run_all))
        .without_effect("one process runs all that is configured"),
    flag("log-console", 'l', "Log to the console too; only with -n", set!(log_console))
        .doc("The console is the standard error output."),
    flag(
        "log-detail",
        'D',
        "Detailed log messages; twice for more",
        Lands::Field(|o, _| {
            o.log_detail = o.log_detail.saturating_add(1);
            Ok(())
        }),
    ),
    flag(
        "log-filter",
        NO_LETTER,
        "Log more or less of a module: keepalived::vrrp=trace",
        Lands::Checked(|o, value| {
            o.log_filter = Some(Spec::parse(&value.to_string_lossy())?);
            Ok(())
        }),
    )
    .required("SPEC")
    .doc(
        "A list, with commas, of modules with a level each: off, error, warn, info, debug or trace, \
         the last if none is given. A level alone is for all other modules; without one, -D \
         decides about those. With /TEXT at the end, only lines that contain TEXT are logged. The modules are those \
         of the source code. A filter that is wrong is refused. Without this option, the filter is \
         taken from the environment variable KEEPALIVED_LOG.",
    ),
    flag(
        "log-facility",
        'S',
        "Syslog facility: 0-7, local0-local7, user or daemon (default)",
        Lands::Field(|o, value| {
            let name = value.to_string_lossy();
            o.log_facility = Facility::from_name(&name)
                .ok_or_else(|| format!("Invalid log facility '{name}'"))?;
            Ok(())
        }),
    )
    .required("FACILITY")
    .doc("A number N stands for localN. Anything else is reported and ignored."),
    flag(
        "log-file",
        'g',
        "Log to a file (default /tmp/keepalived.log)",
        Lands::Field(|o, value| {
            o.log_file = path(value).or_else(|| Some(PathBuf::from(DEFAULT_LOG_FILE)));
            Ok(())
        }),
    )
    .optional("FILE")
    .doc(
        "The file is appended to. It is a regular file or a character device; a symbolic link, or \
         a file that has a second name (a hard link), is refused. Lines wait for the disk: keep the \
         file off network file systems.",
    ),
    flag("flush-log-file", NO_LETTER, "Write each line of the log file at once", set!(log_flush))
        .doc("This is always the case here."),
    flag("no-syslog", 'G', "Do not log to syslog", set!(no_syslog)),
    flag("umask", 'u', "Mask for the modes of new files", Lands::Field(umask))
        .required("MASK")
        .doc("Octal with a leading 0, hexadecimal with 0x, else decimal. The default is 0177."),
    flag("release-vips", 'X', "Drop addresses on a transition from a signal", set!(release_vips))
        .without_effect("addresses are dropped at every stop unless --dont-release-vrrp is given"),
    flag("dont-release-vrrp", 'V', "Leave addresses and routes when stopping", set!(keep_vrrp))
        .doc("No advertisement of priority 0 is sent either."),
    flag("dont-release-ipvs", 'I', "Leave the IPVS tables when stopping", set!(keep_ipvs)),
    flag("dont-respawn", 'R', "Do not restart the daemon if it dies", set!(dont_respawn))
        .doc("No process waits for the daemon then. This is the case in the foreground anyway."),
    flag("respawn", NO_LETTER, "Restart the daemon if it dies, also in the foreground", set!(respawn))
        .doc(
            "In the background, this is so unless --dont-respawn is given. A second process waits for \
             the daemon, and passes signals on to it. After three deaths in a minute, or if the daemon \
             cannot start again, what it has left in the kernel is removed.",
        ),
    flag("dont-fork", 'n', "Stay in the foreground", set!(foreground)),
    flag("dump-conf", 'd', "Write the configuration to the log", set!(dump_conf)),
    flag("pid", 'p', "File for the process id", path!(pid_file))
        .required("FILE")
        .doc("The default is /run/keepalived.pid."),
    flag("vrrp_pid", 'r', "The same for VRRP", path!(vrrp_pid_file))
        .required("FILE")
        .doc("All of these files name the one process."),
    flag("checkers_pid", 'c', "The same for the health checkers", path!(checkers_pid_file))
        .required("FILE"),
    flag("bfd_pid", 'b', "The same for BFD", path!(bfd_pid_file)).required("FILE"),
    flag("genhash", 'T', "Run as genhash; must be the first option", Lands::Genhash)
        .doc("All arguments that follow are those of genhash(1)."),
    flag("address-monitoring", 'a', "Log every address that comes or goes", set!(address_log)),
    flag("snmp", 'x', "For the SNMP of the original; no effect", set!(snmp))
        .without_effect("SNMP is not in this version"),
    flag("snmp-agent-socket", 'A', "For the SNMP of the original; no effect", text!(snmp_socket))
        .required("SOCKET")
        .without_effect("SNMP is not in this version"),
    flag("namespace", 's', "Run in this network namespace", text!(namespace))
        .required("NAME")
        .doc("Overrides net_namespace of the configuration."),
    flag("core-dump", 'm', "Lift the limit on core dumps", set!(core_dump)),
    flag(
        "core-dump-pattern",
        'M',
        "Also set the kernel's core_pattern (default 'core')",
        Lands::Field(|o, value| {
            o.core_dump = true;
            o.core_pattern = Some(text(value).unwrap_or_else(|| "core".to_owned()));
            Ok(())
        }),
    )
    .optional("PATTERN")
    .doc("It concerns every process on the host. The old one is put back at exit."),
    flag("all-config", 'e', "Fail if an included file is missing", set!(all_config)),
    flag("config-id", 'i', "Name that lines beginning with @ are compared with", text!(config_id))
        .required("ID")
        .doc("The default is the host name up to the first dot."),
    flag(
        "signum",
        NO_LETTER,
        "Print the number of the signal for STOP, RELOAD, DATA, STATS, STATS_CLEAR or JSON",
        Lands::Request(|value| Request::Signum(value.to_string_lossy().into_owned())),
    )
    .required("FUNCTION"),
    flag(
        "config-test",
        't',
        "Check the configuration and exit; messages go to FILE or stderr",
        Lands::Field(|o, value| {
            o.config_test = Some(ConfigTest { output: path(value) });
            o.foreground = true;
            o.dont_respawn = true;
            o.no_syslog = true;
            Ok(())
        }),
    )
    .optional("FILE")
    .doc("The file is appended to."),
    flag(
        "reload-and-wait",
        NO_LETTER,
        "Have the running daemon reload; exit with the outcome",
        set!(reload_and_wait),
    )
    .doc(
        "To be given with the options that the daemon was started with, which tell its pid file. \
         The status is 0 if the configuration was taken, 2 if it was refused, and 1 if no daemon \
         runs or none answers within a minute; the reason is written to the standard error output.",
    ),
    flag(
        "control",
        NO_LETTER,
        "Control socket, for kactl; off for none",
        Lands::Field(|o, value| {
            o.control = text(value).map(|text| ControlSocket::named(&text));
            Ok(())
        }),
    )
    .required("PATH|off")
    .doc(
        "Overrides control_socket of the configuration. The default is the name of the pid file \
         with .sock in place of .pid. See kactl(8).",
    ),
    flag(
        "metrics",
        NO_LETTER,
        "Serve metrics and the status page there",
        Lands::Checked(|o, value| {
            let listen = text(value).as_deref().and_then(MetricsListen::parse);
            let complaint = "--metrics: give PORT, ADDRESS:PORT, unix:PATH or off";
            o.metrics = Some(listen.ok_or_else(|| complaint.to_owned())?);
            Ok(())
        }),
    )
    .required("ADDRESS:PORT|unix:PATH|off")
    .doc(
        "Overrides metrics_listen of the configuration. By default, nothing is served. A port alone is \
         one of 127.0.0.1. See METRICS AND STATUS PAGE.",
    ),
    flag(
        "sandbox",
        NO_LETTER,
        "Rights that are given up after the start",
        Lands::Checked(|o, value| {
            let mode = text(value).as_deref().and_then(Sandbox::named);
            o.sandbox = Some(mode.ok_or_else(|| format!("--sandbox: give one of {}", Sandbox::NAMES.join(", ")))?);
            Ok(())
        }),
    )
    .required("off|on|strict")
    .doc(
        "Overrides sandbox of the configuration. By default, on: the daemon gives up the capabilities          that it does not need itself, and commands of root have theirs. With strict, it cannot execute          programs either; see keepalived.conf(5).",
    ),
    flag("config-fd", NO_LETTER, "Internal", Lands::Field(|_, _| Ok(())))
        .required("N")
        .without_effect("it is internal to the original"),
    flag("ignore-sigint", NO_LETTER, "Ignore SIGINT, for debuggers", set!(ignore_sigint)),
    flag("version", 'v', "Print the version", Lands::Request(|_| Request::Version)),
    flag("help", 'h', "Print this help", Lands::Request(|_| Request::Help)),
];

/// Where `-g` without a name logs to.
const DEFAULT_LOG_FILE: &str = "/tmp/keepalived.log";

fn path(value: &OsStr) -> Option<PathBuf> {
    (!value.is_empty()).then(|| PathBuf::from(value))
}

fn text(value: &OsStr) -> Option<String> {
    (!value.is_empty()).then(|| value.to_string_lossy().into_owned())
}

fn umask(options: &mut Options, value: &OsStr) -> Result<(), String> {
    let typed = value.to_string_lossy();
    let (digits, radix) = match typed.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&typed[2..], 16),
        [b'0', _, ..] => (&typed[1..], 8),
        _ => (&typed[..], 10),
    };
    // A sign would be accepted by the conversion.
    let mask = digits
        .chars()
        .all(|c| c.is_digit(radix))
        .then(|| u32::from_str_radix(digits, radix).ok())
        .flatten()
        .filter(|&mask| mask <= 0o777)
        .ok_or_else(|| format!("Invalid --umask option {typed}"))?;
    options.umask = Some(mask);
    Ok(())
}
