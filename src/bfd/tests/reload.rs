//! Sessions that are removed, and those that take their place.

use super::*;

fn gone(actions: &[Action]) -> bool {
    actions.contains(&Action::Gone(ID))
}

#[test]
fn a_removed_session_says_so_until_it_is_heard() {
    let mut bench = Bench::up(config());
    let out = bench.hand(Input::Remove { id: ID });
    let last = sent(&out)[0];
    assert_eq!(
        (last.state, last.diag, last.poll),
        (SessionState::AdminDown, Diag::ADMIN_DOWN, true)
    );
    assert_eq!(changes(&out), [(SessionState::AdminDown, Cause::Removed)]);
    assert!(!gone(&out));
    let down = bench.packet(SessionState::Down);
    assert!(!gone(&bench.hear(&down)));
    let out = bench.hear(&ControlPacket { final_: true, ..down });
    assert!(gone(&out) && bench.domain.session(ID).is_none());
    assert_eq!((bench.domain.next_deadline(), bench.domain.vacant_id()), (None, ID));
}

#[test]
fn three_packets_are_enough() {
    let mut bench = Bench::up(config());
    bench.hand(Input::Stop);
    let out = bench.run_for(ms(10_000));
    assert_eq!(sent(&out).len(), 2);
    assert!(sent(&out).iter().all(|p| p.state == SessionState::AdminDown));
    assert!(gone(&out) && bench.domain.next_deadline().is_none());
}

/// But for a neighbour that was never heard: a farewell may still reach it.
#[test]
fn who_wants_no_packets_hears_one() {
    let mut bench = Bench::up(config());
    bench.hear(&ControlPacket { min_rx: 0, ..bench.packet(SessionState::Up) });
    let out = bench.hand(Input::Remove { id: ID });
    assert!(sent(&out).len() == 1 && gone(&out));
    let mut bench = Bench::new(BfdInstance { passive: true, ..config() }).0;
    let out = bench.hand(Input::Remove { id: ID });
    assert!(sent(&out).is_empty() && gone(&out));
}

#[test]
fn no_farewell_follows_the_first_packet_of_a_new_session() {
    let mut bench = Bench::up(config());
    bench.hand(Input::Remove { id: ID });
    let new = BfdInstance { source: Some([10, 0, 0, 1].into()), ..config() };
    let out = bench.hand(Input::Add { id: SessionId(1), config: Rc::new(new) });
    assert!(gone(&out[..1]));
    assert_eq!(sent(&out)[0].state, SessionState::Down);
    let out = bench.run_for(ms(5000));
    assert!(sent(&out).iter().all(|p| p.state == SessionState::Down));
}

#[test]
fn a_departing_session_takes_no_packets_from_its_successor() {
    let other = BfdInstance { source: Some([10, 0, 0, 1].into()), ..config() };
    let mut bench = Bench::up(other);
    bench.hand(Input::Add { id: SessionId(1), config: Rc::new(config()) });
    let first = ControlPacket { your_discriminator: 0, ..bench.packet(SessionState::Down) };
    bench.hand(Input::Remove { id: ID });
    bench.hear(&first);
    let successor = bench.domain.session(SessionId(1)).expect("there is one");
    assert_eq!(successor.state(), SessionState::Init);
}
