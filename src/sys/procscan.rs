//! Existing processes according to `/proc`, read a few at a time, since a host can have many and
//! the scan must not delay advertisements.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::open;

/// Longer command lines are cut: no configuration has so many words.
const LONGEST: u64 = 4096;

/// One process, or one thread that has a name of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundProcess {
    pub pid: u32,
    /// The process of a thread; the same as `pid` for the process itself.
    pub leader: u32,
    /// `comm`: at most 15 bytes.
    pub comm: Vec<u8>,
    /// `cmdline`: the words, each ended by a zero byte. Empty for kernel threads.
    pub cmdline: Vec<u8>,
    /// Where `exe` leads to, if that may be read.
    pub exe: Option<Vec<u8>>,
}

/// One process, or one thread by its own number; `None` if it is gone.
pub fn look(pid: u32) -> Option<FoundProcess> {
    let comm = name(&format!("{pid}"))?;
    let cmdline = read(pid, "cmdline")?;
    let exe =
        if cmdline.is_empty() { None } else { fs::read_link(format!("/proc/{pid}/exe")).ok() };
    Some(FoundProcess {
        pid,
        leader: pid,
        comm,
        cmdline,
        exe: exe.map(|e| e.into_os_string().into_vec()),
    })
}

/// Threads of a process with a name of their own; the others are covered by the process.
#[derive(Debug)]
struct Threads {
    leader: u32,
    comm: Vec<u8>,
    entries: fs::ReadDir,
}

impl Threads {
    fn of(process: &FoundProcess) -> Option<Self> {
        let tasks = format!("/proc/{}/task", process.pid);
        // A directory has a link from each subdirectory: most processes have one thread.
        let several = fs::metadata(&tasks).is_ok_and(|tasks| tasks.nlink() > 3);
        let entries = if several { fs::read_dir(&tasks).ok()? } else { return None };
        Some(Self { leader: process.pid, comm: process.comm.clone(), entries })
    }

    /// Reads the next thread. `None` when there are no more.
    fn advance(&mut self) -> Option<Option<FoundProcess>> {
        let entry = self.entries.next()?.ok()?;
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        Some(pid.and_then(|pid| self.look(pid)))
    }

    fn look(&self, pid: u32) -> Option<FoundProcess> {
        let comm = name(&format!("{}/task/{pid}", self.leader))?;
        let is_other = comm != self.comm;
        let found = FoundProcess { pid, leader: self.leader, comm, cmdline: Vec::new(), exe: None };
        is_other.then_some(found)
    }
}

fn name(of: &str) -> Option<Vec<u8>> {
    let mut comm = read_at(&format!("/proc/{of}/comm"))?;
    if comm.last() == Some(&b'\n') {
        comm.pop();
    }
    Some(comm)
}

fn read(pid: u32, name: &str) -> Option<Vec<u8>> {
    read_at(&format!("/proc/{pid}/{name}"))
}

fn read_at(path: &str) -> Option<Vec<u8>> {
    open::kernel_read_head(Path::new(path), LONGEST).ok()
}

/// One pass over all processes, and those of their threads that have a name of their own.
///
/// Processes start and end meanwhile. A caller that follows events besides keeps those that come
/// during the pass, and lets them count after it.
#[derive(Debug)]
pub struct Scan {
    entries: fs::ReadDir,
    /// Threads of the process read last: some have ten thousand.
    threads: Option<Threads>,
    found: Vec<FoundProcess>,
}

impl Scan {
    /// # Errors
    /// `/proc` is not there.
    pub fn new() -> io::Result<Self> {
        Ok(Self { entries: fs::read_dir("/proc")?, threads: None, found: Vec::new() })
    }

    /// Reads up to `most` more processes and threads; returns all of them when the scan is
    /// complete.
    pub fn advance(&mut self, most: usize) -> Option<Vec<FoundProcess>> {
        for _ in 0..most {
            if let Some(threads) = &mut self.threads {
                match threads.advance() {
                    Some(found) => self.found.extend(found),
                    None => self.threads = None,
                }
                continue;
            }
            let Some(Ok(entry)) = self.entries.next() else {
                return Some(std::mem::take(&mut self.found));
            };
            let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some(process) = pid.and_then(look) {
                self.threads = Threads::of(&process);
                self.found.push(process);
            }
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
    fn threads_with_another_name_are_found_under_it() {
        let (tell, told) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::Builder::new().name("unlike-others".into());
        let waiting = thread.spawn(move || told.recv()).expect("one more thread");
        let own = std::process::id();
        let find = || {
            let mut scan = Scan::new().expect("/proc");
            let all = loop {
                if let Some(all) = scan.advance(3) {
                    break all;
                }
            };
            all.iter().any(|t| t.comm == b"unlike-others" && t.leader == own && t.pid != own)
        };
        // It sets its name when it starts.
        while !find() {
            std::thread::yield_now();
        }
        drop(tell);
        assert!(waiting.join().expect("it only waits").is_err());
    }

    #[test]
    fn who_is_gone_is_not_found() {
        // Beyond the largest number there can be.
        assert_eq!(look(u32::MAX), None);
    }
}
