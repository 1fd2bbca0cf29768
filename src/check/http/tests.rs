//! Pages that are good, bad, and hostile.

use super::*;
#[cfg(feature = "regex")]
use crate::base::pattern::Pattern;
#[cfg(feature = "regex")]
use crate::model::check::PageRegex;
use crate::model::check::{Protocol, STATUS_DEFAULT};

const TARGET: &str = "192.0.2.1:80";

fn url() -> Url {
    Url {
        path: "/a".into(),
        status_codes: vec![STATUS_DEFAULT],
        digest: None,
        regex: None,
        virtualhost: None,
        sni_name: None,
        tls_compliant: false,
    }
}

fn page(protocol: Protocol, url: &Url) -> Page {
    let http = Http { tls: false, protocol, urls: Vec::new(), fast_recovery: false };
    Page::new(&http, url, TARGET.parse().expect("an address"))
}

/// What the reply makes of the page, in pieces of any length.
fn verdict(protocol: Protocol, url: &Url, reply: &[u8]) -> Option<Verdict> {
    let outcomes = [1, 3, usize::MAX].map(|piece| {
        let mut page = page(protocol, url);
        page.start();
        page.sent(page.pending_output().len());
        reply.chunks(piece).for_each(|bytes| page.received(bytes));
        page.closed(End::Orderly);
        page.outcome().cloned()
    });
    assert_eq!(outcomes[0], outcomes[1], "the cut matters");
    assert_eq!(outcomes[0], outcomes[2], "the cut matters");
    outcomes.into_iter().next().flatten()
}

fn down(reply: &[u8]) -> String {
    match verdict(Protocol::V1_0, &url(), reply) {
        Some(Verdict::Down(reason)) => reason.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_request_names_the_server_or_its_virtual_host() {
    let mut asked = page(Protocol::V1_0, &url());
    assert_eq!(asked.pending_output(), b"", "not connected yet");
    asked.start();
    let text = b"GET /a HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 192.0.2.1:80\r\n\r\n";
    assert_eq!(asked.pending_output(), text);
    asked.sent(4);
    assert_eq!(asked.step(), ProbeStep::Request);
    assert_eq!(asked.pending_output(), &text[4..]);
    asked.sent(999);
    assert_eq!((asked.pending_output(), asked.step()), (&b""[..], ProbeStep::Header));

    let named = Url { virtualhost: Some("www.example".into()), ..url() };
    let mut asked = page(Protocol::V1_1, &named);
    asked.start();
    let text = String::from_utf8_lossy(asked.pending_output());
    assert!(text.contains("\r\nConnection: close\r\nHost: www.example\r\n\r\n"), "{text}");
}

#[test]
fn the_server_is_named_as_its_address_is_written() {
    for text in ["192.0.2.1:80", "255.255.255.255:65535", "[2001:db8::1]:8080", "[::]:0"] {
        assert_eq!(host_of(text.parse().expect("an address")).as_str(), text);
    }
}

#[test]
fn a_good_status_is_enough_without_digest_or_regex() {
    let up = Some(Verdict::UP);
    assert_eq!(verdict(Protocol::V1_0, &url(), b"HTTP/1.0 200 OK\r\n\r\n"), up);
    assert_eq!(verdict(Protocol::V1_0, &url(), b"HTTP/1.0 299 \r\nA: b\r\n\r\n\0\xff"), up);
    let other = Url { status_codes: vec![200..=200, 301..=302], ..url() };
    assert_eq!(verdict(Protocol::V1_0, &other, b"HTTP/1.0 302 Found\r\n\r\n"), up);
    assert_eq!(down(b"HTTP/1.0 302 Found\r\n\r\n"), "status 302, expected 200-299");
    assert_eq!(down(b"HTTP/1.0 503 Busy\r\n\r\n"), "status 503, expected 200-299");
}

#[test]
fn a_bad_status_is_known_at_the_end_of_the_head() {
    let mut page = page(Protocol::V1_0, &url());
    page.start();
    page.received(b"HTTP/1.0 503 Busy\r\n\r\n");
    assert!(page.outcome().is_some());
    page.received(b"HTTP/1.0 200 OK\r\n\r\n");
    page.closed(End::Orderly);
    assert!(page.outcome().is_some_and(|v| !v.is_up()), "and stays");
}

#[test]
fn a_reply_without_a_head_is_a_failure() {
    for text in [&b""[..], b"HTTP/1.0 200 OK\r\n", b"HTTP/1.0 200 OK\n\nbody", b"\0\0\0\0"] {
        assert_eq!(down(text), "connection closed while waiting for the header");
    }
    assert_eq!(down(b"HTTP/1.0\r\n\r\n"), "no status in 'HTTP/1.0'");
    assert_eq!(down(b"\r\n\r\n"), "no status in ''");
    assert_eq!(down(b"HTTP/1.0 \xff\xfe0 OK\r\n\r\n"), "no status in 'HTTP/1.0 \\xff\\xfe0 OK'");
    assert_eq!(
        down(&b"HTTP/1.0 200 OK\r\nA: b".repeat(9_000)),
        "too much data while waiting for the header"
    );
    assert_eq!(down(&[b'x'; 100_000]), "too much data while waiting for the header");
}

#[test]
fn a_digest_covers_the_body_as_long_as_announced() {
    // md5("hello")
    let digest = [
        0x5d, 0x41, 0x40, 0x2a, 0xbc, 0x4b, 0x2a, 0x76, 0xb9, 0x71, 0x9d, 0x91, 0x10, 0x17, 0xc5,
        0x92,
    ];
    let url = Url { digest: Some(digest), ..url() };
    let up = Some(Verdict::UP);
    let v10 = |text: &[u8]| verdict(Protocol::V1_0, &url, text);
    assert_eq!(v10(b"HTTP/1.0 200 OK\r\n\r\nhello"), up);
    assert_eq!(v10(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello!!"), up);
    assert_eq!(v10(b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nhello"), up);
    let chunked =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
    assert_eq!(verdict(Protocol::V1_1, &url, chunked), up);
    let Some(Verdict::Down(reason)) = v10(b"HTTP/1.0 200 OK\r\n\r\n") else { panic!("no failure") };
    assert_eq!(
        reason.to_string(),
        "digest d41d8cd98f00b204e9800998ecf8427e, expected 5d41402abc4b2a76b9719d911017c592"
    );
    let lie = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello";
    assert_eq!(verdict(Protocol::V1_1, &url, lie), Some(Verdict::Down(Reason::Chunks)));
    // A failing status is named, though the digest would fail too.
    let Some(Verdict::Down(Reason::Status { .. })) = v10(b"HTTP/1.0 404 No\r\n\r\n") else {
        panic!("no status")
    };
}

#[test]
#[cfg(feature = "regex")]
fn a_regex_looks_at_the_body_only() {
    let regex = |no_match| {
        let pattern = Pattern::compile("O+K$", &["caseless"]).expect("compiles");
        Some(PageRegex { pattern, no_match, min_offset: 0, max_offset: None })
    };
    let wanted = Url { regex: regex(false), ..url() };
    let unwanted = Url { regex: regex(true), ..url() };
    let good = b"HTTP/1.0 200 x\r\n\r\nall ok\n";
    let bad = b"HTTP/1.0 200 OK\r\n\r\nko";
    assert_eq!(verdict(Protocol::V1_0, &wanted, good), Some(Verdict::UP));
    assert_eq!(verdict(Protocol::V1_0, &unwanted, bad), Some(Verdict::UP));
    let failure = |url, text: &[u8]| match verdict(Protocol::V1_0, url, text) {
        Some(Verdict::Down(reason)) => reason.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(failure(&wanted, bad), "no match for regex 'O+K$'");
    assert_eq!(failure(&unwanted, good), "unwanted match for regex 'O+K$'");
}

#[test]
fn with_http_1_1_the_end_of_the_connection_is_not_waited_for() {
    let mut page = page(Protocol::V1_1, &url());
    page.start();
    page.received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na");
    assert_eq!((page.outcome(), page.step()), (None, ProbeStep::Body));
    page.received(b"b");
    assert_eq!(page.outcome(), Some(&Verdict::UP));
}

#[test]
fn a_connection_that_is_cut_matters_only_with_tls_compliant() {
    for (tls_compliant, is_up) in [(false, true), (true, false)] {
        let mut page = page(Protocol::V1_0, &Url { tls_compliant, ..url() });
        page.start();
        page.received(b"HTTP/1.1 200 OK\r\n\r\na");
        page.closed(End::Cut);
        assert_eq!(page.outcome().map(Verdict::is_up), Some(is_up));
    }
}

proptest::proptest! {
    #[test]
    fn no_reply_makes_it_panic(pieces in proptest::collection::vec(".{0,40}", 0..9), framed: bool) {
        let protocol = if framed { Protocol::V1_1 } else { Protocol::V1_0 };
        let mut page = page(protocol, &url());
        page.start();
        page.received(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n");
        pieces.iter().for_each(|piece| page.received(piece.as_bytes()));
        page.closed(End::Orderly);
        assert!(page.outcome().is_some());
    }
}
