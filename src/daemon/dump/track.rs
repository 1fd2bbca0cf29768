//! Tracked objects and notification: the sections of scripts, files and processes, and the
//! corresponding lines of instances and groups.

use std::fmt::Display;

use super::text::Text;
use super::View;
use crate::base::sorted::SortedMap;
use crate::base::time::Duration;
use crate::base::tracked::{Finding, TrackState};
use crate::model::notify::Notify;
use crate::model::script::Script;
use crate::model::track::{Object, ParamMatch, TrackFile, TrackProcess, TrackScript, Tracked};

/// Every instance that tracks an object, with its weight.
type Trackers<'a> = SortedMap<&'a Object, Vec<(&'a str, &'a Tracked)>>;

pub(super) fn sections(view: &View<'_>, out: &mut Text) {
    let config = view.config;
    let mut trackers = Trackers::new();
    for (_, i) in view.instances() {
        for t in i.tracked() {
            trackers.entry(&t.object).or_default().push((&i.config().name, t));
        }
    }
    if !config.scripts.is_empty() {
        out.section("VRRP Scripts");
    }
    for s in &config.scripts {
        script(view, s, &trackers, out);
    }
    if !config.files.is_empty() {
        out.section("VRRP Track files");
    }
    for f in &config.files {
        file(view, f, out);
        tracking(&trackers, &Object::File(f.name.clone()), out);
    }
    if !config.processes.is_empty() {
        out.section("VRRP Track processes");
    }
    for p in &config.processes {
        let object = Object::Process(p.name.clone());
        process(view, p, view.vrrp.tracked(&object), out);
        tracking(&trackers, &object, out);
    }
    let sessions = config.bfd.iter().filter(|b| b.for_vrrp);
    if sessions.clone().count() > 0 {
        out.section("VRRP Track BFDs");
    }
    for b in sessions {
        out.top("VRRP Track BFD", &b.name);
        let object = Object::Bfd(b.name.clone());
        out.pair("Weight", weight(b.weight, b.reverse));
        let is_up = view.vrrp.tracked(&object).is_up();
        out.line(format_args!("Bfd is {}", if is_up { "up" } else { "down" }));
        out.line("Tracking VRRP instances :");
        tracking(&trackers, &object, out);
    }
}

/// A tracked file, without those that track it.
pub(super) fn file(view: &View<'_>, file: &TrackFile, out: &mut Text) {
    out.top("Track file", &file.name);
    out.pair("File", &file.path);
    match view.vrrp.tracked(&Object::File(file.name.clone())) {
        TrackState::Value(value) => out.pair("Status", value),
        other => out.pair("Status", other),
    }
    out.pair("Weight", weight(file.weight, file.reverse));
}

fn tracking(trackers: &Trackers<'_>, object: &Object, out: &mut Text) {
    out.line("Tracking instances :");
    for (name, t) in trackers.get(object).into_iter().flatten() {
        out.item(format_args!("{name}, weight {}", weight(t.weight, t.reverse)));
    }
}

fn weight(weight: i16, reverse: bool) -> String {
    format!("{weight}{}", if reverse { " reverse" } else { "" })
}

/// `2 sec`, `2.500 sec`
fn seconds(time: Duration) -> String {
    match time.subsec_micros() {
        0 => format!("{} sec", time.as_secs()),
        _ => format!("{:.3} sec", time.as_secs_f64()),
    }
}

/// Monitoring programs look for `Status` and `State`.
fn script(view: &View<'_>, s: &TrackScript, trackers: &Trackers<'_>, out: &mut Text) {
    let object = Object::Script(s.name.clone());
    let (state, progress) = (view.vrrp.tracked(&object), view.track.progress(&s.name));
    out.top("VRRP Script", &s.name);
    out.pair("Command", quoted(&s.script));
    if let Some(path) = executed(&s.script) {
        out.pair("Path", path);
    }
    out.pair("Interval", seconds(s.interval));
    // 0 stands for the interval.
    let own = Some(s.timeout).filter(|&timeout| timeout != s.interval);
    out.pair("Timeout", seconds(own.unwrap_or_default()));
    out.pair("Weight", weight(s.weight, s.reverse));
    out.pair("Rise", s.rise);
    out.pair("Fall", s.fall);
    out.pair("Result", progress.map_or(0, |p| p.result));
    // One that is runs with the rights of another user, or not at all.
    out.pair("Insecure", "no");
    let init = match progress {
        Some(p) if p.is_recalled => "INIT/RELOAD",
        Some(p) if !p.is_fresh => "unknown",
        _ if s.init_fail => "INIT/FAILED",
        _ => "INIT",
    };
    out.pair("Init state", init);
    out.pair("Status", if state.is_up() { "GOOD" } else { "BAD" });
    let user = s.script.user;
    out.pair("Script uid:gid", format_args!("{}:{}", user.uid, user.gid));
    out.line("VRRP instances :");
    tracking(trackers, &object, out);
    let doing = match progress {
        Some(p) if p.is_stopping => "requested termination",
        Some(p) if p.is_running => "running",
        _ => "idle",
    };
    out.pair("State", doing);
}

fn process(view: &View<'_>, p: &TrackProcess, state: &TrackState, out: &mut Text) {
    out.top("VRRP Track process", &p.name);
    out.pair("Process", &p.process);
    if !p.params.is_empty() {
        out.pair("Parameters", p.params.join(" "));
    }
    match p.param_match {
        ParamMatch::Any => {}
        ParamMatch::Exact => out.line("Param match"),
        ParamMatch::Partial => out.pair("Param match", "partial"),
        ParamMatch::Initial => out.pair("Param match", "initial"),
    }
    out.pair("Min processes", p.quorum);
    if let Some(max) = p.quorum_max {
        out.pair("Max processes", max);
    }
    out.pair("Current processes", found(state));
    out.pair("Have quorum", state.is_up());
    out.pair("Weight", weight(p.weight, p.reverse));
    out.pair("Terminate delay", format_args!("{:.6}s", p.terminate_delay.as_secs_f64()));
    out.pair("Fork delay", format_args!("{:.6}s", p.fork_delay.as_secs_f64()));
    let waits = view.track.is_delayed(&p.name);
    for (name, runs) in [("Fork", waits && !state.is_up()), ("Terminate", waits && state.is_up())] {
        out.line(format_args!("{name} delay timer {}running", if runs { "" } else { "not " }));
    }
    out.pair("Full command", p.full_command || !p.params.is_empty());
}

/// `track_script` and the like of an instance or a group.
pub(super) fn tracked(list: &[Tracked], of_processes: &'static str, out: &mut Text) {
    for (title, is_kind) in [
        ("Tracked scripts :", (|o| matches!(o, Object::Script(_))) as fn(&Object) -> bool),
        ("Tracked files :", |o| matches!(o, Object::File(_))),
        (of_processes, |o| matches!(o, Object::Process(_))),
        ("Tracked BFDs :", |o| matches!(o, Object::Bfd(_))),
    ] {
        let mut entries = list.iter().filter(|t| is_kind(&t.object)).peekable();
        if entries.peek().is_some() {
            out.line(title);
        }
        for t in entries {
            let (name, weight) = (t.object.name(), weight(t.weight, t.reverse));
            match t.object {
                Object::Script(_) => out.item(format_args!("{name} weight {weight}")),
                Object::Bfd(_) => out.item(format_args!("{name}: weight {weight}")),
                Object::File(_) | Object::Process(_) => {
                    out.item(format_args!("{name}, weight {weight}"));
                }
            }
        }
    }
}

/// Notification scripts of an instance or a group.
pub(super) fn notify(n: &Notify, out: &mut Text) {
    for (event, script) in [
        ("Backup state transition", &n.backup),
        ("Master state transition", &n.master),
        ("Fault state transition", &n.fault),
        ("Stop state transition", &n.stop),
        ("Deleted state transition", &n.deleted),
        ("Generic state transition", &n.any),
        ("Master rx lower pri state transition", &n.master_rx_lower_pri),
    ] {
        if let Some(script) = script {
            out.pair(&format!("{event} script"), with_user(script));
        }
    }
}

/// The processes that were counted.
pub(super) const fn found(state: &TrackState) -> u32 {
    match state {
        TrackState::Up(Finding::Processes { count, .. })
        | TrackState::Down(Finding::Processes { count, .. }) => *count,
        _ => 0,
    }
}

/// Every word of a command in single quotes, as keepalived shows it.
pub(super) fn quoted(script: &Script) -> String {
    let words: Vec<_> = script.argv.iter().map(|word| format!("'{word}'")).collect();
    words.join(" ")
}

/// The file that is executed, if it is not the first word.
pub(super) fn executed(script: &Script) -> Option<&str> {
    let path = Some(script.path.as_str()).filter(|path| !path.is_empty());
    path.filter(|path| script.argv.first().is_some_and(|first| first != path))
}

/// A command, and what is executed if it has another name.
pub(super) fn command(script: &Script) -> String {
    match executed(script) {
        Some(path) => format!("{path}, params = {}", quoted(script)),
        None => quoted(script),
    }
}

pub(super) fn with_user(script: &Script) -> impl Display {
    format!("{}, uid:gid {}:{}", command(script), script.user.uid, script.user.gid)
}
