//! Any replies of a mail server, split anywhere: no panic, bounded, and always the same verdict.
#![no_main]

use keepalived::check::smtp::Smtp;
use keepalived::check::Verdict;
use keepalived::model;
use keepalived::wire::smtp::LINE_MAX;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&piece, replies)) = data.split_first() else { return };
    let whole = run(replies, replies.len().max(1));
    assert_eq!(run(replies, usize::from(piece) + 1), whole, "cut into pieces of {piece} + 1");
});

fn run(replies: &[u8], piece: usize) -> (Verdict, Vec<u8>) {
    let mut smtp = Smtp::new(&model::check::Smtp { helo_name: "h.example".into() });
    let mut said = Vec::new();
    smtp.start();
    for bytes in replies.chunks(piece) {
        smtp.received(bytes);
        said.extend_from_slice(smtp.pending_output());
        smtp.sent(smtp.pending_output().len());
    }
    smtp.closed();
    assert!(said.len() < LINE_MAX, "two commands and no more");
    (smtp.outcome().cloned().expect("a closed connection decides"), said)
}
