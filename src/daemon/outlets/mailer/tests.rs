//! The mailer against test servers on the loopback interface.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::io::{ErrorKind, Read as _};
use std::net::{TcpListener, TcpStream};

use super::*;
use crate::model::notify::MailServer;
use crate::notify::Subject;
use crate::sys::clock::Clock;
use crate::sys::tests::{wait, TempDir};

/// A mail server that is served between two turns of the client.
struct Server {
    listener: TcpListener,
    client: Option<TcpStream>,
    unread: Vec<u8>,
    in_data: bool,
    /// All lines received.
    heard: Vec<String>,
    connections: usize,
    greeting: &'static str,
    /// Reply to RCPT.
    recipient: fn(&str) -> &'static str,
}

impl Server {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a socket");
        Self {
            listener,
            client: None,
            unread: Vec::new(),
            in_data: false,
            heard: Vec::new(),
            connections: 0,
            greeting: "220-test\r\n220 test\r\n",
            recipient: |_| "250 ok\r\n",
        }
    }

    fn serve(&mut self) {
        if let Ok((client, _)) = self.listener.accept() {
            client.set_nonblocking(true).expect("a socket");
            self.client = Some(client);
            self.connections += 1;
            self.say(self.greeting);
        }
        let Some(client) = &mut self.client else { return };
        let mut buffer = [0; 512];
        match client.read(&mut buffer) {
            Ok(0) => self.client = None,
            Ok(n) => self.unread.extend_from_slice(&buffer[..n]),
            Err(e) => assert_eq!(e.kind(), ErrorKind::WouldBlock),
        }
        while let Some(end) = self.unread.windows(2).position(|w| w == b"\r\n") {
            let line: Vec<_> = self.unread.drain(..end + 2).collect();
            let line = String::from_utf8_lossy(&line[..end]).into_owned();
            self.on_line(&line);
            self.heard.push(line);
        }
    }

    fn on_line(&mut self, line: &str) {
        let answer = match line {
            "." => "250 queued\r\n",
            _ if self.in_data => return,
            "DATA" => "354 go\r\n",
            "QUIT" => "221 bye\r\n",
            _ if line.starts_with("RCPT") => (self.recipient)(line),
            _ => "250 ok\r\n",
        };
        self.in_data = line == "DATA";
        self.say(answer);
    }

    fn say(&mut self, text: &str) {
        if let Some(client) = &mut self.client {
            client.write_all(text.as_bytes()).expect("room for a line");
        }
    }

    fn mail(&self) -> Mail {
        Mail {
            server: MailServer::Address([127, 0, 0, 1].into()),
            port: self.listener.local_addr().expect("bound").port(),
            helo: "r1".into(),
            timeout: Duration::from_secs(5),
            from: "a@b".into(),
            recipients: vec!["c@d".into(), "e@f".into()],
            no_faults: false,
        }
    }

    fn mails(&self) -> usize {
        self.heard.iter().filter(|l| *l == ".").count()
    }
}

struct Client {
    mailer: Mailer,
    poll: Poll<Owner>,
    clock: Clock,
    /// Offset of the clock.
    ahead: Duration,
}

impl Client {
    fn new(mail: &Mail) -> Self {
        let (poll, clock) = (Poll::new().expect("polls"), Clock::new());
        let mut client = Self { mailer: Mailer::new(), poll, clock, ahead: Duration::ZERO };
        client.mailer.setup(Some(mail), &mut client.poll, clock_zero());
        client
    }

    /// True if nothing is in progress or waiting.
    fn is_done(&self) -> bool {
        !self.mailer.is_busy(self.now() + Duration::from_secs(24 * 3600))
    }

    fn now(&self) -> Instant {
        self.clock.now() + self.ahead
    }

    fn post(&mut self, subject: &str) {
        let about = Subject::Instance(subject.into());
        let letter = Letter { subject: subject.into(), text: ".dot".into(), about };
        let now = self.now();
        self.mailer.post(&letter, &mut self.poll, now);
    }

    fn turn(&mut self) {
        let mut ready = Vec::new();
        let now = self.now();
        self.poll.wait(now, Some(now), false, &mut ready).expect("polls");
        for _ in ready {
            self.mailer.on_ready(&mut self.poll, now);
        }
        if self.mailer.next_deadline().is_some_and(|d| d <= now) {
            self.mailer.on_deadline(&mut self.poll, now);
        }
    }
}

fn clock_zero() -> Instant {
    Instant::ZERO
}

#[test]
fn mails_arrive_through_one_connection() {
    let mut server = Server::new();
    let mut client = Client::new(&server.mail());
    for n in 0..50 {
        client.post(&format!("mail {n}"));
    }
    wait(|| {
        client.turn();
        server.serve();
        client.is_done().then_some(())
    });
    assert_eq!((server.mails(), server.connections), (50, 1));
    let subjects = server.heard.iter().filter(|l| l.starts_with("Subject: mail ")).count();
    assert_eq!(subjects, 50);
    assert_eq!(server.heard[0], "HELO r1");
    assert!(server.heard.contains(&"..dot".to_owned()), "{:?}", server.heard);
    client.post("later");
    wait(|| {
        client.turn();
        server.serve();
        client.is_done().then_some(())
    });
    assert_eq!((server.mails(), server.connections), (51, 2));
}

#[test]
fn a_temporarily_refused_recipient_gets_the_mail_later() {
    let mut server = Server::new();
    server.recipient = |line| if line.contains("e@f") { "450 later\r\n" } else { "250 ok\r\n" };
    let mut client = Client::new(&server.mail());
    client.post("x");
    wait(|| {
        client.turn();
        server.serve();
        (server.heard.last()? == "QUIT").then_some(())
    });
    assert_eq!(client.mailer.waiting(), 1);
    server.recipient = |_| "250 ok\r\n";
    client.ahead = Duration::from_secs(11);
    wait(|| {
        client.turn();
        server.serve();
        client.is_done().then_some(())
    });
    let asked = |who: &str| server.heard.iter().filter(|l| l.contains(who)).count();
    assert_eq!((server.mails(), asked("RCPT TO:<c@d>"), asked("RCPT TO:<e@f>")), (2, 1, 2));
}

#[test]
fn a_server_that_is_down_or_breaks_the_protocol_is_retried() {
    let server = Server::new();
    let mail = server.mail();
    drop(server);
    let mut client = Client::new(&mail);
    client.post("x");
    wait(|| {
        client.turn();
        // Refused: the next attempt is seconds away.
        let next = client.mailer.next_deadline()?;
        (next.since(client.now()) > Duration::from_secs(6)).then_some(())
    });
    let mut server = Server::new();
    server.greeting = "nonsense\r\n";
    let now = client.now();
    client.mailer.setup(Some(&server.mail()), &mut client.poll, now);
    wait(|| {
        client.turn();
        server.serve();
        (server.connections == 1 && server.client.is_none()).then_some(())
    });
    assert_eq!(client.mailer.waiting(), 1);
    server.greeting = "220 sorry\r\n";
    client.ahead += Duration::from_secs(60);
    wait(|| {
        client.turn();
        server.serve();
        client.is_done().then_some(())
    });
    assert_eq!(server.mails(), 1);
}

#[test]
fn a_stalled_server_runs_into_the_timeout() {
    let mut server = Server::new();
    server.greeting = "";
    let mut client = Client::new(&server.mail());
    client.post("x");
    wait(|| {
        client.turn();
        server.serve();
        (server.connections == 1 && client.mailer.stream.is_some()).then_some(())
    });
    client.turn();
    client.ahead = Duration::from_secs(6);
    client.turn();
    assert!(client.mailer.stream.is_none());
    assert_eq!(client.mailer.waiting(), 1);
}

#[test]
fn the_alert_file_is_appended_to_but_not_through_a_link() {
    let dir = TempDir::new("alerts");
    let path = dir.path().join("alerts").display().to_string();
    let mail = Mail { server: MailServer::File(path.clone()), ..Server::new().mail() };
    let mut client = Client::new(&mail);
    client.post("one");
    client.post("two");
    let text = std::fs::read_to_string(&path).expect("written");
    assert!(text.contains("Subject: one\n") && text.contains("Subject: two\n"), "{text}");
    let link = dir.path().join("link").display().to_string();
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    assert!(append(&link, b"x").is_err());
}
