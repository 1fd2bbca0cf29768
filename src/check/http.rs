//! `HTTP_GET` and `SSL_GET`: one page is asked for and looked at.
//!
//! One URL per run; which one is next is decided by the schedule.

pub mod fetch;
pub mod reply;
mod sending;

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use self::reply::{Piece, Reply};
use self::sending::Sending;
use super::digest::Hasher;
use super::end::End;
use super::search::Search;
use crate::base::piece;
use crate::base::verdict::{Digest, ProbeStep, Reason, Verdict};
use crate::model::check::{Http, Url};
use crate::wire::http::Head;

/// A request for a page, and what is known of the answer.
#[derive(Clone, Debug)]
pub struct Page {
    request: Sending,
    reply: Reply,
    judge: Judge,
    verdict: Option<Verdict>,
}

/// What the page has to be like, and what it was like up to now.
#[derive(Clone, Debug)]
struct Judge {
    status_codes: Vec<RangeInclusive<u16>>,
    digest: Option<(Digest, Hasher)>,
    search: Option<Search>,
    /// What the search was for, and that it must fail.
    pattern: String,
    no_match: bool,
    tls_compliant: bool,
}

impl Page {
    /// A request for `url` to the server at `target`.
    pub fn new(http: &Http, url: &Url, target: SocketAddr) -> Self {
        let request = match &url.virtualhost {
            Some(host) => Sending::new(&url.path, http.protocol, host),
            None => Sending::new(&url.path, http.protocol, host_of(target).as_str()),
        };
        let pattern = url.regex.as_ref().map(|r| r.pattern.source().to_owned());
        Self {
            request,
            reply: Reply::new(http.protocol),
            judge: Judge {
                status_codes: url.status_codes.clone(),
                digest: url.digest.map(|expected| (Digest(expected), Hasher::default())),
                search: url.regex.clone().map(Search::new),
                pattern: pattern.unwrap_or_default(),
                no_match: url.regex.as_ref().is_some_and(|r| r.no_match),
                tls_compliant: url.tls_compliant,
            },
            verdict: None,
        }
    }

    /// All of it, sent or not.
    pub fn request(&self) -> &[u8] {
        self.request.bytes()
    }

    pub fn start(&mut self) {
        self.request.start();
    }

    pub fn pending_output(&self) -> &[u8] {
        self.request.pending_output()
    }

    pub fn sent(&mut self, n: usize) {
        self.request.sent(n);
    }

    pub fn received(&mut self, bytes: &[u8]) {
        if self.verdict.is_some() {
            return;
        }
        let (judge, mut failed) = (&mut self.judge, None);
        let outcome = self.reply.received(bytes, |piece| match piece {
            Piece::Head(head) => failed = judge.on_head(head).err(),
            Piece::Body(bytes) => judge.on_body(bytes),
        });
        let broken = outcome.err().map(Reason::from);
        if let Some(reason) = failed.or(broken) {
            self.verdict = Some(Verdict::Down(reason));
        } else if self.reply.is_complete() {
            self.verdict = Some(self.judge.verdict());
        }
    }

    pub fn closed(&mut self, end: End) {
        if self.verdict.is_some() {
            return;
        }
        self.verdict = Some(if !self.reply.has_head() {
            Verdict::Down(Reason::Closed(ProbeStep::Header))
        } else if end == End::Cut && self.judge.tls_compliant {
            Verdict::Down(Reason::Tls("the connection ended without close_notify".to_owned()))
        } else {
            // A body shorter than announced has the wrong digest, or else does not matter.
            self.judge.verdict()
        });
    }

    pub fn step(&self) -> ProbeStep {
        step(&self.request, &self.reply)
    }

    pub fn outcome(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }
}

/// As `Display` writes it, in a tenth of the time.
fn host_of(target: SocketAddr) -> piece::Piece {
    let mut host = piece::Piece::default();
    let (open, close) = if target.is_ipv6() { ("[", "]:") } else { ("", ":") };
    host.push(open);
    host.address(&target.ip());
    host.push(close);
    host.number(target.port());
    host
}

fn step(request: &Sending, reply: &Reply) -> ProbeStep {
    if !request.is_started() {
        ProbeStep::Connecting
    } else if reply.has_head() {
        ProbeStep::Body
    } else if request.is_finished() {
        ProbeStep::Header
    } else {
        ProbeStep::Request
    }
}

impl Judge {
    fn on_head(&self, head: Head<'_>) -> Result<(), Reason> {
        let status = head.status().map_err(|_| Reason::NoStatus(head.status_line().to_vec()))?;
        if self.status_codes.iter().any(|range| range.contains(&status)) {
            return Ok(());
        }
        Err(Reason::Status { found: status, expected: self.status_codes.clone() })
    }

    fn on_body(&mut self, bytes: &[u8]) {
        if let Some((_, hasher)) = &mut self.digest {
            hasher.received(bytes);
        }
        if let Some(search) = &mut self.search {
            search.received(bytes);
        }
    }

    /// The page is complete, and its status was good.
    fn verdict(&mut self) -> Verdict {
        if let Some((expected, hasher)) = &self.digest {
            let found = hasher.digest();
            if found != *expected {
                return Verdict::Down(Reason::Digest { found, expected: *expected });
            }
        }
        match self.search.as_mut().map(Search::finish) {
            Some(true) if self.no_match => Verdict::Down(Reason::Match(self.pattern.clone())),
            Some(false) if !self.no_match => Verdict::Down(Reason::NoMatch(self.pattern.clone())),
            _ => Verdict::UP,
        }
    }
}

#[cfg(test)]
mod tests;
