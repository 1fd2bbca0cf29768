//! The blocks that define tracked objects: `vrrp_script`, `track_file`, `vrrp_track_process`.

use super::script::named_user;
use super::{name_word, Scene};
use crate::base::diag::Span;
use crate::config::document::{Node, Word};
use crate::config::keywords::{
    RawFile, RawProcess, RawScript, RawWeight, TRACK_FILE, VRRP_SCRIPT, VRRP_TRACK_PROCESS,
};
use crate::model::script::User;
use crate::model::track::{ParamMatch, TrackFile, TrackProcess};

/// A `vrrp_script` of which the command was not looked at yet.
pub(super) struct Script<'d> {
    pub name: Word<'d>,
    pub raw: RawScript<'d>,
    /// Position of its command.
    pub command: Span,
    pub argv: Vec<String>,
    pub user: Option<User>,
}

/// Reports that a definition is useless.
pub(super) fn removed(scene: &mut Scene<'_, '_>, node: Node<'_>, why: &str) {
    let name = name_word(node);
    let text = format!("{why}: the {} is removed", node.keyword().text);
    scene.error(name.text, name.span, text);
}

pub(super) fn script<'d>(scene: &mut Scene<'_, '_>, node: Node<'d>) -> Option<Script<'d>> {
    let mut raw = RawScript::default();
    scene.checker.fill(node.children(), &VRRP_SCRIPT, &mut raw);
    let users = raw.users.iter().map(|node| named_user(scene.host, node.arg(0), node.arg(1)));
    // An existing user is not replaced by a missing one.
    let user =
        users.reduce(|before, user| if user.is_ok() || before.is_err() { user } else { before });
    let user = match user.transpose() {
        Ok(user) => user,
        Err(why) => {
            removed(scene, node, &why);
            return None;
        }
    };
    let command = raw.command.and_then(|node| Some((node, scene.plain_command(node)?)));
    let Some((command, argv)) = command else {
        removed(scene, node, "there is no script");
        return None;
    };
    let command = command.keyword().span;
    Some(Script { name: name_word(node), raw, command, argv, user })
}

pub(super) fn file(scene: &mut Scene<'_, '_>, node: Node<'_>) -> Option<TrackFile> {
    let mut raw = RawFile::default();
    scene.checker.fill(node.children(), &TRACK_FILE, &mut raw);
    let path = raw.path.unwrap_or_default();
    if path.is_empty() {
        removed(scene, node, "there is no file");
        return None;
    }
    // Its directory may come later: the watch waits for it.
    if !path.starts_with('/') {
        removed(scene, node, &format!("file '{path}' is no absolute path"));
        return None;
    }
    let RawWeight { weight, reverse } =
        raw.weight.unwrap_or(RawWeight { weight: 1, reverse: false });
    let name = name_word(node).text.to_owned();
    Some(TrackFile { name, path: path.to_owned(), weight, reverse, init: raw.init })
}

pub(super) fn process(scene: &mut Scene<'_, '_>, node: Node<'_>) -> Option<TrackProcess> {
    let mut raw = RawProcess::default();
    scene.checker.fill(node.children(), &VRRP_TRACK_PROCESS, &mut raw);
    let mut words = raw.words.iter().map(|word| word.text.to_owned());
    let process = words.next().unwrap_or_default();
    if process.is_empty() {
        removed(scene, node, "there is no process");
        return None;
    }
    let params: Vec<String> = words.collect();
    let usual = if params.is_empty() { ParamMatch::Any } else { ParamMatch::Exact };
    Some(TrackProcess {
        name: name_word(node).text.to_owned(),
        process,
        params,
        param_match: raw.param_match.unwrap_or(usual),
        full_command: raw.full_command,
        weight: raw.weight.weight,
        reverse: raw.weight.reverse,
        quorum: raw.quorum.unwrap_or(1),
        quorum_max: raw.quorum_max,
        terminate_delay: raw.terminate_delay,
        fork_delay: raw.fork_delay,
    })
}
