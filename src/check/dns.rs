//! `DNS_CHECK`: a question, and any answer with response code 0.

use crate::base::verdict::{ProbeStep, Reason, Verdict};
use crate::model;
use crate::wire::dns::{Header, Query};

/// A question to a name server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dns {
    id: u16,
    query: Vec<u8>,
    failed: Option<Reason>,
}

impl Dns {
    /// `id` is random, so that answers to an earlier question do not count.
    pub fn new(dns: &model::check::Dns, id: u16) -> Self {
        match (Query { id, name: &dns.name, record: dns.record as u16 }).emit() {
            Ok(query) => Self { id, query, failed: None },
            Err(_) => Self { id, query: Vec::new(), failed: Some(Reason::Name(dns.name.clone())) },
        }
    }

    /// The datagram to send. Empty when there is none: then [`Dns::timed_out`] says why.
    pub fn request(&self) -> &[u8] {
        &self.query
    }

    /// Anything but an answer to our question is not for us, and is ignored.
    pub fn received(&self, datagram: &[u8]) -> Option<Verdict> {
        let header = Header::parse(datagram).ok().filter(|h| h.is_response && h.id == self.id)?;
        Some(match header.rcode {
            0 => Verdict::UP,
            rcode => Verdict::Down(Reason::Rcode(rcode)),
        })
    }

    pub fn timed_out(&self) -> Verdict {
        Verdict::Down(self.failed.clone().unwrap_or(Reason::TimedOut(ProbeStep::Reply)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::check::Record;

    fn dns(name: &str) -> Dns {
        Dns::new(&model::check::Dns { record: Record::Soa, name: name.into() }, 0x1234)
    }

    #[test]
    fn only_the_answer_to_our_question_counts() {
        let dns = dns("example.com");
        let answer = |id: u16, high: u8, low: u8| {
            let id = id.to_be_bytes();
            dns.received(&[id[0], id[1], high, low, 0, 1, 0, 0, 0, 0, 0, 0])
        };
        assert_eq!(answer(0x1234, 0x81, 0x80), Some(Verdict::UP));
        assert_eq!(answer(0x1234, 0x81, 0x82), Some(Verdict::Down(Reason::Rcode(2))));
        assert_eq!(answer(0x1235, 0x81, 0x80), None);
        assert_eq!(answer(0x1234, 0x01, 0x00), None, "a query");
        assert_eq!(dns.received(&[0x12, 0x34, 0x81]), None);
        assert_eq!(dns.received(&[]), None);
        assert_eq!(dns.timed_out(), Verdict::Down(Reason::TimedOut(ProbeStep::Reply)));
    }

    #[test]
    fn the_query_asks_for_the_type() {
        let query = dns("a.b");
        assert_eq!(query.request(), b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\x01b\0\0\x06\0\x01");
    }

    #[test]
    fn a_name_that_cannot_be_asked_for_is_a_failure_not_a_panic() {
        let dns = dns("a..b");
        assert_eq!(dns.request(), b"");
        assert_eq!(dns.timed_out(), Verdict::Down(Reason::Name("a..b".into())));
    }

    proptest::proptest! {
        #[test]
        fn no_name_and_no_datagram_make_it_panic(
            name in ".{0,80}",
            mut answer in proptest::collection::vec(0_u8.., 0..40),
        ) {
            let dns = dns(&name);
            assert!(dns.request().len() <= 12 + 255 + 4);
            dns.received(&answer);
            if let Some(id) = answer.get_mut(..2) {
                id.copy_from_slice(&dns.id.to_be_bytes());
            }
            let is_answer = answer.len() >= 12 && answer[2] & 0x80 != 0;
            assert_eq!(dns.received(&answer).is_some(), is_answer);
        }
    }
}
