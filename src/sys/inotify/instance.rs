//! The kernel's side: one instance, its watches by their numbers, and its events.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd as _, AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

use crate::base::sorted::SortedMap;

/// The kernel's number of a watch.
pub(super) type Watch = i32;

/// More events than these per call wait for the next.
const BUFFER: usize = 16 * 1024;

/// Non-blocking, closed on exec.
#[derive(Debug)]
pub(super) struct Instance {
    inotify: Inotify,
    descriptors: SortedMap<Watch, WatchDescriptor>,
    buffer: Vec<u8>,
}

impl Instance {
    /// # Errors
    /// The system call fails, for want of descriptors or of the user's instances
    /// (`fs.inotify.max_user_instances`).
    pub(super) fn new() -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        Ok(Self { inotify, descriptors: SortedMap::new(), buffer: vec![0; BUFFER] })
    }

    /// Watches a path for the events of the mask, whose flags are those of inotify(7).
    ///
    /// # Errors
    /// The path is not there, or the kernel has no more watches for this user.
    pub(super) fn add(&mut self, path: &Path, mask: u32) -> io::Result<Watch> {
        let descriptor = self.inotify.add_watch(path, AddWatchFlags::from_bits_retain(mask))?;
        self.descriptors.insert(descriptor.as_raw(), descriptor);
        Ok(descriptor.as_raw())
    }

    /// Gives a watch back. What was watched may be gone, and its watch with it.
    pub(super) fn remove(&mut self, watch: Watch) {
        if let Some(descriptor) = self.descriptors.remove(&watch) {
            let _ = self.inotify.rm_watch(descriptor);
        }
    }

    /// Reads once; false if there was nothing. `each` receives the events without copies of their
    /// names, since other programs may cause a hundred thousand irrelevant ones a second.
    ///
    /// # Errors
    /// Reading fails, which is not expected.
    pub(super) fn read(&mut self, mut each: impl FnMut(FileEvent<'_>)) -> io::Result<bool> {
        match nix::unistd::read(&self.inotify, &mut self.buffer).map_err(io::Error::from) {
            Ok(count) => {
                for event in events(&self.buffer[..count.min(BUFFER)]) {
                    if event.mask & libc::IN_IGNORED != 0 {
                        self.descriptors.remove(&event.watch);
                    }
                    each(event);
                }
                Ok(true)
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(e) if e.kind() == ErrorKind::Interrupted => Ok(true),
            Err(e) => Err(e),
        }
    }
}

impl AsRawFd for Instance {
    fn as_raw_fd(&self) -> RawFd {
        self.inotify.as_fd().as_raw_fd()
    }
}

#[derive(Debug)]
pub(super) struct FileEvent<'a> {
    pub(super) watch: Watch,
    pub(super) mask: u32,
    /// Empty for events of the directory itself.
    pub(super) name: &'a OsStr,
}

/// The events of one read, as inotify(7) lays them out.
pub(super) fn events(mut bytes: &[u8]) -> impl Iterator<Item = FileEvent<'_>> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_at_checked(16)?;
        let word = |n: usize| head[n * 4..].first_chunk::<4>().copied();
        let length = usize::try_from(u32::from_ne_bytes(word(3)?)).ok()?;
        let (name, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        let name = name.split(|b| *b == 0).next().unwrap_or_default();
        Some(FileEvent {
            watch: i32::from_ne_bytes(word(0)?),
            mask: u32::from_ne_bytes(word(1)?),
            name: OsStr::from_bytes(name),
        })
    })
}
