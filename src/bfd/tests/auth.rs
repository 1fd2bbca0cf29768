//! Authentication: which packets count, and what ours look like.

use super::*;
use crate::model::bfd::{BfdAuth, BfdAuthKind};
use crate::model::secret::Secret;
use crate::wire::bfd::Signature;
use BfdAuthKind::{MeticulousSha1, Sha1};

const KEY: &[u8] = b"topsecret";

fn config(kind: BfdAuthKind) -> BfdInstance {
    let auth = BfdAuth { kind, key_id: 9, key: Secret::new(KEY) };
    BfdInstance { auth: Some(auth), ..super::config() }
}

fn signature(kind: u8, sequence: u32) -> Signature<'static> {
    Signature { kind, key_id: 9, sequence, key: KEY }
}

/// A session that has heard the number 100 and is Up.
fn up(kind: BfdAuthKind) -> (Bench, u8) {
    let number = if kind == Sha1 { 4 } else { 5 };
    let mut bench = Bench::new(config(kind)).0;
    let init = bench.packet(SessionState::Init);
    bench.datagram(&init.emit(Some(&signature(number, 100))));
    assert_eq!(bench.state(), SessionState::Up);
    (bench, number)
}

fn says(bench: &mut Bench, signature: &Signature<'_>) -> Vec<Refusal> {
    let packet = bench.packet(SessionState::Up);
    refusals(&bench.datagram(&packet.emit(Some(signature))))
}

#[test]
fn the_window_of_sequence_numbers() {
    // The neighbour's multiplier is 4.
    for (kind, sequence, fits) in [
        (Sha1, 99, false),
        (Sha1, 100, true),
        (Sha1, 112, true),
        (Sha1, 113, false),
        (MeticulousSha1, 100, false),
        (MeticulousSha1, 101, true),
        (MeticulousSha1, 112, true),
        (MeticulousSha1, 113, false),
        (MeticulousSha1, 0xffff_ffff, false),
    ] {
        let (mut bench, number) = up(kind);
        let refused = says(&mut bench, &signature(number, sequence));
        let reason = Refusal::AuthSequence { theirs: sequence, last: 100 };
        assert_eq!(refused, if fits { vec![] } else { vec![reason] }, "{kind:?} {sequence}");
        // A refused number moves nothing.
        let before = bench.session().counts().refused;
        says(&mut bench, &signature(number, 113));
        let is_refused = bench.session().counts().refused > before;
        assert_eq!(!is_refused, fits && sequence > 100, "{kind:?} {sequence}");
    }
}

#[test]
fn sequence_numbers_go_round() {
    let mut bench = Bench::new(config(MeticulousSha1)).0;
    let init = bench.packet(SessionState::Init);
    bench.datagram(&init.emit(Some(&signature(5, u32::MAX))));
    assert_eq!(says(&mut bench, &signature(5, 3)), []);
}

#[test]
fn each_difference_has_its_reason() {
    let (mut bench, _) = up(Sha1);
    let good = signature(4, 101);
    let cases = [
        (Signature { kind: 5, ..good }, Refusal::AuthType { theirs: 5, ours: 4 }),
        (Signature { key_id: 8, ..good }, Refusal::AuthKeyId { theirs: 8, ours: 9 }),
        (Signature { key: b"topsecreT", ..good }, Refusal::AuthDigest),
    ];
    for (signature, reason) in cases {
        assert_eq!(says(&mut bench, &signature), [reason]);
    }
    let plain = bench.packet(SessionState::Up).emit(None);
    assert_eq!(refusals(&bench.datagram(&plain)), [Refusal::NotAuthenticated]);
    let mut long = bench.packet(SessionState::Up).emit(Some(&good)).to_vec();
    long[25] = 27;
    assert_eq!(refusals(&bench.datagram(&long)), [Refusal::AuthLength]);
    assert_eq!(says(&mut bench, &good), []);
    let mut open = Bench::new(super::config()).0;
    assert_eq!(says(&mut open, &good), [Refusal::Authenticated]);
}

/// Packets that are not authentic are no sign of life.
#[test]
fn a_forger_does_not_keep_a_session_up() {
    let (mut bench, _) = up(Sha1);
    let end = bench.session().expected();
    bench.now += ms(100);
    says(&mut bench, &Signature { key: b"x", ..signature(4, 101) });
    assert_eq!(bench.session().expected(), end);
}

/// A neighbour that restarts begins with any number.
#[test]
fn the_last_number_is_forgotten_after_twice_the_detection_time() {
    let (mut bench, _) = up(MeticulousSha1);
    says(&mut bench, &signature(5, 101));
    let last = bench.now;
    bench.run(last + ms(480));
    assert_eq!(bench.state(), SessionState::Down);
    bench.run(last + ms(960) - Duration::from_micros(1));
    let first = ControlPacket { your_discriminator: 0, ..bench.packet(SessionState::Down) };
    let bytes = first.emit(Some(&signature(5, 5000)));
    bench.datagram(&bytes);
    assert_eq!(bench.state(), SessionState::Down);
    bench.run(last + ms(960));
    bench.datagram(&bytes);
    assert_eq!(bench.state(), SessionState::Init);
}

#[test]
fn our_numbers_increase_as_the_kind_demands() {
    for kind in [Sha1, MeticulousSha1] {
        let (mut bench, number) = up(kind);
        says(&mut bench, &signature(number, 101));
        let numbers: Vec<_> = signed(&bench.run_for(ms(600)));
        assert!(numbers.len() >= 3, "{numbers:?}");
        let step = u32::from(kind == MeticulousSha1);
        let mut steps = numbers.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]));
        // The last one goes with another state.
        assert!(steps.clone().take(numbers.len() - 2).all(|s| s == step), "{kind:?} {numbers:?}");
        assert_eq!(steps.next_back(), Some(1));
    }
}

fn signed(actions: &[Action]) -> Vec<u32> {
    let number = |action: &Action| match action {
        Action::Send { packet, .. } => {
            let section = Packet::parse(packet).ok()?.sha1()?;
            assert!(section.is_signed_with(KEY));
            Some(section.sequence)
        }
        _ => None,
    };
    actions.iter().filter_map(number).collect()
}

#[test]
fn first_numbers_differ() {
    let first = |secret| {
        let mut domain = Domain::new(secret);
        let mut out = Vec::new();
        let config = Rc::new(config(Sha1));
        domain.handle(Input::Add { id: ID, config }, Instant::ZERO, &mut out);
        signed(&out)
    };
    assert_ne!(first([1; 16]), first([2; 16]));
}

#[test]
fn a_changed_key_takes_effect_with_the_next_packet() {
    let (mut bench, _) = up(Sha1);
    let auth = BfdAuth { kind: Sha1, key_id: 10, key: Secret::new(b"new") };
    let changed = BfdInstance { auth: Some(auth), ..config(Sha1) };
    bench.hand(Input::Adjust { id: ID, config: Rc::new(changed) });
    assert_eq!(says(&mut bench, &signature(4, 101)).len(), 1);
    let new = Signature { kind: 4, key_id: 10, sequence: 7, key: b"new" };
    assert_eq!(says(&mut bench, &new), []);
}
