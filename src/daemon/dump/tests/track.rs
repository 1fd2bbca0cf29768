use super::*;
use crate::base::tracked::{RunEnd, TrackState};
use crate::model::script::{Script, User};
use crate::model::track::{Object, ParamMatch, TrackFile, TrackProcess, TrackScript, Tracked};

pub(super) fn script(command: &str) -> Script {
    let argv: Vec<String> = command.split(' ').map(str::to_owned).collect();
    Script { path: argv[0].clone(), argv, user: User { uid: 7, gid: 8 }, by_shell: false }
}

fn tracked(object: Object, weight: i16, reverse: bool) -> Tracked {
    Tracked { object, weight, reverse }
}

/// V1 tracks a script, a file and a process, and has all notification settings.
fn config() -> Config {
    let mut v1 = on_e0("V1", 51, "10.1.0.101/24");
    v1.tracked = vec![
        tracked(Object::Script("chk".into()), -5, false),
        tracked(Object::File("maint".into()), 2, true),
        tracked(Object::Process("web".into()), 20, false),
    ]
    .into();
    let notify = Rc::make_mut(&mut v1.notify);
    notify.master = Some(Box::new(script("/etc/k.sh to master")));
    notify.any = Some(Box::new(script("/etc/any")));
    notify.says_deleted = true;
    notify.priority_changes = true;
    notify.mail = true;
    Config {
        instances: vec![Rc::new(v1)],
        scripts: vec![TrackScript {
            name: "chk".into(),
            script: script("/usr/bin/pgrep -x nginx"),
            interval: Duration::from_millis(500),
            timeout: Duration::from_secs(2),
            rise: 2,
            fall: 3,
            weight: -5,
            reverse: false,
            init_fail: true,
        }],
        files: vec![TrackFile {
            name: "maint".into(),
            path: "/run/maint".into(),
            weight: 2,
            reverse: true,
            init: None,
        }],
        processes: vec![TrackProcess {
            name: "web".into(),
            process: "nginx".into(),
            params: vec!["-g".into(), "x".into()],
            param_match: ParamMatch::Initial,
            full_command: false,
            weight: 20,
            reverse: false,
            quorum: 2,
            quorum_max: Some(9),
            terminate_delay: Duration::from_millis(1_500),
            fork_delay: Duration::ZERO,
        }],
        ..Config::default()
    }
}

#[test]
fn a_script_in_the_data_dump() {
    let mut d = Daemon::start(config());
    let shown = |d: &Daemon, key: &str| {
        let text = data::render(&d.view());
        let script = between(&text, "------< VRRP Scripts >------", "------< VRRP Track files");
        let start = format!("   {key} = ");
        let value = script.lines().find_map(|line| line.strip_prefix(&start));
        value.unwrap_or_else(|| panic!("no {key} in {script}")).to_owned()
    };
    let all = |d: &Daemon| ["Result", "Init state", "Status", "State"].map(|key| shown(d, key));
    let configured = d.config.clone();
    d.track(tracking::Input::Configure(&configured));
    assert_eq!(all(&d), ["0", "INIT/FAILED", "BAD", "idle"]);
    let mut result = 0;
    for (end, expected) in [
        (RunEnd::Exit(0), ["1", "unknown", "BAD", "idle"]),
        (RunEnd::Exit(0), ["4", "unknown", "GOOD", "idle"]),
        (RunEnd::Exit(1), ["3", "unknown", "GOOD", "idle"]),
    ] {
        d.now += Duration::from_millis(500);
        let [run] = d.track(tracking::Input::Deadline)[..] else { panic!("no run") };
        assert_eq!(shown(&d, "State"), "running");
        assert_eq!(shown(&d, "Result"), result.to_string());
        d.track(tracking::Input::Exited { script: run, end });
        assert_eq!(all(&d), expected);
        result = expected[0].parse().unwrap();
    }
    d.now += Duration::from_millis(500);
    let [run] = d.track(tracking::Input::Deadline)[..] else { panic!("no run") };
    d.track(tracking::Input::TimedOut { script: run });
    assert_eq!(all(&d), ["2", "unknown", "GOOD", "requested termination"]);
}

#[test]
fn a_script_known_from_before_a_restart_in_the_data_dump() {
    let mut d = Daemon::start(config());
    d.track(tracking::Input::Recall { script: "chk", is_up: true, past: None });
    let configured = d.config.clone();
    d.track(tracking::Input::Configure(&configured));
    let text = data::render(&d.view());
    assert!(text.contains("   Init state = INIT/RELOAD\n   Status = GOOD\n"), "{text}");
}

#[test]
fn tracked_objects_have_sections() {
    let mut d = Daemon::start(config());
    let object = Object::Script("chk".into());
    d.handle(Input::Tracked { object: &object, state: TrackState::exit(1) });
    d.handle(Input::Tracked {
        object: &Object::File("maint".into()),
        state: TrackState::Value(-3),
    });
    d.handle(Input::Tracked {
        object: &Object::Process("web".into()),
        state: TrackState::processes(3, 2, Some(9)),
    });
    let text = data::render(&d.view());
    assert_eq!(
        between(&text, "------< VRRP Scripts >------", "------< Interfaces"),
        "\
------< VRRP Scripts >------
 VRRP Script = chk
   Command = '/usr/bin/pgrep' '-x' 'nginx'
   Interval = 0.500 sec
   Timeout = 2 sec
   Weight = -5
   Rise = 2
   Fall = 3
   Result = 0
   Insecure = no
   Init state = INIT/FAILED
   Status = BAD
   Script uid:gid = 7:8
   VRRP instances :
   Tracking instances :
     V1, weight -5
   State = idle
------< VRRP Track files >------
 Track file = maint
   File = /run/maint
   Status = -3
   Weight = 2 reverse
   Tracking instances :
     V1, weight 2 reverse
------< VRRP Track processes >------
 VRRP Track process = web
   Process = nginx
   Parameters = -g x
   Param match = initial
   Min processes = 2
   Max processes = 9
   Current processes = 3
   Have quorum = true
   Weight = 20
   Terminate delay = 1.500000s
   Fork delay = 0.000000s
   Fork delay timer not running
   Terminate delay timer not running
   Full command = true
   Tracking instances :
     V1, weight 20
"
    );
}

#[test]
fn an_instance_shows_tracked_objects_and_notification_settings() {
    let text = data::render(&Daemon::start(config()).view());
    assert_eq!(
        between(&text, "   Tracked scripts :", "   Version errors"),
        "   Tracked scripts :
     chk weight -5
   Tracked files :
     maint, weight 2 reverse
   Tracked processes :
     web, weight 20
   Using smtp notification = yes
   Notify deleted = Deleted
   Master state transition script = '/etc/k.sh' 'to' 'master', uid:gid 7:8
   Generic state transition script = '/etc/any', uid:gid 7:8
   Notify priority changes = true
"
    );
}

#[test]
fn the_json_dump_has_commands() {
    let text = json::render(&Daemon::start(config()).view());
    for part in [
        r#""smtp_alert":true,"notify_deleted":true,"script_master":"'/etc/k.sh' 'to' 'master'","script":"'/etc/any'","vips""#,
        r#""track_script":["'/usr/bin/pgrep' '-x' 'nginx'"],"track_process":["web"],"auth_type""#,
    ] {
        assert!(text.contains(part), "{text}");
    }
}
