//! A session that goes on in another program.

use super::*;
use crate::model::bfd::{BfdAuth, BfdAuthKind};
use crate::model::secret::Secret;
use crate::wire::bfd::Signature;
use BfdAuthKind::{MeticulousSha1, Sha1};

const KEY: &[u8] = b"topsecret";

fn signed(kind: BfdAuthKind) -> BfdInstance {
    let auth = BfdAuth { kind, key_id: 9, key: Secret::new(KEY) };
    BfdInstance { auth: Some(auth), ..config() }
}

impl Bench {
    /// Another program goes on with the session.
    fn replace(&mut self, memory: Memory, config: BfdInstance) -> Vec<Action> {
        self.domain = Domain::new([8; 16]);
        self.hand(Input::Resume { id: ID, config: Rc::new(config), memory })
    }

    /// Hears a packet with this sequence number.
    fn hear_signed(&mut self, kind: BfdAuthKind, sequence: u32, state: SessionState) {
        let kind = if kind == Sha1 { 4 } else { 5 };
        let signature = Signature { kind, key_id: 9, sequence, key: KEY };
        let packet = self.packet(state).emit(Some(&signature));
        assert_eq!(refusals(&self.datagram(&packet)), []);
    }

    fn up_signed(kind: BfdAuthKind) -> Self {
        let mut bench = Self::new(signed(kind)).0;
        bench.hear_signed(kind, 100, SessionState::Init);
        bench
    }
}

fn numbers(actions: &[Action]) -> Vec<u32> {
    let number = |action: &Action| match action {
        Action::Send { packet, .. } => Some(Packet::parse(packet).ok()?.sha1()?.sequence),
        _ => None,
    };
    actions.iter().filter_map(number).collect()
}

#[test]
fn it_sends_at_once_and_changes_nothing() {
    let mut bench = Bench::up(config());
    bench.run_for(ms(210));
    let (before, last) = (bench.session().memory(), bench.session().last);
    bench.now += ms(30);
    let out = bench.replace(before.clone(), config());
    assert_eq!(sent(&out), [last.expect("it has sent some")]);
    assert_eq!(out.len(), 1, "{out:?}");
    let after = bench.session().memory();
    let counts = Counts { sent: before.counts.sent + 1, ..before.counts };
    assert_eq!(after, Memory { counts, sent: Some(bench.now), ..before });
    // It belongs to the same session, and goes on in the same rhythm.
    let packet = bench.packet(SessionState::Up);
    assert_eq!(bench.hear(&packet), []);
    assert!(!sent(&bench.run_for(ms(200))).is_empty());
}

#[test]
fn silence_counts_from_the_takeover_on() {
    // The neighbour's multiplier is 4, and it sends every 120 ms.
    let mut bench = Bench::up(config());
    bench.now += ms(400);
    let memory = bench.session().memory();
    bench.replace(memory, config());
    let began = bench.now;
    let out = bench.run(began + ms(480) - Duration::from_micros(1));
    assert_eq!(changes(&out), []);
    let out = bench.run(began + ms(480));
    let cause = Cause::Silence { waited: ms(880), detection: ms(480) };
    assert_eq!(changes(&out), [(SessionState::Down, cause)]);
}

#[test]
fn a_poll_sequence_goes_on() {
    let mut bench = Bench::up(config());
    let changed = BfdInstance { min_tx: ms(300), ..config() };
    bench.hand(Input::Adjust { id: ID, config: Rc::new(changed.clone()) });
    assert!(bench.session().is_polling());
    let memory = bench.session().memory();
    let out = bench.replace(memory, changed);
    assert!(sent(&out)[0].poll);
    assert_eq!(bench.session().timing().tx_interval, Some(ms(200)), "until it is confirmed");
    let confirmed = ControlPacket { final_: true, ..bench.packet(SessionState::Up) };
    bench.hear(&confirmed);
    assert_eq!(bench.session().timing().tx_interval, Some(ms(300)));
}

#[test]
fn the_neighbour_confirms_what_the_new_program_changes() {
    let bench = Bench::up(config());
    for changed in [
        BfdInstance { min_tx: ms(300), ..config() },
        BfdInstance { min_rx: ms(50), ..config() },
        BfdInstance { multiplier: 5, ..config() },
    ] {
        let mut bench = Bench { domain: Domain::new([9; 16]), now: bench.now };
        let memory = Bench::up(config()).session().memory();
        let before = memory.clone();
        let out = bench.replace(memory, changed.clone());
        let [packet] = sent(&out)[..] else { panic!("{out:?}") };
        assert!(packet.poll && packet.state == SessionState::Up, "{packet:?}");
        assert_eq!(packet.multiplier, changed.multiplier);
        let (now, then) = (bench.session().min_rx, before.min_rx);
        assert_eq!((bench.session().min_tx, now), (before.min_tx, then));
    }
}

#[test]
fn a_session_that_is_not_up_goes_on_as_well() {
    let mut bench = Bench::new(config()).0;
    bench.hear(&bench.packet(SessionState::Down));
    assert_eq!(bench.state(), SessionState::Init);
    let memory = bench.session().memory();
    bench.replace(memory, config());
    let out = bench.hear(&bench.packet(SessionState::Init));
    assert_eq!(changes(&out), [(SessionState::Up, Cause::NeighborHears)]);
}

/// A neighbour that wants no packets gets none from the new program either.
#[test]
fn a_session_stays_silenced() {
    let mut bench = Bench::up(config());
    let silence = ControlPacket { min_rx: 0, ..bench.packet(SessionState::Up) };
    bench.hear(&silence);
    let memory = bench.session().memory();
    assert_eq!(bench.replace(memory, config()), []);
    assert_eq!(sent(&bench.run_for(ms(400))), []);
}

#[test]
fn numbers_go_on_above_those_of_the_stand_in() {
    for kind in [Sha1, MeticulousSha1] {
        let mut bench = Bench::up_signed(kind);
        let (mut memory, before) = (bench.session().memory(), bench.session().counts().sent);
        // The stand-in is a copy of the process, to which nothing new is read.
        let end = bench.now + ms(430);
        let mut used = Vec::new();
        while let Some(next) = bench.domain.next_owed().filter(|next| *next <= end) {
            bench.now = next;
            used.extend(numbers(&bench.hand(Input::DeadlineAmid { read_to: Instant::ZERO })));
        }
        assert_eq!(bench.state(), SessionState::Up);
        let last = used.last().copied();
        let sent = bench.session().counts().sent;
        assert!(sent >= before + 2 && used.len() >= 2);
        bench.now = end;
        memory.follow(Some(Stood { number: last, sent }), end);
        let [first] = numbers(&bench.replace(memory, signed(kind)))[..] else { panic!("one") };
        assert_eq!(first.wrapping_sub(last.expect("some")), 1, "{kind:?}");
        assert_eq!(bench.session().counts().sent, sent + 1);
        // So do those of the neighbour.
        bench.hear_signed(kind, 101, SessionState::Up);
        let old = Signature { kind: 4, key_id: 9, sequence: 90, key: KEY };
        let kind = if kind == Sha1 { 4 } else { 5 };
        let packet = bench.packet(SessionState::Up).emit(Some(&Signature { kind, ..old }));
        let refused = Refusal::AuthSequence { theirs: 90, last: 101 };
        assert_eq!(refusals(&bench.datagram(&packet)), [refused]);
    }
}

/// RFC 5880 section 6.7.4: above the last number heard, and by 3 * Detect Mult at most.
#[test]
fn numbers_of_a_silent_stand_in_are_estimated() {
    for (kind, multiplier, longest) in [
        (Sha1, 1, 10_000),
        (Sha1, 3, 10_000),
        (MeticulousSha1, 2, 1_600),
        (MeticulousSha1, 3, 3_200),
    ] {
        for length in (0..longest).step_by(10) {
            let base = BfdInstance { multiplier, ..signed(kind) };
            let mut bench = Bench::new(base.clone()).0;
            bench.hear_signed(kind, 100, SessionState::Init);
            bench.domain.rng = Rng::new(length);
            let mut memory = bench.session().memory();
            let mut last = memory.numbers.expect("it has some").ours;
            let end = bench.now + ms(length);
            while let Some(next) = bench.domain.next_owed().filter(|next| *next <= end) {
                bench.now = next;
                let used = numbers(&bench.hand(Input::DeadlineAmid { read_to: Instant::ZERO }));
                last = used.last().copied().unwrap_or(last);
            }
            bench.now = end;
            memory.follow(None, end);
            let [first] = numbers(&bench.replace(memory, base))[..] else { panic!("one") };
            let ahead = first.wrapping_sub(last);
            let fits = 1..=3 * u32::from(multiplier);
            assert!(fits.contains(&ahead), "{kind:?} {multiplier} {length} ms: {ahead}");
        }
    }
}

#[test]
fn a_changed_key_id_makes_their_numbers_begin_anew() {
    let mut bench = Bench::up_signed(MeticulousSha1);
    let auth = BfdAuth { kind: MeticulousSha1, key_id: 10, key: Secret::new(KEY) };
    let changed = BfdInstance { auth: Some(auth), ..config() };
    let memory = bench.session().memory();
    bench.replace(memory, changed);
    let signature = Signature { kind: 5, key_id: 10, sequence: 7, key: KEY };
    let packet = bench.packet(SessionState::Up).emit(Some(&signature));
    assert_eq!(refusals(&bench.datagram(&packet)), []);
}

#[test]
fn a_program_that_stays_goes_on_above_the_stand_in() {
    for (kind, stood, ahead) in [
        (MeticulousSha1, Some(5), 6),
        (Sha1, Some(1), 2),
        // 430 ms at 200 ms, less a quarter of jitter: two packets, and one to be sure.
        (MeticulousSha1, None, 4),
        (Sha1, None, 2),
    ] {
        let mut bench = Bench::up_signed(kind);
        let before = bench.session().memory().numbers.expect("it has some").ours;
        bench.now += ms(430);
        let number = |n| Some(before.wrapping_add(n));
        let stood = stood.map(|n| Stood { number: number(n), sent: 50 });
        bench.domain.follow(ID, stood, bench.now);
        let after = numbers(&bench.hand(Input::Deadline));
        assert_eq!(after[0].wrapping_sub(before), ahead, "{kind:?} {stood:?}");
    }
}
