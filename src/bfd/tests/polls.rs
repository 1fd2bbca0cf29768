//! Parameters that change while the session is up.

use super::*;

fn adjust(bench: &mut Bench, config: BfdInstance) -> Vec<Action> {
    bench.hand(Input::Adjust { id: ID, config: Rc::new(config) })
}

#[test]
fn a_faster_rate_is_used_at_once_and_a_slower_one_once_it_is_confirmed() {
    let mut bench = Bench::up(config());
    let slow = BfdInstance { min_tx: ms(500), ..config() };
    let asked = sent(&adjust(&mut bench, slow))[0];
    assert_eq!((asked.poll, asked.min_tx, asked.state), (true, 500_000, SessionState::Up));
    assert_eq!(bench.session().timing().tx_interval, Some(ms(200)), "as before");
    let up = bench.packet(SessionState::Up);
    bench.hear(&up);
    assert_eq!(bench.session().timing().tx_interval, Some(ms(200)), "no answer yet");
    assert!(sent(&bench.run_for(ms(200)))[0].poll);
    let out = bench.hear(&ControlPacket { final_: true, ..up });
    assert_eq!(bench.session().timing().tx_interval, Some(ms(500)));
    assert!(!bench.session().is_polling() && sent(&out).is_empty());
    bench.hear(&up);
    let fast = BfdInstance { min_tx: ms(300), ..config() };
    assert!(sent(&adjust(&mut bench, fast))[0].poll);
    assert_eq!(bench.session().timing().tx_interval, Some(ms(300)));
}

#[test]
fn a_shorter_detection_time_waits_for_the_answer_and_a_longer_one_does_not() {
    let mut bench = Bench::up(BfdInstance { min_rx: ms(300), ..config() });
    assert_eq!(bench.session().timing().detection, Some(ms(1200)));
    adjust(&mut bench, config());
    assert_eq!(bench.session().timing().detection, Some(ms(1200)));
    let up = bench.packet(SessionState::Up);
    bench.hear(&ControlPacket { final_: true, ..up });
    assert_eq!(bench.session().timing().detection, Some(ms(480)));
    bench.hear(&up);
    adjust(&mut bench, BfdInstance { min_rx: ms(200), ..config() });
    assert_eq!(bench.session().timing().detection, Some(ms(800)));
}

/// The answer to the first change must not confirm the second.
#[test]
fn two_changes_take_two_answers() {
    let mut bench = Bench::up(config());
    adjust(&mut bench, BfdInstance { min_tx: ms(400), ..config() });
    adjust(&mut bench, BfdInstance { min_tx: ms(800), ..config() });
    let up = bench.packet(SessionState::Up);
    let answer = ControlPacket { final_: true, ..up };
    bench.hear(&answer);
    assert_eq!(bench.session().timing().tx_interval, Some(ms(200)));
    bench.hear(&up);
    assert!(bench.session().is_polling());
    bench.hear(&answer);
    assert_eq!(bench.session().timing().tx_interval, Some(ms(800)));
}

#[test]
fn a_multiplier_goes_out_at_once() {
    let mut bench = Bench::up(config());
    let out = adjust(&mut bench, BfdInstance { multiplier: 7, ..config() });
    assert_eq!((sent(&out)[0].multiplier, sent(&out)[0].poll), (7, true));
    assert!(changes(&out).is_empty());
}

#[test]
fn a_neighbour_that_demands_silence_is_asked_nevertheless() {
    let mut bench = Bench::up(config());
    let quiet = ControlPacket { demand: true, ..bench.packet(SessionState::Up) };
    bench.hear(&quiet);
    adjust(&mut bench, BfdInstance { min_tx: ms(160), ..config() });
    assert!(sent(&bench.run_for(ms(200)))[0].poll);
    bench.hear(&ControlPacket { final_: true, ..quiet });
    assert_eq!(bench.domain.next_owed(), None);
}

#[test]
fn what_is_confirmed_already_needs_no_sequence() {
    let mut bench = Bench::up(config());
    let renamed = BfdInstance { name: "c".into(), passive: true, ttl: 64, ..config() };
    assert!(adjust(&mut bench, renamed).is_empty());
    let out = bench.run_for(ms(200));
    assert!(matches!(out[0], Action::Send { ttl: 64, .. }), "{out:?}");
}
