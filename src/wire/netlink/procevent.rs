//! Process events of the kernel's connector: `linux/connector.h` and `linux/cn_proc.h`.

use super::{messages, text_of, u16_of, u32_of, Writer, HEADER_LEN, NLMSG_DONE};
use crate::wire::Malformed;

/// The multicast group, and both parts of the connector id.
pub const CN_IDX_PROC: u32 = 1;
const CN_VAL_PROC: u32 = 1;
/// Connector id, sequence number, acknowledgement, length, flags.
const CONNECTOR_LEN: usize = 20;

/// Kernel numbers of the event types.
pub const ACK: u32 = 0;
pub const FORK: u32 = 1;
pub const EXEC: u32 = 2;
pub const COMM: u32 = 0x200;
pub const EXIT: u32 = 0x8000_0000;

/// Offset of the event type in a datagram; processor, timestamp and the first field follow.
pub const KIND_OFFSET: usize = HEADER_LEN + CONNECTOR_LEN;
pub const DATA_OFFSET: usize = KIND_OFFSET + 16;

/// Kind of request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subscription {
    Listen,
    Ignore,
}

/// One event. `leader` is the process of a thread; for a process, it equals `pid`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProcessEvent<'a> {
    /// The subscription is accepted (0), or refused with an errno.
    Ack(u32),
    Fork {
        pid: u32,
        leader: u32,
    },
    /// Another program was executed: name and command line have changed.
    Exec {
        pid: u32,
        leader: u32,
    },
    /// A process or a thread changed its name.
    Comm {
        pid: u32,
        leader: u32,
        name: &'a [u8],
    },
    Exit {
        pid: u32,
        leader: u32,
    },
}

/// Emits a request to the connector.
pub fn subscribe(what: Subscription) -> Vec<u8> {
    let operation = match what {
        Subscription::Listen => 1u32,
        Subscription::Ignore => 2,
    };
    let mut out = Vec::new();
    let mut w = Writer::begin(&mut out, NLMSG_DONE, 0);
    for word in [CN_IDX_PROC, CN_VAL_PROC, 0, 0] {
        w.raw(&word.to_ne_bytes());
    }
    let length = (size_of_val(&operation) as u16).to_ne_bytes();
    w.raw(&[length[0], length[1], 0, 0]);
    w.raw(&operation.to_ne_bytes());
    w.finish();
    out
}

/// The events of a datagram, without irrelevant types.
pub fn parse(datagram: &[u8]) -> impl Iterator<Item = Result<ProcessEvent<'_>, Malformed>> {
    messages(datagram).filter_map(|(_, body)| parse_body(body).transpose())
}

fn parse_body(body: &[u8]) -> Result<Option<ProcessEvent<'_>>, Malformed> {
    let word = |at: usize| u32_of(body.get(at..at + 4).ok_or(Malformed)?);
    if (word(0)?, word(4)?) != (CN_IDX_PROC, CN_VAL_PROC) {
        return Ok(None);
    }
    let length = usize::from(u16_of(body.get(16..18).ok_or(Malformed)?)?);
    let event = body.get(CONNECTOR_LEN..CONNECTOR_LEN + length).ok_or(Malformed)?;
    let word = |at: usize| u32_of(event.get(at..at + 4).ok_or(Malformed)?);
    Ok(Some(match word(0)? {
        ACK => ProcessEvent::Ack(word(16)?),
        // The parent comes first.
        FORK => ProcessEvent::Fork { pid: word(24)?, leader: word(28)? },
        EXEC => ProcessEvent::Exec { pid: word(16)?, leader: word(20)? },
        COMM => {
            let name = text_of(event.get(24..40).ok_or(Malformed)?);
            ProcessEvent::Comm { pid: word(16)?, leader: word(20)?, name }
        }
        EXIT => ProcessEvent::Exit { pid: word(16)?, leader: word(20)? },
        _ => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A datagram as sent by the kernel: 40 bytes for every type.
    fn datagram(kind: u32, words: [u32; 4], name: &[u8]) -> Vec<u8> {
        let mut event = kind.to_ne_bytes().to_vec();
        event.extend([0xee; 12]);
        for word in words {
            event.extend(word.to_ne_bytes());
        }
        event.resize(24, 0);
        event.extend(name);
        event.resize(40, 0);
        if name.is_empty() {
            event[16..32].copy_from_slice(&words.map(u32::to_ne_bytes).concat());
        }
        let mut out = Vec::new();
        let mut w = Writer::begin(&mut out, NLMSG_DONE, 0);
        for word in [1u32, 1, 7, 0] {
            w.raw(&word.to_ne_bytes());
        }
        w.raw(&[40u16.to_ne_bytes(), [0, 0]].concat());
        w.raw(&event);
        w.finish();
        out
    }

    fn one(datagram: &[u8]) -> Option<Result<ProcessEvent<'_>, Malformed>> {
        parse(datagram).next()
    }

    #[test]
    fn every_event_type_is_parsed() {
        let name: &[u8] = b"worker";
        for (kind, words, text, wanted) in [
            (ACK, [1, 0, 0, 0], &b""[..], ProcessEvent::Ack(1)),
            (FORK, [1, 2, 30, 40], b"", ProcessEvent::Fork { pid: 30, leader: 40 }),
            (EXEC, [30, 40, 0, 0], b"", ProcessEvent::Exec { pid: 30, leader: 40 }),
            (COMM, [30, 40, 0, 0], name, ProcessEvent::Comm { pid: 30, leader: 40, name }),
            (EXIT, [30, 40, 256, 17], b"", ProcessEvent::Exit { pid: 30, leader: 40 }),
        ] {
            assert_eq!(one(&datagram(kind, words, text)), Some(Ok(wanted)));
        }
        // A change of the user id.
        assert_eq!(one(&datagram(4, [30, 40, 0, 0], b"")), None);
    }

    #[test]
    fn a_truncated_datagram_is_an_error_or_empty() {
        let whole = datagram(COMM, [30, 40, 0, 0], b"a name of fifteen");
        for len in 0..whole.len() {
            assert!(!matches!(one(&whole[..len]), Some(Ok(_))), "{len} bytes");
            // The lengths inside exceed the datagram.
            let mut cut = whole[..len].to_vec();
            if let Some(length) = cut.first_chunk_mut::<4>() {
                *length = u32::try_from(len).unwrap().to_ne_bytes();
            }
            assert!(!matches!(one(&cut), Some(Ok(_))), "{len} bytes");
        }
    }

    #[test]
    fn a_request_has_the_format_of_an_event() {
        let request = subscribe(Subscription::Listen);
        assert_eq!(request.len(), HEADER_LEN + CONNECTOR_LEN + 4);
        let (_, body) = messages(&request).next().expect("a message");
        assert_eq!(u16_of(&body[16..18]), Ok(4));
        assert_eq!(u32_of(&body[20..]), Ok(1));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            parse(&bytes).for_each(drop);
        }
    }
}
