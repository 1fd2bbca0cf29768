//! Standard streams of a command as files in memory. Neither side ever waits for the other, as it
//! would with a pipe.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsRawFd as _, RawFd};

use nix::sys::memfd::{memfd_create, MFdFlags};

/// Most bytes of an output that are read.
const MOST: u64 = 16 << 20;

/// Standard input, output and error.
#[derive(Debug)]
pub struct Streams {
    files: [File; 3],
}

impl Streams {
    /// The command reads `input`.
    ///
    /// # Errors
    /// There is no memory, or no descriptor.
    pub fn new(input: &str) -> io::Result<Self> {
        let file =
            |name| Ok::<_, io::Error>(File::from(memfd_create(name, MFdFlags::MFD_CLOEXEC)?));
        let mut files = [file(c"stdin")?, file(c"stdout")?, file(c"stderr")?];
        files[0].write_all(input.as_bytes())?;
        files[0].seek(SeekFrom::Start(0))?;
        Ok(Self { files })
    }

    pub(super) fn descriptors(&self) -> [RawFd; 3] {
        [0, 1, 2].map(|n| self.files[n].as_raw_fd())
    }

    /// Standard output and error of a command that has ended.
    ///
    /// # Errors
    /// None are expected.
    pub fn read(&mut self) -> io::Result<[String; 2]> {
        let [_, output, errors] = &mut self.files;
        let text = |file: &mut File| {
            let mut bytes = Vec::new();
            // The command moved the position, which is common to both.
            file.seek(SeekFrom::Start(0))?;
            file.take(MOST).read_to_end(&mut bytes)?;
            Ok::<_, io::Error>(String::from_utf8_lossy(&bytes).into_owned())
        };
        Ok([text(output)?, text(errors)?])
    }
}
