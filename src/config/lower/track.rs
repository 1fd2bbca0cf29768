//! `vrrp_script`, `track_file`, `vrrp_track_process`, and the lists that refer to them.
//!
//! What is tracked must be defined above the place that names it. Commands are looked at last,
//! when it is known which of them anybody tracks.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::define::{self, RawScript};
use super::{Instances, Scene, Settled};
use crate::base::diag::{Severity, Span};
use crate::config::document::{Document, Node, Word};
use crate::config::entry::Item;
use crate::config::keyword::Entry;
use crate::config::keywords;
use crate::config::statement::{Checker, Statement};
use crate::config::value::Value;
use crate::model::track::{Object, TrackFile, TrackProcess, TrackScript, Tracked};
use crate::model::vrrp::SyncGroup;
use crate::model::Config;

/// What an entry takes from its object where it says nothing itself.
#[derive(Clone, Copy)]
struct Base {
    weight: i16,
    reverse: bool,
}

/// Everything that can be tracked, as far as the reading has come.
pub(super) struct Objects<'d> {
    scripts: Vec<RawScript<'d>>,
    files: Vec<TrackFile>,
    processes: Vec<(TrackProcess, Span)>,
    known: HashMap<Object, Base>,
    /// Where the whole text defines what.
    anywhere: HashMap<Object, Span>,
}

/// An entry as it is written.
pub(super) struct RawTracked<'d> {
    name: Word<'d>,
    tracked: Tracked,
}

/// The object that a block of the top level defines.
fn defined(keyword: &str, name: &str) -> Option<Object> {
    let name = name.to_owned();
    Some(match keyword {
        "vrrp_script" => Object::Script(name),
        "track_file" | "vrrp_track_file" => Object::File(name),
        "vrrp_track_process" => Object::Process(name),
        _ => return None,
    })
}

/// The keyword that defines an object.
const fn definition(object: &Object) -> &'static str {
    match object {
        Object::Script(_) => "vrrp_script",
        Object::File(_) => "track_file",
        Object::Process(_) => "vrrp_track_process",
        Object::Bfd(_) => "bfd_instance",
    }
}

impl<'d> Objects<'d> {
    pub(super) fn new(doc: &'d Document) -> Self {
        let mut anywhere = HashMap::new();
        for node in doc.roots() {
            let Some(name) = node.arg(0) else { continue };
            if let Some(object) = defined(node.keyword().text, name.text) {
                anywhere.entry(object).or_insert(name.span);
            }
        }
        Self {
            scripts: Vec::new(),
            files: Vec::new(),
            processes: Vec::new(),
            known: HashMap::new(),
            anywhere,
        }
    }

    /// Reads one definition; false if the statement is none.
    pub(super) fn define(&mut self, scene: &mut Scene<'_, '_>, s: &Statement<'d>) -> bool {
        let name = super::name_of(s.node);
        let Some(object) = defined(s.keyword.name, name) else { return false };
        let span = s.node.arg(0).unwrap_or_else(|| s.node.keyword()).span;
        if self.known.contains_key(&object) {
            let text = format!("{} '{name}' again: the first one counts", s.keyword.name);
            scene.checker.out.warn(name, span, text);
            return true;
        }
        scene.checker.out.set_scope(Some(name));
        let base = self.read(scene, &object, s.node);
        scene.checker.out.set_scope(None);
        if let Some(base) = base {
            self.known.insert(object, base);
        }
        true
    }

    fn read(&mut self, scene: &mut Scene<'_, '_>, object: &Object, node: Node<'d>) -> Option<Base> {
        Some(match object {
            Object::Script(_) => {
                let script = define::script(scene, node)?;
                let base = Base { weight: script.weight, reverse: script.reverse };
                self.scripts.push(script);
                base
            }
            Object::File(_) => {
                let file = define::file(scene, node)?;
                let base = Base { weight: file.weight, reverse: file.reverse };
                self.files.push(file);
                base
            }
            Object::Process(_) => {
                let process = define::process(scene, node)?;
                let base = Base { weight: process.weight, reverse: process.reverse };
                self.processes.push((process, node.keyword().span));
                base
            }
            Object::Bfd(_) => return None,
        })
    }

    /// Reads a `track_...` block of an instance or a group; false if the statement is none.
    pub(super) fn read_list(
        &self,
        checker: &mut Checker<'_>,
        s: &Statement<'d>,
        out: &mut Vec<RawTracked<'d>>,
    ) -> bool {
        let (entry, object): (&'static Entry, fn(String) -> Object) = match s.keyword.name {
            "track_script" => (&keywords::TRACK_SCRIPT, Object::Script),
            "track_file" => (&keywords::TRACK_FILES, Object::File),
            "track_process" => (&keywords::TRACK_PROCESS, Object::Process),
            _ => return false,
        };
        for line in s.node.children() {
            out.extend(self.read_entry(checker, line, entry, object));
        }
        true
    }

    fn read_entry(
        &self,
        checker: &mut Checker<'_>,
        line: Node<'d>,
        entry: &'static Entry,
        object: fn(String) -> Object,
    ) -> Option<RawTracked<'d>> {
        let name = line.keyword();
        let object = object(name.text.to_owned());
        let (mut weight, mut reverse) = (None, None);
        let used =
            checker.entry(line, entry, &mut |checker, item| match (item.option, item.value) {
                ("weight", Value::Int(n)) => weight = Some(limited(checker, &object, item, n)),
                ("reverse", _) => reverse = Some(true),
                ("noreverse", _) => reverse = Some(false),
                _ => {}
            });
        if !used {
            return None;
        }
        let Some(&base) = self.known.get(&object) else {
            self.unknown(checker, name, &object);
            return None;
        };
        let weight = weight.unwrap_or(base.weight);
        let reverse = reverse.unwrap_or(base.reverse);
        Some(RawTracked { name, tracked: Tracked { object, weight, reverse } })
    }

    fn unknown(&self, checker: &mut Checker<'_>, name: Word<'_>, object: &Object) {
        let keyword = definition(object);
        let place = self.anywhere.get(object);
        let later = place.filter(|at| (at.file, at.line) > (name.span.file, name.span.line));
        let why = match (later, place) {
            (Some(_), _) => "is defined below",
            (None, Some(_)) => "was removed",
            (None, None) => "does not exist",
        };
        let text = format!("{keyword} '{}' {why}: it is not tracked", name.text);
        if checker.out.error(name.text, name.span, text) && later.is_some() {
            checker.out.hint(format!("move its {keyword} block above what tracks it"));
        }
    }

    /// Removes what nobody tracks and what cannot be run, and gives the rest to the model.
    pub(super) fn finish(
        self,
        scene: &mut Scene<'_, '_>,
        instances: &mut Instances,
        config: &mut Config,
    ) {
        let lists = instances.list.iter().map(|s| &s.instance.tracked);
        let lists = lists.chain(config.groups.iter().map(|g| &g.tracked));
        let used: HashSet<Object> = lists.flatten().map(|t| t.object.clone()).collect();
        let mut gone = HashSet::new();
        for raw in self.scripts {
            let (name, span, command) = (raw.name, raw.span, raw.command);
            let object = Object::Script(name.to_owned());
            if !used.contains(&object) {
                unused(scene, &object, span);
            } else if let Some(script) = runnable(scene, raw) {
                config.scripts.push(script);
            } else {
                let text =
                    format!("vrrp_script '{name}' is removed: what tracks it goes on without");
                scene.checker.out.warn(name, command, text);
                gone.insert(object);
            }
        }
        config.files = self.files;
        for (process, span) in self.processes {
            let object = Object::Process(process.name.clone());
            if used.contains(&object) {
                config.processes.push(process);
            } else {
                unused(scene, &object, span);
            }
        }
        if !gone.is_empty() {
            forget(&gone, instances, &mut config.groups);
        }
    }
}

/// 254 was allowed once for what has 253 as its limit.
fn limited(checker: &mut Checker<'_>, object: &Object, item: Item<'_>, n: i64) -> i16 {
    let most = if matches!(object, Object::Script(_)) { 253 } else { 254 };
    let used = n.clamp(-most, most);
    if used != n {
        let text = format!("weight '{n}' is not within -{most} to {most}: {used} is used");
        checker.out.error("weight", item.word.span, text);
    }
    i16::try_from(used).unwrap_or(0)
}

fn unused(scene: &mut Scene<'_, '_>, object: &Object, span: Span) {
    let (keyword, name) = (definition(object), object.name());
    let text = format!("{keyword} '{name}' is not tracked by anything: it is removed");
    scene.checker.out.warn(name, span, text);
}

/// A script that is tracked, if its command may be run.
fn runnable(scene: &mut Scene<'_, '_>, raw: RawScript<'_>) -> Option<TrackScript> {
    scene.checker.out.set_scope(Some(raw.name));
    let script = scene.script(raw.argv, raw.user, raw.command, Severity::Error);
    scene.checker.out.set_scope(None);
    Some(TrackScript {
        name: raw.name.to_owned(),
        script: script?,
        interval: raw.interval,
        timeout: raw.timeout.unwrap_or(raw.interval),
        rise: raw.rise,
        fall: raw.fall,
        weight: raw.weight,
        reverse: raw.reverse,
        init_fail: raw.init_fail,
    })
}

/// Takes what is not there any more out of every list.
fn forget(gone: &HashSet<Object>, instances: &mut Instances, groups: &mut [SyncGroup]) {
    for settled in &mut instances.list {
        // Nobody else has it before the model is complete.
        if let Some(instance) = Rc::get_mut(&mut settled.instance) {
            instance.tracked.retain(|t| !gone.contains(&t.object));
        }
    }
    for group in groups {
        group.tracked.retain(|t| !gone.contains(&t.object));
    }
}

/// The entries of one instance or group, each object once.
pub(super) fn settle(
    scene: &mut Scene<'_, '_>,
    raw: Vec<RawTracked<'_>>,
    is_owner: bool,
) -> Vec<Tracked> {
    let mut seen = HashSet::new();
    let mut list = Vec::with_capacity(raw.len());
    for RawTracked { name, mut tracked } in raw {
        if !seen.insert(tracked.object.clone()) {
            let text = format!("{} is tracked already: the line is ignored", tracked.object);
            scene.error("track", name.span, text);
            continue;
        }
        if is_owner && !unweighted(&mut tracked) {
            let object = &tracked.object;
            let text = format!("{object} is not tracked: weights mean nothing with priority 255");
            scene.error("track", name.span, text);
            continue;
        }
        list.push(tracked);
    }
    list
}

/// An object that a member and the group track counts as the group says.
pub(super) fn tracked_twice(
    scene: &mut Scene<'_, '_>,
    of_group: &[Tracked],
    name: &str,
    member: &Settled,
) {
    for t in of_group {
        if member.instance.tracked.iter().any(|own| own.object == t.object) {
            let text = format!(
                "{} is tracked by '{name}' and by its group, which counts: remove it from '{name}'",
                t.object
            );
            scene.error("track", member.name, text);
        }
    }
}

/// The priority of an owner never changes, and the members of a group are to have one priority.
pub(super) fn clear_weights(scene: &mut Scene<'_, '_>, span: Span, list: &mut [Tracked]) {
    for tracked in list.iter_mut() {
        if !unweighted(tracked) {
            let object = &tracked.object;
            let text = format!(
                "{object} has no weight, since a member has priority 255: its failure means FAULT"
            );
            scene.error("weight", span, text);
            tracked.weight = 0;
        }
    }
}

/// Takes from a member of a group what would move its priority alone.
pub(super) fn drop_weights(
    scene: &mut Scene<'_, '_>,
    whose: &str,
    span: Span,
    list: &mut Vec<Tracked>,
) {
    list.retain_mut(|tracked| {
        let keep = unweighted(tracked);
        if !keep {
            let object = &tracked.object;
            let text = format!(
                "{object} of '{whose}' has a weight: it is not tracked without \
                 sync_group_tracking_weight"
            );
            scene.error("weight", span, text);
        }
        keep
    });
}

/// True if it has no weight. That of a file is 1 where nobody chose one, and may as well be none:
/// then any value but 0 means FAULT.
fn unweighted(tracked: &mut Tracked) -> bool {
    if matches!(tracked.object, Object::File(_)) && tracked.weight == 1 {
        tracked.weight = 0;
    }
    tracked.weight == 0
}
