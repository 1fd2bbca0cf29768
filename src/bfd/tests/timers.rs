//! When packets are sent, and with which offers.

use super::*;

/// The times between the packets of the next `time`.
fn gaps(bench: &mut Bench, time: Duration) -> Vec<u64> {
    let end = bench.now + time;
    let mut times = Vec::new();
    while let Some(next) = bench.domain.next_owed().filter(|next| *next <= end) {
        bench.now = next;
        assert_eq!(sent(&bench.hand(Input::DeadlineAmid { read_to: Instant::ZERO })).len(), 1);
        times.push(next.micros());
    }
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

fn all_within(gaps: &[u64], low: u64, high: u64) {
    let (least, most) = (gaps.iter().min().copied(), gaps.iter().max().copied());
    assert!(least >= Some(low) && most <= Some(high), "{least:?} {most:?}");
    // And they do vary over that range.
    let spread = most.unwrap_or(0) - least.unwrap_or(0);
    assert!(spread > (high - low) * 8 / 10, "{spread} of {}", high - low);
}

#[test]
fn a_second_apart_while_it_is_not_up() {
    let (mut bench, out) = Bench::new(config());
    let first = sent(&out)[0];
    assert_eq!((first.min_tx, first.min_rx, first.multiplier), (1_000_000, 100_000, 3));
    assert_eq!((first.state, first.your_discriminator, first.poll), (SessionState::Down, 0, false));
    all_within(&gaps(&mut bench, ms(100_000)), 750_000, 1_000_000);
}

#[test]
fn at_the_slower_of_both_rates_while_it_is_up() {
    let mut bench = Bench::up(config());
    assert_eq!(bench.session().timing().tx_interval, Some(ms(200)));
    all_within(&gaps(&mut bench, ms(20_000)), 150_000, 200_000);
    let mut bench = Bench::up(BfdInstance { min_tx: ms(300), ..config() });
    all_within(&gaps(&mut bench, ms(30_000)), 225_000, 300_000);
}

#[test]
fn never_on_the_last_moment_if_one_lost_packet_is_too_much() {
    let mut bench = Bench::up(BfdInstance { multiplier: 1, ..config() });
    all_within(&gaps(&mut bench, ms(30_000)), 150_000, 180_000);
}

/// They can share a wake-up of the daemon.
#[test]
fn on_a_beat_which_sessions_of_one_interval_have_in_common() {
    for (start, beat) in [(0, 10_000), (77_777, 10_000), (99_999, 10_000)] {
        let mut rng = Rng::new(start);
        for _ in 0..100 {
            let sent = Instant::from_micros(5_000_000 + start);
            let next = timing::next_send(sent, ms(200), 3, &mut rng);
            assert_eq!(next.micros() % beat, 0);
            assert!(next >= sent + ms(150) && next <= sent + ms(200), "{next}");
        }
    }
}

/// What wakes the daemon for a session is used for both directions.
#[test]
fn with_a_packet_that_arrives_when_it_is_almost_time() {
    let mut bench = Bench::up(config());
    let packet = bench.packet(SessionState::Up);
    let mut early = 0;
    for _ in 0..40 {
        bench.now = bench.domain.next_owed().expect("packets are sent");
        assert_eq!(sent(&bench.hand(Input::Deadline)).len(), 1);
        let last = bench.now;
        bench.now = last + ms(149);
        assert!(sent(&bench.hear(&packet)).is_empty(), "too early");
        bench.now = last + ms(150);
        if bench.domain.next_owed() > Some(bench.now) {
            assert_eq!(sent(&bench.hear(&packet)).len(), 1);
            assert!(sent(&bench.hear(&packet)).is_empty(), "once");
            assert!(bench.domain.next_owed() >= Some(bench.now + ms(150)));
            early += 1;
        }
    }
    assert!(early > 20, "{early}");
}

#[test]
fn changes_of_the_neighbour_count_at_once() {
    let mut bench = Bench::up(config());
    let slower = ControlPacket { min_rx: 1_000_000, ..bench.packet(SessionState::Up) };
    let before = bench.domain.next_owed();
    bench.hear(&slower);
    assert!(bench.domain.next_owed() > before, "the packet to come waits as well");
    assert_eq!(bench.session().timing().tx_interval, Some(ms(1000)));
    let faster = ControlPacket { min_rx: 1, ..slower };
    let out = bench.hear(&faster);
    assert!(bench.domain.next_owed() <= Some(bench.now + ms(150)));
    assert_eq!(bench.session().timing().tx_interval, Some(ms(150)));
    assert!(out.iter().any(|a| matches!(a, Action::Negotiated { .. })), "{out:?}");
    assert!(sent(&out).is_empty());
    let patient = ControlPacket { multiplier: 10, min_tx: 500_000, ..faster };
    bench.hear(&patient);
    assert_eq!(bench.session().timing().detection, Some(ms(5000)));
}

#[test]
fn a_neighbour_that_wants_no_packets_gets_none_but_answers() {
    let mut bench = Bench::up(config());
    for quiet in [
        ControlPacket { min_rx: 0, ..bench.packet(SessionState::Up) },
        ControlPacket { demand: true, ..bench.packet(SessionState::Up) },
    ] {
        bench.hear(&quiet);
        assert_eq!(bench.domain.next_owed(), None);
        let out = bench.hear(&ControlPacket { poll: true, ..quiet });
        assert!(sent(&out)[0].final_);
        assert_eq!(bench.domain.next_owed(), None);
        // A new state is said in any case.
        let lost = ControlPacket { state: SessionState::Down, ..quiet };
        assert_eq!(sent(&bench.hear(&lost))[0].state, SessionState::Down);
        bench = Bench::up(config());
    }
    let demands = ControlPacket { demand: true, ..bench.packet(SessionState::Up) };
    bench.hear(&demands);
    bench.hear(&ControlPacket { demand: false, ..demands });
    assert!(bench.domain.next_owed() <= Some(bench.now + ms(200)));
}

/// The neighbour's silence means something, whatever it demands of us.
#[test]
fn a_neighbour_that_demands_silence_is_still_watched() {
    let mut bench = Bench::up(config());
    bench.hear(&ControlPacket { demand: true, ..bench.packet(SessionState::Up) });
    let out = bench.run_for(ms(480));
    assert_eq!(changes(&out)[0].0, SessionState::Down);
}

#[test]
fn a_passive_session_waits_to_be_spoken_to() {
    let passive = BfdInstance { passive: true, ..config() };
    let (mut bench, out) = Bench::new(passive);
    assert!(out.is_empty() && bench.domain.next_deadline().is_none(), "{out:?}");
    let first = ControlPacket { your_discriminator: 0, ..bench.packet(SessionState::Down) };
    let out = bench.hear(&first);
    assert_eq!(sent(&out)[0].state, SessionState::Init);
    // And falls silent when the neighbour is gone.
    let out = bench.run_for(ms(20_000));
    assert_eq!(changes(&out).len(), 1);
    assert_eq!(bench.domain.next_deadline(), None);
}

#[test]
fn new_states_are_sent_at_once_and_answers_do_not_move_the_schedule() {
    let mut bench = Bench::new(config()).0;
    let out = bench.hear(&bench.packet(SessionState::Init));
    let up = sent(&out);
    assert_eq!((up.len(), up[0].state), (1, SessionState::Up));
    assert_eq!((up[0].min_tx, up[0].poll), (150_000, true));
    let next = bench.domain.next_owed();
    bench.now += ms(10);
    let poll = ControlPacket { poll: true, min_tx: 1_000_000, ..bench.packet(SessionState::Up) };
    assert!(sent(&bench.hear(&poll))[0].final_);
    assert_eq!(bench.domain.next_owed(), next);
}

#[test]
fn early_deadlines_do_nothing() {
    let mut bench = Bench::up(config());
    let next = bench.domain.next_deadline();
    assert!(bench.hand(Input::Deadline).is_empty());
    assert_eq!(bench.domain.next_deadline(), next);
}
