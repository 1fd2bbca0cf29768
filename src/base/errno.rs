//! The kernel's error numbers as the log shows them.

use std::fmt;
use std::io;

/// The text of an errno: `No such device`, without the number that Rust adds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub i32);

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = io::Error::from_raw_os_error(self.0).to_string();
        f.write_str(text.split(" (os error").next().unwrap_or(&text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_alone() {
        assert_eq!(Errno(19).to_string(), "No such device");
    }
}
