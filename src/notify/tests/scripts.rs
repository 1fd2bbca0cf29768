//! One at a time, in order, and not for ever.

use super::super::scripts::LIMIT;
use super::*;

fn any() -> Notify {
    Notify { any: Some(Box::new(script("any"))), ..Notify::default() }
}

/// What is started, and nothing of FIFOs.
fn started(actions: &[Action]) -> Vec<String> {
    shown(actions).into_iter().filter(|l| !l.ends_with("fifo")).collect()
}

#[test]
fn the_next_one_waits_for_the_last() {
    let mut desk = Desk::new(&Global::default());
    let first = desk.instance("A", State::Backup, &any());
    assert_eq!(desk.instance("A", State::Master, &any()), []);
    assert_eq!(desk.instance("A", State::Fault, &any()), []);
    let other = desk.instance("B", State::Backup, &any());
    assert_eq!(started(&other), ["run any INSTANCE B BACKUP 100"], "others need not wait");
    let second = desk.feed(Input::ScriptEnded(run_of(&first)));
    assert_eq!(started(&second), ["run any INSTANCE A MASTER 100"]);
    assert_eq!(desk.feed(Input::ScriptEnded(run_of(&first))), [], "it has ended before");
    let third = desk.feed(Input::ScriptEnded(run_of(&second)));
    assert_eq!(started(&third), ["run any INSTANCE A FAULT 100"]);
}

#[test]
fn a_script_that_holds_up_others_is_ended_after_its_limit() {
    let mut desk = Desk::new(&Global::default());
    let first = run_of(&desk.instance("A", State::Backup, &any()));
    desk.instance("A", State::Master, &any());
    assert_eq!(desk.pass(LIMIT - Duration::from_millis(1)), []);
    let out = desk.pass(Duration::from_millis(1));
    assert!(out.contains(&Action::EndScript { run: first }), "{out:?}");
    assert_eq!(desk.pass(Duration::from_secs(9)), [], "it has a while to end");
    let out = desk.pass(Duration::from_secs(1));
    let shown = started(&out);
    assert!(shown[0].contains("does not end"), "{shown:?}");
    assert_eq!(shown[1], "run any INSTANCE A MASTER 100");
    assert_eq!(desk.feed(Input::ScriptEnded(first)), [], "at last, but none waits any more");
}

#[test]
fn a_script_that_holds_up_no_other_may_run_for_ever() {
    let mut desk = Desk::new(&Global::default());
    let first = run_of(&desk.instance("A", State::Master, &any()));
    assert_eq!(desk.pass(LIMIT * 100), []);
    assert_eq!(desk.domain.next_deadline(), None);
    let out = desk.instance("A", State::Backup, &any());
    assert!(out.contains(&Action::EndScript { run: first }), "now it does: {out:?}");
    assert_eq!(started(&desk.feed(Input::ScriptEnded(first))), ["run any INSTANCE A BACKUP 100"]);
}

#[test]
fn when_too_many_wait_the_newest_stays() {
    let mut desk = Desk::new(&Global::default());
    let mut run = run_of(&desk.instance("A", State::Backup, &any()));
    let mut skipped = 0;
    for n in 0..100 {
        let state = if n % 2 == 0 { State::Master } else { State::Fault };
        let out = desk.instance("A", state, &any());
        skipped += out.iter().filter(|a| matches!(a, Action::Noted(Note::Skipped { .. }))).count();
    }
    let mut ran = Vec::new();
    loop {
        let out = desk.feed(Input::ScriptEnded(run));
        if out.is_empty() {
            break;
        }
        run = run_of(&out);
        ran.extend(started(&out));
    }
    assert_eq!(ran.len(), 16);
    assert_eq!(skipped + ran.len(), 100);
    assert_eq!(ran.last().map(String::as_str), Some("run any INSTANCE A FAULT 100"));
}

#[test]
fn adverts_of_lesser_routers_do_not_crowd_out_states() {
    let mut desk = Desk::new(&Global::default());
    let notify = Notify { master_rx_lower_pri: Some(Box::new(script("lower"))), ..any() };
    let mut run = run_of(&desk.instance("A", State::Master, &notify));
    for _ in 0..1000 {
        let out =
            desk.feed(Input::LowerPriority { name: &"A".into(), priority: 100, notify: &notify });
        assert_eq!(out, []);
    }
    desk.instance("A", State::Backup, &notify);
    for expected in ["run lower", "run any INSTANCE A BACKUP 100"] {
        let out = desk.feed(Input::ScriptEnded(run));
        assert_eq!(started(&out), [expected]);
        run = run_of(&out);
    }
}

#[test]
fn the_end_waits_for_none() {
    let mut desk = Desk::new(&Global::default());
    let notify = everything();
    let first = run_of(&desk.instance("A", State::Master, &notify));
    desk.instance("A", State::Backup, &notify);
    let out = desk.instance("A", State::Stop, &notify);
    assert_eq!(started(&out), ["run stop", "run any INSTANCE A STOP 100"]);
    assert_eq!(desk.feed(Input::ScriptEnded(first)), [], "what waited is pointless now");
    assert!(!desk.domain.is_idle());
    for action in out {
        if let Action::RunScript { run, .. } = action {
            desk.feed(Input::ScriptEnded(run));
        }
    }
    assert!(desk.domain.is_idle());
}

#[test]
fn only_so_many_run_at_a_time() {
    let mut desk = Desk::new(&Global::default());
    let mut runs = VecDeque::new();
    for n in 0..1000 {
        let out = desk.instance(&format!("I{n}"), State::Master, &any());
        runs.extend(out.iter().map(|a| run_of(std::slice::from_ref(a))));
    }
    assert_eq!(runs.len(), 64);
    let mut all = 0;
    while let Some(run) = runs.pop_front() {
        all += 1;
        let out = desk.feed(Input::ScriptEnded(run));
        runs.extend(out.iter().map(|a| run_of(std::slice::from_ref(a))));
        assert!(runs.len() <= 64);
    }
    assert_eq!(all, 1000);
    assert!(desk.domain.is_idle());
}

#[test]
fn scripts_that_never_end_do_not_take_the_places_of_others() {
    let mut desk = Desk::new(&Global::default());
    for n in 0..100 {
        desk.instance(&format!("I{n}"), State::Master, &any());
    }
    let out = desk.pass(LIMIT);
    assert_eq!(out.len(), 36, "those who waited for a place");
    assert!(!desk.domain.is_idle());
    desk.pass(LIMIT);
    assert!(desk.domain.is_idle(), "a stop does not wait for what is not going to end");
}

#[test]
fn what_is_under_way_at_a_restart_by_command_goes_on_after_it() {
    let mut desk = Desk::new(&Global::default());
    desk.instance("A", State::Backup, &any());
    desk.instance("A", State::Master, &any());
    let (running, waiting) = (desk.domain.running_scripts(), desk.domain.waiting_scripts());
    assert_eq!((running.len(), waiting.len()), (1, 1));

    let mut again = Desk::new(&Global::default());
    let RunningScript { of, command, .. } = &running[0];
    let run = again.domain.resume_script(of.clone(), command, again.now);
    let mut out = Vec::new();
    for change in waiting.clone() {
        again.domain.resume_change(change, again.now, &mut out);
    }
    assert_eq!(out, [], "the first one runs");
    assert_eq!(again.domain.command(run), Some("any"));
    assert_eq!(again.domain.waiting_scripts(), waiting);
    let next = again.feed(Input::ScriptEnded(run));
    assert_eq!(started(&next), ["run any INSTANCE A MASTER 100"]);
}
