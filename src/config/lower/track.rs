//! `vrrp_script`, `track_file`, `vrrp_track_process`, and the lists that refer to them.
//!
//! Tracked objects must be defined before they are named. Commands are checked last, when it is
//! known which of them are tracked.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

use super::define::{self, Script};
use super::{bfd, name_word, Instances, LoweredInstance, Scene};
use crate::base::diag::{Severity, Span};
use crate::config::document::{Document, Node, Word};
use crate::config::entry::LineUse;
use crate::config::keywords::{RawTracked, RawWeight, TrackList};
use crate::config::statement::Checker;
use crate::model::bfd::BfdInstance;
use crate::model::track::{Object, TrackFile, TrackProcess, TrackScript, Tracked};
use crate::model::vrrp::SyncGroup;
use crate::model::Config;

/// Everything that can be tracked, as far as the reading has come.
pub(super) struct Definitions<'d> {
    scripts: Vec<Script<'d>>,
    files: Vec<TrackFile>,
    processes: Vec<(TrackProcess, Span)>,
    sessions: Vec<Rc<BfdInstance>>,
    /// With what an entry takes from its object where it gives nothing itself.
    known: HashMap<Object, RawWeight>,
    /// Positions of all definitions in the text.
    anywhere: HashMap<Object, Span>,
}

/// A line of a `track_...` block whose object is defined.
pub(super) struct TrackedEntry<'d> {
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
        "bfd_instance" => Object::Bfd(name),
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

impl<'d> Definitions<'d> {
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
            sessions: Vec::new(),
            known: HashMap::new(),
            anywhere,
        }
    }

    /// Reads the definition of an object, the first of that name.
    pub(super) fn define(
        &mut self,
        scene: &mut Scene<'_, '_>,
        object: fn(String) -> Object,
        node: Node<'d>,
    ) {
        let (name, span) = (super::name_of(node), name_word(node).span);
        let object = object(name.to_owned());
        if self.known.contains_key(&object) {
            let text = format!("{} '{name}' again: the first one counts", definition(&object));
            scene.checker.out.warn(name, span, text);
            return;
        }
        scene.checker.out.set_scope(Some(name));
        let base = self.read(scene, &object, node);
        scene.checker.out.set_scope(None);
        if let Some(base) = base {
            self.known.insert(object, base);
        }
    }

    fn read(
        &mut self,
        scene: &mut Scene<'_, '_>,
        object: &Object,
        node: Node<'d>,
    ) -> Option<RawWeight> {
        Some(match object {
            Object::Script(_) => {
                let script = define::script(scene, node)?;
                let base = script.raw.weight;
                self.scripts.push(script);
                base
            }
            Object::File(_) => {
                let file = define::file(scene, node)?;
                let base = RawWeight { weight: file.weight, reverse: file.reverse };
                self.files.push(file);
                base
            }
            Object::Process(_) => {
                let process = define::process(scene, node)?;
                let base = RawWeight { weight: process.weight, reverse: process.reverse };
                self.processes.push((process, node.keyword().span));
                base
            }
            Object::Bfd(_) => {
                let session = bfd::session(scene, node, &self.sessions)?;
                let base = RawWeight { weight: session.weight, reverse: session.reverse };
                self.sessions.push(Rc::new(session));
                base
            }
        })
    }

    /// Reads the `track_...` blocks of an instance or a group.
    pub(super) fn read_lists(
        &self,
        checker: &mut Checker<'_>,
        lists: &[TrackList<'d>],
    ) -> Vec<TrackedEntry<'d>> {
        let lines = lists.iter().flat_map(|list| list.node.children().map(move |l| (list, l)));
        lines.filter_map(|(list, line)| self.read_entry(checker, line, list)).collect()
    }

    fn read_entry(
        &self,
        checker: &mut Checker<'_>,
        line: Node<'d>,
        list: &TrackList<'d>,
    ) -> Option<TrackedEntry<'d>> {
        let name = line.keyword();
        let object = (list.object)(name.text.to_owned());
        let mut raw = RawTracked::default();
        if checker.fill_line(line, list.table, &mut raw) == LineUse::Useless {
            return None;
        }
        let Some(&base) = self.known.get(&object) else {
            self.unknown(checker, name, &object);
            return None;
        };
        if !self.may_be_tracked(&object) {
            let text = format!(
                "bfd_instance '{}' is for checkers only: it is not tracked (add 'vrrp' to it)",
                name.text
            );
            checker.out.error(name.text, name.span, text);
            return None;
        }
        let weight = raw.weight.unwrap_or(base.weight);
        let reverse = raw.reverse.unwrap_or(base.reverse);
        Some(TrackedEntry { name, tracked: Tracked { object, weight, reverse } })
    }

    fn may_be_tracked(&self, object: &Object) -> bool {
        let Object::Bfd(name) = object else { return true };
        self.sessions.iter().any(|session| session.name == *name && session.for_vrrp)
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

    /// Removes objects that are not tracked or cannot be run, and passes the rest to the model.
    pub(super) fn finish(
        self,
        scene: &mut Scene<'_, '_>,
        instances: &mut Instances,
        config: &mut Config,
    ) {
        let lists = instances.list.iter().map(|s| &*s.instance.tracked);
        let lists = lists.chain(config.groups.iter().map(|g| &g.tracked));
        let used: HashSet<Object> = lists.flatten().map(|t| t.object.clone()).collect();
        let mut gone = HashSet::new();
        for raw in self.scripts {
            let (Word { text: name, span, .. }, command) = (raw.name, raw.command);
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
        config.bfd = self.sessions;
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

fn unused(scene: &mut Scene<'_, '_>, object: &Object, span: Span) {
    let (keyword, name) = (definition(object), object.name());
    let text = format!("{keyword} '{name}' is not tracked by anything: it is removed");
    scene.checker.out.warn(name, span, text);
}

/// A script that is tracked, if its command may be run.
fn runnable(scene: &mut Scene<'_, '_>, defined: Script<'_>) -> Option<TrackScript> {
    let Script { name, raw, command, argv, user } = defined;
    scene.checker.out.set_scope(Some(name.text));
    let script = scene.script(argv, user, command, Severity::Error);
    scene.checker.out.set_scope(None);
    let interval = raw.interval.unwrap_or(Duration::from_secs(1));
    Some(TrackScript {
        name: name.text.to_owned(),
        script: script?,
        interval,
        timeout: raw.timeout.unwrap_or(interval),
        rise: raw.rise.unwrap_or(1),
        fall: raw.fall.unwrap_or(1),
        weight: raw.weight.weight,
        reverse: raw.weight.reverse,
        init_fail: raw.init_fail,
    })
}

/// Removes deleted objects from every list.
fn forget(gone: &HashSet<Object>, instances: &mut Instances, groups: &mut [SyncGroup]) {
    for lowered in &mut instances.list {
        // It is not shared before the model is complete.
        if let Some(instance) = Rc::get_mut(&mut lowered.instance) {
            instance.tracked.edit(|list| list.retain(|t| !gone.contains(&t.object)));
        }
    }
    for group in groups {
        group.tracked.retain(|t| !gone.contains(&t.object));
    }
}

/// The entries of one instance or group, each object once.
pub(super) fn each_once(
    scene: &mut Scene<'_, '_>,
    raw: Vec<TrackedEntry<'_>>,
    is_owner: bool,
) -> Vec<Tracked> {
    let mut seen = HashSet::new();
    let mut list = Vec::with_capacity(raw.len());
    for TrackedEntry { name, mut tracked } in raw {
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

/// For an object tracked by a member and the group, the group's settings apply.
pub(super) fn tracked_twice(
    scene: &mut Scene<'_, '_>,
    of_group: &[Tracked],
    name: &str,
    member: &LoweredInstance,
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

/// Removes settings that would change the priority of a single member of a group.
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

/// True if it has no weight. That of a file is 1 where none is given, and may as well be none:
/// then any value but 0 means FAULT.
fn unweighted(tracked: &mut Tracked) -> bool {
    if matches!(tracked.object, Object::File(_)) && tracked.weight == 1 {
        tracked.weight = 0;
    }
    tracked.weight == 0
}
