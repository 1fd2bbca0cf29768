//! One output of the log with its backlog: what it cannot take at once waits here, within bounds.
//!
//! Bursts are normal (a start with a thousand instances), and a pipe or the queue of a syslog holds
//! only the first of their lines.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::os::fd::RawFd;

/// Something that takes lines, each at once or not at all, or in part.
pub(super) trait Sink {
    /// How many bytes were taken; `WouldBlock` if the line may be taken later.
    fn send(&mut self, line: &[u8]) -> io::Result<usize>;

    /// What becomes writable when lines are taken again.
    fn descriptor(&self) -> Option<RawFd>;
}

/// A sink, the lines it has still to get, and how many were lost.
#[derive(Debug)]
pub(super) struct Output<S> {
    pub(super) sink: S,
    /// The first may have lost its beginning, which was taken.
    backlog: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Since the last line that said how many.
    untold: u64,
    lost: u64,
}

/// A backlog has no more bytes than this.
const LIMIT: usize = 128 * 1024;

impl<S: Sink> Output<S> {
    pub(super) fn new(sink: S) -> Self {
        Self { sink, backlog: VecDeque::new(), bytes: 0, untold: 0, lost: 0 }
    }

    /// Lines that nobody will see.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    pub(super) fn has_backlog(&self) -> bool {
        !self.backlog.is_empty()
    }

    /// Writes a line, after what waits. `form` makes it of a text; `line` is a buffer to do so.
    pub(super) fn write(
        &mut self,
        line: &mut Vec<u8>,
        text: &str,
        form: impl Fn(&mut Vec<u8>, &str),
    ) {
        self.flush();
        // Only when there is room for many lines again, so that a full backlog does not become a
        // list of such remarks.
        if self.untold > 0 && self.bytes < LIMIT / 2 {
            form(line, &format!("{} log lines were lost here", self.untold));
            self.untold = 0;
            self.put(line);
        }
        form(line, text);
        self.put(line);
    }

    /// Hands over what waits, as far as it is taken.
    pub(super) fn flush(&mut self) {
        while let Some(line) = self.backlog.front_mut() {
            match self.sink.send(line) {
                Ok(0) => return,
                Ok(n) if n < line.len() => {
                    line.drain(..n);
                    self.bytes -= n;
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                outcome => {
                    self.bytes -= line.len();
                    self.backlog.pop_front();
                    self.count(u64::from(outcome.is_err()));
                }
            }
        }
    }

    fn put(&mut self, line: &[u8]) {
        let sent = if self.backlog.is_empty() {
            self.sink.send(line)
        } else {
            Err(ErrorKind::WouldBlock.into())
        };
        let taken = match sent {
            Ok(n) if n >= line.len() => return,
            Ok(n) => n,
            Err(e) if e.kind() == ErrorKind::WouldBlock => 0,
            Err(_) => return self.count(1),
        };
        let rest = &line[taken..];
        // The rest of a line that was begun is kept in any case.
        if taken == 0 && (self.untold > 0 || self.bytes + rest.len() > LIMIT) {
            return self.count(1);
        }
        self.bytes += rest.len();
        self.backlog.push_back(rest.to_vec());
    }

    fn count(&mut self, lost: u64) {
        self.untold += lost;
        self.lost += lost;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes as many bytes as it has room for.
    #[derive(Default)]
    struct Bucket {
        room: usize,
        got: Vec<u8>,
        broken: bool,
    }

    impl Sink for Bucket {
        fn send(&mut self, line: &[u8]) -> io::Result<usize> {
            if self.broken {
                return Err(ErrorKind::BrokenPipe.into());
            }
            let n = line.len().min(self.room);
            if n == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.room -= n;
            self.got.extend_from_slice(&line[..n]);
            Ok(n)
        }

        fn descriptor(&self) -> Option<RawFd> {
            None
        }
    }

    fn form(line: &mut Vec<u8>, text: &str) {
        line.clear();
        line.extend_from_slice(text.as_bytes());
        line.push(b'\n');
    }

    fn write(output: &mut Output<Bucket>, text: &str) {
        output.write(&mut Vec::new(), text, form);
    }

    fn got(output: &Output<Bucket>) -> &str {
        std::str::from_utf8(&output.sink.got).expect("text")
    }

    #[test]
    fn what_is_not_taken_waits_and_keeps_its_place() {
        let mut output = Output::new(Bucket { room: 2, ..Bucket::default() });
        write(&mut output, "one");
        write(&mut output, "two");
        assert_eq!(got(&output), "on");
        assert!(output.has_backlog());
        output.sink.room = 3;
        output.flush();
        assert_eq!(got(&output), "one\nt");
        output.sink.room = 100;
        write(&mut output, "three");
        assert_eq!(got(&output), "one\ntwo\nthree\n");
        assert!(!output.has_backlog());
        assert_eq!((output.lost(), output.bytes), (0, 0));
    }

    #[test]
    fn the_backlog_has_a_limit_and_the_loss_is_told_in_its_place() {
        let mut output = Output::new(Bucket::default());
        let long = "x".repeat(LIMIT / 4 - 1);
        for _ in 0..7 {
            write(&mut output, &long);
        }
        assert_eq!((output.lost(), output.bytes), (3, LIMIT));
        output.sink.room = LIMIT / 4;
        write(&mut output, "there is room, but not for many");
        assert_eq!(output.lost(), 4);
        output.sink.room = 2 * LIMIT;
        write(&mut output, "last");
        let kept = got(&output).trim_start_matches(['x', '\n']);
        assert_eq!(kept, "4 log lines were lost here\nlast\n");
        assert_eq!(output.bytes, 0);
    }

    #[test]
    fn nothing_waits_for_an_output_that_is_broken() {
        let mut output = Output::new(Bucket::default());
        write(&mut output, "waits");
        output.sink.broken = true;
        write(&mut output, "comes too late");
        assert!(!output.has_backlog());
        // The remark about the first was lost as well.
        assert_eq!((output.lost(), output.bytes), (3, 0));
    }
}
