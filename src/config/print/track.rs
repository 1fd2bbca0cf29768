//! Tracked objects.

use std::time::Duration;

use super::fits::lines;
use super::text::{put, Printer};
use super::unless;
use crate::base::sorted::SortedMap;
use crate::model::track::{Object, ParamMatch, TrackFile, TrackProcess, TrackScript, Tracked};
use crate::model::vrrp::TrackedLink;
use crate::model::Config;

/// Meaning of an entry that contains only a name.
pub(super) type Weights = SortedMap<Object, (i16, bool)>;

pub(super) fn weights(config: &Config) -> Weights {
    let scripts = config.scripts.iter();
    let scripts = scripts.map(|s| (Object::Script(s.name.clone()), (s.weight, s.reverse)));
    let files = config.files.iter();
    let files = files.map(|f| (Object::File(f.name.clone()), (f.weight, f.reverse)));
    let processes = config.processes.iter();
    let processes = processes.map(|p| (Object::Process(p.name.clone()), (p.weight, p.reverse)));
    let sessions = config.bfd.iter();
    let sessions = sessions.map(|b| (Object::Bfd(b.name.clone()), (b.weight, b.reverse)));
    scripts.chain(files).chain(processes).chain(sessions).collect()
}

impl Printer {
    pub(super) fn script(&mut self, s: &TrackScript) {
        put!(self, VRRP_SCRIPT {
            "script": &s.script;
            "user": s.script.user;
            "interval": s.interval;
            "timeout": s.timeout;
            "rise": s.rise;
            "fall": s.fall;
            "weight": s.weight, s.reverse.then_some("reverse");
            "init_fail" if s.init_fail;
        });
    }

    pub(super) fn file(&mut self, f: &TrackFile) {
        put!(self, TRACK_FILE {
            "file": &f.path;
            "weight": f.weight, f.reverse.then_some("reverse");
            for init in f.init.iter() => {
                "init_file": init.value.to_string(), init.overwrite.then_some("overwrite");
            };
        });
    }

    pub(super) fn process(&mut self, p: &TrackProcess) {
        put!(self, VRRP_TRACK_PROCESS {
            "process": &p.process, &p.params[..];
            match p.param_match => {
                ParamMatch::Any => {}
                ParamMatch::Exact => { "param_match" if p.params.is_empty() }
                ParamMatch::Initial => { "param_match": "initial" }
                ParamMatch::Partial => { "param_match": "partial" }
            };
            "full_command" if p.full_command;
            "weight": p.weight, p.reverse.then_some("reverse");
            "quorum": unless(p.quorum, 0);
            "quorum_max": p.quorum_max;
            "terminate_delay": unless(p.terminate_delay, Duration::ZERO);
            "fork_delay": unless(p.fork_delay, Duration::ZERO);
        });
    }

    /// What an instance or a group tracks.
    pub(super) fn tracked(&mut self, links: &[TrackedLink], list: &[Tracked]) {
        let weights = self.weights.clone();
        let entries = |is_one: fn(&Object) -> bool| {
            let entries = list.iter().filter(move |t| is_one(&t.object));
            entries.map(|t| Entry(t, weights.get(&t.object).copied()))
        };
        put!(self, VRRP_INSTANCE | VRRP_SYNC_GROUP {
            "track_interface" => each links;
            "track_script" => each entries(|object| matches!(object, Object::Script(_)));
            "track_file" => each entries(|object| matches!(object, Object::File(_)));
            "track_process" => each entries(|object| matches!(object, Object::Process(_)));
            "track_bfd" => each entries(|object| matches!(object, Object::Bfd(_)));
        });
    }
}

/// A tracked object, and the weight that it has of itself.
struct Entry<'m>(&'m Tracked, Option<(i16, bool)>);

impl Entry<'_> {
    fn way(&self) -> Option<&'static str> {
        match (self.0.reverse, self.1) {
            (true, _) => Some("reverse"),
            (false, Some((_, true))) => Some("noreverse"),
            (false, _) => None,
        }
    }
}

lines! {
    TRACK_INTERFACE => TrackedLink: |link| {
        _: &link.interface;
        "weight": (link.weight != 0 || link.reverse).then_some(link.weight),
            link.reverse.then_some("reverse");
    }
    TRACK_SCRIPT | TRACK_FILES | TRACK_PROCESS | TRACK_BFD => Entry<'_>: |entry| {
        _: entry.0.object.name();
        "weight": (entry.1 != Some((entry.0.weight, entry.0.reverse))).then_some(entry.0.weight),
            entry.way();
    }
}
