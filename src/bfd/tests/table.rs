//! RFC 5880 section 6.8.6, every combination of our state, the received one, and what else matters.

use super::*;
use crate::model::bfd::{BfdAuth, BfdAuthKind};
use crate::model::secret::Secret;
use crate::wire::bfd::Signature;
use SessionState::{AdminDown, Down, Init, Up};

/// Ours, the received one, and the one that follows.
const TABLE: [(SessionState, SessionState, SessionState); 16] = [
    (AdminDown, AdminDown, AdminDown),
    (AdminDown, Down, AdminDown),
    (AdminDown, Init, AdminDown),
    (AdminDown, Up, AdminDown),
    (Down, AdminDown, Down),
    (Down, Down, Init),
    (Down, Init, Up),
    (Down, Up, Down),
    (Init, AdminDown, Down),
    (Init, Down, Init),
    (Init, Init, Up),
    (Init, Up, Up),
    (Up, AdminDown, Down),
    (Up, Down, Down),
    (Up, Init, Up),
    (Up, Up, Up),
];

/// How a packet is signed: as the session is, not at all, or with another key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Signed {
    AsWanted,
    Otherwise,
    WithOtherKey,
}

fn auth() -> BfdAuth {
    BfdAuth { kind: BfdAuthKind::Sha1, key_id: 1, key: Secret::new(b"key") }
}

fn emit(packet: &ControlPacket, is_signed: bool, sequence: u32, key: &[u8]) -> Vec<u8> {
    let signature = Signature { kind: 4, key_id: 1, sequence, key };
    packet.emit(is_signed.then_some(&signature)).to_vec()
}

/// A session in this state, with or without authentication.
fn in_state(state: SessionState, authenticated: bool) -> Bench {
    let auth = authenticated.then(auth);
    let mut bench = Bench::new(BfdInstance { auth, ..config() }).0;
    let first = match state {
        Down => None,
        AdminDown | Up => Some(Init),
        Init => Some(Down),
    };
    if let Some(first) = first {
        let packet = bench.packet(first);
        bench.datagram(&emit(&packet, authenticated, 1, b"key"));
    }
    if state == AdminDown {
        bench.hand(Input::Remove { id: ID });
    }
    assert_eq!(bench.state(), state);
    bench
}

#[test]
fn the_table() {
    let mut count = 0;
    for (ours, theirs, next) in TABLE {
        for bits in 0..8 {
            let (authenticated, poll, named) = (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0);
            for signed in [Signed::AsWanted, Signed::Otherwise, Signed::WithOtherKey] {
                for code in 0..32 {
                    row((ours, theirs, next), (authenticated, poll, named), signed, code);
                    count += 1;
                }
            }
        }
    }
    assert_eq!(count, 16 * 8 * 3 * 32);
}

fn row(
    (ours, theirs, next): (SessionState, SessionState, SessionState),
    (authenticated, poll, named): (bool, bool, bool),
    signed: Signed,
    code: u8,
) {
    if signed == Signed::WithOtherKey && !authenticated {
        return;
    }
    let what = format!("{ours} {theirs} {authenticated} {poll} {named} {signed:?} {code}");
    let mut bench = in_state(ours, authenticated);
    let before = bench.session().diag();
    let mut packet = ControlPacket { poll, diag: Diag::new(code), ..bench.packet(theirs) };
    if !named {
        packet.your_discriminator = 0;
    }
    let key = if signed == Signed::WithOtherKey { b"KEY" } else { b"key" };
    let is_signed = authenticated != (signed == Signed::Otherwise);
    let out = bench.datagram(&emit(&packet, is_signed, 2, key));
    let is_selected = named || (matches!(theirs, Down | AdminDown) && ours != AdminDown);
    let is_accepted = is_selected && signed == Signed::AsWanted;
    assert_eq!(refusals(&out).is_empty(), is_accepted, "{what}: {out:?}");
    let next = if is_accepted { next } else { ours };
    assert_eq!(bench.state(), next, "{what}");
    assert_eq!(!changes(&out).is_empty(), next != ours, "{what}");
    let diag = match (ours, next) {
        (Init | Up, Down) => Diag::NEIGHBOR_DOWN,
        (Down | Init, Up) => Diag::NONE,
        _ => before,
    };
    assert_eq!(bench.session().diag(), diag, "{what}");
    // One packet says what is new, or answers, or both.
    let answers = is_accepted && poll && ours != AdminDown;
    let packets = sent(&out);
    assert_eq!(packets.len(), usize::from(answers || next != ours), "{what}");
    for packet in packets {
        assert_eq!((packet.state, packet.diag, packet.final_), (next, diag, answers), "{what}");
        assert_eq!(packet.your_discriminator, THEIRS, "{what}");
        assert!(!(packet.poll && packet.final_), "{what}");
    }
}

/// What is refused whatever the state, in the order of the section.
#[test]
fn malformed_packets_change_nothing() {
    for state in [AdminDown, Down, Init, Up] {
        let good = in_state(state, false).packet(Down).emit(None).to_vec();
        let with = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            bytes
        };
        let mut zero = good.clone();
        zero[4..8].fill(0);
        let cases = [
            (good[..23].to_vec(), Refusal::TooShort { len: 23 }),
            (with(0, 0x40), Refusal::Version(2)),
            (with(3, 23), Refusal::Length { claimed: 23, len: 24 }),
            (with(3, 25), Refusal::Length { claimed: 25, len: 24 }),
            (with(2, 0), Refusal::ZeroMultiplier),
            (with(1, good[1] | 1), Refusal::Multipoint),
            (zero, Refusal::ZeroDiscriminator),
        ];
        for (bytes, reason) in cases {
            let mut bench = in_state(state, false);
            let out = bench.datagram(&bytes);
            assert_eq!(refusals(&out), [reason]);
            assert_eq!((bench.state(), sent(&out).len()), (state, 0));
        }
    }
}

/// Unknown flags, codes and trailers are no reason to refuse a packet.
#[test]
fn oddities_are_tolerated() {
    let mut bench = in_state(Init, false);
    let odd = ControlPacket {
        poll: true,
        final_: true,
        independent: true,
        diag: Diag::new(31),
        min_echo_rx: 5,
        ..bench.packet(Up)
    };
    let mut bytes = odd.emit(None).to_vec();
    bytes.extend([1, 2, 3]);
    let out = bench.datagram(&bytes);
    assert_eq!(bench.state(), Up);
    assert!(sent(&out)[0].final_, "{out:?}");
}
