//! Ancillary data of a message, in the layout of the kernel: length as a `size_t`, level, type,
//! data, padded to the size of a `size_t`.

const WORD: usize = size_of::<usize>();
const HEADER: usize = WORD + 2 * size_of::<libc::c_int>();

/// Ancillary data to send: room for a source address with interface and a hop limit.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Control {
    bytes: [u8; Self::ROOM],
    len: usize,
}

impl Control {
    const ROOM: usize = 64;

    pub(super) const fn new() -> Self {
        Self { bytes: [0; Self::ROOM], len: 0 }
    }

    /// Appends one item. An item that does not fit is omitted, which only a defect here could
    /// cause.
    pub(super) fn push(&mut self, level: libc::c_int, kind: libc::c_int, data: &[u8]) {
        let len = HEADER + data.len();
        let end = self.len + len.next_multiple_of(WORD);
        let Some(room) = self.bytes.get_mut(self.len..end) else {
            debug_assert!(false, "{end} bytes of ancillary data");
            return;
        };
        room[..WORD].copy_from_slice(&len.to_ne_bytes());
        room[WORD..WORD + 4].copy_from_slice(&level.to_ne_bytes());
        room[WORD + 4..HEADER].copy_from_slice(&kind.to_ne_bytes());
        room[HEADER..len].copy_from_slice(data);
        self.len = end;
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }
}

/// Ancillary data received.
#[derive(Clone)]
pub(super) struct Items<'a>(&'a [u8]);

impl<'a> Items<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = (libc::c_int, libc::c_int, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (len, rest) = self.0.split_first_chunk::<WORD>()?;
        let (level, rest) = rest.split_first_chunk()?;
        let (kind, rest) = rest.split_first_chunk()?;
        let len = usize::from_ne_bytes(*len);
        let data = rest.get(..len.checked_sub(HEADER)?)?;
        self.0 = self.0.get(len.next_multiple_of(WORD)..).unwrap_or_default();
        Some((libc::c_int::from_ne_bytes(*level), libc::c_int::from_ne_bytes(*kind), data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let mut control = Control::new();
        control.push(41, 50, &[7; 20]);
        control.push(41, 52, &[1, 2, 3, 4]);
        let items: Vec<_> = Items::new(control.bytes()).collect();
        assert_eq!(items, [(41, 50, &[7; 20][..]), (41, 52, &[1, 2, 3, 4][..])]);
    }

    #[test]
    fn lengths_that_lie_end_the_list() {
        for len in [0, HEADER - 1, HEADER + 9, usize::MAX] {
            let mut bytes = [0; HEADER + 8];
            bytes[..WORD].copy_from_slice(&len.to_ne_bytes());
            assert_eq!(Items::new(&bytes).next(), None, "{len}");
        }
        assert_eq!(Items::new(&[0; 3]).next(), None);
    }
}
