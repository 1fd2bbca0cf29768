//! What readers of a FIFO get, whenever they come.

use super::*;

fn quiet() -> Notify {
    Notify::default()
}

#[test]
fn the_first_reader_hears_everything_from_the_start() {
    let mut desk = Desk::new(&global());
    desk.instance("A", State::Backup, &quiet());
    let out = desk.instance("A", State::Master, &quiet());
    assert_eq!(out, [], "there is no reader");
    assert_eq!(desk.reader(Which::Vrrp, true), [Action::WriteFifo(Which::Vrrp)]);
    let lines = ["INSTANCE \"A\" BACKUP 100", "INSTANCE \"A\" MASTER 100"];
    assert_eq!(desk.read(Which::Vrrp), lines);
}

#[test]
fn a_reader_that_comes_back_hears_where_things_stand() {
    let mut desk = Desk::read_by_all(&global());
    desk.instance("B", State::Master, &quiet());
    desk.instance("A", State::Backup, &quiet());
    desk.feed(Input::Group {
        name: &"G".into(),
        state: State::Backup,
        notify: &quiet(),
        because: Because::NOTHING,
    });
    assert_eq!(desk.read(Which::Vrrp).len(), 3);
    desk.reader(Which::Vrrp, false);
    assert_eq!(desk.instance("A", State::Fault, &quiet()), [Action::WriteFifo(Which::All)]);
    desk.instance("A", State::Master, &quiet());
    assert_eq!(desk.read(Which::Vrrp), [""; 0]);
    desk.reader(Which::Vrrp, true);
    let standing =
        ["GROUP \"G\" BACKUP 0", "INSTANCE \"B\" MASTER 100", "INSTANCE \"A\" MASTER 100"];
    assert_eq!(desk.read(Which::Vrrp), standing);
    assert_eq!(desk.read(Which::All).len(), 5, "the other one was never away");
}

#[test]
fn a_reader_that_opens_it_for_every_line_is_not_kept_busy_for_ever() {
    let mut desk = Desk::read_by_all(&global());
    desk.instance("A", State::Master, &quiet());
    let mut heard = 0;
    for _ in 0..10 {
        heard += desk.read(Which::Vrrp).len();
        desk.reader(Which::Vrrp, false);
        desk.now += Duration::from_secs(1);
        desk.reader(Which::Vrrp, true);
    }
    assert_eq!(heard, 2);
    desk.reader(Which::Vrrp, false);
    desk.now += Duration::from_secs(600);
    desk.reader(Which::Vrrp, true);
    assert_eq!(desk.read(Which::Vrrp).len(), 1, "it may well be another one");
}

#[test]
fn a_slow_reader_misses_what_was_but_not_what_is() {
    let mut desk = Desk::read_by_all(&global());
    let mut notes = 0;
    for n in 0..5000 {
        let state = if n % 2 == 0 { State::Master } else { State::Backup };
        let out = desk.instance(&format!("I{}", n % 3), state, &quiet());
        notes += out.iter().filter(|a| matches!(a, Action::Noted(_))).count();
    }
    desk.instance("I1", State::Fault, &quiet());
    assert_eq!(notes, 2, "said once of each FIFO");
    let standing =
        ["INSTANCE \"I0\" MASTER 100", "INSTANCE \"I1\" FAULT 100", "INSTANCE \"I2\" BACKUP 100"];
    let mut lines = desk.read(Which::All);
    lines.sort();
    assert_eq!(lines, standing);
}

#[test]
fn a_line_that_was_refused_is_offered_again() {
    let mut desk = Desk::read_by_all(&global());
    desk.instance("A", State::Backup, &quiet());
    for _ in 0..2 {
        assert_eq!(desk.domain.pending_line(Which::All), Some("INSTANCE \"A\" BACKUP 100\n"));
        desk.instance("A", State::Master, &quiet());
    }
    desk.domain.line_written(Which::All);
    assert_eq!(desk.read(Which::All).last().map(String::as_str), Some("INSTANCE \"A\" MASTER 100"));
}

#[test]
fn the_last_of_a_removed_instance_is_not_lost_to_a_slow_reader() {
    let mut desk = Desk::read_by_all(&global());
    let notify = Notify { says_deleted: true, ..Notify::default() };
    for n in 0..3000 {
        let state = if n % 2 == 0 { State::Master } else { State::Backup };
        desk.instance("A", state, &notify);
    }
    desk.instance("A", State::Deleted, &notify);
    assert_eq!(desk.read(Which::All), ["INSTANCE \"A\" DELETED 100"]);
    desk.instance("B", State::Backup, &notify);
    desk.instance("B", State::Deleted, &notify);
    for n in 0..3000 {
        desk.instance("C", if n % 2 == 0 { State::Master } else { State::Backup }, &notify);
    }
    let lines = ["INSTANCE \"B\" DELETED 100", "INSTANCE \"C\" BACKUP 100"];
    assert_eq!(desk.read(Which::All), lines);
}

fn standing(name: &str) -> Standing {
    Standing { object: Subject::Instance(name.into()), state: State::Backup, priority: 90 }
}

#[test]
fn after_a_reload_the_file_says_who_there_is_and_in_which_order() {
    let mut desk = Desk::read_by_all(&global());
    for name in ["A", "B", "C"] {
        desk.instance(name, State::Backup, &quiet());
    }
    desk.read(Which::Vrrp);
    desk.feed(Input::Setup(&global()));
    assert_eq!(desk.feed(Input::Standing(&[standing("C"), standing("A")])), []);
    assert_eq!(desk.read(Which::Vrrp), [""; 0], "nothing changed");
    desk.reader(Which::Vrrp, false);
    desk.reader(Which::Vrrp, true);
    let lines = ["INSTANCE \"C\" BACKUP 90", "INSTANCE \"A\" BACKUP 90"];
    assert_eq!(desk.read(Which::Vrrp), lines);
}

#[test]
fn fifo_write_vrrp_states_on_reload_repeats_what_did_not_change() {
    let mut global = global();
    global.fifos.states_on_reload = true;
    let mut desk = Desk::read_by_all(&global);
    for name in ["A", "B"] {
        desk.instance(name, State::Backup, &quiet());
    }
    desk.read(Which::Vrrp);
    desk.read(Which::Lvs);
    desk.feed(Input::Setup(&global));
    desk.instance("B", State::Fault, &quiet());
    let list = [standing("A"), Standing { state: State::Fault, ..standing("B") }];
    let out = desk.feed(Input::Standing(&list));
    assert_eq!(out, [Action::WriteFifo(Which::All), Action::WriteFifo(Which::Vrrp)]);
    let lines = ["INSTANCE \"B\" FAULT 100", "INSTANCE \"A\" BACKUP 90"];
    assert_eq!(desk.read(Which::Vrrp), lines);
    assert_eq!(desk.read(Which::Lvs), [""; 0]);
}

#[test]
fn a_fifo_that_a_reload_adds_tells_where_things_stand() {
    let mut desk = Desk::new(&Global::default());
    desk.instance("A", State::Backup, &quiet());
    desk.instance("A", State::Master, &quiet());
    desk.feed(Input::Setup(&global()));
    desk.reader(Which::All, true);
    assert_eq!(desk.read(Which::All), ["INSTANCE \"A\" MASTER 100"]);
}

#[test]
fn what_is_forgotten_is_not_repeated() {
    let mut desk = Desk::read_by_all(&global());
    let id = ServiceId(7);
    let event = ServiceEvent::Removing;
    let because = Because::NOTHING;
    let (name, script) = ("FWM 7", None);
    desk.feed(Input::Service { id, name, up: false, event, script, mail: false, because });
    assert_eq!(desk.read(Which::Lvs), ["VS FWM 7 DOWN"]);
    desk.feed(Input::Forget(&Subject::Service(id)));
    desk.reader(Which::Lvs, false);
    desk.reader(Which::Lvs, true);
    assert_eq!(desk.read(Which::Lvs), [""; 0]);
}

#[test]
fn lines_that_were_not_read_before_a_restart_by_command_are_read_after_it() {
    let mut desk = Desk::new(&global());
    desk.instance("A", State::Backup, &quiet());
    desk.instance("A", State::Master, &quiet());
    let unread = desk.domain.unread_lines(Which::All);
    assert_eq!(unread.len(), 2);

    let mut again = Desk::new(&global());
    let mut out = Vec::new();
    unread.iter().for_each(|line| again.domain.resume_line(Which::All, line, &mut out));
    again.reader(Which::All, true);
    let lines: Vec<_> = unread.iter().map(|line| line.trim_end().to_owned()).collect();
    assert_eq!(again.read(Which::All), lines);
}

#[test]
fn a_priority_that_is_as_it_was_before_a_restart_is_no_news() {
    let mut desk = Desk::read_by_all(&global());
    let (object, state) = (Subject::Instance("A".into()), State::Backup);
    desk.feed(Input::Recall { object, state, priority: Some(120) });
    let notify = Notify { priority_changes: true, ..Notify::default() };
    for priority in [120, 100] {
        desk.feed(Input::Priority { name: &"A".into(), priority, notify: &notify });
    }
    assert_eq!(desk.read(Which::All), ["INSTANCE \"A\" BACKUP_PRIORITY 100"]);
}

#[test]
fn servers_that_are_as_they_were_before_a_restart_are_no_news() {
    let mut desk = Desk::read_by_all(&global());
    desk.feed(Input::RecallServed { service: "VS", server: None, up: true });
    let tell = |desk: &mut Desk, up| {
        let (event, because) = (ServiceEvent::Removing, Because::NOTHING);
        let id = ServiceId(0);
        let quorum = script("quorum");
        let script = Some(&quorum);
        desk.feed(Input::Service { id, name: "VS", up, event, script, mail: true, because })
    };
    assert_eq!(tell(&mut desk, true), []);
    assert_eq!(desk.read(Which::All), Vec::<String>::new());
    assert!(!tell(&mut desk, false).is_empty());
    assert_eq!(desk.read(Which::All), ["VS VS DOWN"]);
}
