//! Source of configuration files. A trait, so that the reader stays pure.

use std::fmt;

/// Source of files.
pub trait Loader {
    /// The names in a directory, in any order; `None` if it cannot be listed. `""` is the working
    /// directory.
    fn list(&self, directory: &str) -> Option<Vec<String>>;

    /// True if the name exists.
    fn exists(&self, path: &str) -> bool;

    /// The content of a regular, readable file without execute permission, of at most `limit`
    /// bytes. Blocks only on the disk.
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Unusable>;

    /// Absolute name of an existing file or directory, without links.
    fn absolute(&self, path: &str) -> String;

    /// Called every few hundred lines, for work that cannot wait.
    fn breathe(&self) {}
}

/// Reason for not reading a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Unusable {
    Missing,
    Directory,
    /// A device, a pipe, a socket.
    NotRegular,
    /// Some execute permission is set: it may be a script named by mistake.
    Executable,
    TooLarge,
    /// The system's reason.
    Unreadable(String),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "no such file",
            Self::Directory => "it is a directory",
            Self::NotRegular => "it is not a regular file",
            Self::Executable => "it is executable",
            Self::TooLarge => "it is too large",
            Self::Unreadable(why) => why,
        })
    }
}
