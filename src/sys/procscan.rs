//! The processes there are, as `/proc` shows them: a few at a time, since a host can have many and
//! nobody's advertisement waits for that.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStringExt as _;

/// Longer command lines are cut: nobody configures so many words.
const LONGEST: u64 = 4096;

/// One process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    pub pid: u32,
    /// `comm`: at most 15 bytes.
    pub comm: Vec<u8>,
    /// `cmdline`: the words, each ended by a zero byte. Empty for kernel threads.
    pub cmdline: Vec<u8>,
    /// Where `exe` leads to, if that may be read.
    pub exe: Option<Vec<u8>>,
}

/// One process, or one thread by its own number; `None` if it is gone.
pub fn look(pid: u32) -> Option<Found> {
    let mut comm = read(pid, "comm")?;
    if comm.last() == Some(&b'\n') {
        comm.pop();
    }
    let cmdline = read(pid, "cmdline")?;
    let exe =
        if cmdline.is_empty() { None } else { fs::read_link(format!("/proc/{pid}/exe")).ok() };
    Some(Found { pid, comm, cmdline, exe: exe.map(|e| e.into_os_string().into_vec()) })
}

fn read(pid: u32, name: &str) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let file = File::open(format!("/proc/{pid}/{name}")).ok()?;
    file.take(LONGEST).read_to_end(&mut content).ok()?;
    Some(content)
}

/// One pass over all processes, without their threads.
///
/// Processes start and end meanwhile. Whoever follows events besides keeps those that come during
/// the pass, and lets them count after it.
#[derive(Debug)]
pub struct Scan {
    entries: fs::ReadDir,
    found: Vec<Found>,
}

impl Scan {
    /// # Errors
    /// `/proc` is not there.
    pub fn new() -> io::Result<Self> {
        Ok(Self { entries: fs::read_dir("/proc")?, found: Vec::new() })
    }

    /// Looks at `most` more entries; all of them when it is done.
    pub fn advance(&mut self, most: usize) -> Option<Vec<Found>> {
        for _ in 0..most {
            let Some(Ok(entry)) = self.entries.next() else {
                return Some(std::mem::take(&mut self.found));
            };
            let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
            self.found.extend(pid.and_then(look));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_find_ourselves_however_small_the_steps() {
        for most in [1, 7, usize::MAX] {
            let mut scan = Scan::new().expect("/proc");
            let all = loop {
                if let Some(all) = scan.advance(most) {
                    break all;
                }
            };
            let own = all.iter().find(|f| f.pid == std::process::id()).expect("is there");
            let first = std::env::args_os().next().expect("a name").into_vec();
            assert!(own.cmdline.starts_with(&[first, vec![0]].concat()));
            let exe = std::env::current_exe().expect("a path").into_os_string().into_vec();
            assert_eq!(own.exe, Some(exe));
            assert!((1..=15).contains(&own.comm.len()), "{own:?}");
        }
    }

    #[test]
    fn who_is_gone_is_not_found() {
        // Beyond the largest number there can be.
        assert_eq!(look(u32::MAX), None);
    }
}
