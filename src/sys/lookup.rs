//! Non-blocking look-up of host names, users and groups.
//!
//! The C library blocks while it queries a server, for up to half a minute. So this program is
//! started as a child with a flag and the name; it makes the query, writes the answer and exits.

use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read as _};
use std::net::IpAddr;
use std::os::fd::{AsFd as _, AsRawFd, RawFd};
use std::process::{ChildStdout, Command, Stdio};

use nix::fcntl::{fcntl, FcntlArg, OFlag};
use nix::poll::{poll, PollFd, PollFlags};
use nix::unistd::alarm;

use super::sched;

/// Flags that have this program look up the host, user or group that follows.
pub const HOST: &str = "--resolve-name";
pub const USER: &str = "--resolve-user";
pub const GROUP: &str = "--resolve-group";
pub const FLAGS: [&str; 3] = [HOST, USER, GROUP];

/// Interval between two checks for an answer, while other work continues.
const LOOK_MILLIS: u8 = 5;
/// Number of checks for an answer about a user or group: at least ten seconds.
const LOOKS: usize = 2000;
/// The program to start: this one.
const PROGRAM: &str = "/proc/self/exe";
/// The resolver times out earlier.
const PATIENCE_SECONDS: u32 = 120;
/// More than this is not read: some hundred addresses.
const LONGEST: usize = 8192;
/// Prefix of a line with an error; any other line is an address.
const ERROR: char = '!';

/// A name that is being looked up. When this is dropped, the child ends by itself and is reaped
/// like any other.
#[derive(Debug)]
pub struct Lookup {
    reader: ChildStdout,
    heard: Vec<u8>,
}

impl Lookup {
    /// Starts the look-up. The result is to be watched for reading.
    ///
    /// # Errors
    /// No process can be started.
    pub fn start(name: &str) -> io::Result<Self> {
        Self::start_with(OsStr::new(PROGRAM), HOST, name)
    }

    fn start_with(program: &OsStr, flag: &str, name: &str) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args([flag, name])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        // It has been executed by now, and may have ended.
        if let Ok(pid) = child.id().try_into() {
            let _ = sched::run_normally(pid);
        }
        let reader = child.stdout.take().ok_or(ErrorKind::BrokenPipe)?;
        fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self { reader, heard: Vec::new() })
    }

    /// The addresses of a host, once the child has written them all.
    pub fn result(&mut self) -> Option<Result<Vec<IpAddr>, String>> {
        self.text().map(|text| parse(&text?))
    }

    /// What the child has written, once it has ended.
    fn text(&mut self) -> Option<Result<String, String>> {
        let mut buffer = [0; 1024];
        loop {
            match self.reader.read(&mut buffer) {
                Ok(0) => return Some(Ok(String::from_utf8_lossy(&self.heard).into_owned())),
                Ok(_) if self.heard.len() > LONGEST => {
                    return Some(Err("the answer is too long".to_owned()))
                }
                Ok(n) => self.heard.extend_from_slice(&buffer[..n]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return None,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Some(Err(super::reason(&e))),
            }
        }
    }
}

impl AsRawFd for Lookup {
    fn as_raw_fd(&self) -> RawFd {
        self.reader.as_raw_fd()
    }
}

/// The answer about a user or a group (`flag`), without the wait: `breathe` is called until it comes.
///
/// # Errors
/// No process can be started, or the answer takes too long.
pub fn ask(flag: &str, name: &str, breathe: &dyn Fn()) -> Result<String, String> {
    let lookup = Lookup::start_with(OsStr::new(PROGRAM), flag, name);
    wait_for(lookup.map_err(|e| super::reason(&e))?, LOOKS, breathe)
}

fn wait_for(mut lookup: Lookup, looks: usize, breathe: &dyn Fn()) -> Result<String, String> {
    for _ in 0..looks {
        if let Some(text) = lookup.text() {
            return text;
        }
        // The result is ignored: the next check finds the answer.
        let _ = poll(&mut [PollFd::new(lookup.reader.as_fd(), PollFlags::POLLIN)], LOOK_MILLIS);
        breathe();
    }
    Err("there is no answer".to_owned())
}

/// The child's answer as text: an address a line, or one line with the error.
pub fn emit(result: &io::Result<Vec<IpAddr>>) -> String {
    match result {
        Ok(list) => list.iter().map(|ip| format!("{ip}\n")).collect(),
        Err(e) => format!("{ERROR}{}\n", super::reason(e)),
    }
}

fn parse(text: &str) -> Result<Vec<IpAddr>, String> {
    let mut list = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix(ERROR), line.parse()) {
            (Some(error), _) => return Err(error.trim().to_owned()),
            (None, Ok(ip)) if list.contains(&ip) => {}
            (None, Ok(ip)) => list.push(ip),
            (None, Err(_)) => return Err(format!("the answer '{line}' is no address")),
        }
    }
    if list.is_empty() {
        return Err("there was no answer".to_owned());
    }
    Ok(list)
}

/// For the child: limits its lifetime in any case.
pub fn limit_life() {
    // The signal has no handler, so it ends the process.
    alarm::set(PATIENCE_SECONDS);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::children;
    use crate::sys::tests::{alone_with_children, wait, TempDir};

    #[test]
    fn answers_are_addresses_or_one_error() {
        let ips = vec!["10.7.0.1".parse().unwrap(), "fe80::1".parse().unwrap()];
        assert_eq!(parse(&emit(&Ok(ips.clone()))), Ok(ips));
        let error = io::Error::other("no such name");
        assert_eq!(parse(&emit(&Err(error))), Err("no such name".to_owned()));
        assert_eq!(parse("10.7.0.1\n10.7.0.1\n").map(|l| l.len()), Ok(1));
        assert!(parse("").is_err() && parse("10.7.0\n").is_err() && parse("\u{0}").is_err());
    }

    #[test]
    fn a_child_is_asked_and_heard() {
        let _alone = alone_with_children();
        let mut lookup = Lookup::start_with(OsStr::new("/bin/echo"), HOST, "mx").expect("starts");
        let result = wait(|| lookup.result());
        assert_eq!(result, Err("the answer '--resolve-name mx' is no address".to_owned()));
        let (pid, _) = wait(|| children::ended().expect("waits"));
        children::bury(pid);
        assert!(Lookup::start_with(OsStr::new("/nonexistent"), HOST, "mx").is_err());
    }

    #[test]
    fn something_else_goes_on_until_there_is_an_answer() {
        let _alone = alone_with_children();
        let breaths = std::cell::Cell::new(0);
        let breathe = || breaths.set(breaths.get() + 1);
        let start = |program, flag, name| {
            Lookup::start_with(OsStr::new(program), flag, name).expect("starts")
        };
        let answer = wait_for(start("/bin/echo", "1003", "1004"), LOOKS, &breathe);
        assert_eq!(answer.as_deref(), Ok("1003 1004\n"));
        breaths.set(0);
        let dir = TempDir::new("lookup");
        let fifo = dir.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
        let slow = start("/bin/sh", "-c", &format!("read line <'{}'", fifo.display()));
        assert!(wait_for(slow, 5, &breathe).is_err());
        assert_eq!(breaths.get(), 5);
        // The child ends when the FIFO was opened and closed.
        #[expect(clippy::disallowed_methods, reason = "the child opens it, too")]
        drop(std::fs::OpenOptions::new().write(true).open(&fifo).expect("a reader"));
        for _ in 0..2 {
            let (pid, _) = wait(|| children::ended().expect("waits"));
            children::bury(pid);
        }
    }
}
