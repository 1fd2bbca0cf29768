//! The back end of the `log` crate: console, syslog, file.
//!
//! A line never stalls the loop: syslog and console are written without blocking, and lines they
//! cannot take wait in a backlog that is written with the next line or [`end_turn`]. A full backlog
//! drops lines and reports their number. Only regular files are written the ordinary way.
//!
//! Levels: error, warn and info are always shown, debug is `-D`, trace is `-D -D`. A filter
//! ([`Spec`]) can override this for a module.

mod filter;
mod ident;
mod output;
mod sink;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use log::{Level, LevelFilter, Log, Metadata, Record};

use self::filter::LineFilter;
pub use self::filter::{Spec, VARIABLE};
use self::ident::Ident;
use self::output::{Output, Sink};
use self::sink::{Stream, SyslogSocket, SYSLOG_SOCKET};
use super::clock::{self, Clock};
use crate::base::time::{Instant, WallTime};

/// A syslog facility, as the number that goes into a message (RFC 3164 §4.1.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Facility(u8);

impl Facility {
    pub const USER: Self = Self(1);
    pub const DAEMON: Self = Self(3);

    /// `localN`, for N up to 7.
    pub fn local(n: u8) -> Option<Self> {
        (n <= 7).then(|| Self(16 + n))
    }

    /// The value of `--log-facility`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "user" => Some(Self::USER),
            "daemon" => Some(Self::DAEMON),
            _ => Self::local(name.strip_prefix("local").unwrap_or(name).parse().ok()?),
        }
    }
}

/// What a line looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineForm {
    /// `Sun Nov 22 19:11:50 2026: TEXT`.
    Stamped,
    /// The text alone: for a configuration test. The console then waits for its reader.
    Plain,
}

/// Whether lines go to standard error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Console {
    Off,
    On(LineForm),
}

/// How much is shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Detail {
    Normal,
    /// `-D`.
    Detailed,
    /// `-D -D`.
    Extra,
}

/// A file that lines are appended to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileTarget {
    pub path: PathBuf,
    pub form: LineForm,
}

/// Where lines go, and which.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setup {
    /// The name in syslog, to which the part of the daemon is added.
    pub ident: String,
    pub detail: Detail,
    /// For modules about which `detail` shall not decide.
    pub filter: Option<Spec>,
    pub console: Console,
    pub syslog: Option<Facility>,
    pub file: Option<FileTarget>,
}

/// Begins to log. A second call replaces the set-up of the first.
///
/// # Errors
/// The log file cannot be opened; nothing has changed then. A missing syslog is no error: it may
/// appear later.
pub fn install(setup: Setup) -> io::Result<()> {
    let backend = Backend::open(setup)?;
    let level = backend.max_level();
    *LOGGER.lock() = Some(backend);
    // Fails if it is already set, as intended.
    let _ = log::set_logger(&LOGGER);
    log::set_max_level(level);
    Ok(())
}

/// Logs more or less of some modules from now on; `None`: without a filter.
pub fn refilter(filter: Option<&Spec>) {
    if let Some(backend) = LOGGER.lock().as_mut() {
        backend.filter = filter.map(LineFilter::new);
        log::set_max_level(backend.max_level());
    }
}

/// Adds this to the names in syslog.
pub fn set_ident(daemon: &str) {
    if let Some(backend) = LOGGER.lock().as_mut() {
        daemon.clone_into(&mut backend.ident.daemon);
    }
}

/// The process id has changed: lines carry it.
pub fn set_pid() {
    if let Some(backend) = LOGGER.lock().as_mut() {
        backend.pid = std::process::id();
    }
}

/// Lines dropped since the start because no reader took them.
pub fn dropped() -> u64 {
    LOGGER.lock().as_ref().map_or(0, Backend::dropped)
}

/// The end of a turn of the loop: writes waiting lines as far as possible; true if some still wait.
/// From the first call on, the lines of a burst are combined.
pub fn end_turn() -> bool {
    let waits = WRITTEN.swap(false, Ordering::Relaxed)
        && LOGGER.lock().as_mut().is_some_and(Backend::end_turn);
    if waits {
        WRITTEN.store(true, Ordering::Relaxed);
    }
    waits
}

/// Writes all waiting lines, waiting up to `limit` for each slow reader. For the end of the
/// program.
pub fn finish(limit: Duration) {
    if let Some(backend) = LOGGER.lock().as_mut() {
        if let Some((_, syslog)) = &mut backend.syslog {
            finish_output(syslog, limit);
        }
        if let Some((_, console)) = &mut backend.console {
            finish_output(console, limit);
        }
        if let Some((_, file)) = &mut backend.file {
            finish_output(file, limit);
        }
    }
}

fn finish_output<S: Sink>(output: &mut Output<S>, limit: Duration) {
    let clock = Clock::new();
    loop {
        output.flush();
        let left = limit.saturating_sub(clock.now().since(Instant::ZERO));
        let fd = output.sink.descriptor().filter(|_| output.has_backlog() && !left.is_zero());
        // A missing syslog has no descriptor to wait for.
        if !fd.is_some_and(|fd| sink::wait_writable(fd, left)) {
            return;
        }
    }
}

/// Lines were written since the last end of a turn, or wait.
static WRITTEN: AtomicBool = AtomicBool::new(false);
static LOGGER: Logger = Logger { backend: Mutex::new(None) };

struct Logger {
    backend: Mutex<Option<Backend>>,
}

impl Logger {
    fn lock(&self) -> MutexGuard<'_, Option<Backend>> {
        // A panic while logging leaves no relevant state inconsistent.
        self.backend.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        // Already locked: the arguments of the line being written log something themselves.
        let Ok(mut backend) = self.backend.try_lock() else { return };
        if let Some(backend) = backend.as_mut().filter(|backend| backend.shows(record)) {
            WRITTEN.store(true, Ordering::Relaxed);
            backend.write(record, clock::wall());
        }
    }

    fn flush(&self) {
        end_turn();
    }
}

/// Everything behind the lock. The buffers are kept, so that a line costs no allocation.
struct Backend {
    level: LevelFilter,
    filter: Option<LineFilter>,
    ident: Ident,
    pid: u32,
    console: Option<(LineForm, Output<Stream>)>,
    syslog: Option<(Facility, Output<SyslogSocket>)>,
    file: Option<(LineForm, Output<Stream>)>,
    stamps: Stamps,
    text: String,
    line: Vec<u8>,
}

impl Backend {
    fn open(setup: Setup) -> io::Result<Self> {
        let file = match setup.file {
            Some(FileTarget { path, form }) => Some((form, Output::new(Stream::file(&path)?))),
            None => None,
        };
        let console = match setup.console {
            Console::Off => None,
            Console::On(LineForm::Stamped) => {
                Some((LineForm::Stamped, Output::new(Stream::stderr()?)))
            }
            Console::On(LineForm::Plain) => {
                Some((LineForm::Plain, Output::new(Stream::patient_stderr()?)))
            }
        };
        let syslog = setup.syslog.map(|f| (f, Output::new(SyslogSocket::new(SYSLOG_SOCKET))));
        let level = match setup.detail {
            Detail::Normal => LevelFilter::Info,
            Detail::Detailed => LevelFilter::Debug,
            Detail::Extra => LevelFilter::Trace,
        };
        Ok(Self {
            level,
            filter: setup.filter.as_ref().map(LineFilter::new),
            ident: Ident { program: setup.ident, daemon: String::new() },
            pid: std::process::id(),
            console,
            syslog,
            file,
            stamps: Stamps::default(),
            text: String::new(),
            line: Vec::new(),
        })
    }

    fn max_level(&self) -> LevelFilter {
        let filtered = self.filter.as_ref().map_or(LevelFilter::Off, LineFilter::max_level);
        self.level.max(filtered)
    }

    fn shows(&self, record: &Record<'_>) -> bool {
        // Debug lines of libraries are not shown.
        let by_default = |about: &Metadata<'_>| {
            about.level() <= self.level
                && (about.level() <= Level::Info || about.target().starts_with("keepalived"))
        };
        match &self.filter {
            Some(filter) => filter.shows(record, by_default),
            None => by_default(record.metadata()),
        }
    }

    fn write(&mut self, record: &Record<'_>, wall: WallTime) {
        self.stamps.update(wall);
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        // A message whose formatting fails is shown as far as it got.
        let _ = text.write_fmt(*record.args());
        for line in text.trim_end_matches('\n').split('\n') {
            self.write_line(record.metadata(), cut(line));
        }
        self.text = text;
    }

    fn write_line(&mut self, from: &Metadata<'_>, text: &str) {
        let Self { stamps, line, ident, pid, .. } = self;
        if let Some((facility, syslog)) = &mut self.syslog {
            let priority = facility.0 * 8 + severity(from.level());
            let ident = ident.of(from.target());
            syslog.write(line, text, |line, text| {
                syslog_line(line, priority, &stamps.short, ident, *pid, text);
            });
        }
        let stream = |form| {
            let stamp = &stamps.long;
            move |line: &mut Vec<u8>, text: &str| stream_line(line, form, stamp, text)
        };
        if let Some((form, console)) = &mut self.console {
            console.write(line, text, stream(*form));
        }
        if let Some((form, file)) = &mut self.file {
            file.write(line, text, stream(*form));
        }
    }

    fn end_turn(&mut self) -> bool {
        fn waits<T, S: Sink>(output: &mut Option<(T, Output<S>)>) -> bool {
            output.as_mut().is_some_and(|(_, output)| {
                output.end_turn();
                output.has_backlog()
            })
        }
        // All of them, so no short circuit.
        waits(&mut self.syslog) | waits(&mut self.console) | waits(&mut self.file)
    }

    fn dropped(&self) -> u64 {
        self.syslog.as_ref().map_or(0, |(_, o)| o.lost())
            + self.console.as_ref().map_or(0, |(_, o)| o.lost())
            + self.file.as_ref().map_or(0, |(_, o)| o.lost())
    }
}

/// The time as text; made anew only when the second changes.
#[derive(Default)]
struct Stamps {
    second: Option<u64>,
    long: String,
    short: String,
}

impl Stamps {
    fn update(&mut self, wall: WallTime) {
        let second = wall.0 / 1_000_000;
        if self.second != Some(second) {
            let local = clock::local(wall);
            *self = Self { second: Some(second), long: local.long(), short: local.short() };
        }
    }
}

fn cut(line: &str) -> &str {
    let end = (0..=LONGEST.min(line.len())).rev().find(|&n| line.is_char_boundary(n));
    &line[..end.unwrap_or(0)]
}

/// Longer messages are cut: what remains fits a pipe's atomic write and any syslog.
const LONGEST: usize = 3_900;

/// The severities of RFC 3164 §4.1.1. Detail has severity info, as in keepalived, so that a syslog
/// daemon that drops debug messages still shows it.
const fn severity(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info | Level::Debug => 6,
        Level::Trace => 7,
    }
}

/// `<30>Nov 22 19:11:50 Keepalived[42]: TEXT`: RFC 3164 as the C library sends it on the host.
fn syslog_line(
    out: &mut Vec<u8>,
    priority: u8,
    stamp: &str,
    [program, process, daemon]: [&str; 3],
    pid: u32,
    text: &str,
) {
    out.clear();
    // Writing to a vector cannot fail.
    let _ = write!(out, "<{priority}>{stamp} {program}{process}{daemon}[{pid}]: ");
    append_printable(out, text);
}

fn stream_line(out: &mut Vec<u8>, form: LineForm, stamp: &str, text: &str) {
    out.clear();
    if form == LineForm::Stamped {
        out.extend_from_slice(stamp.as_bytes());
        out.extend_from_slice(b": ");
    }
    append_printable(out, text);
    out.push(b'\n');
}

/// Text without what could forge lines or drive a terminal.
fn append_printable(out: &mut Vec<u8>, text: &str) {
    let is_bad = |b: u8| b.is_ascii_control() && b != b'\t';
    let start = out.len();
    out.extend_from_slice(text.as_bytes());
    // Replacements are rare, so the whole text is checked first, many bytes at a time.
    if text.bytes().fold(false, |bad, b| bad | is_bad(b)) {
        out[start..].iter_mut().filter(|b| is_bad(**b)).for_each(|b| *b = b'?');
    }
}

#[cfg(test)]
mod tests;
