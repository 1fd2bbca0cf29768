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

/// Reply of the kernel to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KernelReply {
    /// 0: it was done.
    pub errno: i32,
    /// What the kernel says about a refusal besides.
    pub text: Option<Box<str>>,
}

impl KernelReply {
    pub const DONE: Self = Self::from_errno(0);

    pub const fn from_errno(errno: i32) -> Self {
        Self { errno, text: None }
    }
}

impl From<KernelReply> for i32 {
    fn from(reply: KernelReply) -> Self {
        reply.errno
    }
}

/// The refusal: `No such device (Nexthop device is not up)`.
impl fmt::Display for KernelReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Errno(self.errno).fmt(f)?;
        match &self.text {
            Some(text) => write!(f, " ({text})"),
            None => Ok(()),
        }
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
    fn a_refusal_is_shown_with_the_words_of_the_kernel() {
        let mut reply = KernelReply::from_errno(19);
        assert_eq!(reply.to_string(), "No such device");
        reply.text = Some("Nexthop device is not up".into());
        assert_eq!(reply.to_string(), "No such device (Nexthop device is not up)");
    }

    #[test]
    fn errors_are_shown_without_their_number() {
        assert_eq!(Errno(19).to_string(), "No such device");
    }
}
