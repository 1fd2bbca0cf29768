//! The contract of one probe.
//!
//! The owner of the socket does this, and nothing else:
//!
//! * a stream ([`Stream`]): connect; [`Stream::start`]; then write [`Stream::pending_output`] and
//!   report how much was [`Stream::sent`], and hand over what was [`Stream::received`], until there
//!   is an [`Stream::outcome`] or the time for the next step is over;
//! * a datagram ([`Datagram`]): send the request, hand over what comes, until there is a verdict
//!   or the time is over.
//!
//! When something fails below the probe (`connect`, a reset, an ICMP error), `failed` takes the
//! words of the system. Output is written once more, if that does not block, after an outcome:
//! TLS says good-bye. The end of a connection is handed over once, and everything after an outcome
//! is ignored.

use super::dns::Dns;
use super::end::End;
use super::ping::Ping;
use super::talk::Talk;
use super::tls::Filter;
use super::udp::Udp;
use crate::base::verdict::{ProbeStep, Reason, Verdict};

/// The most that is read in one probe: twice the largest page, for what TLS and chunks add to it.
/// Tickets and empty records are part of no page, and could go on for ever.
const RECEIVED_MAX: u64 = 128 * 1024 * 1024;

/// A probe over a byte stream, with or without TLS.
#[derive(Debug)]
pub struct Stream {
    talk: Talk,
    tls: Option<Box<Filter>>,
    is_connected: bool,
    received: u64,
    /// What went wrong below the conversation.
    failed: Option<Verdict>,
}

impl Stream {
    pub fn new(talk: Talk) -> Self {
        Self { talk, tls: None, is_connected: false, received: 0, failed: None }
    }

    pub fn over_tls(talk: Talk, filter: Filter) -> Self {
        Self { tls: Some(Box::new(filter)), ..Self::new(talk) }
    }

    pub const fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// The other end has the first word.
    pub const fn waits_for_greeting(&self) -> bool {
        matches!(self.talk, Talk::Smtp(_))
    }

    /// What is to be written first, before it is known whether there is a connection: writing
    /// tells. Empty if the probe needs to know, or does not begin.
    pub fn opening(&self) -> &[u8] {
        match (&self.tls, &self.talk) {
            (None, Talk::Http(page)) => page.request(),
            _ => &[],
        }
    }

    /// Nothing will be written any more.
    pub fn is_all_sent(&self) -> bool {
        let asks_once = self.tls.is_none() && matches!(self.talk, Talk::Http(_) | Talk::Fetch(_));
        asks_once && self.is_connected && self.pending_output().is_empty()
    }

    pub fn talk(&self) -> &Talk {
        &self.talk
    }

    /// The connection is there.
    pub fn start(&mut self) {
        self.is_connected = true;
        let outcome = match &mut self.tls {
            Some(tls) => tls.start(&mut self.talk),
            None => {
                self.talk.start();
                Ok(())
            }
        };
        self.accept(outcome);
    }

    /// What is to be written; may change with every call of another method.
    pub fn pending_output(&self) -> &[u8] {
        match &self.tls {
            Some(tls) => tls.pending_output(),
            None => self.talk.pending_output(),
        }
    }

    /// `n` bytes of the pending output are written.
    pub fn sent(&mut self, n: usize) {
        match &mut self.tls {
            Some(tls) => tls.sent(n),
            None => self.talk.sent(n),
        }
    }

    pub fn received(&mut self, bytes: &[u8]) {
        if self.outcome().is_some() {
            return;
        }
        self.received = self.received.saturating_add(bytes.len() as u64);
        if self.received > RECEIVED_MAX {
            return self.accept(Err(Reason::TooLong(self.step())));
        }
        let outcome = match &mut self.tls {
            Some(tls) => tls.received(bytes, &mut self.talk),
            None => {
                self.talk.received(bytes);
                Ok(())
            }
        };
        self.accept(outcome);
    }

    /// The other end has closed the connection.
    pub fn closed(&mut self) {
        if self.outcome().is_some() {
            return;
        }
        let outcome = match &mut self.tls {
            Some(tls) => tls.closed(&mut self.talk),
            None => {
                self.talk.closed(End::Orderly);
                Ok(())
            }
        };
        self.accept(outcome);
    }

    /// The system reports an error, in its own words.
    pub fn failed(&mut self, why: String) {
        self.accept(Err(Reason::Failed(self.step(), why)));
    }

    /// The time for a step is over. The outcome says which one it was.
    pub fn timed_out(&mut self) {
        self.accept(Err(Reason::TimedOut(self.step())));
    }

    /// What is being waited for.
    pub fn step(&self) -> ProbeStep {
        match &self.tls {
            Some(tls) if self.is_connected && tls.is_handshaking() => ProbeStep::Handshake,
            _ => self.talk.step(),
        }
    }

    pub fn outcome(&self) -> Option<&Verdict> {
        self.failed.as_ref().or_else(|| self.talk.outcome())
    }

    /// A failure counts unless the outcome is there already.
    fn accept(&mut self, outcome: Result<(), Reason>) {
        if let (Err(reason), None) = (outcome, self.outcome()) {
            self.failed = Some(Verdict::Down(reason));
        }
    }
}

/// A probe of one datagram out, and one back.
#[derive(Clone, Debug)]
pub enum Datagram {
    Dns(Dns),
    Udp(Udp),
    Ping(Ping),
}

impl Datagram {
    /// The datagram to send; empty only if the configuration says so, or when none can be made.
    pub fn request(&self) -> &[u8] {
        match self {
            Self::Dns(dns) => dns.request(),
            Self::Udp(udp) => udp.request(),
            Self::Ping(ping) => ping.request(),
        }
    }

    /// `None`: not an answer to this request, wait on.
    pub fn received(&self, datagram: &[u8]) -> Option<Verdict> {
        match self {
            Self::Dns(dns) => dns.received(datagram),
            Self::Udp(udp) => udp.received(datagram),
            Self::Ping(ping) => ping.received(datagram),
        }
    }

    /// The system reports an error, as after an ICMP message, in its own words.
    pub fn failed(&self, why: String) -> Verdict {
        Verdict::Down(Reason::Failed(ProbeStep::Reply, why))
    }

    pub fn timed_out(&self) -> Verdict {
        match self {
            Self::Dns(dns) => dns.timed_out(),
            Self::Udp(udp) => udp.timed_out(),
            Self::Ping(ping) => ping.timed_out(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::http::Page;
    use crate::check::schedule::tests::pages;
    use crate::check::smtp::Smtp;
    use crate::check::tcp::Tcp;
    use crate::model;
    use crate::model::check::Kind;

    fn smtp() -> Stream {
        let smtp = Smtp::new(&model::check::Smtp { helo_name: "a".into() });
        Stream::new(Talk::Smtp(smtp))
    }

    #[test]
    fn a_tcp_probe_needs_no_more_than_a_connection() {
        let mut stream = Stream::new(Talk::Tcp(Tcp::default()));
        assert_eq!(stream.outcome(), None);
        stream.start();
        assert_eq!(stream.outcome(), Some(&Verdict::UP));
        stream.timed_out();
        assert_eq!(stream.outcome(), Some(&Verdict::UP), "decided before");
    }

    #[test]
    fn a_page_is_asked_for_once_and_before_the_connection_is_known() {
        let Kind::Http(to, http) = pages(1, false) else { panic!("no page") };
        let page = Page::new(&http, &http.urls[0], to.target());
        let mut stream = Stream::new(Talk::Http(Box::new(page)));
        let request = stream.opening().to_vec();
        assert!(request.starts_with(b"GET /0 HTTP"), "{}", request.escape_ascii());
        assert!(stream.pending_output().is_empty() && !stream.is_all_sent());
        stream.start();
        assert_eq!(stream.pending_output(), request);
        stream.sent(request.len());
        assert!(stream.is_all_sent());
        let mut smtp = smtp();
        assert!(smtp.opening().is_empty());
        smtp.start();
        assert!(!smtp.is_all_sent(), "there will be more");
    }

    #[test]
    fn a_timeout_names_the_step() {
        let text = |stream: &mut Stream| {
            stream.timed_out();
            match stream.outcome() {
                Some(Verdict::Down(reason)) => reason.to_string(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(text(&mut smtp()), "timeout while connecting");
        let mut greeted = smtp();
        greeted.start();
        greeted.received(b"220 hello\r\n");
        assert_eq!(text(&mut greeted), "timeout while waiting for the answer to HELO");
    }

    #[test]
    fn what_never_ends_is_not_read_for_ever() {
        let mut stream = smtp();
        stream.start();
        stream.received = RECEIVED_MAX - 1;
        stream.received(b"2");
        assert_eq!(stream.outcome(), None);
        stream.received(b"2");
        let reason = Reason::TooLong(ProbeStep::Greeting);
        assert_eq!(stream.outcome(), Some(&Verdict::Down(reason)));
    }

    #[test]
    fn an_error_of_the_system_keeps_its_words() {
        let mut stream = smtp();
        stream.failed("Connection refused".into());
        stream.closed();
        let Some(Verdict::Down(reason)) = stream.outcome() else { panic!("not down") };
        assert_eq!(reason.to_string(), "Connection refused while connecting");
    }
}
