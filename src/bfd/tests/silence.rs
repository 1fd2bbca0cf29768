//! Detection of a neighbour that is gone, and stalls of our own.

use super::*;

/// Four times the larger of our 100 ms and its 120 ms.
const DETECTION: Duration = Duration::from_millis(480);

#[test]
fn silence_ends_a_session_after_the_detection_time_and_not_before() {
    let mut bench = Bench::up(config());
    let last = bench.now;
    let out = bench.run(last + DETECTION - Duration::from_micros(1));
    assert!(changes(&out).is_empty());
    let out = bench.run(last + DETECTION);
    let cause = Cause::Silence { waited: DETECTION, detection: DETECTION };
    assert_eq!(changes(&out), [(SessionState::Down, cause)]);
    let down = sent(&out)[0];
    assert_eq!((down.state, down.diag), (SessionState::Down, Diag::TIME_EXPIRED));
    assert_eq!((down.your_discriminator, down.min_tx), (0, 1_000_000));
    assert_eq!(bench.session().neighbor(), None);
}

#[test]
fn each_packet_extends_the_time_from_its_arrival() {
    let mut bench = Bench::up(config());
    let bytes = bench.packet(SessionState::Up).emit(None);
    let arrived = bench.now + ms(100);
    bench.now += ms(150);
    bench.hand(Input::Packet(Received { arrived, ..received(&bytes) }));
    assert_eq!(bench.session().expected(), Some(arrived + DETECTION));
}

#[test]
fn a_session_that_never_comes_up_expires_as_well() {
    let mut bench = Bench::new(config()).0;
    bench.hear(&bench.packet(SessionState::Down));
    assert_eq!(bench.state(), SessionState::Init);
    let out = bench.run_for(ms(4000));
    assert_eq!(changes(&out).last().map(|c| c.0), Some(SessionState::Down));
    assert_eq!(bench.session().diag(), Diag::TIME_EXPIRED);
    // In Down, what was known of the neighbour is forgotten in the same time.
    bench.hear(&bench.packet(SessionState::AdminDown));
    assert!(bench.session().neighbor().is_some());
    assert!(changes(&bench.run_for(ms(4000))).is_empty());
    assert!(bench.session().neighbor().is_none());
}

#[test]
fn a_deadline_served_late_is_no_failure_of_the_neighbour() {
    let mut bench = Bench::up(config());
    bench.now += DETECTION + ms(300);
    let out = bench.hand(Input::Deadline);
    assert!(changes(&out).is_empty());
    let until = bench.now + ms(240);
    let late = ms(300);
    assert!(
        out.iter()
            .any(|a| matches!(a, Action::Noted { note: Note::Stalled { late: l, until: u }, .. }
            if *l == late && *u == until)),
        "{out:?}"
    );
    // There is one second chance only.
    let out = bench.run(until);
    assert_eq!(changes(&out)[0].0, SessionState::Down);
}

#[test]
fn a_sign_of_life_after_a_stall_keeps_the_session() {
    let mut bench = Bench::up(config());
    bench.now += DETECTION + ms(300);
    bench.hand(Input::Deadline);
    bench.now += ms(200);
    bench.hear(&bench.packet(SessionState::Up));
    assert!(changes(&bench.run_for(DETECTION - ms(1))).is_empty());
    assert_eq!(changes(&bench.run_for(ms(1))).len(), 1);
}

/// The stall shows in a packet that waited, or in our own packet that is late.
#[test]
fn any_sign_of_a_stall_will_do() {
    let mut bench = Bench::up(config());
    let bytes = bench.packet(SessionState::Up).emit(None);
    let arrived = bench.now;
    bench.now += DETECTION + ms(1);
    bench.hand(Input::Packet(Received { arrived, ..received(&bytes) }));
    assert!(changes(&bench.hand(Input::Deadline)).is_empty());

    let mut bench = Bench::up(config());
    let deadline = bench.session().expected().expect("there is one");
    bench.now = deadline - ms(1);
    bench.hand(Input::Deadline);
    bench.now = deadline;
    assert!(changes(&bench.hand(Input::Deadline)).is_empty());
}

#[test]
fn a_little_lateness_is_no_stall() {
    let mut bench = Bench::up(config());
    let last = bench.now;
    bench.run(last + DETECTION - ms(1));
    bench.now = last + DETECTION + ms(20);
    assert_eq!(changes(&bench.hand(Input::Deadline)).len(), 1);
}

#[test]
fn what_is_unread_holds_back_only_what_it_could_change() {
    let mut bench = Bench::up(config());
    let last = bench.now;
    bench.run(last + DETECTION - ms(1));
    bench.now = last + DETECTION;
    let out = bench.hand(Input::DeadlineAmid { read_to: last + DETECTION - ms(2) });
    assert!(changes(&out).is_empty());
    let owed = bench.domain.next_owed().expect("there is a next packet");
    bench.now = owed;
    let out = bench.hand(Input::DeadlineAmid { read_to: last });
    assert_eq!((sent(&out).len(), changes(&out).len()), (1, 0));
    let mut bench = Bench::up(config());
    let last = bench.now;
    bench.run(last + DETECTION - ms(1));
    bench.now = last + DETECTION + ms(1);
    let out = bench.hand(Input::DeadlineAmid { read_to: last + DETECTION });
    assert_eq!(changes(&out).len(), 1, "it cannot be among the unread");
}

#[test]
fn the_discriminator_outlives_the_failure() {
    let mut bench = Bench::up(config());
    let number = bench.session().discriminator();
    bench.run_for(ms(1000));
    assert_eq!((bench.state(), bench.session().discriminator()), (SessionState::Down, number));
}

#[test]
fn a_forgotten_neighbour_that_wanted_no_packets_gets_some_again() {
    let mut bench = Bench::new(config()).0;
    bench.hear(&ControlPacket { min_rx: 0, ..bench.packet(SessionState::AdminDown) });
    assert_eq!(bench.domain.next_owed(), None);
    bench.now += ms(10_000);
    let out = bench.hand(Input::Deadline);
    assert_eq!(sent(&out).len(), 1);
    assert!(bench.domain.next_deadline().is_some_and(|next| next > bench.now), "nothing is due");
}
