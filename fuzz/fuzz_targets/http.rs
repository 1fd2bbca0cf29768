//! Any reply to any HTTP check, split anywhere: no panic, bounded, and always the same verdict.
#![no_main]

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::LazyLock;

use keepalived::base::pattern::Pattern;
use keepalived::check::http::Page;
use keepalived::check::end::End;
use keepalived::check::Verdict;
use keepalived::model::check::{Http, PageRegex, Protocol, Url, STATUS_DEFAULT};
use libfuzzer_sys::fuzz_target;

static PATTERN: LazyLock<Pattern> =
    LazyLock::new(|| Pattern::compile("^O+K$", &["multiline"]).expect("compiles"));

fuzz_target!(|data: &[u8]| {
    let &[choice, piece, ref reply @ ..] = data else { return };
    let piece = usize::from(piece) + 1;
    let page = configured(choice);
    let whole = run(&page, reply, reply.len().max(1));
    assert_eq!(run(&page, reply, piece), whole, "cut into pieces of {piece}");
});

fn run(page: &Page, reply: &[u8], piece: usize) -> Verdict {
    let mut page = page.clone();
    page.start();
    page.sent(page.pending_output().len());
    reply.chunks(piece).for_each(|bytes| page.received(bytes));
    page.closed(End::Cut);
    page.outcome().cloned().expect("a closed connection decides")
}

/// Each bit of `choice` selects a keyword of the configuration.
fn configured(choice: u8) -> Page {
    let is = |bit: u8| choice >> bit & 1 == 1;
    let regex = is(2).then(|| PageRegex {
        pattern: PATTERN.clone(),
        no_match: is(3),
        min_offset: usize::from(is(4)),
        max_offset: is(5).then_some(40),
    });
    let url = Url {
        path: "/".into(),
        status_codes: vec![STATUS_DEFAULT],
        digest: is(6).then_some([0; 16]),
        regex,
        virtualhost: None,
        sni_name: None,
        tls_compliant: is(7),
    };
    let protocol = match (is(0), is(1)) {
        (true, _) => Protocol::V1_1,
        (_, true) => Protocol::V1_0Close,
        _ => Protocol::V1_0,
    };
    let http = Http { tls: false, protocol, urls: Vec::new(), fast_recovery: false };
    Page::new(&http, &url, SocketAddr::from((Ipv4Addr::LOCALHOST, 80)))
}
