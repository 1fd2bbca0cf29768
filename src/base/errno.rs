//! System errors as logged: the text of the C library, without the number that Rust appends.

use std::fmt;
use std::io;

/// The system's text for an error: `No such device`.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// The same for an error number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub i32);

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&reason(&io::Error::from_raw_os_error(self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_shown_without_their_number() {
        assert_eq!(Errno(19).to_string(), "No such device");
    }
}
