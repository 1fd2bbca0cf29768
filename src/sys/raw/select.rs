//! The socket filter that selects advertisements of configured virtual routers.

use super::super::filter::Program;
use super::Endpoint;
use crate::base::addr::Family;
use crate::wire::ah;

// Classic BPF, named as in the kernel's documentation.
const LDB_ABS: u16 = 0x30;
const LDB_IND: u16 = 0x50;
const LDX_MSH: u16 = 0xb1;
const LD_IMM: u16 = 0x00;
const LD_MEM: u16 = 0x60;
const ST: u16 = 0x02;
const AND_K: u16 = 0x54;
const RSH_K: u16 = 0x74;
const RSH_X: u16 = 0x7c;
const TAX: u16 = 0x07;
const JA: u16 = 0x05;
const JEQ: u16 = 0x15;

/// A program whose length does not grow with the number of routers beyond eight comparisons: the
/// VRID selects one of eight words, and one bit of it.
pub(super) fn program(endpoint: &Endpoint, vrids: &[u8], pass_all: bool) -> Program {
    let mut p = Program::default();
    if pass_all {
        p.accept_all();
        return p;
    }
    match endpoint.family {
        // The filter of an IPv4 raw socket sees the IP header, options and all; skip it, and an
        // authentication header. That any other header is refused, is decided later.
        Family::V4 => {
            p.push(LDX_MSH, 0, 0, 0);
            let header = if endpoint.has_header { ah::LEN as u32 } else { 0 };
            p.push(LDB_IND, 0, 0, header + 1);
        }
        // That of an IPv6 one starts behind the headers.
        Family::V6 => p.push(LDB_ABS, 0, 0, 1),
    }
    let mut words = [0u32; 8];
    for &vrid in vrids {
        words[usize::from(vrid >> 5)] |= 1 << (vrid & 31);
    }
    let used = (0..).zip(words).filter(|&(_, word)| word != 0);
    let mut left = u32::try_from(used.clone().count()).unwrap_or(0);
    p.push(ST, 0, 0, 0);
    p.push(AND_K, 0, 0, 31);
    p.push(TAX, 0, 0, 0);
    p.push(LD_MEM, 0, 0, 0);
    p.push(RSH_K, 0, 0, 5);
    for (index, word) in used {
        p.push(JEQ, 0, 2, index);
        p.push(LD_IMM, 0, 0, word);
        // Past the remaining triples and the drop behind them.
        left -= 1;
        p.push(JA, 0, 0, 3 * left + 1);
    }
    p.drop_all();
    p.push(RSH_X, 0, 0, 0);
    p.push(AND_K, 0, 0, 1);
    p.accept_if(1);
    p.drop_all();
    p
}
