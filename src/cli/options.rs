//! Arguments to options, and the complaints about wrong ones.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::flags::{Effect, Flag, Lands, FLAGS};
use super::scan::{Item, Scanner};
use crate::model::control::{ControlSocket, MetricsListen};
use crate::model::sandbox::Sandbox;
use crate::sys::log::{Console, Detail, Facility, FileTarget, LineForm, Setup, Spec};

/// The default of `-f`.
pub const DEFAULT_CONFIG_FILE: &str = "/etc/keepalived/keepalived.conf";

/// `-t`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigTest {
    /// Where complaints are appended; stderr where `None`.
    pub output: Option<PathBuf>,
}

/// Everything the command line says about a run of the daemon. `None`: not given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// The whole command line, for the log.
    pub argv: Vec<OsString>,
    pub config_file: Option<PathBuf>,
    /// False with `-C`.
    pub run_vrrp: bool,
    /// False with `-P`.
    pub run_checkers: bool,
    /// False with `-B`.
    pub run_bfd: bool,
    pub run_all: bool,
    /// Ask [`Options::log_setup`] for the effect: it needs `-n`.
    pub log_console: bool,
    /// How often `-D` was given.
    pub log_detail: u8,
    pub log_filter: Option<Spec>,
    pub log_facility: Facility,
    pub log_file: Option<PathBuf>,
    pub log_flush: bool,
    pub no_syslog: bool,
    pub umask: Option<u32>,
    pub release_vips: bool,
    /// `--dont-release-vrrp`.
    pub keep_vrrp: bool,
    /// `--dont-release-ipvs`.
    pub keep_ipvs: bool,
    pub dont_respawn: bool,
    pub respawn: bool,
    pub foreground: bool,
    pub dump_conf: bool,
    pub pid_file: Option<PathBuf>,
    pub vrrp_pid_file: Option<PathBuf>,
    pub checkers_pid_file: Option<PathBuf>,
    pub bfd_pid_file: Option<PathBuf>,
    pub address_log: bool,
    pub snmp: bool,
    pub snmp_socket: Option<String>,
    pub namespace: Option<String>,
    pub core_dump: bool,
    pub core_pattern: Option<String>,
    pub all_config: bool,
    pub config_id: Option<String>,
    pub config_test: Option<ConfigTest>,
    pub ignore_sigint: bool,
    /// `--control`: comes before `control_socket`.
    pub control: Option<ControlSocket>,
    /// `--metrics`: comes before `metrics_listen`.
    pub metrics: Option<MetricsListen>,
    /// `--sandbox`: comes before `sandbox`.
    pub sandbox: Option<Sandbox>,
    pub reload_and_wait: bool,
    /// Given, and without effect in this version, in the order given.
    pub without_effect: Vec<&'static Flag>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            argv: Vec::new(),
            config_file: None,
            run_vrrp: true,
            run_checkers: true,
            run_bfd: true,
            run_all: false,
            log_console: false,
            log_detail: 0,
            log_filter: None,
            log_facility: Facility::DAEMON,
            log_file: None,
            log_flush: false,
            no_syslog: false,
            umask: None,
            release_vips: false,
            keep_vrrp: false,
            keep_ipvs: false,
            dont_respawn: false,
            respawn: false,
            foreground: false,
            dump_conf: false,
            pid_file: None,
            vrrp_pid_file: None,
            checkers_pid_file: None,
            bfd_pid_file: None,
            address_log: false,
            snmp: false,
            snmp_socket: None,
            namespace: None,
            core_dump: false,
            core_pattern: None,
            all_config: false,
            config_id: None,
            config_test: None,
            ignore_sigint: false,
            control: None,
            metrics: None,
            sandbox: None,
            reload_and_wait: false,
            without_effect: Vec::new(),
        }
    }
}

impl Options {
    pub fn config_file(&self) -> &Path {
        self.config_file.as_deref().unwrap_or_else(|| Path::new(DEFAULT_CONFIG_FILE))
    }

    /// Where log lines go. A configuration test writes bare lines, to its file or to stderr.
    pub fn log_setup(&self) -> Setup {
        let detail = match self.log_detail {
            0 => Detail::Normal,
            1 => Detail::Detailed,
            _ => Detail::Extra,
        };
        let (ident, filter) = ("Keepalived".to_owned(), self.log_filter.clone());
        if let Some(test) = &self.config_test {
            let file = test.output.clone().map(|path| FileTarget { path, form: LineForm::Plain });
            let console = if file.is_some() { Console::Off } else { Console::On(LineForm::Plain) };
            return Setup { ident, detail, filter, console, syslog: None, file };
        }
        let console = if self.log_console && self.foreground {
            Console::On(LineForm::Stamped)
        } else {
            Console::Off
        };
        let file = self.log_file.clone().map(|path| FileTarget { path, form: LineForm::Stamped });
        let syslog = (!self.no_syslog).then_some(self.log_facility);
        Setup { ident, detail, filter, console, syslog, file }
    }

    /// Makes relative paths independent of the working directory, which a daemon leaves.
    pub fn make_absolute(&mut self, cwd: &Path) {
        let config = self.config_file.get_or_insert_with(|| DEFAULT_CONFIG_FILE.into());
        *config = cwd.join(&*config);
        for path in [
            &mut self.log_file,
            &mut self.pid_file,
            &mut self.vrrp_pid_file,
            &mut self.checkers_pid_file,
            &mut self.bfd_pid_file,
        ]
        .into_iter()
        .flatten()
        {
            *path = cwd.join(&*path);
        }
        if let Some(ControlSocket::At(path)) = &mut self.control {
            *path = cwd.join(&*path).to_string_lossy().into_owned();
        }
        if let Some(MetricsListen::Unix(path)) = &mut self.metrics {
            *path = cwd.join(&*path).to_string_lossy().into_owned();
        }
    }

    /// One line for the log per option given that has no effect in this version.
    pub fn notes(&self) -> impl Iterator<Item = String> + '_ {
        self.without_effect.iter().filter_map(|flag| match flag.effect {
            Effect::Full => None,
            Effect::None(why) => Some(format!("Option --{} has no effect: {why}", flag.long)),
        })
    }
}

/// What the command line asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    Run(Box<Options>),
    Help,
    Version,
    /// `--signum`, with the function named.
    Signum(String),
    /// Be genhash, with these arguments (without the name of the program).
    Genhash(Vec<OsString>),
    /// An option was wrong: complain and exit with a failure.
    Refuse,
}

/// One line for the operator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Complaint {
    Stderr(String),
    /// The original prints superfluous arguments there.
    Stdout(String),
}

/// The outcome: print the complaints in order, then do what is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parsed {
    pub complaints: Vec<Complaint>,
    pub request: Request,
}

/// Reads a command line; `argv` begins with the name of the program.
pub fn parse(argv: &[OsString]) -> Parsed {
    let mut options = Options { argv: argv.to_vec(), ..Options::default() };
    let mut complaints = Vec::new();
    let mut refused = false;
    let mut first = true;
    let mut scanner = Scanner::new(FLAGS, argv.get(1..).unwrap_or_default());
    while let Some(item) = scanner.next() {
        match item {
            Item::Flag { flag, value } => match flag.lands {
                Lands::Field(apply) => {
                    if let Err(complaint) = apply(&mut options, &value) {
                        complaints.push(Complaint::Stderr(complaint));
                    }
                    if flag.effect != Effect::Full && !options.without_effect.contains(&flag) {
                        options.without_effect.push(flag);
                    }
                }
                Lands::Checked(apply) => {
                    if let Err(complaint) = apply(&mut options, &value) {
                        refused = true;
                        complaints.push(Complaint::Stderr(complaint));
                    }
                }
                Lands::Request(make) => return Parsed { complaints, request: make(&value) },
                Lands::Genhash => {
                    if !first {
                        complaints.push(Complaint::Stderr(GENHASH_LATE.to_owned()));
                    }
                    let request = Request::Genhash(scanner.rest().to_vec());
                    return Parsed { complaints, request };
                }
            },
            Item::Missing(typed) => {
                refused = true;
                let typed = typed.to_string_lossy();
                complaints.push(Complaint::Stderr(format!("Missing parameter for option {typed}")));
            }
            Item::Unknown { typed, candidates } => {
                refused = true;
                let typed = typed.to_string_lossy();
                complaints.push(Complaint::Stderr(format!("Unknown option {typed}")));
                if !candidates.is_empty() {
                    let names = candidates.join(", --");
                    complaints.push(Complaint::Stderr(format!("    it may mean --{names}")));
                }
            }
        }
        first = false;
    }
    let operands = scanner.into_operands();
    if !operands.is_empty() {
        let mut line = "Unexpected argument(s): ".to_owned();
        for word in operands {
            line.push_str(&word.to_string_lossy());
            line.push(' ');
        }
        complaints.push(Complaint::Stdout(line));
        if let (Some(ConfigTest { output: None }), None) =
            (&options.config_test, &options.config_file)
        {
            let line = "The file to test is named by -f: keepalived -t -f FILE".to_owned();
            complaints.push(Complaint::Stderr(line));
        }
    }
    let request = if refused { Request::Refuse } else { Request::Run(Box::new(options)) };
    Parsed { complaints, request }
}

const GENHASH_LATE: &str = "Warning -- `-T` not used as first option, previous options ignored";

#[cfg(test)]
mod tests;
