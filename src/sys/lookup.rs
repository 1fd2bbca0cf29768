//! Looking a host name up without waiting for it.
//!
//! The C library's resolver blocks, for half a minute if it comes to that. So this program is
//! started once more, with [`FLAG`] and the name: it asks, writes down what it hears and ends.

use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read as _};
use std::net::IpAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::process::{ChildStdout, Command, Stdio};

use super::{check, sched};

/// Makes of this program one that looks up the name that follows.
pub const FLAG: &str = "--resolve-name";
/// The resolver gives up before.
const PATIENCE_SECONDS: libc::c_uint = 120;
/// More than this is not read: some hundred addresses.
const LONGEST: usize = 8192;
/// What a line with an error begins with; any other is an address.
const ERROR: char = '!';

/// A name that is being looked up. To drop it is to lose interest: the child ends by itself. That
/// it has ended is heard of, and cleaned up, as for any other child.
#[derive(Debug)]
pub struct Lookup {
    reader: ChildStdout,
    heard: Vec<u8>,
}

impl Lookup {
    /// Begins. Watch it for reading.
    ///
    /// # Errors
    /// No process can be started.
    pub fn start(name: &str) -> io::Result<Self> {
        Self::start_with(OsStr::new("/proc/self/exe"), name)
    }

    fn start_with(program: &OsStr, name: &str) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args([FLAG, name])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        // It has been executed by now, and may have ended.
        if let Ok(pid) = child.id().try_into() {
            let _ = sched::run_normally(pid);
        }
        let reader = child.stdout.take().ok_or(ErrorKind::BrokenPipe)?;
        // SAFETY: flags of a descriptor that is ours.
        check(unsafe { libc::fcntl(reader.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) })?;
        Ok(Self { reader, heard: Vec::new() })
    }

    /// What the child says, once it has said everything.
    pub fn result(&mut self) -> Option<Result<Vec<IpAddr>, String>> {
        let mut buffer = [0; 1024];
        loop {
            match self.reader.read(&mut buffer) {
                Ok(0) => return Some(parse(&String::from_utf8_lossy(&self.heard))),
                Ok(_) if self.heard.len() > LONGEST => {
                    return Some(Err("the answer is too long".to_owned()))
                }
                Ok(n) => self.heard.extend_from_slice(&buffer[..n]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return None,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Some(Err(e.to_string())),
            }
        }
    }
}

impl AsRawFd for Lookup {
    fn as_raw_fd(&self) -> RawFd {
        self.reader.as_raw_fd()
    }
}

/// The child's answer as text: an address a line, or one line with the error.
pub fn emit(result: &io::Result<Vec<IpAddr>>) -> String {
    match result {
        Ok(list) => list.iter().map(|ip| format!("{ip}\n")).collect(),
        Err(e) => format!("{ERROR}{e}\n"),
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

/// For the child: whatever happens, it does not live for ever.
pub fn limit_life() {
    // SAFETY: a number; nobody handles the signal, so it ends the process.
    unsafe { libc::alarm(PATIENCE_SECONDS) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::children;
    use crate::sys::tests::{alone_with_children, wait};

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
        let mut lookup = Lookup::start_with(OsStr::new("/bin/echo"), "mx").expect("starts");
        let result = wait(|| lookup.result());
        assert_eq!(result, Err("the answer '--resolve-name mx' is no address".to_owned()));
        let (pid, _) = wait(|| children::ended().expect("waits"));
        children::bury(pid);
        assert!(Lookup::start_with(OsStr::new("/nonexistent"), "mx").is_err());
    }
}
