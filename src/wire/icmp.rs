//! ICMP and ICMPv6 echo for unprivileged ping sockets: the kernel fills in identifier and checksum,
//! and delivers only matching replies.

use super::Malformed;
use crate::base::addr::Family;

/// Type, code, checksum, identifier, sequence number (RFC 792; RFC 4443 §4.1 and §4.2).
const HEADER_LEN: usize = 8;

const fn request_type(family: Family) -> u8 {
    match family {
        Family::V4 => 8,
        Family::V6 => 128,
    }
}

const fn reply_type(family: Family) -> u8 {
    match family {
        Family::V4 => 0,
        Family::V6 => 129,
    }
}

/// Emits an echo request.
pub fn echo_request(family: Family, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_LEN + payload.len());
    out.extend_from_slice(&[request_type(family), 0, 0, 0, 0, 0]);
    out.extend_from_slice(&sequence.to_be_bytes());
    out.extend_from_slice(payload);
    out
}

/// The sequence number of an echo reply. Fails for anything else.
pub fn parse_echo_reply(family: Family, bytes: &[u8]) -> Result<u16, Malformed> {
    match *bytes {
        [kind, 0, _, _, _, _, high, low, ..] if kind == reply_type(family) => {
            Ok(u16::from_be_bytes([high, low]))
        }
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_has_the_sequence_of_its_request() {
        for (family, reply) in [(Family::V4, 0), (Family::V6, 129)] {
            let mut bytes = echo_request(family, 0x1234, b"x");
            assert_eq!(bytes.len(), HEADER_LEN + 1);
            assert!(parse_echo_reply(family, &bytes).is_err(), "our own request");
            bytes[0] = reply;
            assert_eq!(parse_echo_reply(family, &bytes), Ok(0x1234));
            assert!(parse_echo_reply(family, &bytes[..7]).is_err());
        }
    }
}
