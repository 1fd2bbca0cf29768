#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::io::Read;
use std::os::unix::net::UnixStream;

use super::*;
use crate::sys::pipe;
use crate::sys::tests::{wait, TempDir};

const LINE: &[u8] = &[b'x'; 1000];

fn is_blocked(result: &io::Result<usize>) -> bool {
    matches!(result, Err(e) if e.kind() == ErrorKind::WouldBlock)
}

/// Sends until nothing is taken; how many bytes that were.
fn fill(sink: &mut impl Sink) -> usize {
    let mut taken = 0;
    for _ in 0..100_000 {
        match sink.send(LINE) {
            Ok(n) => taken += n,
            result => {
                assert!(is_blocked(&result), "{result:?}");
                return taken;
            }
        }
    }
    panic!("never full");
}

fn stalls_and_recovers(stream: &mut Stream, mut reader: impl Read) {
    let taken = fill(stream);
    let mut got = vec![0; taken];
    reader.read_exact(&mut got).expect("what was taken");
    assert_eq!(stream.send(b"y").expect("takes lines again"), 1);
}

#[test]
fn a_full_pipe_takes_no_line_and_does_not_block() {
    let (reader, writer) = pipe().expect("a pipe");
    let mut stream = Stream::of(&writer).expect("a stream");
    assert_eq!(stream.way, Way::Plain);
    stalls_and_recovers(&mut stream, File::from(reader));
}

#[test]
fn the_shared_end_of_a_pipe_stays_blocking() {
    let (_reader, writer) = pipe().expect("a pipe");
    let _stream = Stream::of(&writer).expect("a stream");
    let flags = nix::fcntl::fcntl(&writer, nix::fcntl::FcntlArg::F_GETFL).expect("flags");
    assert_eq!(flags & libc::O_NONBLOCK, 0);
}

#[test]
fn a_pipe_that_cannot_be_opened_anew_is_polled() {
    let (reader, writer) = pipe().expect("a pipe");
    let mut stream = Stream { file: File::from(writer), way: Way::Polled };
    stalls_and_recovers(&mut stream, File::from(reader));
}

#[test]
fn a_full_socket_takes_no_line_and_does_not_block() {
    let (reader, writer) = UnixStream::pair().expect("a pair");
    let mut stream = Stream::of(&writer).expect("a stream");
    assert_eq!(stream.way, Way::Socket);
    stalls_and_recovers(&mut stream, reader);
}

#[test]
fn a_reader_that_is_gone_is_an_error() {
    let (reader, writer) = pipe().expect("a pipe");
    let mut stream = Stream::of(&writer).expect("a stream");
    drop(reader);
    // A process that another test is starting may have a copy of the reader, for a moment.
    let result = wait(|| Some(stream.send(b"x")).filter(io::Result::is_err));
    assert!(!is_blocked(&result), "{result:?}");
}

#[test]
fn lines_wait_for_a_syslog_and_find_it_after_a_restart() {
    let dir = TempDir::new("syslog");
    let path = dir.path().join("log");
    let mut syslog = SyslogSocket::new(&path);
    assert!(is_blocked(&syslog.send(b"too early")));
    for text in [&b"first"[..], b"second"] {
        let _ = std::fs::remove_file(&path);
        let server = UnixDatagram::bind(&path).expect("binds");
        server.set_nonblocking(true).expect("a socket");
        // As long as a process that another test is starting has a copy of the former socket, lines
        // arrive there.
        let got = wait(|| {
            let mut got = [0; 64];
            syslog.send(text).ok()?;
            let n = server.recv(&mut got).ok()?;
            Some(got[..n].to_vec())
        });
        assert_eq!(got, text);
    }
}

#[test]
fn a_full_syslog_takes_no_line_and_does_not_block() {
    let dir = TempDir::new("syslog-full");
    let path = dir.path().join("log");
    let server = UnixDatagram::bind(&path).expect("binds");
    let mut syslog = SyslogSocket::new(path);
    assert!(fill(&mut syslog) >= LINE.len());
    let fd = syslog.descriptor().expect("is connected");
    assert!(!wait_writable(fd, Duration::ZERO));
    server.recv(&mut [0; 1000]).expect("a line");
    assert_eq!(syslog.send(LINE).expect("takes lines again"), LINE.len());
}

#[test]
fn a_log_file_is_appended_to() {
    let dir = TempDir::new("logfile");
    let path = dir.path().join("k.log");
    std::fs::write(&path, "old\n").expect("writes");
    let mut file = Stream::file(&path).expect("opens");
    file.send(b"new\n").expect("writes");
    assert_eq!(std::fs::read_to_string(&path).expect("reads"), "old\nnew\n");
}

#[test]
fn a_log_file_is_not_reached_through_a_link() {
    let dir = TempDir::new("loglink");
    let target = dir.path().join("target");
    std::os::unix::fs::symlink(&target, dir.path().join("k.log")).expect("links");
    assert!(Stream::file(&dir.path().join("k.log")).is_err());
    assert!(!target.exists());
}
