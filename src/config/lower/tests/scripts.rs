use super::*;
use crate::model::script::{Script, User};

const OPS: User = User { uid: 1000, gid: 100 };

/// The script of `notify_master` on this machine, and its diagnostics.
fn notify_on(host: &MemoryHost, global: &str, command: &str) -> (Option<Script>, Vec<String>) {
    let (config, told) = lowered_on(
        host,
        &format!(
            "global_defs {{\n{global}\n}}\nvrrp_instance V {{\ninterface eth0\n\
             virtual_router_id 1\nnotify_master {command}\nvirtual_ipaddress {{\n192.0.2.1\n}}\n}}"
        ),
    );
    (config.instances[0].notify.master.as_deref().cloned(), without_place(told))
}

fn notify(global: &str, command: &str) -> (Option<Script>, Vec<String>) {
    notify_on(&machine(), global, command)
}

const SECURE: &str = "enable_script_security\nscript_user root";
const VIOLATION: &str =
    "Insecure SECURITY VIOLATION - scripts are being executed but script_security not enabled.";

#[test]
fn a_command_is_split_into_words_and_has_a_user() {
    let (script, told) = notify(SECURE, "\"/usr/bin/notify 'a b' c\" ops");
    assert!(told.is_empty(), "{told:?}");
    let script = script.unwrap();
    assert_eq!(script.argv, ["/usr/bin/notify", "a b", "c"]);
    assert_eq!((script.user, script.by_shell), (OPS, false));
    let (script, _) = notify(SECURE, "/usr/bin/notify ops root");
    assert_eq!(script.unwrap().user, User { uid: 1000, gid: 0 });
    let (script, _) = notify(SECURE, "/usr/bin/notify 77 88");
    assert_eq!(script.unwrap().user, User { uid: 77, gid: 88 }, "numbers need no account");
}

#[test]
fn the_default_user_is_named_or_exists_or_is_the_daemons_own() {
    let (script, told) = notify("script_user ops", "/usr/bin/notify");
    assert_eq!(script.unwrap().user, OPS);
    assert!(told[0].starts_with(VIOLATION), "{told:?}");
    let (script, _) = notify("", "/usr/bin/notify");
    assert_eq!(script.unwrap().user, User::ROOT);
    let host = machine().and_user("keepalived_script", 900, 901);
    let (script, told) = notify_on(&host, "enable_script_security", "/usr/bin/notify");
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(script.unwrap().user, User { uid: 900, gid: 901 });
    let (script, told) = notify("enable_script_security", "/usr/bin/notify");
    assert_eq!(script, None);
    assert_eq!(
        told,
        ["Error (V) no user to run script '/usr/bin/notify' as: it is not run | with enable_script_security, make a user keepalived_script or give one with script_user"]
    );
}

#[test]
fn an_unknown_script_user_runs_nothing() {
    let (script, told) = notify("script_user gone", "/usr/bin/notify");
    assert_eq!(script, None);
    assert_eq!(
        told,
        [
            "Error user 'gone' does not exist: scripts without a user of their own are not run",
            "Warning (V) script '/usr/bin/notify' has no user to run as: it is not run",
        ]
    );
    let (script, _) = notify("script_user gone", "/usr/bin/notify ops");
    assert!(script.is_some());
    let (_, told) = notify("script_user ops gone", "/usr/bin/notify ops");
    assert!(told[0].starts_with("Error group 'gone' does not exist"), "{told:?}");
}

#[test]
fn arguments_without_quotes_are_taken_for_a_user() {
    let (script, told) = notify(SECURE, "/usr/bin/notify master");
    assert_eq!(script, None);
    assert_eq!(
        told,
        ["Warning (V) user 'master' does not exist: 'notify_master' is ignored | the words after a command are its user and group: quote a command that has arguments"]
    );
}

#[test]
fn what_is_not_there_or_not_executable_is_not_run() {
    let (script, told) = notify(SECURE, "/usr/bin/none");
    assert_eq!(script, None);
    assert_eq!(
        told,
        ["Warning (V) Script /usr/bin/none cannot be accessed - No such file or directory"]
    );
    let host = machine().and_file("/usr/bin/x", User::ROOT, 0o750, Form::Interpreted);
    let (script, told) = notify_on(&host, SECURE, "/usr/bin/x ops");
    assert_eq!(script, None);
    assert_eq!(
        told,
        ["Warning (V) WARNING - script '/usr/bin/x' is not executable for uid:gid 1000:100 - disabling."]
    );
    assert!(notify_on(&host, SECURE, "/usr/bin/x").0.is_some());
    assert!(notify(SECURE, "/usr/bin").0.is_none(), "a directory is no command");
}

#[cfg(feature = "lvs")]
#[test]
fn a_check_without_its_script_stays_and_is_no_error() {
    let misc = |host: &MemoryHost, path: &str| {
        let (config, told) = lowered_on(
            host,
            &format!(
                "global_defs {{\n{SECURE}\n}}\nvirtual_server 192.0.2.1 80 {{\nlvs_sched rr\n\
                 lvs_method NAT\nprotocol TCP\nreal_server 192.0.2.10 80 {{\nMISC_CHECK {{\n\
                 misc_path {path}\n}}\n}}\n}}"
            ),
        );
        let checks = &config.virtual_servers[0].servers[0].checks;
        let script = checks.first().map(|check| match &check.kind {
            crate::model::check::Kind::Misc(misc) => misc.script.clone(),
            other => panic!("{other:?}"),
        });
        (script, without_place(told))
    };
    let at = "(192.0.2.1 80, 192.0.2.10)";
    let (script, told) = misc(&machine(), "\"/usr/bin/none -x\"");
    assert_eq!(
        told,
        [format!(
            "Warning {at} Script /usr/bin/none cannot be accessed - No such file or directory | \
             the check fails until the script is there and the configuration is read again"
        )]
    );
    let argv = vec!["/usr/bin/none".to_owned(), "-x".to_owned()];
    assert_eq!(script, Some(Script::missing(argv, User::ROOT)), "what comes later is unchecked");
    let host = machine().and_file("/usr/bin/x", User::ROOT, 0o644, Form::Interpreted);
    let (script, told) = misc(&host, "/usr/bin/x");
    assert_eq!(
        told,
        [format!(
            "Warning {at} script '/usr/bin/x' is not executable for uid:gid 0:0: the check fails \
             until it is"
        )]
    );
    assert_eq!(script.map(|s| s.path).as_deref(), Some("/usr/bin/x"));
    let host = machine().and_file("/usr/bin/x", OPS, 0o644, Form::Interpreted);
    assert_eq!(misc(&host, "/usr/bin/x").0, None, "others can change it");
}

#[test]
fn a_bare_name_is_searched_for_with_a_warning() {
    let (script, told) = notify(SECURE, "notify");
    assert_eq!(script.unwrap().path, "/usr/bin/notify");
    assert_eq!(
        told,
        ["Warning (V) script 'notify' was found by path search: write /usr/bin/notify instead"]
    );
}

#[test]
fn a_text_without_shebang_runs_through_the_shell() {
    let host = machine().and_file("/etc/x", User::ROOT, 0o755, Form::Text);
    let (script, told) = notify_on(&host, SECURE, "/etc/x");
    assert!(script.unwrap().by_shell);
    assert_eq!(told, ["Warning (V) Please add a #! shebang to script /etc/x"]);
}

#[test]
fn links_are_resolved_unless_use_symlink_paths() {
    let host = machine().and_symlink("/etc/link", "/usr/bin/notify");
    let (script, _) = notify_on(&host, SECURE, "/etc/link");
    let script = script.unwrap();
    assert_eq!((script.path.as_str(), script.argv[0].as_str()), ("/usr/bin/notify", "/etc/link"));
    let (script, _) = notify_on(&host, &format!("{SECURE}\nuse_symlink_paths"), "/etc/link");
    assert_eq!(script.unwrap().path, "/etc/link");
}

/// Diagnostics for a command of root in `/opt/x`, with and without script security.
fn unsafe_path(host: &MemoryHost, command: &str, weakness: &str) {
    let hint = format!("{weakness}, or let it run as another user than root");
    let (script, told) = notify_on(host, SECURE, command);
    assert_eq!(script, None, "{weakness}");
    let text = format!("Insecure (V) Unsafe permissions found for script '{command}'");
    assert_eq!(told, [format!("{text} - disabling. | {hint}")]);
    let (script, told) = notify_on(host, "script_user root", command);
    assert!(script.is_some(), "it runs all the same");
    assert_eq!(told[0], format!("{text} | {hint}"));
    assert!(told[1].starts_with(&format!("{VIOLATION} There are insecure scripts.")), "{told:?}");
    let (script, told) = notify_on(host, &SECURE.replace("root", "ops"), command);
    assert!(script.is_some() && told.is_empty(), "only root has something to lose: {told:?}");
}

#[test]
fn root_runs_nothing_that_others_can_change() {
    let file = |mode| machine().and_file("/opt/x/c.sh", User::ROOT, mode, Form::Interpreted);
    let group = User { uid: 0, gid: 1000 };
    unsafe_path(
        &file(0o755).and_directory("/opt/x", group, 0o775),
        "/opt/x/c.sh",
        "/opt/x is writable by group 1000 (mode 0775): 'chmod g-w /opt/x'",
    );
    unsafe_path(
        &file(0o755).and_directory("/opt", OPS, 0o755),
        "/opt/x/c.sh",
        "/opt belongs to user 1000 (mode 0755): 'chown root /opt'",
    );
    unsafe_path(
        &file(0o757),
        "/opt/x/c.sh",
        "/opt/x/c.sh is writable by everybody (mode 0757): 'chmod o-w /opt/x/c.sh'",
    );
    let link = file(0o755).and_symlink("/tmp/l", "/opt/x/c.sh");
    unsafe_path(
        &link.and_directory("/tmp", User::ROOT, 0o777),
        "/tmp/l",
        "/tmp is writable by everybody (mode 0777): 'chmod o-w /tmp'",
    );
}

#[test]
fn what_only_root_can_change_is_safe() {
    let host = machine()
        .and_file("/opt/x/c.sh", User::ROOT, 0o775, Form::Interpreted)
        .and_directory("/opt", User { uid: 0, gid: 1000 }, 0o755)
        .and_directory("/tmp", User::ROOT, 0o1777)
        .and_symlink("/tmp/l", "/opt/x/c.sh");
    for command in ["/opt/x/c.sh", "/tmp/l"] {
        let (script, told) = notify_on(&host, SECURE, command);
        assert!(script.is_some() && told.is_empty(), "{told:?}");
    }
}

#[test]
fn a_command_that_becomes_root_is_held_to_the_same_rules() {
    let host = machine().and_file("/opt/su", User::ROOT, 0o4757, Form::Binary);
    let (script, _) = notify_on(&host, &SECURE.replace("root", "ops"), "/opt/su");
    assert_eq!(script, None);
}

#[test]
fn no_script_no_violation() {
    assert!(told("global_defs {\nscript_user root\n}").is_empty());
}

#[test]
fn a_file_to_be_readable_is_a_question_for_the_shell() {
    let (config, _) = lowered(&format!(
        "global_defs {{\n{SECURE}\n}}\nvrrp_script s {{\nscript \"</run/flag x\"\n}}\n\
         vrrp_instance V {{\ninterface eth0\nvirtual_router_id 1\ntrack_script {{\ns\n}}\n\
         virtual_ipaddress {{\n192.0.2.1\n}}\n}}"
    ));
    let script = &config.scripts[0].script;
    assert_eq!(script.argv, ["/bin/sh", "-c", ": <\"$0\"", "/run/flag"]);
    assert!(!script.by_shell);
}
