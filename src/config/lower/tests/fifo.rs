use super::*;
use crate::model::notify::Fifo;
use crate::model::script::User;
use crate::model::Global;

const OPS: User = User { uid: 1000, gid: 100 };

/// The global settings under script security, and their diagnostics.
fn settings(lines: &str) -> (Global, Vec<String>) {
    let text = format!("global_defs {{\nenable_script_security\nscript_user ops\n{lines}\n}}");
    let (config, told) = lowered(&text);
    (config.global, without_place(told))
}

fn fifo(path: &str, owner: User) -> Option<Fifo> {
    Some(Fifo { path: path.into(), owner, script: None })
}

#[test]
fn a_fifo_belongs_to_the_user_of_scripts_or_to_its_own() {
    let (global, told) = settings(
        "notify_fifo /run/all\nvrrp_notify_fifo /run/vrrp root\nlvs_notify_fifo /run/lvs ops root\n\
         fifo_write_vrrp_states_on_reload",
    );
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(global.fifos.all, fifo("/run/all", OPS));
    assert_eq!(global.fifos.vrrp, fifo("/run/vrrp", User::ROOT));
    assert_eq!(global.fifos.lvs, fifo("/run/lvs", User { uid: 1000, gid: 0 }));
    assert!(global.fifos.states_on_reload);
}

#[test]
fn a_fifo_may_have_a_command() {
    let (global, told) =
        settings("notify_fifo_script \"/usr/bin/notify x\" root\nnotify_fifo /run/all");
    assert!(told.is_empty(), "{told:?}");
    let script = global.fifos.all.unwrap().script.unwrap();
    assert_eq!((script.argv.join(" ").as_str(), script.user), ("/usr/bin/notify x", User::ROOT));
    let (global, told) = settings("vrrp_notify_fifo_script /usr/bin/notify");
    assert_eq!(told, ["Warning 'vrrp_notify_fifo_script' is ignored: there is no such FIFO"]);
    assert_eq!(global.fifos.vrrp, None);
}

#[test]
fn one_path_is_one_fifo() {
    let (global, told) =
        settings("vrrp_notify_fifo /run/f\nnotify_fifo /run/f\nnotify_fifo /run/g");
    assert_eq!(
        told,
        [
            "Warning vrrp_notify_fifo '/run/f' is another FIFO already: it is ignored",
            "Error 'notify_fifo' again: the first one counts",
        ]
    );
    assert_eq!(global.fifos.all, fifo("/run/f", OPS));
    assert_eq!(global.fifos.vrrp, None);
}

#[test]
fn a_fifo_of_an_unknown_user_is_none() {
    let (global, told) = settings("notify_fifo /run/f gone");
    assert_eq!(told, ["Warning user 'gone' does not exist: notify_fifo '/run/f' is ignored"]);
    assert_eq!(global.fifos.all, None);
}

#[test]
fn commands_at_start_and_stop_have_a_limit() {
    let (global, told) = settings(
        "startup_script \"/usr/bin/true up\"\nshutdown_script /usr/bin/true root\n\
         shutdown_script_timeout 3",
    );
    assert!(told.is_empty(), "{told:?}");
    let (up, down) = (global.startup_script.unwrap(), global.shutdown_script.unwrap());
    assert_eq!((up.script.argv.len(), up.script.user, up.timeout.as_secs()), (2, OPS, 10));
    assert_eq!((down.script.user, down.timeout.as_secs()), (User::ROOT, 3));
    let (global, told) = settings("startup_script /none\nstartup_script_timeout 5");
    assert_eq!(told, ["Warning Script /none cannot be accessed - No such file or directory"]);
    assert_eq!(global.startup_script, None);
}
