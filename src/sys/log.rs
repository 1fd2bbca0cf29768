//! The back end of the `log` crate: console, syslog, file.
//!
//! A line never stalls the loop for long: syslog and console are written without blocking, and what
//! they cannot take is dropped and counted, and the count is told when they take lines again. Only
//! regular files are written the ordinary way.
//!
//! Levels: error, warn and info are always shown, debug is `-D`, trace is `-D -D`.

mod sink;

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

use log::{Level, LevelFilter, Log, Metadata, Record};

use self::sink::{FileSink, Sink, SyslogSink, SYSLOG_SOCKET};
use super::clock;
use crate::base::time::WallTime;

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
pub enum Form {
    /// `Sun Nov 22 19:11:50 2026: TEXT`.
    Stamped,
    /// The text alone.
    Plain,
}

/// Whether lines go to standard error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Console {
    Off,
    On(Form),
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
    pub form: Form,
}

/// Where lines go, and which.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setup {
    /// The name in syslog.
    pub ident: String,
    pub detail: Detail,
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
    let filter = match setup.detail {
        Detail::Normal => LevelFilter::Info,
        Detail::Detailed => LevelFilter::Debug,
        Detail::Extra => LevelFilter::Trace,
    };
    *LOGGER.lock() = Some(Backend::open(setup)?);
    // Fails when it is set already, which is what we want.
    let _ = log::set_logger(&LOGGER);
    log::set_max_level(filter);
    Ok(())
}

/// Changes the name in syslog.
pub fn set_ident(ident: &str) {
    if let Some(backend) = LOGGER.lock().as_mut() {
        ident.clone_into(&mut backend.ident);
    }
}

/// The process id has changed: lines carry it.
pub fn set_pid() {
    if let Some(backend) = LOGGER.lock().as_mut() {
        backend.pid = std::process::id();
    }
}

/// Stops logging to the console, which a daemon closes.
pub fn close_console() {
    if let Some(backend) = LOGGER.lock().as_mut() {
        backend.console = None;
    }
}

/// Opens the log file again, for log rotation.
///
/// # Errors
/// It cannot be opened; the old one stays in use then.
pub fn reopen_file() -> io::Result<()> {
    match LOGGER.lock().as_mut().and_then(|b| b.file.as_mut()) {
        Some((_, file)) => file.reopen(),
        None => Ok(()),
    }
}

/// Lines dropped since the start because nobody took them.
pub fn dropped() -> u64 {
    LOGGER.lock().as_ref().map_or(0, |b| b.dropped)
}

static LOGGER: Logger = Logger { backend: Mutex::new(None) };

struct Logger {
    backend: Mutex<Option<Backend>>,
}

impl Logger {
    fn lock(&self) -> MutexGuard<'_, Option<Backend>> {
        // A panic while logging leaves nothing half done that matters.
        self.backend.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        // Taken already: the arguments of the line being written log something themselves.
        let Ok(mut backend) = self.backend.try_lock() else { return };
        if let Some(backend) = backend.as_mut() {
            backend.write(record.level(), *record.args(), clock::wall());
        }
    }

    fn flush(&self) {}
}

/// Everything behind the lock. The buffers are kept, so that a line costs no allocation.
struct Backend {
    ident: String,
    pid: u32,
    console: Option<(Form, Sink)>,
    syslog: Option<(Facility, SyslogSink)>,
    file: Option<(Form, FileSink)>,
    stamps: Stamps,
    text: String,
    line: Vec<u8>,
    dropped: u64,
}

impl Backend {
    fn open(setup: Setup) -> io::Result<Self> {
        let file = match setup.file {
            Some(target) => Some((target.form, FileSink::open(target.path)?)),
            None => None,
        };
        let console = match setup.console {
            Console::Off => None,
            Console::On(form) => Some((form, Sink::stderr()?)),
        };
        Ok(Self {
            ident: setup.ident,
            pid: std::process::id(),
            console,
            syslog: setup.syslog.map(|facility| (facility, SyslogSink::new(SYSLOG_SOCKET))),
            file,
            stamps: Stamps::default(),
            text: String::new(),
            line: Vec::new(),
            dropped: 0,
        })
    }

    fn write(&mut self, level: Level, args: fmt::Arguments<'_>, wall: WallTime) {
        self.stamps.update(wall);
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        // A message whose formatting fails is shown as far as it got.
        let _ = text.write_fmt(args);
        for line in text.trim_end_matches('\n').split('\n') {
            self.write_line(level, cut(line));
        }
        self.text = text;
    }

    fn write_line(&mut self, level: Level, text: &str) {
        let Self { stamps, line, ident, pid, .. } = self;
        let mut lost = 0;
        if let Some((facility, sink)) = &mut self.syslog {
            let priority = facility.0 * 8 + severity(level);
            lost += sink.lost.around(text, |text| {
                syslog_line(line, priority, &stamps.short, ident, *pid, text);
                sink.socket.send(line)
            });
        }
        let streams = self.console.as_mut().map(|(form, sink)| (*form, sink));
        let files = self.file.as_mut().map(|(form, file)| (*form, file.sink()));
        for (form, sink) in streams.into_iter().chain(files) {
            lost += sink.lost.around(text, |text| {
                stream_line(line, form, &stamps.long, text);
                sink.stream.send(line)
            });
        }
        self.dropped += lost;
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

/// The severities of RFC 3164 §4.1.1. Detail is information there too, as with the original, so
/// that a syslog set up to drop debugging keeps showing it.
const fn severity(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info | Level::Debug => 6,
        Level::Trace => 7,
    }
}

/// `<30>Nov 22 19:11:50 Keepalived[42]: TEXT`: RFC 3164 as the C library sends it on the host.
fn syslog_line(out: &mut Vec<u8>, priority: u8, stamp: &str, ident: &str, pid: u32, text: &str) {
    out.clear();
    // Writing to a vector cannot fail.
    let _ = write!(out, "<{priority}>{stamp} {ident}[{pid}]: ");
    append_printable(out, text);
}

fn stream_line(out: &mut Vec<u8>, form: Form, stamp: &str, text: &str) {
    out.clear();
    if form == Form::Stamped {
        out.extend_from_slice(stamp.as_bytes());
        out.extend_from_slice(b": ");
    }
    append_printable(out, text);
    out.push(b'\n');
}

/// Text without what could forge lines or drive a terminal.
fn append_printable(out: &mut Vec<u8>, text: &str) {
    let printable = |b: u8| if b.is_ascii_control() && b != b'\t' { b'?' } else { b };
    out.extend(text.bytes().map(printable));
}

#[cfg(test)]
mod tests;
