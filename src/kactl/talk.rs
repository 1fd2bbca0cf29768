//! The connection to the daemon.

use std::io;
use std::path::Path;

use super::exit::Exit;
use crate::base::time::Duration;
use crate::control::{Command, Failure, Lines, Reply, Request};
use crate::sys::clock::Clock;
use crate::sys::control::Connection;
use crate::sys::poll::Poll;
use crate::sys::reason;

/// The longest reply: one with hundreds of changed settings.
const LONGEST: usize = 16 << 20;

/// Why a command failed.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) exit: Exit,
    pub(super) text: String,
}

/// How long to wait for a reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Patience {
    Short,
    /// For a reload.
    Long,
    Endless,
}

pub(super) struct Client {
    connection: Connection,
    lines: Lines,
    /// The answer is complete.
    is_over: bool,
}

impl Client {
    pub(super) fn open(path: &Path, patience: Patience) -> Result<Self, Trouble> {
        let limit = match patience {
            Patience::Short => Some(Duration::from_secs(20)),
            Patience::Long => Some(Duration::from_secs(120)),
            Patience::Endless => None,
        };
        let connection = Connection::open(path, limit).map_err(|e| Trouble {
            exit: match e.kind() {
                io::ErrorKind::PermissionDenied => Exit::Denied,
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Exit::NoDaemon,
                _ => Exit::Failure,
            },
            text: format!("cannot connect to {}: {}", path.display(), reason(&e)),
        })?;
        Ok(Self { connection, lines: Lines::new(LONGEST), is_over: true })
    }

    pub(super) fn send(&mut self, command: Command) -> Result<(), Trouble> {
        let line = Request::new(command).line();
        let mut rest = line.as_slice();
        while !rest.is_empty() {
            match self.connection.write(rest) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                // The daemon may have said why before it closed the connection.
                Err(e) if e.kind() == io::ErrorKind::BrokenPipe => break,
                Err(e) => return Err(failed(&e)),
            }
        }
        self.is_over = false;
        Ok(())
    }

    /// The next line of the answer; `None` at its end.
    pub(super) fn next(&mut self) -> Result<Option<Reply>, Trouble> {
        let trouble = |text: String| Trouble { exit: Exit::Failure, text };
        while !self.is_over {
            let line = self.lines.next_line();
            if let Some(line) = line.map_err(|_| trouble("a reply is too long".to_owned()))? {
                let reply = Reply::parse(&line);
                let reply = reply.map_err(|e| trouble(format!("a reply cannot be read: {e}")))?;
                self.is_over = reply.is_last();
                return match reply {
                    Reply::Done => Ok(None),
                    Reply::Error(Failure { code, text }) => {
                        Err(Trouble { exit: code.into(), text })
                    }
                    reply => Ok(Some(reply)),
                };
            }
            let mut buffer = vec![0; (64 << 10).min(self.lines.room())];
            match self.connection.read(&mut buffer) {
                Ok(0) => return Err(trouble("the daemon closed the connection".to_owned())),
                Ok(read) => _ = self.lines.push(&buffer[..read]),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(failed(&e)),
            }
        }
        Ok(None)
    }
}

fn failed(error: &io::Error) -> Trouble {
    let text = match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "the daemon does not answer".into(),
        _ => format!("the connection to the daemon failed: {}", reason(error)),
    };
    Trouble { exit: Exit::Failure, text }
}

/// Time between two looks of `--watch`.
pub(super) const LOOK: Duration = Duration::from_secs(1);
/// The same while a restart is awaited.
pub(super) const GLANCE: Duration = Duration::from_millis(20);

pub(super) fn pause(time: Duration) -> Result<(), Trouble> {
    let clock = Clock::new();
    let waited = Poll::<()>::new().and_then(|mut poll| {
        let now = clock.now();
        poll.wait(now, Some(now + time), true, &mut Vec::new())
    });
    waited.map_err(|e| Trouble { exit: Exit::Failure, text: format!("cannot wait: {e}") })
}
