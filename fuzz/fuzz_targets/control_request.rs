//! Anything that a client of the control socket may send, split anywhere: no panic, bounded, and
//! always the same requests. What is understood reads back.
#![no_main]

use keepalived::base::time::Instant;
use keepalived::control::session::{Session, LONGEST};
use keepalived::control::{Failure, Reply, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&piece, bytes)) = data.split_first() else { return };
    let whole = run(bytes, bytes.len().max(1));
    assert_eq!(run(bytes, usize::from(piece) + 1), whole, "cut into pieces of {piece} + 1");
});

/// The requests of a client, each answered at once.
fn run(bytes: &[u8], piece: usize) -> Vec<Result<Request, Failure>> {
    let (mut session, mut found) = (Session::new(Instant::ZERO), Vec::new());
    for mut part in bytes.chunks(piece) {
        while !part.is_empty() && !session.is_ending {
            let taken = part.len().min(session.room());
            session.received(&part[..taken]);
            part = &part[taken..];
            loop {
                let Ok(line) = session.take_request(Instant::ZERO) else {
                    session.is_ending = true;
                    break;
                };
                let Some(line) = line else { break };
                assert!(line.len() < LONGEST);
                let request = Request::parse(&line);
                if let Ok(request) = &request {
                    let line = request.line();
                    let (end, text) = line.split_last().expect("a line");
                    assert_eq!(*end, b'\n');
                    assert_eq!(Request::parse(text).as_ref(), Ok(request));
                }
                found.push(request);
                session.reply(&Reply::Done, Instant::ZERO);
                session.sent(session.pending_output().len(), Instant::ZERO);
            }
        }
    }
    found
}
