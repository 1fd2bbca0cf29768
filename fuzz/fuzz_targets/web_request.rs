//! Anything that a client of the web may send, split anywhere: no panic, bounded, and always the same
//! request or refusal.
#![no_main]

use keepalived::base::time::Instant;
use keepalived::control::session::Session;
use keepalived::web::{Refusal, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&piece, bytes)) = data.split_first() else { return };
    let whole = run(bytes, bytes.len().max(1));
    assert_eq!(run(bytes, usize::from(piece) + 1), whole, "cut into pieces of {piece} + 1");
});

/// What comes of the bytes; `None`: more is waited for.
fn run(bytes: &[u8], piece: usize) -> Option<Result<Request, Refusal>> {
    let mut session = Session::new(Instant::ZERO);
    for mut part in bytes.chunks(piece) {
        while !part.is_empty() {
            let taken = part.len().min(session.room());
            session.received(&part[..taken]);
            part = &part[taken..];
            match Request::parse(session.unread()) {
                Ok(None) if session.room() == 0 => return Some(Err(Refusal::TooLarge)),
                Ok(None) => {}
                Ok(Some(request)) => {
                    assert!(request.path.starts_with('/'));
                    return Some(Ok(request));
                }
                Err(refusal) => return Some(Err(refusal)),
            }
        }
    }
    None
}
