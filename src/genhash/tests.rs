//! The command line, and pages from servers on the loopback interface.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use super::*;

fn genhash(line: &str) -> Outcome {
    let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    run(&words)
}

/// A server that takes one request and answers with `reply`; what it was asked is the result.
fn server(reply: &'static [u8]) -> (u16, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    #[expect(clippy::disallowed_methods, reason = "the other end of a test needs a thread")]
    let asked = thread::spawn(move || {
        let (mut connection, _) = listener.accept().expect("a connection");
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if connection.read(&mut byte).expect("a request") == 0 {
                break;
            }
            request.push(byte[0]);
        }
        connection.write_all(reply).expect("room for a reply");
        String::from_utf8_lossy(&request).into_owned()
    });
    (port, asked)
}

fn stdout(outcome: &Outcome) -> String {
    String::from_utf8_lossy(&outcome.stdout).into_owned()
}

#[test]
fn what_is_wrong_comes_before_the_usage() {
    for (line, complaint) in [
        ("", ""),
        ("-v", ""),
        ("-h a b c", ""),
        ("-s 127.0.0.1 -p 80", ""),
        ("-s 127.0.0.1 -p x -u /", "invalid port number 'x'\n"),
        ("-s 127.0.0.1 -p 0 -u /", "invalid port number '0'\n"),
        ("-s 127.0.0.1 -p 99999 -u /", "invalid port number '99999'\n"),
        ("-s 127.0.0.1 -m x -u /", "invalid fwmark 'x'\n"),
        ("-s 127.0.0.1 -t 0.5 -u /", "invalid timeout '0.5'\n"),
        ("-s 127.0.0.1 -P 2.0 -u /", "invalid HTTP protocol version '2.0'\n"),
        ("-s 127.0.0.1 -p 1 -u", "Missing parameter for option -u\n"),
        ("-s 127.0.0.1 -p 1 --url", "Missing parameter for option --url\n"),
        ("-x -s 127.0.0.1 -p 1 -u / -y", "Unknown option -x\nUnknown option -y\n"),
        ("-s 127.0.0.1 -p 1 -u / --foo=1", "Unknown option --foo=1\n"),
        ("-s 127.0.0.1 -p 1 -u / --verbose=1", "Unknown option --verbose=1\n"),
        ("-s 127.0.0.1 a -p 1 -u / b", "Unexpected argument(s): a b\n"),
        ("-s 127.0.0.1 -p 1 -u / -- -v --x", "Unexpected argument(s): -v --x\n"),
        ("-s 127.0.0.1 -p 1 -u / -vxSy", "Unknown option -x\nUnknown option -y\n"),
        ("-s 127.0.0.1 -p 1 -u / -v-", "Unknown option --\n"),
        ("-s 127.0.0.1 -p 1 -u / --use", "Unknown option --use\n"),
        ("-s 127.0.0.1 -p 1 -u / --verb=1 -x", "Unknown option --verb=1\nUnknown option -x\n"),
        ("-x -s 127.0.0.1 -p 0 -u", "invalid port number '0'\n"),
        ("-s 127.0.0.1 -vu", "Missing parameter for option -u\n"),
        ("-x -h -p 0", ""),
        ("-hp0", ""),
    ] {
        let outcome = genhash(line);
        let usage = outcome.stderr.strip_prefix(complaint).unwrap_or_default();
        assert!(usage.starts_with("Usage: genhash COMMAND [OPTIONS]\n"), "{line}: {outcome:?}");
        assert_eq!((outcome.status, outcome.stdout), (Status::Failure, Vec::new()), "{line}");
    }
}

#[test]
fn every_option_can_be_written_in_several_ways() {
    let parse = |line: &str| {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        options::parse(&words).expect(line)
    };
    let short = parse("-SIv -s ::1 -p 443 -u /a -V h -m 7 -P 1.1 -t 9");
    let long = "--use-ssl --use-sni --verbose --server=::1 --port 443 --url /a \
        --use-virtualhost h --fwmark=7 --protocol 1.1 --timeout 9";
    assert_eq!(parse(long), short);
    let cut = "--use-ss --use-sn --verb --se ::1 --po 443 --ur /a --use-v h -m7 -P1.1 --t=9";
    assert_eq!(parse(cut), short);
    let last = parse("-p 1 -s a -u / -V -x -p2 -t 1 --use-virtualhost --use-ss -s b -t 9");
    assert_eq!((last.port, last.server.as_str()), (2, "b"));
    assert_eq!(last.virtualhost.as_deref(), Some("--use-ss"));
    assert_eq!((short.server.as_str(), short.port), ("::1", 443));
    assert!(short.tls && short.sni && short.verbose && short.fwmark == 7);
    for flag in ["use-ssl", "server", "timeout", "-S", "-t"] {
        assert!(options::usage().contains(flag));
    }
}

#[test]
fn the_digest_of_a_page_is_printed() {
    let (port, asked) = server(b"HTTP/1.0 404 X\r\n\r\nhello");
    let outcome = genhash(&format!("-s 127.0.0.1 -p {port} -u /a"));
    assert_eq!(stdout(&outcome), "5d41402abc4b2a76b9719d911017c592\n");
    assert_eq!((outcome.stderr.as_str(), outcome.status), ("", Status::Ok));
    let request = asked.join().expect("a request");
    let host = format!("\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    assert!(request.starts_with("GET /a HTTP/1.0\r\n") && request.ends_with(&host), "{request}");
}

#[test]
fn verbose_output_is_what_people_know() {
    let (port, asked) = server(b"HTTP/1.0 200 X\r\n\r\nhello");
    let outcome = genhash(&format!("-v -V www.example -s 127.0.0.1 -p {port} -u /a"));
    let text = stdout(&outcome).replace('\r', "");
    let (text, time) = text.split_once("\nGlobal response time for [/a] = ").expect("a time");
    assert!(time.trim_end_matches(" usecs\n").parse::<u64>().is_ok(), "{time}");
    let want = "\
-----------------------[    HTTP Header Buffer    ]-----------------------
0000  48 54 54 50 2f 31 2e 30 - 20 32 30 30 20 58 0d 0a   HTTP/1.0 200 X..
0016  0d 0a                   -                           ..              
-----------------------[ HTTP Header Ascii Buffer ]-----------------------
HTTP/1.0 200 X


-----------------------[        HTML Buffer        ]-----------------------
0000  68 65 6c 6c 6f          -                           hello           

-----------------------[    HTML hash resulting    ]-----------------------
0000  5d 41 40 2a bc 4b 2a 76 - b9 71 9d 91 10 17 c5 92   ]A@*.K*v.q......
-----------------------[ HTML hash final resulting ]-----------------------
5d41402abc4b2a76b9719d911017c592
";
    assert_eq!(text, want);
    assert!(asked.join().expect("a request").contains("Host: www.example\r\n"));
}

#[test]
fn a_name_is_looked_up() {
    let (port, asked) = server(b"HTTP/1.0 200 X\r\n\r\nhello");
    let outcome = genhash(&format!("-s localhost -p {port} -u /"));
    // A host may have it for IPv6 only.
    if outcome.status == Status::Ok {
        assert_eq!(stdout(&outcome), "5d41402abc4b2a76b9719d911017c592\n");
        asked.join().expect("a request");
    } else {
        assert!(outcome.stderr.contains("Connection refused"), "{outcome:?}");
    }
    // Too long for a name, so that nothing outside is asked.
    let name = "x".repeat(300);
    let outcome = genhash(&format!("-s {name} -p 80 -u /"));
    let told = format!("cannot fetch / from {name} port 80: ");
    assert!(outcome.stderr.starts_with(&told), "{outcome:?}");
    assert_eq!((stdout(&outcome).as_str(), outcome.status), ("", Status::Failure));
}

/// That it failed, with nothing where the digest should be.
#[track_caller]
fn fails(outcome: &Outcome, port: u16, why: &str) {
    assert_eq!(outcome.stderr, format!("cannot fetch / from 127.0.0.1 port {port}: {why}\n"));
    assert_eq!((stdout(outcome).as_str(), outcome.status), ("", Status::Failure));
}

#[test]
fn a_page_that_cannot_be_fetched_is_a_failure() {
    for reply in [&b""[..], b"HTTP/1.0 200 X\r\n"] {
        for verbose in ["", "-v"] {
            let (port, asked) = server(reply);
            let outcome = genhash(&format!("{verbose} -s 127.0.0.1 -p {port} -u /"));
            fails(&outcome, port, "connection closed while waiting for the header");
            asked.join().expect("a request");
        }
    }
    // A port that was just in use has no listener any more.
    let (port, asked) = server(b"");
    drop(std::net::TcpStream::connect(("127.0.0.1", port)).expect("a listener"));
    asked.join().expect("no request");
    let outcome = genhash(&format!("-s 127.0.0.1 -p {port} -u /"));
    fails(&outcome, port, "Connection refused while connecting");
}

#[test]
fn a_silent_server_is_not_waited_for_longer_than_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let outcome = genhash(&format!("-t 1 -s 127.0.0.1 -p {port} -u /"));
    fails(&outcome, port, "timeout while waiting for the header");
    let tls = genhash(&format!("-S -t 1 -s 127.0.0.1 -p {port} -u /"));
    let expected = if cfg!(feature = "tls") {
        "timeout in the TLS handshake"
    } else {
        "TLS: this keepalived was built without TLS, SSL_GET cannot work"
    };
    fails(&tls, port, expected);
}
