//! Generic netlink: families with numbers assigned at load time, and the controller that resolves
//! them.

use netlink_packet_core::NLM_F_ACK;

use super::{attributes, text_of, u16_of, Writer};
use crate::wire::Malformed;

/// The controller family (`nlctrl`), which always exists.
pub const CONTROLLER: u16 = 16;
/// Command, version, two reserved bytes.
pub const HEADER_LEN: usize = 4;

const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;

/// Starts a command of a family.
pub fn begin(out: &mut Vec<u8>, family: u16, flags: u16, command: u8, version: u8) -> Writer<'_> {
    let mut w = Writer::begin(out, family, flags);
    w.raw(&[command, version, 0, 0]);
    w
}

/// The command of a message, and its attributes.
pub fn parse(body: &[u8]) -> Result<(u8, &[u8]), Malformed> {
    let (head, rest) = body.split_first_chunk::<HEADER_LEN>().ok_or(Malformed)?;
    Ok((head[0], rest))
}

/// Requests the number of a family from the controller. The kernel loads the module of the family
/// if possible.
pub fn emit_resolve(name: &str, out: &mut Vec<u8>) {
    let mut w = begin(out, CONTROLLER, NLM_F_ACK, CTRL_CMD_GETFAMILY, 1);
    w.text(CTRL_ATTR_FAMILY_NAME, name);
    w.finish();
}

/// The number of the family `name`, from the controller's reply.
pub fn parse_family(body: &[u8], name: &str) -> Result<u16, Malformed> {
    let (_, list) = parse(body)?;
    let (mut id, mut named) = (None, false);
    for attribute in attributes(list) {
        match attribute? {
            (CTRL_ATTR_FAMILY_ID, value) => id = Some(u16_of(value)?),
            (CTRL_ATTR_FAMILY_NAME, value) => named = text_of(value) == name.as_bytes(),
            _ => {}
        }
    }
    id.filter(|_| named).ok_or(Malformed)
}

#[cfg(test)]
mod tests {
    use super::super::{messages, NLMSG_ERROR};
    use super::*;

    #[test]
    fn the_number_comes_with_the_name() {
        let mut out = Vec::new();
        let mut w = begin(&mut out, CONTROLLER, 0, 1, 2);
        w.text(CTRL_ATTR_FAMILY_NAME, "IPVS");
        w.u16(CTRL_ATTR_FAMILY_ID, 0x21);
        w.finish();
        let (_, body) = messages(&out).next().expect("a message");
        assert_eq!(parse_family(body, "IPVS"), Ok(0x21));
        assert_eq!(parse_family(body, "IPV"), Err(Malformed));
        // The last two bytes are padding.
        for len in 0..body.len() - 2 {
            assert_eq!(parse_family(&body[..len], "IPVS"), Err(Malformed));
        }
    }

    #[test]
    fn a_family_is_requested_by_name() {
        let mut out = Vec::new();
        emit_resolve("IPVS", &mut out);
        let (header, body) = messages(&out).next().expect("a message");
        assert_eq!(header.kind, CONTROLLER);
        assert_ne!(header.kind, NLMSG_ERROR);
        assert_eq!(body[..4], [CTRL_CMD_GETFAMILY, 1, 0, 0]);
        let found: Vec<_> = attributes(&body[4..]).collect();
        assert_eq!(found, [Ok((CTRL_ATTR_FAMILY_NAME, &b"IPVS\0"[..]))]);
    }
}
