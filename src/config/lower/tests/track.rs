use super::*;
use crate::model::track::{InitFile, Object, ParamMatch, Tracked};

const SECURE: &str = "enable_script_security\nscript_user root";

/// An instance and groups below definitions, under script security.
fn below(definitions: &str, lines: &str) -> (Config, Vec<String>) {
    let (config, told) = lowered(&format!(
        "global_defs {{\n{SECURE}\n}}\n{definitions}\nvrrp_instance V {{\ninterface eth0\n\
         virtual_router_id 1\n{lines}\nvirtual_ipaddress {{\n192.0.2.1\n}}\n}}"
    ));
    (config, without_place(told))
}

fn script(lines: &str) -> String {
    format!("vrrp_script chk {{\nscript /usr/bin/check\n{lines}\n}}")
}

fn entry(object: Object, weight: i16, reverse: bool) -> Tracked {
    Tracked { object, weight, reverse }
}

#[test]
fn a_script_has_defaults() {
    let (config, told) = below(&script(""), "track_script {\nchk\n}");
    assert!(told.is_empty(), "{told:?}");
    let s = &config.scripts[0];
    assert_eq!((s.interval, s.timeout), (Duration::from_secs(1), Duration::from_secs(1)));
    assert_eq!((s.rise, s.fall, s.weight, s.reverse, s.init_fail), (1, 1, 0, false, false));
    assert_eq!(s.script.path, "/usr/bin/check");
    assert_eq!(s.script.argv, ["/usr/bin/check"]);
    assert_eq!(config.instances[0].tracked, [entry(Object::Script("chk".into()), 0, false)]);
}

#[test]
fn a_script_takes_every_setting() {
    let lines = "interval 0.5\ntimeout 2\nrise 2\nfall 3\nweight -5 reverse\nuser ops\ninit_fail";
    let (config, told) = below(&script(lines), "track_script {\nchk\n}");
    assert!(told.is_empty(), "{told:?}");
    let s = &config.scripts[0];
    assert_eq!((s.interval, s.timeout), (Duration::from_millis(500), Duration::from_secs(2)));
    assert_eq!((s.rise, s.fall, s.weight, s.reverse, s.init_fail), (2, 3, -5, true, true));
    assert_eq!((s.script.user.uid, s.script.user.gid), (1000, 100));
}

#[test]
fn the_timeout_follows_the_interval() {
    let (config, _) = below(&script("interval 7"), "track_script {\nchk\n}");
    assert_eq!(config.scripts[0].timeout, Duration::from_secs(7));
}

#[test]
fn bad_values_of_a_script_have_replacements() {
    let (config, told) = below(
        &script("interval 0\nrise 0\nfall x\nweight 300\nweight -5 revers"),
        "track_script {\nchk\n}",
    );
    let s = &config.scripts[0];
    assert_eq!((s.interval, s.rise, s.fall, s.weight), (Duration::from_secs(1), 1, 1, -5));
    assert!(!s.reverse);
    assert_eq!(told.len(), 5, "{told:#?}");
    let (config, _) = below(&script("weight 300"), "track_script {\nchk\n}");
    assert_eq!(config.scripts[0].weight, 253);
}

#[test]
fn a_script_without_a_command_or_with_an_unknown_user_is_removed() {
    let (config, told) = below("vrrp_script chk {\ninterval 5\n}", "track_script {\nchk\n}");
    assert_eq!(
        told,
        [
            "Error (chk) there is no script: the vrrp_script is removed",
            "Error (V) vrrp_script 'chk' was removed: it is not tracked",
        ]
    );
    assert!(config.scripts.is_empty() && config.instances[0].tracked.is_empty());
    let (_, told) = below(&script("user nobody-there"), "");
    assert_eq!(
        told,
        ["Error (chk) user 'nobody-there' does not exist: the vrrp_script is removed"]
    );
    let (config, told) = below(&script("user wrong\nuser ops"), "track_script {\nchk\n}");
    assert!(told.is_empty(), "a later user that exists is taken: {told:?}");
    assert_eq!(config.scripts[0].script.user.uid, 1000);
}

#[test]
fn what_is_not_tracked_is_removed() {
    let process = "vrrp_track_process p {\nprocess nginx\n}";
    let (config, told) = below(&format!("{}\n{process}", script("")), "");
    assert_eq!(
        told,
        [
            "Warning vrrp_script 'chk' is not tracked by anything: it is removed",
            "Warning vrrp_track_process 'p' is not tracked by anything: it is removed",
        ]
    );
    assert!(config.scripts.is_empty() && config.processes.is_empty());
}

#[test]
fn what_is_tracked_is_defined_above() {
    let v = |lines: &str| {
        format!(
            "vrrp_instance V {{\ninterface eth0\nvirtual_router_id 1\n{lines}\n\
             virtual_ipaddress {{\n192.0.2.1\n}}\n}}\n"
        )
    };
    let text = v("track_script {\nchk\nnone\n}") + &script("");
    assert_eq!(
        without_place(told(&text)),
        [
            "Error (V) vrrp_script 'chk' is defined below: it is not tracked | move its vrrp_script block above what tracks it",
            "Error (V) vrrp_script 'none' does not exist: it is not tracked",
            "Warning vrrp_script 'chk' is not tracked by anything: it is removed",
        ]
    );
}

#[test]
fn the_first_of_two_scripts_of_a_name_counts() {
    let two = format!("{}\n{}", script("weight 1"), script("weight 2"));
    let (config, told) = below(&two, "track_script {\nchk\n}");
    assert_eq!(told, ["Warning vrrp_script 'chk' again: the first one counts"]);
    assert_eq!((config.scripts.len(), config.scripts[0].weight), (1, 1));
}

#[test]
fn an_entry_has_its_own_weight_or_that_of_the_script() {
    for (line, weight, reverse) in [
        ("chk", -5, true),
        ("chk weight 7", 7, true),
        ("chk weight 7 reverse", 7, true),
        ("chk weight 7 noreverse", 7, false),
    ] {
        let (config, told) =
            below(&script("weight -5 reverse"), &format!("track_script {{\n{line}\n}}"));
        assert!(told.is_empty(), "{told:?}");
        let want = [entry(Object::Script("chk".into()), weight, reverse)];
        assert_eq!(config.instances[0].tracked, want, "{line}");
    }
    let (config, told) = below(&script(""), "track_script {\nchk weight 254\nchk\n}");
    assert_eq!(
        told,
        [
            "Error (V) weight '254' is not within -253 to 253: 253 is used",
            "Error (V) script chk is tracked already: the line is ignored",
        ]
    );
    assert_eq!(config.instances[0].tracked[0].weight, 253);
}

#[test]
fn the_owner_tracks_nothing_by_weight() {
    let (config, told) = below(&script("weight 5"), "priority 255\ntrack_script {\nchk\n}");
    assert!(told[1].starts_with("Error (V) script chk is not tracked: weights"), "{told:?}");
    assert!(config.instances[0].tracked.is_empty() && config.scripts.is_empty());
    let (config, told) =
        below("track_file f {\nfile /usr/f\n}", "priority 255\ntrack_file {\nf\n}");
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(config.instances[0].tracked, [entry(Object::File("f".into()), 0, false)]);
}

#[test]
fn members_of_a_group_track_nothing_by_weight_but_their_group_does() {
    let group = |lines: &str| {
        format!(
            "{}\ntrack_file f {{\nfile /usr/f\n}}\nvrrp_sync_group G {{\ngroup {{\nV W\n}}\n\
             track_script {{\nchk\nchk\n}}\n{lines}\n}}\nvrrp_instance W {{\ninterface eth0\n\
             virtual_router_id 2\nvirtual_ipaddress {{\n192.0.2.2\n}}\n}}",
            script("weight 5")
        )
    };
    let lists = "track_script {\nchk weight 2\n}\ntrack_file {\nf\n}";
    let (config, mut told) = below(&group(""), lists);
    told.sort();
    assert_eq!(
        told,
        [
            "Error (G) script chk is tracked already: the line is ignored",
            "Error (G) script chk of 'V' has a weight: it is not tracked without sync_group_tracking_weight",
        ]
    );
    let find = |config: &Config, name: &str| {
        config.instances.iter().find(|i| i.name == name).map(|i| i.tracked.clone()).unwrap()
    };
    assert_eq!(find(&config, "V"), [entry(Object::File("f".into()), 0, false)]);
    assert_eq!(config.groups[0].tracked, [entry(Object::Script("chk".into()), 5, false)]);
    let (config, told) = below(&group("sync_group_tracking_weight"), lists);
    assert_eq!(config.groups[0].tracked, [entry(Object::Script("chk".into()), 5, false)]);
    assert_eq!(find(&config, "V")[1].weight, 1);
    let twice =
        "Error (G) script chk is tracked by 'V' and by its group, which counts: remove it from 'V'";
    assert!(told.contains(&twice.to_owned()), "{told:?}");
}

/// Scripts, files and processes, with the weight where they are defined or where they are named.
#[test]
fn every_weight_of_a_group_counts() {
    let definitions = |weight: &str| {
        format!(
            "{}\ntrack_file f {{\nfile /usr/f\n{weight}\n}}\n\
             vrrp_track_process p {{\nprocess nginx\n{weight}\n}}",
            script(weight)
        )
    };
    let group = |weight: &str| {
        format!(
            "vrrp_sync_group G {{\ngroup {{\nV\nW\n}}\ntrack_script {{\nchk {weight}\n}}\n\
             track_file {{\nf {weight}\n}}\ntrack_process {{\np {weight}\n}}\n\
             track_interface {{\neth1 weight 7\n}}\n}}\n\
             vrrp_instance W {{\ninterface eth0\nvirtual_router_id 2\n\
             virtual_ipaddress {{\n192.0.2.2\n}}\n}}"
        )
    };
    for (definition, usage) in [("weight -7", ""), ("", "weight -7"), ("weight 9", "weight -7")] {
        let text = format!("{}\n{}", definitions(definition), group(usage));
        let (config, told) = below(&text, "");
        assert!(told.is_empty(), "{told:?}");
        let weights: Vec<_> = config.groups[0].tracked.iter().map(|t| t.weight).collect();
        assert_eq!(weights, [-7, -7, -7], "{definition} {usage}");
        assert_eq!(config.groups[0].tracked_links[0].weight, 7);
    }
}

#[test]
fn a_script_that_cannot_run_takes_its_tracking_along() {
    let text = "vrrp_script chk {\nscript /opt/missing\n}";
    let (config, told) = below(text, "track_script {\nchk\n}");
    assert_eq!(
        told,
        [
            "Error (chk) Script /opt/missing cannot be accessed - No such file or directory",
            "Warning vrrp_script 'chk' is removed: what tracks it goes on without",
        ]
    );
    assert!(config.scripts.is_empty() && config.instances[0].tracked.is_empty());
}

#[test]
fn a_file_has_defaults_and_takes_every_setting() {
    let (config, told) = below("track_file f {\nfile /usr/f\n}", "track_file {\nf\n}");
    assert!(told.is_empty(), "{told:?}");
    let f = &config.files[0];
    assert_eq!((f.path.as_str(), f.weight, f.reverse, f.init), ("/usr/f", 1, false, None));
    let lines = "file /usr/f\nweight -254 reverse\ninit_file 7 overwrite";
    let (config, told) =
        below(&format!("vrrp_track_file f {{\n{lines}\n}}"), "track_file {\nf weight 254\n}");
    assert_eq!(told, ["Note 'vrrp_track_file' is the old name of 'track_file'"]);
    let f = &config.files[0];
    assert_eq!((f.weight, f.reverse), (-254, true));
    assert_eq!(f.init, Some(InitFile { value: 7, overwrite: true }));
    assert_eq!(config.instances[0].tracked, [entry(Object::File("f".into()), 254, true)]);
}

#[test]
fn a_file_has_an_absolute_path_where_nothing_need_be_yet() {
    for (line, why) in
        [("weight 2", "there is no file"), ("file f", "file 'f' is no absolute path")]
    {
        let (config, told) = below(&format!("track_file f {{\n{line}\n}}"), "");
        assert_eq!(told, [format!("Error (f) {why}: the track_file is removed")]);
        assert!(config.files.is_empty());
    }
    let (config, told) = below("track_file f {\nfile /none/yet/f\n}", "");
    assert_eq!((config.files[0].path.as_str(), told), ("/none/yet/f", vec![]));
}

#[test]
fn init_file_takes_a_number_and_a_word() {
    let init = |words: &str| {
        let (config, told) =
            below(&format!("track_file f {{\nfile /usr/f\ninit_file {words}\n}}"), "");
        (config.files[0].init.unwrap(), told)
    };
    assert_eq!(init("").0, InitFile { value: 0, overwrite: false });
    assert_eq!(init("overwrite").0, InitFile { value: 0, overwrite: true });
    let (value, told) = init("300");
    assert_eq!(value.value, 300);
    assert_eq!(told, ["Error (f) init_file '300' is not within -254 to 254"]);
    let (value, told) = init("ten overwrite");
    assert_eq!(value, InitFile { value: 0, overwrite: true });
    assert_eq!(told, ["Error (f) init_file 'ten' is neither a number nor 'overwrite'"]);
}

fn process(lines: &str) -> (crate::model::track::TrackProcess, Vec<String>) {
    let (config, told) =
        below(&format!("vrrp_track_process p {{\n{lines}\n}}"), "track_process {\np\n}");
    (config.processes[0].clone(), told)
}

#[test]
fn a_process_has_defaults_and_takes_every_setting() {
    let (p, told) = process("process nginx");
    assert!(told.is_empty(), "{told:?}");
    assert_eq!((p.process.as_str(), p.params.len(), p.param_match), ("nginx", 0, ParamMatch::Any));
    assert_eq!((p.quorum, p.quorum_max, p.weight, p.full_command), (1, None, 0, false));
    assert!(p.terminate_delay.is_zero() && p.fork_delay.is_zero());
    let (p, told) = process(
        "process nginx -g daemon\nquorum 2\nquorum_max 5\nweight 9 reverse\ndelay 1.5\n\
         fork_delay 0.25\nfull_command",
    );
    assert!(told.is_empty(), "{told:?}");
    assert_eq!((p.params.join(" ").as_str(), p.param_match), ("-g daemon", ParamMatch::Exact));
    assert_eq!((p.quorum, p.quorum_max, p.weight, p.reverse), (2, Some(5), 9, true));
    assert_eq!(p.terminate_delay, Duration::from_millis(1500));
    assert_eq!(p.fork_delay, Duration::from_millis(250));
    assert!(p.full_command);
}

#[test]
fn parameters_are_compared_as_param_match_says() {
    for (line, want) in [
        ("param_match", ParamMatch::Exact),
        ("param_match initial", ParamMatch::Initial),
        ("param_match partial", ParamMatch::Partial),
    ] {
        assert_eq!(process(&format!("process x\n{line}")).0.param_match, want);
    }
}

#[test]
fn limits_of_processes_leave_a_number_between_them() {
    let (p, told) = process("process x\nquorum 4\nquorum_max 3");
    assert_eq!(told, ["Error (p) quorum_max 3 is below quorum 4: it is ignored"]);
    assert_eq!((p.quorum, p.quorum_max), (4, None));
    let (p, told) = process("process x\nquorum_max 3\nquorum 4");
    assert_eq!(told, ["Error (p) quorum 4 is above quorum_max 3: it is ignored"]);
    assert_eq!((p.quorum, p.quorum_max), (1, Some(3)));
    let (p, told) = process("process x\nquorum_max 0");
    assert!(told.is_empty(), "none may run: {told:?}");
    assert_eq!((p.quorum, p.quorum_max), (0, Some(0)));
}
