//! Sync daemons and timeouts.

use super::*;
use crate::wire::netlink::ipvs::Role;

fn running(role: Role, id: u32) -> Daemon {
    Daemon {
        role,
        interface: Name::new("eth0").expect("a name"),
        id,
        max_len: None,
        port: None,
        ttl: None,
        group: None,
    }
}

/// A daemon as reported by the kernel, with its default values filled in.
fn shown(role: Role, id: u32) -> Daemon {
    Daemon {
        max_len: Some(1472),
        port: Some(8848),
        ttl: Some(1),
        group: Some([224, 0, 0, 81].into()),
        ..running(role, id)
    }
}

impl Bench {
    fn want_daemons(&mut self, daemons: &[Daemon]) {
        assert_eq!(self.on(Input::WantDaemons { daemons }), []);
    }

    /// Answers all requests with this errno until there are none.
    fn answered(&mut self, errno: i32) -> (Vec<Request>, Vec<Action>) {
        let (mut asked, mut told) = (Vec::new(), Vec::new());
        while self.domain.next_deadline().is_some_and(|when| when <= self.now) {
            for action in self.ask() {
                let Action::Ask(request) = action else { panic!("{action:?}") };
                asked.push(request);
                told.extend(self.on(Input::Answer { request: &request, errno }));
            }
        }
        (asked, told)
    }
}

const MASTER: Role = Role::Master;
const BACKUP: Role = Role::Backup;

#[test]
fn one_daemon_stops_before_the_other_starts() {
    let mut b = Bench::default();
    b.want_daemons(&[running(BACKUP, 1)]);
    assert_eq!(b.answered(0).0, [Request::StartDaemon(running(BACKUP, 1))]);
    b.want_daemons(&[running(BACKUP, 1)]);
    assert_eq!(b.answered(0).0, []);
    b.want_daemons(&[running(MASTER, 1)]);
    let expected = [Request::StopDaemon(BACKUP), Request::StartDaemon(running(MASTER, 1))];
    assert_eq!(b.answered(0).0, expected);
    let actions = b.on(Input::ReleaseAll { flush: false });
    assert_eq!(actions, [Action::Ask(Request::StopDaemon(MASTER))]);
}

#[test]
fn a_running_daemon_with_the_same_options_is_kept() {
    let mut b = Bench::default();
    b.on(Input::SeenDaemons { daemons: &[shown(MASTER, 1), shown(BACKUP, 2)] });
    assert_eq!(b.answered(0).0, []);
    b.want_daemons(&[running(MASTER, 1), running(BACKUP, 1)]);
    let expected = [Request::StopDaemon(BACKUP), Request::StartDaemon(running(BACKUP, 1))];
    assert_eq!(b.answered(0).0, expected);
    let other = Daemon { port: Some(9), ..running(MASTER, 1) };
    b.want_daemons(&[other]);
    let asked = b.answered(0).0;
    let stops = [MASTER, BACKUP].map(Request::StopDaemon);
    assert_eq!(asked, [stops[0], stops[1], Request::StartDaemon(other)]);
}

#[test]
fn an_unknown_daemon_is_stopped_first() {
    let mut b = Bench::default();
    b.want_daemons(&[running(MASTER, 1)]);
    let start = Request::StartDaemon(running(MASTER, 1));
    assert_eq!(b.ask(), [Action::Ask(start)]);
    assert_eq!(b.on(Input::Answer { request: &start, errno: EEXIST }), []);
    assert_eq!(b.answered(0).0, [Request::StopDaemon(MASTER), start]);
}

#[test]
fn a_refused_daemon_is_retried_later_but_not_at_the_end() {
    const ENODEV: i32 = 19;
    let mut b = Bench::default();
    b.want_daemons(&[running(MASTER, 1)]);
    let start = Request::StartDaemon(running(MASTER, 1));
    let delay = Some(Duration::from_secs(1));
    let refused = Action::Refused { request: start, errno: ENODEV, delay };
    assert_eq!(b.answered(ENODEV), (vec![start], vec![refused]));
    b.now += Duration::from_secs(1);
    assert_eq!(b.answered(0).0, [start]);
    let stop = Request::StopDaemon(MASTER);
    assert_eq!(b.on(Input::ReleaseAll { flush: false }), [Action::Ask(stop)]);
    let told = b.on(Input::Answer { request: &stop, errno: EINVAL });
    assert_eq!(told, [Action::Refused { request: stop, errno: EINVAL, delay: None }]);
    assert_eq!(b.domain.next_deadline(), None);
}

#[test]
fn daemons_that_were_never_wanted_are_left_alone() {
    let mut b = Bench::default();
    b.on(Input::SeenDaemons { daemons: &[shown(MASTER, 1)] });
    b.want_daemons(&[]);
    assert_eq!(b.answered(0).0, []);
    assert_eq!(b.on(Input::ReleaseAll { flush: false }), []);
}

#[test]
fn original_timeouts_are_restored() {
    let original = Timeouts { tcp: 900, tcp_fin: 120, udp: 300 };
    let mut b = Bench::default();
    let wanted = Timeouts { tcp: 60, tcp_fin: 0, udp: 0 };
    b.on(Input::WantTimeouts { timeouts: wanted });
    assert_eq!(b.answered(0).0, []);
    b.on(Input::SeenTimeouts { timeouts: original });
    let changed = Timeouts { tcp: 60, ..original };
    assert_eq!(b.answered(0).0, [Request::SetTimeouts(changed)]);
    b.on(Input::WantTimeouts { timeouts: wanted });
    b.on(Input::SeenTimeouts { timeouts: changed });
    assert_eq!(b.answered(0).0, []);
    b.on(Input::WantTimeouts { timeouts: Timeouts::default() });
    assert_eq!(b.answered(0).0, [Request::SetTimeouts(original)]);
    b.on(Input::WantTimeouts { timeouts: wanted });
    b.answered(0);
    let actions = b.on(Input::ReleaseAll { flush: true });
    assert!(actions.contains(&Action::Ask(Request::SetTimeouts(original))), "{actions:?}");
}
