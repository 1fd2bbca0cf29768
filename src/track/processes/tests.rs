//! Which processes match, and when a change of their number is believed.

use super::*;
use crate::base::time::Duration;

fn tracked(process: &str, params: &[&str], param_match: ParamMatch) -> TrackProcess {
    TrackProcess {
        name: "p".into(),
        process: process.into(),
        params: params.iter().map(|&word| word.into()).collect(),
        param_match,
        full_command: false,
        weight: 0,
        reverse: false,
        quorum: 1,
        quorum_max: None,
        terminate_delay: Duration::ZERO,
        fork_delay: Duration::ZERO,
    }
}

fn process<'a>(pid: u32, comm: &'a str, cmdline: &'a str) -> Process<'a> {
    let (comm, cmdline) = (comm.as_bytes(), cmdline.as_bytes());
    Process { pid, leader: pid, comm, cmdline, exe: None }
}

#[test]
fn a_name_is_compared_with_the_name_of_the_process_cut_as_the_kernel_does() {
    let any = |name| tracked(name, &[], ParamMatch::Any);
    let nginx = process(1, "nginx", "/usr/sbin/nginx\0-g\0daemon off\0");
    assert!(is_match(&any("nginx"), &nginx));
    assert!(!is_match(&any("ngin"), &nginx));
    assert!(!is_match(&any("/usr/sbin/ngin"), &nginx));
    assert!(is_match(&any("/usr/sbin/nginx"), &nginx));
    let long = process(1, "a-very-long-nam", "");
    assert!(is_match(&any("a-very-long-name-indeed"), &long));
    let master = process(1, "x", "nginx: master process\0\0\0");
    let master = Process { exe: Some(b"/usr/sbin/nginx"), ..master };
    assert!(is_match(&any("/usr/sbin/nginx"), &master));
}

#[test]
fn a_thread_matches_by_name_only_and_its_process_counts_once() {
    let worker = |pid| Process { leader: 10, ..process(pid, "worker", "") };
    assert!(is_match(&tracked("worker", &[], ParamMatch::Any), &worker(11)));
    assert!(!is_match(&tracked("worker", &[], ParamMatch::Exact), &worker(11)));
    let mut one = One::new(TrackProcess { quorum: 2, ..tracked("worker", &[], ParamMatch::Any) });
    one.scan(&[worker(11), worker(12)]);
    assert_eq!(one.state(), TrackState::processes(1, 2, None));
    one.gone(11);
    one.seen(process(20, "worker", ""));
    assert!(one.state().is_up());
    one.gone(12);
    assert_eq!(one.state(), TrackState::processes(1, 2, None));
}

#[test]
fn parameters_are_compared_as_a_whole_in_part_or_up_to_the_last() {
    use ParamMatch::{Any, Exact, Initial, Partial};
    let p = process(1, "d", "/bin/d\0-c\0/etc/d.conf\0");
    let cases: [(&[&str], [ParamMatch; 4], [bool; 4]); 5] = [
        (&[], [Any, Exact, Initial, Partial], [true, false, true, true]),
        (&["-c"], [Any, Exact, Initial, Partial], [true, false, true, true]),
        (&["-c", "/etc"], [Any, Exact, Initial, Partial], [true, false, true, false]),
        (&["-c", "/etc/d.conf"], [Any, Exact, Initial, Partial], [true, true, true, true]),
        (&["-c", "/etc/d.conf", "-x"], [Any, Exact, Initial, Partial], [true, false, false, false]),
    ];
    for (params, ways, expected) in cases {
        let found = ways.map(|way| is_match(&tracked("/bin/d", params, way), &p));
        assert_eq!(found, expected, "{params:?}");
    }
}

#[test]
fn the_full_command_is_the_first_word_as_it_was_typed() {
    let full = |name| TrackProcess { full_command: true, ..tracked(name, &[], ParamMatch::Any) };
    let p = process(1, "sleep", "/bin/sleep\09\0");
    assert!(is_match(&full("/bin/sleep"), &p));
    assert!(!is_match(&full("sleep"), &p));
    assert!(!is_match(&full("/bin/sleep"), &process(1, "sleep", "")));
}

/// One tracker, and what it told.
struct One {
    all: Processes,
    now: Instant,
    out: Vec<Action>,
}

impl One {
    fn new(config: TrackProcess) -> Self {
        let (mut all, mut out) = (Processes::default(), Vec::new());
        all.on_configure(&[config], &mut out);
        assert_eq!(out.pop(), Some(Action::ScanProcesses));
        out.clear();
        Self { all, now: Instant::from_millis(1), out }
    }

    fn scan(&mut self, list: &[Process<'_>]) {
        self.all.on_scan(list, self.now, &mut self.out);
    }

    fn seen(&mut self, process: Process<'_>) {
        self.all.on_seen(&process, self.now, &mut self.out);
    }

    fn gone(&mut self, pid: u32) {
        self.all.on_gone(pid, self.now, &mut self.out);
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.all.on_deadline(self.now, &mut self.out);
    }

    fn state(&self) -> TrackState {
        self.all.state("p").unwrap()
    }
}

fn d(pid: u32) -> Process<'static> {
    process(pid, "d", "")
}

#[test]
fn the_quorum_is_told_when_it_is_gained_and_when_it_is_lost() {
    let mut one = One::new(tracked("d", &[], ParamMatch::Any));
    assert_eq!(one.state(), TrackState::Pending);
    one.scan(&[]);
    assert_eq!(one.state(), TrackState::processes(0, 1, None));
    one.seen(d(1));
    one.seen(d(2));
    one.gone(1);
    one.gone(2);
    one.gone(2);
    let (lost, gained) =
        (Note::QuorumLost { process: "p".into() }, Note::QuorumGained { process: "p".into() });
    let object = || Object::Process("p".into());
    let down = || Action::Changed { object: object(), state: TrackState::processes(0, 1, None) };
    let up = Action::Changed { object: object(), state: TrackState::processes(1, 1, None) };
    let lost = Action::Noted(lost);
    assert_eq!(one.out, [lost.clone(), down(), Action::Noted(gained), up, lost, down()]);
}

#[test]
fn too_many_are_as_bad_as_too_few() {
    let limited = TrackProcess { quorum_max: Some(1), ..tracked("d", &[], ParamMatch::Any) };
    let mut one = One::new(limited);
    one.scan(&[d(1)]);
    assert!(one.state().is_up());
    one.seen(d(2));
    assert_eq!(one.state(), TrackState::processes(2, 1, Some(1)));
    one.gone(1);
    assert!(one.state().is_up());
}

#[test]
fn a_process_that_changes_its_name_is_another_one() {
    let mut one = One::new(tracked("d", &[], ParamMatch::Any));
    one.scan(&[process(1, "sh", "")]);
    one.seen(d(1));
    assert!(one.state().is_up());
    one.seen(process(1, "e", ""));
    assert_eq!(one.state(), TrackState::processes(0, 1, None));
}

#[test]
fn a_loss_is_believed_after_its_delay_unless_it_is_made_good() {
    let delayed = TrackProcess {
        terminate_delay: Duration::from_secs(2),
        fork_delay: Duration::from_secs(3),
        ..tracked("d", &[], ParamMatch::Any)
    };
    let mut one = One::new(delayed);
    one.scan(&[d(1)]);
    one.gone(1);
    one.wait(1);
    one.seen(d(2));
    assert_eq!(one.all.next_deadline(), None);
    one.wait(9);
    assert!(one.state().is_up());
    one.gone(2);
    one.wait(2);
    assert_eq!(one.state(), TrackState::processes(0, 1, None));
    one.seen(d(3));
    one.wait(2);
    one.seen(d(4));
    assert!(!one.state().is_up());
    one.wait(1);
    assert!(one.state().is_up());
    assert_eq!(one.all.next_deadline(), None);
}

#[test]
fn a_reload_keeps_what_is_the_same_and_counts_the_rest_anew() {
    let config = tracked("d", &[], ParamMatch::Any);
    let mut one = One::new(config.clone());
    one.scan(&[d(1)]);
    one.out.clear();
    one.all.on_configure(std::slice::from_ref(&config), &mut one.out);
    assert_eq!(one.out, []);
    let other = TrackProcess { process: "e".into(), ..config };
    one.all.on_configure(&[other], &mut one.out);
    assert_eq!(one.out, [Action::ScanProcesses]);
    assert!(one.state().is_up());
    one.scan(&[d(1)]);
    assert_eq!(one.state(), TrackState::processes(0, 1, None));
}
