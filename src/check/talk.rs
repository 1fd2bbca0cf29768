//! The conversations over a byte stream. What each of them says is in a file of its own.

use super::end::End;
use super::http::fetch::Fetch;
use super::http::Page;
use super::smtp::Smtp;
use super::tcp::Tcp;
use crate::base::verdict::{ProbeStep, Verdict};

/// A conversation over a byte stream, in clear.
#[derive(Clone, Debug)]
pub enum Talk {
    Tcp(Tcp),
    Http(Box<Page>),
    /// A page for `genhash`.
    Fetch(Box<Fetch>),
    Smtp(Smtp),
}

impl Talk {
    pub fn start(&mut self) {
        match self {
            Self::Tcp(tcp) => tcp.start(),
            Self::Http(page) => page.start(),
            Self::Fetch(fetch) => fetch.start(),
            Self::Smtp(smtp) => smtp.start(),
        }
    }

    pub fn pending_output(&self) -> &[u8] {
        match self {
            Self::Tcp(_) => &[],
            Self::Http(page) => page.pending_output(),
            Self::Fetch(fetch) => fetch.pending_output(),
            Self::Smtp(smtp) => smtp.pending_output(),
        }
    }

    pub fn sent(&mut self, n: usize) {
        match self {
            Self::Tcp(_) => {}
            Self::Http(page) => page.sent(n),
            Self::Fetch(fetch) => fetch.sent(n),
            Self::Smtp(smtp) => smtp.sent(n),
        }
    }

    pub fn received(&mut self, bytes: &[u8]) {
        match self {
            Self::Tcp(_) => {}
            Self::Http(page) => page.received(bytes),
            Self::Fetch(fetch) => fetch.received(bytes),
            Self::Smtp(smtp) => smtp.received(bytes),
        }
    }

    pub fn closed(&mut self, end: End) {
        match self {
            Self::Tcp(_) => {}
            Self::Http(page) => page.closed(end),
            Self::Fetch(fetch) => fetch.closed(),
            Self::Smtp(smtp) => smtp.closed(),
        }
    }

    pub fn step(&self) -> ProbeStep {
        match self {
            Self::Tcp(_) => ProbeStep::Connecting,
            Self::Http(page) => page.step(),
            Self::Fetch(fetch) => fetch.step(),
            Self::Smtp(smtp) => smtp.step(),
        }
    }

    pub fn outcome(&self) -> Option<&Verdict> {
        match self {
            Self::Tcp(tcp) => tcp.outcome(),
            Self::Http(page) => page.outcome(),
            Self::Fetch(fetch) => fetch.outcome(),
            Self::Smtp(smtp) => smtp.outcome(),
        }
    }
}
