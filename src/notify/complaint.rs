//! What keepalived's lines and mails say of a check that failed, where it is more than "failed".
//! Scripts look for these words.

use std::net::SocketAddr;

use crate::base::verdict::{ProbeStep, Reason};
use crate::model::check::Kind;

/// The words for this kind of check, if it has any of its own.
pub fn complaint(kind: &Kind, reason: &Reason) -> Option<String> {
    match kind {
        Kind::Smtp(to, _) => Some(smtp(reason, to.target())),
        Kind::Dns(..) => Some(dns(reason)),
        _ => None,
    }
}

fn smtp(reason: &Reason, server: SocketAddr) -> String {
    let what = match reason {
        Reason::Answer { step: ProbeStep::Greeting, .. } => "Bad greeting banner from",
        Reason::Answer { .. } => "Bad HELO response from",
        Reason::TimedOut(ProbeStep::Connecting) => "Connection timeout to",
        Reason::TimedOut(_) => "Read timeout from",
        Reason::Failed(ProbeStep::Connecting, _) => "Error connecting to",
        Reason::TooLong(_) => "Buffer overflow reading from",
        _ => "Read failure from",
    };
    format!("{what} server [{}]:{}", server.ip(), server.port())
}

fn dns(reason: &Reason) -> String {
    match reason {
        Reason::Rcode(rcode) => format!("read error occurred. (rcode = {rcode})"),
        Reason::TimedOut(_) => "read timeout from socket.".to_owned(),
        other => format!("read error occurred. ({other})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_find_the_words_they_search_for() {
        let answer = |step, expected| Reason::Answer { step, found: Vec::new(), expected };
        let to = "192.0.2.1:25".parse().expect("an address");
        for (reason, text) in [
            (answer(ProbeStep::Greeting, 220), "Bad greeting banner from server [192.0.2.1]:25"),
            (answer(ProbeStep::Helo, 250), "Bad HELO response from server [192.0.2.1]:25"),
            (
                Reason::TimedOut(ProbeStep::Connecting),
                "Connection timeout to server [192.0.2.1]:25",
            ),
        ] {
            assert_eq!(smtp(&reason, to), text);
        }
        assert_eq!(dns(&Reason::Rcode(2)), "read error occurred. (rcode = 2)");
    }
}
