use super::*;
use crate::base::tracked::{Finding, TrackState};
use crate::model::track::Object;
use crate::status::ObjectKind;

fn at(n: u64) -> Instant {
    Instant::from_millis(n)
}

fn turn(journal: &mut Journal, name: &str, n: u64) {
    let subject = Subject::new(ObjectKind::Instance, name);
    let what = What::State { from: Some("BACKUP"), to: "MASTER" };
    journal.add(Entry { at: at(n), subject, what, why: Why::Nothing });
}

fn numbers(journal: &Journal, name: &str) -> Vec<u64> {
    journal.of(&Subject::new(ObjectKind::Instance, name)).map(|(number, _)| number).collect()
}

#[test]
fn an_object_that_flaps_drives_out_only_its_own_entries() {
    let mut journal = Journal::default();
    turn(&mut journal, "quiet", 0);
    for n in 1..=200 {
        turn(&mut journal, "busy", n);
    }
    assert_eq!(numbers(&journal, "quiet"), [1]);
    let kept = numbers(&journal, "busy");
    assert_eq!((kept.len(), kept[0], kept[63]), (64, 138, 201));
}

#[test]
fn the_whole_is_bounded_and_forgets_objects_with_their_last_entry() {
    let mut journal = Journal::default();
    for n in 0..10_000 {
        turn(&mut journal, &format!("VI_{n}"), n);
    }
    assert_eq!(journal.entries.len(), MOST);
    assert_eq!(journal.of.len(), MOST);
    assert!(numbers(&journal, "VI_0").is_empty());
    assert_eq!(numbers(&journal, "VI_9999"), [10_000]);
}

#[test]
fn an_object_that_flapped_is_forgotten_with_its_last_entry() {
    let mut journal = Journal::default();
    for n in 0..100 {
        turn(&mut journal, "busy", n);
    }
    for n in 0..MOST as u64 {
        turn(&mut journal, &format!("VI_{n}"), n);
    }
    assert_eq!(journal.of.len(), MOST);
    assert!(numbers(&journal, "busy").is_empty());
}

#[test]
fn a_reader_learns_how_many_entries_it_has_missed() {
    let mut journal = Journal::default();
    assert!(journal.after(0).is_none());
    for n in 0..100 {
        turn(&mut journal, "busy", n);
    }
    assert_eq!(journal.last(), 100);
    let next = |after| journal.after(after).map(|(number, _, missed)| (number, missed));
    assert_eq!(next(0), Some((37, 36)));
    assert_eq!(next(37), Some((38, 0)));
    assert_eq!(next(99), Some((100, 0)));
    assert_eq!((next(100), next(u64::MAX)), (None, None));
}

#[test]
fn a_quiet_start_costs_nothing() {
    let mut journal = Journal::default();
    let script = Object::Script("s".to_owned());
    let (up, down) = (TrackState::exit(0), TrackState::exit(1));
    journal.tracked(&script, &TrackState::Pending, &up, at(1));
    journal.tracked(&script, &up, &up, at(2));
    journal.tracked(
        &Object::File("f".to_owned()),
        &TrackState::Pending,
        &TrackState::Value(0),
        at(3),
    );
    assert_eq!((journal.last(), journal.of.len()), (0, 0));
    journal.tracked(&script, &up, &down, at(4));
    journal.tracked(&script, &down, &TrackState::exit(2), at(5));
    let entry = journal.last_state(&(&script).into()).expect("an entry");
    assert_eq!(entry.why.to_string(), "exit 1");
    assert!(matches!(entry.what, What::State { from: Some("up"), to: "down" }));
    assert_eq!(journal.last(), 1);
}

#[test]
fn a_state_of_the_run_before_follows_none_of_this_one() {
    let mut journal = Journal::default();
    let script = Object::Script("s".to_owned());
    let down = TrackState::Down(Finding::Recalled);
    journal.tracked(&script, &TrackState::Pending, &down, at(1));
    let entry = journal.last_state(&(&script).into()).expect("an entry");
    assert!(matches!(entry.what, What::State { from: None, to: "down" }));
    journal.tracked(&script, &down, &TrackState::exit(0), at(2));
    let entry = journal.last_state(&(&script).into()).expect("an entry");
    assert!(matches!(entry.what, What::State { from: Some("down"), to: "up" }));
}

#[test]
fn an_entry_is_small() {
    assert!(size_of::<Entry>() <= 128, "{}", size_of::<Entry>());
}
