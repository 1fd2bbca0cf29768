//! The request on its way.

use crate::model::check::Protocol;
use crate::wire::http::Request;

/// A request, and how much of it is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Sending {
    bytes: Vec<u8>,
    /// `None` before the connection is there.
    sent: Option<usize>,
}

impl Sending {
    pub(super) fn new(path: &str, protocol: Protocol, host: &str) -> Self {
        let (version, close) = match protocol {
            Protocol::V1_0 => ("1.0", false),
            Protocol::V1_0Close => ("1.0", true),
            Protocol::V1_1 => ("1.1", true),
        };
        Self { bytes: Request { path, version, close, host }.emit(), sent: None }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn start(&mut self) {
        self.sent.get_or_insert(0);
    }

    pub(super) fn pending_output(&self) -> &[u8] {
        self.sent.and_then(|sent| self.bytes.get(sent..)).unwrap_or_default()
    }

    pub(super) fn sent(&mut self, n: usize) {
        if let Some(sent) = &mut self.sent {
            *sent = sent.saturating_add(n).min(self.bytes.len());
        }
    }

    pub(super) const fn is_started(&self) -> bool {
        self.sent.is_some()
    }

    pub(super) fn is_finished(&self) -> bool {
        self.sent == Some(self.bytes.len())
    }
}
