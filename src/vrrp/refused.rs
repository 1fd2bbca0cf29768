//! Which routers were refused while a backup waited for a valid advertisement.
//!
//! Without it, two routers that differ in a password would both say that they heard nothing. It
//! lives in the state BACKUP and ends with it, or with the next valid advertisement.

use std::fmt;
use std::net::IpAddr;

use super::hear::is_rival;
use super::receive::{Received, Reject};

/// Senders that are remembered. Forged addresses cost no more memory than that.
const MOST: usize = 4;

/// Advertisements that were refused.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Refused {
    by: Vec<Sender>,
    /// Advertisements of senders beyond the limit.
    others: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Sender {
    from: IpAddr,
    count: u32,
    /// Of the last one.
    reason: Reject,
    is_rival: bool,
}

impl Refused {
    pub(super) fn count(&mut self, packet: &Received<'_>, reason: Reject) {
        let (from, is_rival) = (packet.source, is_rival(packet, &reason));
        if let Some(s) = self.by.iter_mut().find(|s| s.from == from) {
            *s = Sender { count: s.count.saturating_add(1), reason, is_rival, ..*s };
        } else if self.by.len() < MOST {
            self.by.push(Sender { from, count: 1, reason, is_rival });
        } else {
            let sender = Sender { from, count: 1, reason, is_rival };
            let left_out = self.displaced_by(sender);
            self.others = self.others.saturating_add(left_out.count);
        }
    }

    /// A router that is MASTER takes the place of a sender that is none. Returns the one without.
    fn displaced_by(&mut self, sender: Sender) -> Sender {
        match self.by.iter_mut().rev().find(|s| sender.is_rival && !s.is_rival) {
            Some(stranger) => std::mem::replace(stranger, sender),
            None => sender,
        }
    }
}

/// `; 3 from 10.9.2.1 refused (wrong password); 10.9.2.1 is MASTER, too`
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, Sender { from, count, reason, .. }) in self.by.iter().enumerate() {
            let before = if n == 0 { ";" } else { "," };
            write!(f, "{before} {count} from {from} refused ({})", reason.brief())?;
        }
        if self.others > 0 {
            write!(f, ", and {} from others", self.others)?;
        }
        for Sender { from, .. } in self.by.iter().filter(|s| s.is_rival) {
            write!(f, "; {from} is MASTER, too")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{Instant, WallTime};

    fn from(n: u32) -> IpAddr {
        IpAddr::V4((0x0a00_0000 + n).into())
    }

    fn told(senders: impl Iterator<Item = u32>) -> (Refused, String) {
        let mut refused = Refused::default();
        for n in senders {
            let source = from(n);
            let packet = Received {
                source,
                destination: None,
                ttl: None,
                arrived: Instant::ZERO,
                wall: WallTime(0),
                header: None,
                pdu: &[0x21, 51, 100, 1, 0, 1, 0, 0],
            };
            refused.count(&packet, Reject::Password { source });
        }
        let text = refused.to_string();
        (refused, text)
    }

    #[test]
    fn a_sender_is_named_with_how_many_and_why() {
        let text = told([1, 1, 1].into_iter()).1;
        assert_eq!(text, "; 3 from 10.0.0.1 refused (wrong password); 10.0.0.1 is MASTER, too");
    }

    #[test]
    fn forged_senders_cost_no_memory_and_one_number() {
        let (refused, text) = told((1..=100_000).chain([1]));
        assert_eq!(refused.by.len(), MOST);
        assert_eq!(refused.by.capacity(), MOST);
        let named = "; 2 from 10.0.0.1 refused (wrong password), 1 from 10.0.0.2 refused (wrong";
        assert!(text.starts_with(named), "{text}");
        assert!(text.contains(", and 99996 from others; 10.0.0.1 is MASTER, too"), "{text}");
    }
}
