use proptest::prelude::*;

use super::*;

/// The packets of a session between two keepalived 2.4.3: one with min_rx 100, min_tx 150 and
/// multiplier 3, the other with 200, 120 and 4.
#[test]
fn captured_packets() {
    use SessionState::{Down, Init, Up};
    let (a, b) = (0x9ac2_6ced, 0x2d5b_c025);
    let first = ControlPacket {
        diag: Diag::NONE,
        state: Down,
        poll: false,
        final_: false,
        independent: false,
        demand: false,
        multipoint: false,
        multiplier: 3,
        my_discriminator: a,
        your_discriminator: 0,
        min_tx: 1_000_000,
        min_rx: 100_000,
        min_echo_rx: 0,
    };
    let theirs = ControlPacket { multiplier: 4, my_discriminator: b, min_rx: 200_000, ..first };
    let answer = ControlPacket { your_discriminator: a, min_tx: 120_000, state: Up, ..theirs };
    let init = ControlPacket { your_discriminator: b, state: Init, ..first };
    let cases = [
        ("204003189ac26ced00000000000f4240000186a000000000", first),
        ("204004182d5bc02500000000000f424000030d4000000000", theirs),
        ("208003189ac26ced2d5bc025000f4240000186a000000000", init),
        (
            "20e004182d5bc0259ac26ced0001d4c000030d4000000000",
            ControlPacket { poll: true, ..answer },
        ),
        (
            "20d003189ac26ced2d5bc025000249f0000186a000000000",
            ControlPacket { state: Up, final_: true, min_tx: 150_000, ..init },
        ),
        ("20c004182d5bc0259ac26ced0001d4c000030d4000000000", answer),
        (
            "21400318d741e77a00000000000f4240000186a000000000",
            ControlPacket { diag: Diag::TIME_EXPIRED, my_discriminator: 0xd741_e77a, ..first },
        ),
    ];
    for (hex, control) in cases {
        let bytes = unhex(hex);
        let packet = Packet::parse(&bytes).expect("is long enough");
        assert_eq!((packet.version(), packet.length()), (1, 24), "{hex}");
        assert!(packet.is_length_valid() && !packet.is_authenticated(), "{hex}");
        assert_eq!(packet.control(), control, "{hex}");
        assert_eq!(format!("{:?}", control.emit(None)), hex);
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(digits).collect()
}

/// Worked out with another implementation of SHA1 over the bytes that the RFC lays out.
#[test]
fn signed_packet() {
    let bytes = unhex(SIGNED);
    let packet = Packet::parse(&bytes).expect("is long enough");
    assert!(packet.is_length_valid());
    assert_eq!(packet.auth_type(), Some(METICULOUS_SHA1));
    let section = packet.sha1().expect("has a section");
    assert_eq!((section.kind, section.key_id, section.sequence), (5, 7, 0x0102_0304));
    assert!(section.is_signed_with(b"secret"));
    assert!(section.is_signed_with(b"secret\0"), "keys are padded with zeros");
    assert!(!section.is_signed_with(b"secreT"));
    let signature = Signature { kind: 5, key_id: 7, sequence: 0x0102_0304, key: b"secret" };
    assert_eq!(format!("{:?}", packet.control().emit(Some(&signature))), SIGNED);
}

const SIGNED: &str = "20c40334000000010000000200009c400000c35000000000051c0700\
                      010203046240afffeff54c4d0d53edfbacb29590de1eb68f";

#[test]
fn every_flipped_bit_of_a_signed_packet_shows_in_the_digest() {
    let bytes = unhex(SIGNED);
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let section = Packet::parse(&bytes).ok().and_then(|packet| packet.sha1());
        assert!(!section.is_some_and(|section| section.is_signed_with(b"secret")), "bit {bit}");
    }
}

#[test]
fn lengths() {
    let whole = unhex(SIGNED);
    for len in 0..HEADER_LEN {
        assert!(Packet::parse(&whole[..len]).is_err(), "{len}");
    }
    for len in HEADER_LEN..whole.len() {
        let packet = Packet::parse(&whole[..len]).expect("is long enough");
        assert!(!packet.is_length_valid() && packet.sha1().is_none(), "{len}");
    }
    let mut longer = whole.clone();
    longer.push(0);
    let packet = Packet::parse(&longer).expect("is long enough");
    assert!(packet.is_length_valid() && packet.sha1().is_some(), "a trailer is not part of it");
    for (claimed, is_valid) in [(0, false), (23, false), (24, false), (25, false), (26, true)] {
        let mut bytes = whole.clone();
        bytes[3] = claimed;
        let packet = Packet::parse(&bytes).expect("is long enough");
        assert_eq!(packet.is_length_valid(), is_valid, "{claimed}");
        assert!(packet.sha1().is_none(), "{claimed}");
    }
}

fn any_packet() -> impl Strategy<Value = ControlPacket> {
    let flags = any::<[bool; 5]>();
    let words = any::<[u32; 5]>();
    (any::<u8>(), 0..4_u8, flags, any::<u8>(), words).prop_map(
        |(diag, state, [poll, final_, independent, demand, multipoint], multiplier, words)| {
            let [my_discriminator, your_discriminator, min_tx, min_rx, min_echo_rx] = words;
            ControlPacket {
                diag: Diag::new(diag),
                state: SessionState::from_bits(state),
                poll,
                final_,
                independent,
                demand,
                multipoint,
                multiplier,
                my_discriminator,
                your_discriminator,
                min_tx,
                min_rx,
                min_echo_rx,
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_built_parses_as_it_was(control in any_packet()) {
        let bytes = control.emit(None);
        let packet = Packet::parse(&bytes).expect("is long enough");
        prop_assert_eq!(bytes.len(), HEADER_LEN);
        prop_assert!(packet.version() == VERSION && packet.is_length_valid());
        prop_assert_eq!(packet.auth_type(), None);
        prop_assert_eq!(packet.control(), control);
    }

    #[test]
    fn what_is_signed_is_verified(
        control in any_packet(),
        (kind, key_id, sequence) in (4..=5_u8, any::<u8>(), any::<u32>()),
        key in proptest::collection::vec(1..=u8::MAX, 1..24),
    ) {
        let bytes = control.emit(Some(&Signature { kind, key_id, sequence, key: &key }));
        let packet = Packet::parse(&bytes).expect("is long enough");
        prop_assert!(packet.is_length_valid());
        prop_assert_eq!(packet.control(), control);
        let section = packet.sha1().expect("has a section");
        prop_assert_eq!((section.kind, section.key_id, section.sequence), (kind, key_id, sequence));
        prop_assert!(section.is_signed_with(&key));
        let mut other = key;
        other[0] ^= 1;
        prop_assert!(!section.is_signed_with(&other));
    }

    #[test]
    fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(packet) = Packet::parse(&bytes) {
            let _ = (packet.version(), packet.is_length_valid(), packet.auth_type());
            let _ = packet.sha1().map(|section| section.is_signed_with(b"key"));
            let again = packet.control().emit(None);
            prop_assert_eq!(Packet::parse(&again).expect("is long enough").control(), packet.control());
        }
    }
}
