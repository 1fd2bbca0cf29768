//! Reasons for not using a file, with remedies.

use std::fmt;
use std::io::{self, ErrorKind};

/// Reason for not using a file.
#[derive(Debug)]
pub enum Unfit {
    Missing,
    Directory,
    /// What it is instead.
    NotRegular(&'static str),
    NotFifo,
    Link,
    /// It has so many.
    Names(u64),
    /// More than so many bytes.
    TooLarge(u64),
    Leased,
    System(io::Error),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("No such file or directory"),
            Self::Directory => f.write_str("it is a directory: name a file"),
            Self::NotRegular(kind) => write!(f, "it is {kind}: name a regular file"),
            Self::NotFifo => f.write_str("it is not a FIFO: remove it, or name another path"),
            Self::Link => f.write_str("it is a symbolic link: remove it, or name what it leads to"),
            Self::Names(n) => {
                write!(f, "the file has {n} names (hard links): remove it, or name another path")
            }
            Self::TooLarge(limit) => write!(f, "it is larger than {limit} bytes, the most allowed"),
            Self::Leased => f.write_str(
                "another program holds a lease on it (fcntl F_SETLEASE): end that program, or try \
                 again when it has let go",
            ),
            Self::System(e) => f.write_str(&crate::sys::reason(e)),
        }
    }
}

impl std::error::Error for Unfit {}

impl From<io::Error> for Unfit {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) => Self::Missing,
            // A link where none is followed; or more of them than the kernel follows.
            Some(libc::ELOOP) => Self::Link,
            Some(libc::EISDIR) => Self::Directory,
            // A socket, a device without a driver.
            Some(libc::ENXIO | libc::ENODEV) => Self::NotRegular("a device or a socket"),
            Some(libc::EWOULDBLOCK) => Self::Leased,
            _ => Self::System(error),
        }
    }
}

impl From<Unfit> for io::Error {
    fn from(unfit: Unfit) -> Self {
        let kind = match unfit {
            Unfit::System(e) => return e,
            Unfit::Missing => ErrorKind::NotFound,
            Unfit::Directory => ErrorKind::IsADirectory,
            Unfit::Leased => ErrorKind::WouldBlock,
            Unfit::TooLarge(_) => ErrorKind::FileTooLarge,
            Unfit::NotRegular(_) | Unfit::NotFifo | Unfit::Link | Unfit::Names(_) => {
                ErrorKind::InvalidInput
            }
        };
        Self::new(kind, unfit.to_string())
    }
}
