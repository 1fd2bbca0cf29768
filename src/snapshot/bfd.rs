//! What a daemon hands over of its BFD sessions. Times and intervals are in microseconds.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::base::json;

/// Sessions, and the sockets that receive for all of them.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bfd {
    /// Of the sockets; `None`: that of the process.
    pub namespace: Option<String>,
    /// With what has arrived and is not read.
    pub receivers: Vec<Receiver>,
    pub sessions: Vec<Session>,
}

/// An open port.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    pub ipv6: bool,
    pub multihop: bool,
    pub descriptor: i32,
}

/// One session. The names in the comments are those of RFC 5880 section 6.8.1.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    pub name: String,
    pub neighbor: IpAddr,
    /// Of a link-local neighbour.
    pub interface: Option<String>,
    pub source: Option<IpAddr>,
    pub multihop: bool,
    /// bfd.LocalDiscr
    pub discriminator: u32,
    /// bfd.SessionState: `Up`.
    pub state: String,
    pub since: u64,
    /// Why it is down, to what tracks it; `None`: it is up, or has not been up yet.
    pub down: Option<String>,
    /// bfd.LocalDiag
    pub diag: u8,
    /// `None`: it was not heard for the detection time.
    pub remote: Option<Remote>,
    /// What packets say.
    pub offer: Offer,
    /// What counts until the neighbour has confirmed the offer.
    pub min_tx: u64,
    pub min_rx: u64,
    /// `idle`, `ended`, `due`, `active`, `outdated`.
    pub poll: String,
    /// When the last packet was sent.
    pub sent: Option<u64>,
    pub auth: Option<Auth>,
    pub counts: Counts,
    /// The socket that sends, if it is open.
    pub descriptor: Option<i32>,
}

/// What the last packet of the neighbour said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remote {
    /// bfd.RemoteDiscr
    pub discriminator: u32,
    /// bfd.RemoteSessionState
    pub state: String,
    pub diag: u8,
    /// bfd.RemoteDemandMode
    pub demand: bool,
    pub offer: Offer,
    /// When it arrived.
    pub heard: u64,
}

/// What one end offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    pub min_tx: u64,
    pub min_rx: u64,
    pub multiplier: u8,
}

/// Sequence numbers. There are no keys in here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    pub meticulous: bool,
    pub key_id: u8,
    /// bfd.XmitAuthSeq
    pub ours: u32,
    /// bfd.RcvAuthSeq; `None`: bfd.AuthSeqKnown is zero.
    pub theirs: Option<u32>,
    /// When theirs is forgotten.
    pub until: Option<u64>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    pub sent: u64,
    pub received: u64,
    pub refused: u64,
    pub up: u64,
    pub down: u64,
}

/// What a stand-in has sent, in its last word.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct LastWord {
    pub sessions: Vec<Stood>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Stood {
    pub discriminator: u32,
    /// The last sequence number, of a session with authentication.
    pub number: Option<u32>,
    /// All packets of the session.
    pub sent: u64,
}

impl Bfd {
    /// All that stay open.
    pub fn descriptors(&self) -> impl Iterator<Item = i32> + '_ {
        let receivers = self.receivers.iter().map(|receiver| receiver.descriptor);
        receivers.chain(self.sessions.iter().filter_map(|session| session.descriptor))
    }
}

impl LastWord {
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// `None`: it is incomplete.
    pub fn parse(text: &str) -> Option<Self> {
        json::read(text.as_bytes()).ok()
    }
}

#[cfg(test)]
pub(super) fn example() -> Bfd {
    let offer = Offer { min_tx: 50_000, min_rx: 50_000, multiplier: 3 };
    Bfd {
        namespace: Some("blue".into()),
        receivers: vec![Receiver { ipv6: true, multihop: false, descriptor: 19 }],
        sessions: vec![Session {
            name: "gw".into(),
            neighbor: [0xfe80, 0, 0, 0, 0, 0, 0, 9].into(),
            interface: Some("eth0".into()),
            source: Some([0xfe80, 0, 0, 0, 0, 0, 0, 1].into()),
            multihop: true,
            discriminator: 4_000_000_001,
            state: "Down".into(),
            since: 4_100_000,
            down: Some("no packet for 150 ms".into()),
            diag: 1,
            remote: Some(Remote {
                discriminator: 77,
                state: "Down".into(),
                diag: 3,
                demand: false,
                offer,
                heard: 4_900_000,
            }),
            offer,
            min_tx: 1_000_000,
            min_rx: 60_000,
            poll: "active".into(),
            sent: Some(4_950_000),
            auth: Some(Auth {
                meticulous: true,
                key_id: 9,
                ours: 4_294_967_295,
                theirs: Some(100),
                until: Some(5_200_000),
            }),
            counts: Counts { sent: 5, received: 4, refused: 3, up: 2, down: 1 },
            descriptor: Some(20),
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_descriptors_stay_open() {
        assert_eq!(example().descriptors().collect::<Vec<_>>(), [19, 20]);
    }

    #[test]
    fn a_last_word_that_was_cut_off_is_none() {
        let stood = Stood { discriminator: 7, number: Some(1), sent: 9 };
        let word = LastWord { sessions: vec![stood] };
        let text = word.text();
        assert_eq!(LastWord::parse(&text), Some(word));
        for end in 0..text.len() {
            assert_eq!(LastWord::parse(&text[..end]), None, "{end}");
        }
    }
}
