//! One output of the log with its bounded backlog of lines that it cannot take at once.
//!
//! Bursts are normal (a start with thousands of servers). A pipe or the queue of a syslog holds
//! only the first of their lines, and a system call for each would take longer than the logged
//! work: after the first lines of a turn, lines are combined.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;

/// Something that takes lines, each at once or not at all, or in part.
pub(super) trait Sink {
    /// Returns the number of bytes taken; `WouldBlock` if the line may be taken later.
    fn send(&mut self, line: &[u8]) -> io::Result<usize>;

    /// What becomes writable when lines are taken again.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;

    /// Whether several lines may be sent as one.
    fn joins(&self) -> bool;
}

/// A sink, its backlog, and the number of lost lines.
#[derive(Debug)]
pub(super) struct Output<S> {
    pub(super) sink: S,
    /// The first may have lost its beginning, which was taken. One may be several lines.
    backlog: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Of these, since they were last offered.
    gathered: usize,
    /// Lines that may still go out at once in this turn.
    free: usize,
    /// Since the last line with their number.
    untold: u64,
    lost: u64,
}

/// A backlog has no more bytes than this.
const LIMIT: usize = 128 * 1024;
/// More than this is not gathered. A pipe takes as much as a whole, or nothing.
const GATHERED: usize = 4096;
/// Lines of a turn that go out at once: a few lines are read as they happen, a burst is not.
const FREE: usize = 16;

impl<S: Sink> Output<S> {
    pub(super) fn new(sink: S) -> Self {
        let backlog = VecDeque::new();
        Self { sink, backlog, bytes: 0, gathered: 0, free: usize::MAX, untold: 0, lost: 0 }
    }

    /// Lines that were dropped.
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
        if self.free > 0 {
            self.flush();
        }
        // Only when there is room for many lines again, so that a full backlog does not become a
        // list of such remarks.
        if self.untold > 0 && self.bytes < LIMIT / 2 {
            form(line, &format!("{} log lines were lost here", self.untold));
            self.untold = 0;
            self.put(line);
        }
        form(line, text);
        self.put(line);
        self.free = self.free.saturating_sub(1);
    }

    /// A turn is over: writes waiting lines as far as possible. Lines are combined from the first
    /// end of a turn on.
    pub(super) fn end_turn(&mut self) {
        self.free = FREE;
        self.flush();
    }

    /// Writes waiting lines as far as possible.
    pub(super) fn flush(&mut self) {
        self.gathered = 0;
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
        let sent = if self.backlog.is_empty() && self.free > 0 {
            self.sink.send(line)
        } else {
            if self.gathered + line.len() > GATHERED {
                self.flush();
            }
            self.gathered += line.len();
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
        match self.backlog.back_mut().filter(|last| last.len() + rest.len() <= GATHERED) {
            Some(last) if self.sink.joins() => last.extend_from_slice(rest),
            _ => self.backlog.push_back(rest.to_vec()),
        }
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
        joins: bool,
        calls: usize,
    }

    impl Sink for Bucket {
        fn send(&mut self, line: &[u8]) -> io::Result<usize> {
            self.calls += 1;
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

        fn descriptor(&self) -> Option<BorrowedFd<'_>> {
            None
        }

        fn joins(&self) -> bool {
            self.joins
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
    fn the_lines_of_a_burst_go_out_together_in_their_order() {
        for (joins, calls) in [(true, FREE + 1), (false, 3 * FREE)] {
            let mut output = Output::new(Bucket { room: LIMIT, joins, ..Bucket::default() });
            output.end_turn();
            let lines: Vec<_> = (0..3 * FREE).map(|n| format!("line {n}")).collect();
            lines.iter().for_each(|line| write(&mut output, line));
            assert_eq!(got(&output), lines[..FREE].join("\n") + "\n");
            output.end_turn();
            assert_eq!(got(&output), lines.join("\n") + "\n");
            assert_eq!((output.sink.calls, output.lost(), output.bytes), (calls, 0, 0));
            write(&mut output, "alone");
            assert!(got(&output).ends_with("\nalone\n"), "at once in a new turn");
        }
    }

    #[test]
    fn what_is_gathered_is_bounded() {
        let mut output = Output::new(Bucket { room: LIMIT, joins: true, ..Bucket::default() });
        output.end_turn();
        for _ in 0..LIMIT / 128 {
            write(&mut output, &"x".repeat(99));
            assert!(output.bytes <= GATHERED);
        }
        output.end_turn();
        assert_eq!((output.sink.got.len(), output.lost()), (LIMIT / 128 * 100, 0));
        assert!(output.sink.calls <= FREE + LIMIT / GATHERED + 1, "{}", output.sink.calls);
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
