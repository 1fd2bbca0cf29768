//! Short texts built on the stack and written in one piece.
//!
//! A formatter writes each octet of an address and each bracket separately. In log lines about
//! thousands of servers, that is most of the cost of a line.

use std::fmt::{self, Write};
use std::net::IpAddr;

/// Room for an IPv6 address with its port, and a word.
const ROOM: usize = 64;

/// Text that does not fit is cut off.
#[derive(Debug)]
pub struct Piece {
    bytes: [u8; ROOM],
    len: usize,
}

impl Default for Piece {
    fn default() -> Self {
        Self { bytes: [0; ROOM], len: 0 }
    }
}

impl Piece {
    pub fn push(&mut self, text: &str) {
        // For two or three bytes, a call of `memcpy` costs more than the copy.
        for byte in text.bytes() {
            self.byte(byte);
        }
    }

    pub fn number(&mut self, mut number: u16) {
        let mut digits = [b'0'; 5];
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            *digit += (number % 10) as u8;
            number /= 10;
            used += 1;
            if number == 0 {
                break;
            }
        }
        digits[digits.len() - used..].iter().for_each(|digit| self.byte(*digit));
    }

    pub fn address(&mut self, addr: &IpAddr) {
        match addr {
            IpAddr::V4(addr) => {
                for (n, octet) in addr.octets().into_iter().enumerate() {
                    if n > 0 {
                        self.byte(b'.');
                    }
                    self.number(octet.into());
                }
            }
            IpAddr::V6(addr) => {
                let _ = write!(self, "{addr}");
            }
        }
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }

    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }
}

impl Write for Piece {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_look_as_from_the_formatter() {
        for number in (0..=u16::MAX).step_by(7).chain([9, 10, 99, 100, 9_999, 10_000, u16::MAX]) {
            let mut piece = Piece::default();
            piece.number(number);
            assert_eq!(piece.as_str(), number.to_string());
        }
        for addr in ["0.0.0.0", "10.1.38.15", "255.255.255.255", "::", "fe80::1", "::ffff:1.2.3.4"]
        {
            let mut piece = Piece::default();
            piece.address(&addr.parse().unwrap());
            assert_eq!(piece.as_str(), addr);
        }
    }

    #[test]
    fn text_that_does_not_fit_is_cut_off() {
        let mut piece = Piece::default();
        piece.push(&"x".repeat(ROOM - 1));
        piece.number(42);
        assert_eq!(piece.as_str(), format!("{}4", "x".repeat(ROOM - 1)));
    }
}
