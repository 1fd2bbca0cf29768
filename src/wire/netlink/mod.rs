//! Netlink messages not covered by a crate: framing, attributes, and the families below. Routes,
//! rules and addresses are handled by `netlink-packet-route`.
//!
//! Values are in host byte order unless noted otherwise.

use netlink_packet_core::{NlasIterator, NLA_F_NESTED, NLM_F_REQUEST};

use super::Malformed;

pub mod genl;
pub mod ipvs;
pub mod nft;
pub mod procevent;

/// Length, type, flags, sequence number, port.
pub const HEADER_LEN: usize = 16;
const ATTRIBUTE_HEADER_LEN: usize = 4;

/// The reply to a request (0 or a negative errno), and the end of a dump.
pub const NLMSG_ERROR: u16 = 2;
pub const NLMSG_DONE: u16 = 3;

const fn aligned(len: usize) -> usize {
    (len + 3) & !3
}

/// A request under construction at the end of a buffer, which it borrows until it is finished.
#[derive(Debug)]
#[must_use = "the length is set only when the message is finished"]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Writer<'a> {
    /// Writes a header with sequence number 0, which is set when the message is sent.
    pub fn begin(out: &'a mut Vec<u8>, kind: u16, flags: u16) -> Self {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&kind.to_ne_bytes());
        out.extend_from_slice(&(NLM_F_REQUEST | flags).to_ne_bytes());
        out.extend_from_slice(&[0; 8]);
        Self { out, start }
    }

    pub fn finish(self) {
        let len = u32::try_from(self.out.len() - self.start).expect("a message is small");
        self.out[self.start..self.start + 4].copy_from_slice(&len.to_ne_bytes());
    }

    /// Appends the family's fixed part after the header, if it has one.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
        self.pad();
    }

    pub fn bytes(&mut self, kind: u16, value: &[u8]) {
        let len = u16::try_from(ATTRIBUTE_HEADER_LEN + value.len()).expect("a value is small");
        self.out.extend_from_slice(&len.to_ne_bytes());
        self.out.extend_from_slice(&kind.to_ne_bytes());
        self.out.extend_from_slice(value);
        self.pad();
    }

    pub fn u8(&mut self, kind: u16, value: u8) {
        self.bytes(kind, &[value]);
    }

    pub fn u16(&mut self, kind: u16, value: u16) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    /// In network byte order.
    pub fn be16(&mut self, kind: u16, value: u16) {
        self.bytes(kind, &value.to_be_bytes());
    }

    pub fn u32(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_ne_bytes());
    }

    /// In network byte order.
    pub fn be32(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_be_bytes());
    }

    /// A text with a terminating zero byte.
    pub fn text(&mut self, kind: u16, value: &str) {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.bytes(kind, &bytes);
    }

    pub fn nested(&mut self, kind: u16, content: impl FnOnce(&mut Self)) {
        let start = self.out.len();
        self.bytes(kind | NLA_F_NESTED, &[]);
        content(self);
        let len = u16::try_from(self.out.len() - start).expect("a value is small");
        self.out[start..start + 2].copy_from_slice(&len.to_ne_bytes());
    }

    fn pad(&mut self) {
        let len = self.out.len() - self.start;
        self.out.resize(self.start + aligned(len), 0);
    }
}

/// The fields of a header that are used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub kind: u16,
    pub flags: u16,
    pub sequence: u32,
}

/// The messages of a datagram: headers and bodies. Ends at the first truncated message.
pub fn messages(mut data: &[u8]) -> impl Iterator<Item = (Header, &[u8])> {
    std::iter::from_fn(move || {
        let (head, _) = data.split_first_chunk::<HEADER_LEN>()?;
        let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, ..] = *head;
        let len = usize::try_from(u32::from_ne_bytes([l0, l1, l2, l3])).ok()?;
        let body = data.get(HEADER_LEN..len)?;
        data = data.get(aligned(len)..).unwrap_or_default();
        let header = Header {
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
        };
        Some((header, body))
    })
}

/// The errno in a reply or at the end of a dump; 0 is success.
pub fn errno(body: &[u8]) -> Result<i32, Malformed> {
    let (code, _) = body.split_first_chunk::<4>().ok_or(Malformed)?;
    Ok(i32::from_ne_bytes(*code).saturating_neg())
}

/// The kernel's text in the refusal of a request with these flags in its header.
pub fn refusal_text(flags: u16, body: &[u8]) -> Option<&[u8]> {
    const NLM_F_CAPPED: u16 = 0x100;
    const NLM_F_ACK_TLVS: u16 = 0x200;
    const NLMSGERR_ATTR_MSG: u16 = 1;
    if flags & NLM_F_ACK_TLVS == 0 {
        return None;
    }
    let request = body.get(4..)?;
    // Of the request, only the header is there, or all of it.
    let len = if flags & NLM_F_CAPPED != 0 {
        HEADER_LEN
    } else {
        let (len, _) = request.split_first_chunk::<4>()?;
        aligned(usize::try_from(u32::from_ne_bytes(*len)).ok()?)
    };
    let mut found = attributes(request.get(len..)?).map_while(Result::ok);
    found.find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG).map(|(_, text)| text_of(text))
}

/// The attributes of a message or of a nested attribute: kind and value.
pub fn attributes(data: &[u8]) -> impl Iterator<Item = Result<(u16, &[u8]), Malformed>> {
    NlasIterator::new(data).map(|attribute| {
        let attribute = attribute.map_err(|_| Malformed)?;
        let (kind, len) = (attribute.kind(), usize::from(attribute.length()));
        let value = attribute.into_inner().get(ATTRIBUTE_HEADER_LEN..len).ok_or(Malformed)?;
        Ok((kind, value))
    })
}

/// A value of fixed length.
fn exactly<const N: usize>(value: &[u8]) -> Result<[u8; N], Malformed> {
    value.try_into().map_err(|_| Malformed)
}

fn u8_of(value: &[u8]) -> Result<u8, Malformed> {
    exactly(value).map(u8::from_ne_bytes)
}

pub fn u16_of(value: &[u8]) -> Result<u16, Malformed> {
    exactly(value).map(u16::from_ne_bytes)
}

fn be16_of(value: &[u8]) -> Result<u16, Malformed> {
    exactly(value).map(u16::from_be_bytes)
}

pub fn u32_of(value: &[u8]) -> Result<u32, Malformed> {
    exactly(value).map(u32::from_ne_bytes)
}

/// Text up to the first zero byte.
pub fn text_of(value: &[u8]) -> &[u8] {
    value.split(|b| *b == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emitted_messages_are_parsed_again() {
        let mut out = vec![9; 4];
        let mut w = Writer::begin(&mut out, 77, 4);
        w.raw(&[1, 2, 3]);
        w.u8(1, 5);
        w.nested(2, |w| {
            w.be16(1, 80);
            w.text(3, "wlc");
        });
        w.finish();
        let mut list = messages(&out[4..]);
        let (header, body) = list.next().expect("a message");
        assert_eq!(header, Header { kind: 77, flags: NLM_F_REQUEST | 4, sequence: 0 });
        let inner = &body[4..];
        let found: Vec<_> = attributes(inner).map(|a| a.expect("sound")).collect();
        assert_eq!(found[0], (1, &[5][..]));
        assert_eq!(found[1].0, 2);
        let nested: Vec<_> = attributes(found[1].1).map(|a| a.expect("sound")).collect();
        assert_eq!(nested, [(1, &[0, 80][..]), (3, &b"wlc\0"[..])]);
        assert!(list.next().is_none());
    }

    #[test]
    fn a_truncated_message_ends_the_datagram() {
        let mut out = Vec::new();
        for kind in [1, 2] {
            let mut w = Writer::begin(&mut out, kind, 0);
            w.raw(&[7; 6]);
            w.finish();
        }
        assert_eq!(messages(&out).count(), 2);
        for len in 0..out.len() {
            assert_eq!(messages(&out[..len]).count(), usize::from(len >= out.len() / 2), "{len}");
        }
    }

    #[test]
    fn a_length_below_the_header_ends_the_datagram() {
        let mut data = [0; 32];
        for len in 0..16u8 {
            data[..4].copy_from_slice(&u32::from(len).to_ne_bytes());
            assert_eq!(messages(&data).count(), 0);
        }
    }

    #[test]
    fn a_refusal_may_have_a_text_behind_the_request() {
        const CAPPED: u16 = 0x100;
        const TLVS: u16 = 0x200;
        let refusal = |request: &[u8]| {
            let mut body = (-22i32).to_ne_bytes().to_vec();
            body.extend_from_slice(request);
            // NLMSGERR_ATTR_OFFS, NLMSGERR_ATTR_MSG.
            body.extend([8u16, 2].into_iter().flat_map(u16::to_ne_bytes));
            body.extend_from_slice(&20u32.to_ne_bytes());
            body.extend([7u16, 1].into_iter().flat_map(u16::to_ne_bytes));
            body.extend_from_slice(b"no\0\0");
            body
        };
        let mut request = Vec::new();
        let mut w = Writer::begin(&mut request, 24, 0);
        w.raw(&[1, 2, 3]);
        w.finish();
        let capped = refusal(&request[..HEADER_LEN]);
        assert_eq!(refusal_text(CAPPED | TLVS, &capped), Some(&b"no"[..]));
        assert_eq!(refusal_text(CAPPED, &capped), None);
        let whole = refusal(&request);
        assert_eq!(refusal_text(TLVS, &whole), Some(&b"no"[..]));
        for len in 0..whole.len() - 4 {
            assert_eq!(refusal_text(TLVS, &whole[..len]), None, "{len}");
        }
    }

    #[test]
    fn errors_are_negative_numbers() {
        assert_eq!(errno(&(-17i32).to_ne_bytes()), Ok(17));
        assert_eq!(errno(&[0; 20]), Ok(0));
        assert_eq!(errno(&i32::MIN.to_ne_bytes()), Ok(i32::MAX));
        assert_eq!(errno(&[0; 3]), Err(Malformed));
    }
}
