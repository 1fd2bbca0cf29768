//! TLS against a real server side, all in memory.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ServerSessionMemoryCache;
use rustls::{HandshakeKind, ServerConfig, ServerConnection, SupportedProtocolVersion};

use super::*;
use crate::base::verdict::{ProbeStep, Reason, Verdict};
use crate::check::http::Page;
use crate::check::probe::Stream;
use crate::check::talk::Talk;
use crate::model::check::{Http, Protocol, Url, STATUS_DEFAULT};

/// Self-signed, and worth nothing: made for these tests.
const CERTIFICATE: &[u8] = include_bytes!("test-certificate.pem");
const KEY: &[u8] = include_bytes!("test-key.pem");

const REPLY: &[u8] = b"HTTP/1.0 200 OK\r\n\r\nhello";
const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 443);

fn client() -> Client {
    Client::new(&Material::default()).expect("no key material, none to be wrong")
}

fn server_config(versions: &[&'static SupportedProtocolVersion]) -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(KEY).expect("a key");
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a pair");
    // All the sessions of a test: what is forgotten is to be the client's doing.
    config.session_storage = ServerSessionMemoryCache::new(4096);
    Arc::new(config)
}

fn stream(client: &Client, name: Option<&str>, tls_compliant: bool) -> Stream {
    stream_to(SERVER, client, name, tls_compliant)
}

fn stream_to(
    server: SocketAddr,
    client: &Client,
    name: Option<&str>,
    tls_compliant: bool,
) -> Stream {
    let url = Url {
        path: "/a".into(),
        status_codes: vec![STATUS_DEFAULT],
        digest: None,
        regex: None,
        virtualhost: None,
        sni_name: None,
        tls_compliant,
    };
    let http = Http { tls: true, protocol: Protocol::V1_0, urls: Vec::new(), fast_recovery: false };
    let page = Page::new(&http, &url, server);
    let filter = Filter::new(client, name, server).expect("a filter");
    let mut stream = Stream::over_tls(Talk::Http(Box::new(page)), filter);
    stream.start();
    stream
}

/// The server side, which answers once it has a whole request.
struct Server {
    connection: ServerConnection,
    request: Vec<u8>,
    /// Whether it ends as TLS demands.
    is_polite: bool,
    is_done: bool,
}

impl Server {
    fn new(config: &Arc<ServerConfig>, is_polite: bool) -> Self {
        let connection = ServerConnection::new(Arc::clone(config)).expect("a server");
        Self { connection, request: Vec::new(), is_polite, is_done: false }
    }

    fn receive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            self.connection.read_tls(&mut bytes).expect("room");
            self.connection.process_new_packets().expect("good TLS");
        }
        let mut piece = [0; 999];
        while let Ok(n @ 1..) = self.connection.reader().read(&mut piece) {
            self.request.extend_from_slice(&piece[..n]);
        }
        if self.request.ends_with(b"\r\n\r\n") && !self.is_done {
            self.is_done = true;
            self.connection.writer().write_all(REPLY).expect("room");
            if self.is_polite {
                self.connection.send_close_notify();
            }
        }
    }

    fn output(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut out).expect("a Vec takes all");
        }
        out
    }
}

/// Carries bytes both ways, in pieces, until none are left.
fn converse(stream: &mut Stream, server: &mut Server, piece: usize) {
    loop {
        let out = stream.pending_output().to_vec();
        stream.sent(out.len());
        server.receive(&out);
        let back = server.output();
        back.chunks(piece).for_each(|bytes| stream.received(bytes));
        if out.is_empty() && back.is_empty() {
            break;
        }
    }
    if server.is_done {
        stream.closed();
    }
}

#[test]
fn a_page_comes_through_in_either_version_however_it_is_cut() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for piece in [1, 100, 100_000] {
            let mut server = Server::new(&server_config(&[version]), true);
            let mut stream = stream(&client(), None, true);
            assert_eq!(stream.step(), ProbeStep::Handshake);
            converse(&mut stream, &mut server, piece);
            assert_eq!(stream.outcome(), Some(&Verdict::UP), "{version:?} by {piece}");
            assert!(server.request.starts_with(b"GET /a HTTP/1.0\r\n"));
        }
    }
}

#[test]
fn an_end_without_close_notify_is_a_failure_only_with_tls_compliant() {
    for (tls_compliant, is_up) in [(false, true), (true, false)] {
        let mut server = Server::new(&server_config(rustls::ALL_VERSIONS), false);
        let mut stream = stream(&client(), None, tls_compliant);
        converse(&mut stream, &mut server, 1000);
        assert_eq!(stream.outcome().map(Verdict::is_up), Some(is_up));
    }
}

#[test]
fn a_name_is_sent_only_when_there_is_one() {
    for (name, sent) in [
        (None, None),
        (Some("www.example"), Some("www.example")),
        (Some("192.0.2.7"), None),
        (Some("no name"), None),
    ] {
        let mut server = Server::new(&server_config(rustls::ALL_VERSIONS), true);
        let mut stream = stream(&client(), name, true);
        converse(&mut stream, &mut server, 1000);
        assert_eq!(stream.outcome(), Some(&Verdict::UP));
        assert_eq!(server.connection.server_name(), sent);
    }
}

/// How the handshake of a connection to this port and name was made, from the server's side.
fn handshake(
    config: &Arc<ServerConfig>,
    client: &Client,
    port: u16,
    name: Option<&str>,
) -> Option<HandshakeKind> {
    let mut server = Server::new(config, true);
    let mut stream = stream_to(SocketAddr::new(SERVER.ip(), port), client, name, true);
    converse(&mut stream, &mut server, 1000);
    assert_eq!(stream.outcome(), Some(&Verdict::UP));
    server.connection.handshake_kind()
}

#[test]
fn later_connections_resume_the_session_of_the_first_in_either_version() {
    use HandshakeKind::{Full, Resumed};
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (config, client) = (server_config(&[version]), client());
        let kinds = [(); 4].map(|()| handshake(&config, &client.clone(), 443, None));
        assert_eq!(kinds, [Full, Resumed, Resumed, Resumed].map(Some), "{version:?}");
    }
}

#[test]
fn servers_with_the_same_name_or_address_have_sessions_of_their_own() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        // Each server knows its own tickets only.
        let (client, configs) = (client(), [(); 3].map(|()| server_config(&[version])));
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
            for (port, config) in (443..).zip(&configs) {
                let name = Some("www.example");
                assert_eq!(handshake(config, &client, port, name), Some(expected), "{port}");
            }
        }
        let other = handshake(&configs[0], &client, 443, Some("other.example"));
        assert_eq!(other, Some(HandshakeKind::Full), "another name is another server");
    }
}

#[test]
fn a_farm_of_hundreds_resumes_and_what_is_too_much_is_forgotten() {
    use HandshakeKind::{Full, Resumed};
    let config = server_config(&[&rustls::version::TLS13]);
    let round = |client: &Client, count| {
        let ports = 1..=count;
        let kinds = ports.map(|port| handshake(&config, client, port, Some("www.example")));
        kinds.filter(|kind| *kind == Some(Resumed)).count()
    };
    let large = client();
    assert_eq!((round(&large, 300), round(&large, 300)), (0, 300));
    let small = Client(client().0.with_room_for(20));
    assert_eq!((round(&small, 21), small.0.count()), (0, 20));
    assert!(round(&small, 21) >= 19, "one too many costs one or two, not all");
    assert_eq!((small.0.count(), handshake(&config, &small, 22, None)), (20, Some(Full)));
}

#[test]
fn a_server_that_speaks_no_tls_is_down() {
    for text in
        [&b"HTTP/1.0 400 Bad Request\r\n\r\n"[..], b"220 mail\r\n", &[0xff; 20_000], &[0; 20_000]]
    {
        let mut stream = stream(&client(), None, false);
        text.chunks(7).for_each(|bytes| stream.received(bytes));
        stream.closed();
        let Some(Verdict::Down(reason)) = stream.outcome() else { panic!("{stream:?}") };
        assert!(matches!(reason, Reason::Tls(_)), "{reason}");
    }
    let mut silent = stream(&client(), None, false);
    silent.closed();
    let closed = Verdict::Down(Reason::Closed(ProbeStep::Handshake));
    assert_eq!(silent.outcome(), Some(&closed));
    let mut slow = stream(&client(), None, false);
    slow.timed_out();
    assert_eq!(slow.outcome(), Some(&Verdict::Down(Reason::TimedOut(ProbeStep::Handshake))));
}

#[test]
fn key_material_that_cannot_work_is_refused_when_it_is_read() {
    let with = |certificate: Option<&[u8]>, key: Option<&[u8]>| {
        let own = |part: &[u8]| part.to_vec();
        let (certificate, key) = (certificate.map(own), key.map(own));
        let material = Material { certificate, key, password: None };
        Client::new(&material).err().map(|e| e.to_string()).unwrap_or_default()
    };
    assert_eq!(with(Some(CERTIFICATE), Some(KEY)), "");
    for (certificate, key, words) in [
        (&b""[..], KEY, "certificate: there is none"),
        (CERTIFICATE, b"rubbish", "key: there is none"),
        (CERTIFICATE, CERTIFICATE, "key: there is none"),
        (CERTIFICATE, b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "needs a password"),
    ] {
        let text = with(Some(certificate), Some(key));
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn a_certificate_without_its_key_is_not_shown() {
    let (certificate, key) = (Some(CERTIFICATE.to_vec()), Some(KEY.to_vec()));
    let whole = Material { certificate: certificate.clone(), key: key.clone(), password: None };
    assert!(!whole.is_half() && !Material::default().is_half());
    for half in
        [Material { certificate, ..Material::default() }, Material { key, ..Material::default() }]
    {
        assert!(half.is_half() && Client::new(&half).is_ok());
    }
}
