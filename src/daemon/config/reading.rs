//! Reads the configuration for the daemon, checks it against the host's interfaces, and reports all
//! diagnostics.

use std::io;

use crate::base::diag::{Diagnostic, Diagnostics, Severity, Sources};
use crate::base::sorted::SortedMap;
use crate::cli::options::Options;
use crate::config::document::{Document, Node};
use crate::config::{self, IncludeCheck, Limits, ReadOptions};
use crate::daemon::config::host::{Disk, KernelHost, Meanwhile};
use crate::holdings::Links;
use crate::model::lvs::Lvs;
use crate::model::notify::LifeScript;
use crate::model::sandbox::{self, Sandbox};
use crate::model::Config;
use crate::status::Complaint;
use crate::sys::pidfile::Location;
use crate::sys::{netns, process, random, reason};

/// A configuration as read: the model and its diagnostics.
pub(in crate::daemon) struct Reading {
    pub(in crate::daemon) config: Config,
    sources: Sources,
    diagnostics: Diagnostics,
}

/// Where diagnostics go besides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::daemon) enum Report {
    Log,
    Nothing,
}

/// Most causes named; the log has all of them.
const MOST_CAUSES: usize = 5;
/// Most complaints kept; the log has all of them.
const MOST_COMPLAINTS: usize = 100;

impl Reading {
    /// True if no file was found.
    pub(in crate::daemon) fn is_missing(&self) -> bool {
        self.sources.is_empty()
    }

    /// True if the daemon must not run with this configuration.
    pub(in crate::daemon) fn is_refused(&self) -> bool {
        self.diagnostics.reaches(Severity::Fatal)
    }

    pub(in crate::daemon) fn worst(&self) -> Option<Severity> {
        self.diagnostics.worst()
    }

    /// The first few errors, as the reason for a refusal or a correction.
    pub(in crate::daemon) fn causes(&self) -> Vec<String> {
        causes(&self.diagnostics, &self.sources)
    }

    /// Errors and warnings, each with its position.
    pub(in crate::daemon) fn complaints(&self) -> Vec<Complaint> {
        let noted = self.diagnostics.iter().filter(|d| d.severity > Severity::Note);
        noted.take(MOST_COMPLAINTS).map(|d| complaint(d, &self.sources)).collect()
    }

    /// Every part that was omitted or corrected. Without its place, which may change from one
    /// version of a file to the next.
    pub(in crate::daemon) fn flaws(&self) -> Vec<String> {
        self.errors().map(|d| d.shown(&self.sources).message).collect()
    }

    /// The first few errors that are not among these.
    pub(in crate::daemon) fn new_flaws(&self, known: &[String]) -> Vec<String> {
        let mut counts = SortedMap::<&str, usize>::new();
        known.iter().for_each(|message| *counts.entry(message).or_default() += 1);
        let is_new = |d: &&Diagnostic| match counts.get_mut(&*d.shown(&self.sources).message) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            Some(_) | None => true,
        };
        first_few(self.errors().filter(is_new).map(|d| placed(d, &self.sources)))
    }

    fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(|d| matters(d, Severity::Error))
    }

    /// Something was left out or corrected.
    pub(super) fn has_errors(&self) -> bool {
        self.errors().next().is_some()
    }

    /// All diagnostics, as a configuration test prints them.
    pub(super) fn text_of_complaints(&self) -> String {
        self.diagnostics.render(&self.sources)
    }

    /// The model alone; the text is no longer needed.
    pub(in crate::daemon) fn into_config(self) -> Config {
        self.config
    }
}

/// A configuration as read, before its network namespace is entered.
pub(in crate::daemon) struct Text {
    document: Document,
    sources: Sources,
    diagnostics: Diagnostics,
    pub(in crate::daemon) namespace: Option<String>,
    /// The namespace could not be entered.
    elsewhere: bool,
    instance: Option<String>,
    use_pid_dir: bool,
}

impl Text {
    /// Reads the file and extracts the keywords for network namespace and pid files.
    pub(in crate::daemon) fn read(options: &Options, meanwhile: Meanwhile<'_>) -> Self {
        let path = options.config_file().to_string_lossy();
        let (document, sources, diagnostics) =
            config::read(&Disk(meanwhile), &path, &read_options(options));
        let word = |name: &str| {
            let mut found = document.roots().filter(|n| n.keyword().text == name);
            found.find_map(|n| n.arg(0)).map(|w| w.text.to_owned())
        };
        let namespace = options.namespace.clone().or_else(|| word("net_namespace"));
        let instance = word("instance");
        let use_pid_dir = document.roots().any(|n| n.keyword().text == "use_pid_dir");
        Self { document, sources, diagnostics, namespace, elsewhere: false, instance, use_pid_dir }
    }

    /// Settings that determine the paths of the pid files.
    pub(in crate::daemon) fn place(&self) -> Location<'_> {
        Location {
            use_pid_dir: self.use_pid_dir,
            instance: self.instance.as_deref(),
            namespace: self.namespace.as_deref(),
        }
    }

    /// True if no configuration file was found.
    pub(in crate::daemon) fn is_missing(&self) -> bool {
        self.sources.is_empty()
    }

    pub(in crate::daemon) fn enter_namespace(&self) -> io::Result<()> {
        self.namespace.as_deref().map_or(Ok(()), netns::enter)
    }

    /// The most severe diagnostics so far.
    pub(in crate::daemon) fn causes(&self) -> Vec<String> {
        causes(&self.diagnostics, &self.sources)
    }

    /// Enters the namespace for `-t`. If that fails, only the interfaces are not checked.
    pub(in crate::daemon) fn visit_namespace(&mut self) {
        if let Err(e) = self.enter_namespace() {
            log::warn!("{}. Its interfaces are not checked.", self.namespace_trouble(&e));
            self.elsewhere = true;
        }
    }

    /// Explains why the namespace cannot be entered, with a remedy.
    pub(in crate::daemon) fn namespace_trouble(&self, error: &io::Error) -> String {
        let name = self.namespace.as_deref().unwrap_or_default();
        let why = reason(error);
        let hint = match error.kind() {
            io::ErrorKind::NotFound => format!(": 'ip netns add {name}' makes it"),
            io::ErrorKind::PermissionDenied => ": that takes CAP_SYS_ADMIN".to_owned(),
            _ => String::new(),
        };
        format!("Cannot enter network namespace {name} (/run/netns/{name}): {why}{hint}")
    }

    /// Reports the diagnostics so far.
    pub(in crate::daemon) fn tell(&self, options: &Options, meanwhile: Meanwhile<'_>) {
        tell(&self.diagnostics, &self.sources, options.config_test.is_some(), meanwhile);
    }

    /// The startup script, which runs before anything else. Diagnostics are not reported yet, since
    /// the script may change the host.
    pub(in crate::daemon) fn startup_script(
        &self,
        options: &Options,
        links: &Links,
    ) -> Option<LifeScript> {
        self.globals("startup_script").next()?;
        let mut diagnostics = Diagnostics::default();
        let (elsewhere, is_strict) = (self.elsewhere, self.is_strict(options));
        let host = KernelHost { links, meanwhile: &|| {}, elsewhere, is_strict };
        config::lower(&self.document, &self.sources, &host, &mut diagnostics).global.startup_script
    }

    /// Statements of this name in `global_defs`.
    fn globals<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Node<'a>> + 'a {
        let blocks = self.document.roots().filter(|n| n.keyword().text == "global_defs");
        blocks.flat_map(|block| block.children()).filter(move |n| n.keyword().text == name)
    }

    fn is_strict(&self, options: &Options) -> bool {
        let written = || self.globals("sandbox").find_map(|n| Sandbox::named(n.arg(0)?.text));
        options.sandbox.or_else(written) == Some(Sandbox::Strict)
    }

    /// Checks everything and reports all diagnostics.
    pub(in crate::daemon) fn lower(
        mut self,
        options: &Options,
        links: &Links,
        report: Report,
        meanwhile: Meanwhile<'_>,
    ) -> Reading {
        let (elsewhere, is_strict) = (self.elsewhere, self.is_strict(options));
        let host = KernelHost { links, meanwhile, elsewhere, is_strict };
        let mut config = config::lower(&self.document, &self.sources, &host, &mut self.diagnostics);
        narrow(&mut config, options);
        if config.global.sandbox == Sandbox::Strict {
            for what in sandbox::beyond_strict(&config) {
                let text = format!("sandbox strict forbids {what}");
                self.diagnostics.push(Severity::Fatal, None, text);
                self.diagnostics.hint("remove it, or use 'sandbox on'");
            }
        }
        self.diagnostics.sort();
        if report == Report::Log {
            self.tell(options, meanwhile);
        }
        Reading { config, sources: self.sources, diagnostics: self.diagnostics }
    }
}

/// Removes the subsystems that the command line disables, and what it overrides.
fn narrow(config: &mut Config, options: &Options) {
    if let Some(mode) = options.sandbox {
        config.global.sandbox = mode;
    }
    if !options.run_vrrp {
        config.instances.clear();
        config.groups.clear();
        config.static_addresses.clear();
        config.static_routes.clear();
        config.static_rules.clear();
    }
    if !options.run_bfd {
        config.bfd.clear();
    }
    if !options.run_checkers {
        config.virtual_servers.clear();
        config.address_groups.clear();
        // The sync daemon follows VRRP.
        let lvs = std::mem::take(&mut config.lvs);
        config.lvs =
            Lvs { namespace: lvs.namespace, sync_daemon: lvs.sync_daemon, ..Default::default() };
    }
}

fn complaint(d: &Diagnostic, sources: &Sources) -> Complaint {
    let shown = d.shown(sources);
    let severity = match d.severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Security | Severity::Insecure => "security",
        Severity::Error | Severity::Fatal => "error",
    };
    Complaint {
        severity: severity.to_owned(),
        file: d.span.map(|s| sources.name(s.file).to_owned()),
        line: d.span.map(|s| s.line),
        column: d.span.map(|s| s.column).filter(|column| *column > 0),
        text: shown.message,
        hint: shown.hint,
    }
}

/// Positions and texts of the most severe diagnostics, without the source lines.
fn causes(diagnostics: &Diagnostics, sources: &Sources) -> Vec<String> {
    let worst =
        if diagnostics.reaches(Severity::Fatal) { Severity::Fatal } else { Severity::Error };
    let heeded = diagnostics.iter().filter(|d| matters(d, worst));
    first_few(heeded.map(|d| placed(d, sources)))
}

fn matters(diagnostic: &Diagnostic, worst: Severity) -> bool {
    diagnostic.severity >= worst && diagnostic.severity != Severity::Insecure
}

/// `(FILE: Line 16) text`
fn placed(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let mut text = String::new();
    diagnostic.render(sources, &mut text);
    text.lines().next().unwrap_or_default().to_owned()
}

fn first_few(mut list: impl Iterator<Item = String>) -> Vec<String> {
    let mut causes: Vec<_> = list.by_ref().take(MOST_CAUSES).collect();
    match list.count() {
        0 => {}
        more => causes.push(format!("{more} more; the log has them all")),
    }
    causes
}

fn read_options(options: &Options) -> ReadOptions {
    let id = options.config_id.clone();
    ReadOptions {
        config_id: id.unwrap_or_else(|| process::uname().short_host().to_owned()),
        include_check: if options.all_config { IncludeCheck::ALL } else { IncludeCheck::default() },
        env: std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
        random_seed: random::seed(),
        limits: Limits::default(),
    }
}

/// Logs the diagnostics, one line each.
fn tell(diagnostics: &Diagnostics, sources: &Sources, testing: bool, meanwhile: Meanwhile<'_>) {
    for d in diagnostics.iter() {
        meanwhile();
        let mut text = String::new();
        d.render(sources, &mut text);
        for line in text.lines() {
            match d.severity {
                // keepalived's `-t` prints nothing about accepted files; warnings are printed here.
                Severity::Note if !testing => log::info!("{line}"),
                Severity::Note | Severity::Warning => log::warn!("{line}"),
                Severity::Error | Severity::Fatal | Severity::Security | Severity::Insecure => {
                    log::error!("{line}");
                }
            }
        }
    }
}
