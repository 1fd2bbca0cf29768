//! System errors as logged: the text of the C library, without the number that Rust appends.

use std::fmt;
use std::io;

/// The system's text for an error: `No such device`.
pub fn reason(error: &io::Error) -> String {
    let mut text = error.to_string();
    while let Some(start) = text.find(" (os error ") {
        let Some(len) = text[start..].find(')') else { break };
        text.replace_range(start..=start + len, "");
    }
    text
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
    fn a_number_inside_a_text_takes_nothing_else_along() {
        let inner = io::Error::from_raw_os_error(2);
        let outer = io::Error::other(format!("load it ({inner}), or do without"));
        assert_eq!(reason(&outer), "load it (No such file or directory), or do without");
    }

    #[test]
    fn errors_are_shown_without_their_number() {
        assert_eq!(Errno(19).to_string(), "No such device");
    }
}
