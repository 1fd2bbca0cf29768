//! One object, one change at a time; then everything at once.

use super::*;
use crate::base::ids::ServiceId;
use crate::base::tally::Tally;
use crate::base::time::Duration;
use crate::base::verdict::{ProbeStep, Reason, Verdict};
use crate::model::check::{Check, Connect, Kind, Schedule};
use crate::model::notify::{Fifo, Mail, MailServer};
use crate::model::probed::Probed;
use crate::model::script::User;

mod fifos;
mod random;
mod scripts;

pub(super) fn script(name: &str) -> Script {
    Script {
        path: format!("/etc/{name}"),
        argv: vec![name.to_owned()],
        user: User::ROOT,
        by_shell: false,
    }
}

pub(super) fn everything() -> Notify {
    let some = |name| Some(Box::new(script(name)));
    Notify {
        master: some("master"),
        backup: some("backup"),
        fault: some("fault"),
        stop: some("stop"),
        deleted: some("deleted"),
        any: some("any"),
        master_rx_lower_pri: some("lower"),
        mail: true,
        ..Notify::default()
    }
}

fn fifo(path: &str) -> Option<Fifo> {
    Some(Fifo { path: path.into(), owner: User::ROOT, script: None })
}

pub(super) fn global() -> Global {
    let mut global = Global { router_id: Some("r1".into()), ..Global::default() };
    global.fifos.all = fifo("/run/all");
    global.fifos.vrrp = fifo("/run/vrrp");
    global.fifos.lvs = fifo("/run/lvs");
    global.mail = Some(Mail {
        server: MailServer::Name("mail".into()),
        port: 25,
        helo: "r1".into(),
        timeout: Duration::from_secs(30),
        from: "a@b".into(),
        recipients: vec!["c@d".into()],
        no_faults: false,
    });
    global
}

/// A domain, the time, and what came out.
pub(super) struct Desk {
    pub(super) domain: Domain,
    pub(super) now: Instant,
}

impl Desk {
    pub(super) fn new(global: &Global) -> Self {
        let mut desk = Self { domain: Domain::default(), now: Instant::from_millis(1000) };
        assert_eq!(desk.feed(Input::Setup(global)), []);
        desk
    }

    pub(super) fn read_by_all(global: &Global) -> Self {
        let mut desk = Self::new(global);
        for which in Which::ALL {
            desk.reader(which, true);
        }
        desk
    }

    pub(super) fn feed(&mut self, input: Input<'_>) -> Vec<Action> {
        let mut out = Vec::new();
        self.domain.handle(input, self.now, &mut out);
        out
    }

    pub(super) fn instance(&mut self, name: &str, state: State, notify: &Notify) -> Vec<Action> {
        let because = Because::NOTHING;
        let name = &name.into();
        self.feed(Input::Instance { name, state, priority: 100, group: None, notify, because })
    }

    pub(super) fn reader(&mut self, which: Which, present: bool) -> Vec<Action> {
        self.feed(Input::FifoReader { which, present })
    }

    pub(super) fn pass(&mut self, time: Duration) -> Vec<Action> {
        self.now += time;
        self.feed(Input::Deadline)
    }

    /// Everything a reader can read now.
    pub(super) fn read(&mut self, which: Which) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(line) = self.domain.pending_line(which) {
            lines.push(line.strip_suffix('\n').expect("a whole line").to_owned());
            self.domain.line_written(which);
        }
        lines
    }
}

/// Actions as text, for comparing.
pub(super) fn shown(actions: &[Action]) -> Vec<String> {
    let show = |action: &Action| match action {
        Action::RunScript { script, extra, .. } => {
            format!("run {} {}", script.shown(), extra.join(" ")).trim().to_owned()
        }
        Action::EndScript { run } => format!("end {}", run.0),
        Action::WriteFifo(which) => which.keyword().to_owned(),
        Action::SendMail(letter) => format!("mail {} {}", letter.subject, letter.text),
        Action::Noted(note) => note.to_string(),
    };
    actions.iter().map(show).collect()
}

pub(super) fn run_of(actions: &[Action]) -> RunId {
    let run = |a: &Action| if let Action::RunScript { run, .. } = a { Some(*run) } else { None };
    actions.iter().find_map(run).expect("a script is started")
}

#[test]
fn script_then_fifo_then_mail() {
    let mut desk = Desk::read_by_all(&global());
    let out = desk.instance("VI_1", State::Master, &everything());
    assert_eq!(
        shown(&out),
        [
            "run master",
            "notify_fifo",
            "vrrp_notify_fifo",
            "mail [r1] VRRP Instance VI_1 - Entering MASTER state => VRRP Instance is now owning VRRP VIPs <="
        ]
    );
    let out = desk.feed(Input::ScriptEnded(run_of(&out)));
    assert_eq!(shown(&out), ["run any INSTANCE VI_1 MASTER 100"]);
    assert!(!desk.domain.is_idle());
    assert_eq!(desk.feed(Input::ScriptEnded(run_of(&out))), []);
    assert!(desk.domain.is_idle());
}

#[test]
fn a_group_has_priority_zero() {
    let mut desk = Desk::read_by_all(&global());
    let notify = Notify { any: Some(Box::new(script("any"))), mail: true, ..Notify::default() };
    let out = desk.feed(Input::Group {
        name: &"G 1".into(),
        state: State::Backup,
        notify: &notify,
        because: Because::NOTHING,
    });
    assert_eq!(
        shown(&out),
        [
            "run any GROUP G 1 BACKUP 0",
            "notify_fifo",
            "vrrp_notify_fifo",
            "mail [r1] VRRP Group G 1 - Entering BACKUP state => All VRRP group instances are now in BACKUP state <="
        ]
    );
    assert_eq!(desk.read(Which::All), ["GROUP \"G 1\" BACKUP 0"]);
}

#[test]
fn a_member_is_not_repeated_while_its_group_stands_there() {
    let mut desk = Desk::read_by_all(&global());
    let notify = Notify { any: Some(Box::new(script("any"))), ..Notify::default() };
    let mut member = |state| {
        let out = desk.feed(Input::Instance {
            name: &"A".into(),
            state,
            priority: 100,
            group: Some(&"G".into()),
            notify: &notify,
            because: Because::NOTHING,
        });
        desk.feed(Input::Group {
            name: &"G".into(),
            state: State::Backup,
            notify: &notify,
            because: Because::NOTHING,
        });
        !out.is_empty()
    };
    assert!(member(State::Backup));
    assert!(!member(State::Backup), "the group is in BACKUP, and this was reported before");
    assert!(member(State::Master));
    assert!(member(State::Backup), "the last that was reported was MASTER");
}

#[test]
fn a_state_is_not_mailed_twice_in_a_row() {
    let mut desk = Desk::new(&global());
    let notify = Notify { mail: true, ..Notify::default() };
    let mailed = |out: &[Action]| out.iter().any(|a| matches!(a, Action::SendMail(_)));
    assert!(mailed(&desk.instance("A", State::Backup, &notify)));
    assert!(!mailed(&desk.instance("A", State::Backup, &notify)));
    assert!(mailed(&desk.instance("A", State::Fault, &notify)));
    let mut quiet = global();
    quiet.mail.as_mut().expect("set").no_faults = true;
    let mut desk = Desk::new(&quiet);
    assert!(mailed(&desk.instance("A", State::Backup, &notify)));
    assert!(!mailed(&desk.instance("A", State::Fault, &notify)), "no_email_faults");
    assert!(!mailed(&desk.instance("A", State::Backup, &notify)), "the last mail said BACKUP");
    assert!(mailed(&desk.instance("A", State::Master, &notify)));
    let without = Global { mail: None, ..global() };
    let mut desk = Desk::new(&without);
    assert!(!mailed(&desk.instance("A", State::Backup, &notify)), "no smtp_server");
}

#[test]
fn an_instance_that_a_reload_removes_ends_in_fault_or_deleted() {
    let mut desk = Desk::read_by_all(&global());
    let plain = Notify { says_deleted: false, mail: false, ..everything() };
    let out = desk.instance("A", State::Deleted, &plain);
    assert_eq!(shown(&out), ["run fault", "notify_fifo", "vrrp_notify_fifo"]);
    desk.instance("B", State::Fault, &plain);
    assert_eq!(desk.instance("B", State::Deleted, &plain), [], "it was in FAULT already");
    let says = Notify { says_deleted: true, ..plain };
    desk.instance("C", State::Fault, &says);
    let out = desk.instance("C", State::Deleted, &says);
    assert_eq!(shown(&out), ["notify_fifo", "vrrp_notify_fifo"], "its script waits for the first");
    let expected = [
        "INSTANCE \"A\" FAULT 100",
        "INSTANCE \"B\" FAULT 100",
        "INSTANCE \"C\" FAULT 100",
        "INSTANCE \"C\" DELETED 100",
    ];
    assert_eq!(desk.read(Which::Vrrp), expected);
}

#[test]
fn virtual_and_real_servers_are_told_without_quotes() {
    let mut desk = Desk::read_by_all(&global());
    let (vs, rs) = ("[10.3.0.101]:tcp:80", "[10.3.0.11]:tcp:80");
    let (id, up) = (ServiceId(0), script("up"));
    let input =
        Input::Server { service: id, service_name: vs, name: rs, up: true, script: Some(&up) };
    assert_eq!(shown(&desk.feed(input)), ["run up", "notify_fifo", "lvs_notify_fifo"]);
    let tally = Tally { quorum: 2, hysteresis: 1, threshold: 3, weight: 1, live: 1, servers: 2 };
    let input = Input::Service {
        id,
        name: vs,
        up: false,
        event: ServiceEvent::Quorum(tally),
        script: Some(&up),
        mail: true,
        because: Because(Some(&"[10.3.0.12]:tcp:80 is down")),
    };
    let lost = "mail [r1] Virtualserver [10.3.0.101]:tcp:80 - DOWN => Lost quorum 2+1=3 <= 1 <=\nbecause: [10.3.0.12]:tcp:80 is down";
    assert_eq!(shown(&desk.feed(input)), ["run up", "notify_fifo", "lvs_notify_fifo", lost]);
    let config = Check {
        kind: Kind::Tcp(Connect::to([10, 3, 0, 11].into(), 80)),
        schedule: Schedule::default(),
        alpha: false,
        log_all_failures: false,
    };
    let verdict = Verdict::Down(Reason::TimedOut(ProbeStep::Connecting));
    let input = Input::CheckMail {
        service: id,
        service_name: vs,
        name: rs,
        up: false,
        news: ServerNews::Check { probed: Probed { config: &config, page: 0 }, verdict: &verdict },
    };
    let check = "mail [r1] Realserver [10.3.0.11]:tcp:80 of virtual server [10.3.0.101]:tcp:80 - DOWN => TCP CHECK failed on service <=\nbecause: TCP_CHECK 10.3.0.11:80: timeout while connecting";
    assert_eq!(shown(&desk.feed(input)), [check]);
    let lines = ["RS [10.3.0.11]:tcp:80 [10.3.0.101]:tcp:80 UP", "VS [10.3.0.101]:tcp:80 DOWN"];
    assert_eq!(desk.read(Which::Lvs), lines);
    assert_eq!(desk.read(Which::All), lines);
    assert_eq!(desk.read(Which::Vrrp), [""; 0]);
}

#[test]
fn priorities_are_for_fifos_only() {
    let mut desk = Desk::read_by_all(&global());
    let notify = Notify { priority_changes: true, ..everything() };
    let name = &"A".into();
    let change = |name, priority| Input::Priority { name, priority, notify: &notify };
    let fifos = ["notify_fifo", "vrrp_notify_fifo"];
    assert_eq!(shown(&desk.feed(change(name, 95))), fifos);
    desk.instance("A", State::Master, &notify);
    assert_eq!(shown(&desk.feed(change(name, 90))), fifos);
    let lines = [
        "INSTANCE \"A\" BACKUP_PRIORITY 95",
        "INSTANCE \"A\" MASTER 100",
        "INSTANCE \"A\" MASTER_PRIORITY 90",
    ];
    assert_eq!(desk.read(Which::Vrrp), lines);
}
