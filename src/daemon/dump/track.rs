//! Tracked objects and notification: the sections of scripts, files and processes, and the
//! corresponding lines of instances and groups.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::text::{Seconds, Text};
use super::View;
use crate::model::notify::{Fifo, LifeScript, Mail, MailServer, Notify};
use crate::model::script::Script;
use crate::model::track::{Object, ParamMatch, TrackFile, TrackProcess, TrackScript, Tracked};
use crate::model::Global;

/// Every instance that tracks an object, with its weight.
type Trackers<'a> = BTreeMap<&'a Object, Vec<(&'a str, &'a Tracked)>>;

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
        script(s, out);
        state(view, &trackers, &Object::Script(s.name.clone()), out);
    }
    if !config.files.is_empty() {
        out.section("VRRP Track files");
    }
    for f in &config.files {
        file(f, out);
        state(view, &trackers, &Object::File(f.name.clone()), out);
    }
    if !config.processes.is_empty() {
        out.section("VRRP Track processes");
    }
    for p in &config.processes {
        process(p, out);
        state(view, &trackers, &Object::Process(p.name.clone()), out);
    }
    let sessions = config.bfd.iter().filter(|b| b.for_vrrp);
    if sessions.clone().count() > 0 {
        out.section("VRRP Track BFDs");
    }
    for b in sessions {
        out.top("BFD Instance", &b.name);
        out.pair("Weight", weight(b.weight, b.reverse));
        state(view, &trackers, &Object::Bfd(b.name.clone()), out);
    }
}

fn state(view: &View<'_>, trackers: &Trackers<'_>, object: &Object, out: &mut Text) {
    out.pair("Status", view.vrrp.tracked(object));
    let list = trackers.get(object).into_iter().flatten();
    out.line(format_args!("Tracking VRRP instances ({}):", list.clone().count()));
    for (name, t) in list {
        out.item(format_args!("{name}, weight {}", weight(t.weight, t.reverse)));
    }
}

fn weight(weight: i16, reverse: bool) -> String {
    format!("{weight}{}", if reverse { " reverse" } else { "" })
}

fn script(s: &TrackScript, out: &mut Text) {
    out.top("VRRP Script", &s.name);
    out.pair("Command", quoted(&s.script));
    out.pair("Interval", format_args!("{} sec", Seconds(s.interval)));
    out.pair("Timeout", format_args!("{} sec", Seconds(s.timeout)));
    out.pair("Weight", weight(s.weight, s.reverse));
    out.pair("Rise", s.rise);
    out.pair("Fall", s.fall);
    if s.init_fail {
        out.pair("Initial state", "failed");
    }
    let user = s.script.user;
    out.pair("Script uid:gid", format_args!("{}:{}", user.uid, user.gid));
}

fn file(f: &TrackFile, out: &mut Text) {
    out.top("VRRP Track file", &f.name);
    out.pair("File", &f.path);
    out.pair("Weight", weight(f.weight, f.reverse));
}

fn process(p: &TrackProcess, out: &mut Text) {
    out.top("VRRP Track process", &p.name);
    out.pair("Process", &p.process);
    if !p.params.is_empty() {
        out.pair("Parameters", p.params.join(" "));
    }
    let how = match p.param_match {
        ParamMatch::Any => None,
        ParamMatch::Exact => Some("exact"),
        ParamMatch::Partial => Some("partial"),
        ParamMatch::Initial => Some("initial"),
    };
    if let Some(how) = how {
        out.pair("Parameter match", how);
    }
    out.pair("Full command", p.full_command);
    out.pair("Min processes", p.quorum);
    if let Some(max) = p.quorum_max {
        out.pair("Max processes", max);
    }
    out.pair("Weight", weight(p.weight, p.reverse));
    out.pair("Terminate delay", format_args!("{} sec", Seconds(p.terminate_delay)));
    out.pair("Fork delay", format_args!("{} sec", Seconds(p.fork_delay)));
}

/// `track_script` and the like of an instance or a group.
pub(super) fn tracked(list: &[Tracked], out: &mut Text) {
    for (title, is_kind) in [
        ("Tracked scripts :", (|o| matches!(o, Object::Script(_))) as fn(&Object) -> bool),
        ("Tracked files :", |o| matches!(o, Object::File(_))),
        ("Tracked processes :", |o| matches!(o, Object::Process(_))),
        ("Tracked BFD instances :", |o| matches!(o, Object::Bfd(_))),
    ] {
        let mut entries = list.iter().filter(|t| is_kind(&t.object)).peekable();
        if entries.peek().is_some() {
            out.line(title);
        }
        for t in entries {
            out.item(format_args!("{} weight {}", t.object.name(), weight(t.weight, t.reverse)));
        }
    }
}

/// Notification settings of an instance or a group.
pub(super) fn notify(n: &Notify, out: &mut Text) {
    for (event, script) in [
        ("Backup state transition", &n.backup),
        ("Master state transition", &n.master),
        ("Fault state transition", &n.fault),
        ("Stop state transition", &n.stop),
        ("Deleted state transition", &n.deleted),
        ("Generic state transition", &n.any),
        ("Master rx lower pri", &n.master_rx_lower_pri),
    ] {
        if let Some(script) = script {
            out.pair(&format!("{event} script"), with_user(script));
        }
    }
    if n.says_deleted {
        out.pair("Notify deleted", "Deleted");
    }
    if n.priority_changes {
        out.pair("Notify priority changes", true);
    }
    if n.mail {
        out.pair("Using smtp notification", "yes");
    }
}

/// Global settings.
pub(super) fn global(g: &Global, out: &mut Text) {
    if let Some(mail) = &g.mail {
        self::mail(mail, out);
    }
    out.top("Script security", if g.script_security { "enabled" } else { "disabled" });
    let fifos = [
        ("Global notify fifo", &g.fifos.all),
        ("VRRP notify fifo", &g.fifos.vrrp),
        ("LVS notify fifo", &g.fifos.lvs),
    ];
    for (name, fifo) in fifos {
        if let Some(fifo) = fifo {
            self::fifo(name, fifo, out);
        }
    }
    for (name, life) in
        [("Startup script", &g.startup_script), ("Shutdown script", &g.shutdown_script)]
    {
        if let Some(LifeScript { script, timeout }) = life {
            out.top(name, format_args!("{}, timeout {}", with_user(script), timeout.as_secs()));
        }
    }
}

fn mail(mail: &Mail, out: &mut Text) {
    match &mail.server {
        MailServer::Address(addr) => out.top("Smtp server", addr),
        MailServer::Name(name) => out.top("Smtp server", name),
        MailServer::File(path) => out.top("Smtp alert file", path),
    }
    out.top("Smtp server port", mail.port);
    out.top("Smtp HELO name", &mail.helo);
    out.top("Smtp server connection timeout", mail.timeout.as_secs());
    out.top("Email notification from", &mail.from);
    for to in &mail.recipients {
        out.top("Email notification", to);
    }
    out.top("Send email on faults", !mail.no_faults);
}

fn fifo(name: &str, fifo: &Fifo, out: &mut Text) {
    let (path, owner) = (&fifo.path, fifo.owner);
    out.top(name, format_args!("{path}, uid:gid {}:{}", owner.uid, owner.gid));
    if let Some(script) = &fifo.script {
        out.top(&format!("{name} script"), with_user(script));
    }
}

/// Every word of a command in single quotes, as keepalived shows it.
pub(super) fn quoted(script: &Script) -> String {
    let words: Vec<_> = script.argv.iter().map(|word| format!("'{word}'")).collect();
    words.join(" ")
}

fn with_user(script: &Script) -> impl Display {
    format!("{}, uid:gid {}:{}", quoted(script), script.user.uid, script.user.gid)
}
