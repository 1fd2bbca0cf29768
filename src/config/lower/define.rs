//! The blocks that define what can be tracked: `vrrp_script`, `track_file`, `vrrp_track_process`.

use std::time::Duration;

use super::script::named_user;
use super::Scene;
use crate::base::diag::Span;
use crate::config::document::{Node, Word};
use crate::config::keywords;
use crate::config::statement::{Checker, Statement};
use crate::config::value::Value;
use crate::model::script::User;
use crate::model::track::{InitFile, ParamMatch, TrackFile, TrackProcess};

/// A `vrrp_script` of which the command was not looked at yet.
pub(super) struct RawScript<'d> {
    pub name: &'d str,
    pub span: Span,
    /// Where its command stands.
    pub command: Span,
    pub argv: Vec<String>,
    pub user: Option<User>,
    pub interval: Duration,
    pub timeout: Option<Duration>,
    pub rise: u32,
    pub fall: u32,
    pub weight: i16,
    pub reverse: bool,
    pub init_fail: bool,
}

impl<'d> RawScript<'d> {
    fn new(name: Word<'d>) -> Self {
        Self {
            name: name.text,
            span: name.span,
            command: name.span,
            argv: Vec::new(),
            user: None,
            interval: Duration::from_secs(1),
            timeout: None,
            rise: 1,
            fall: 1,
            weight: 0,
            reverse: false,
            init_fail: false,
        }
    }
}

fn small(n: i64) -> i16 {
    i16::try_from(n).unwrap_or(0)
}

fn count(n: i64) -> u32 {
    u32::try_from(n).unwrap_or(0)
}

/// `weight N reverse`; the table complained of any other word.
fn is_reverse(node: Node<'_>) -> bool {
    node.arg(1).is_some_and(|word| word.text == "reverse")
}

fn name_word(node: Node<'_>) -> Word<'_> {
    node.arg(0).unwrap_or_else(|| node.keyword())
}

/// Tells that a definition is useless.
fn removed(scene: &mut Scene<'_, '_>, node: Node<'_>, why: &str) {
    let name = name_word(node);
    let text = format!("{why}: the {} is removed", node.keyword().text);
    scene.error(name.text, name.span, text);
}

pub(super) fn script<'d>(scene: &mut Scene<'_, '_>, node: Node<'d>) -> Option<RawScript<'d>> {
    let mut raw = RawScript::new(name_word(node));
    let (mut command, mut user) = (None, None);
    let host = scene.host;
    scene.checker.block(node.children(), &keywords::VRRP_SCRIPT, &mut |_, s| {
        match (s.keyword.name, s.value) {
            ("script", _) => {
                command = Some(s.node);
                raw.command = s.node.keyword().span;
            }
            ("user", _) => {
                let given = named_user(host, s.node.arg(0), s.node.arg(1));
                // One that exists is not undone by one that does not.
                if given.is_ok() || !matches!(user, Some(Ok(_))) {
                    user = Some(given);
                }
            }
            ("interval", Value::Micros(n)) => raw.interval = Duration::from_micros(n),
            ("timeout", Value::Micros(n)) => raw.timeout = Some(Duration::from_micros(n)),
            ("rise", Value::Int(n)) => raw.rise = count(n),
            ("fall", Value::Int(n)) => raw.fall = count(n),
            ("weight", Value::Int(n)) => {
                raw.weight = small(n);
                raw.reverse = is_reverse(s.node);
            }
            ("init_fail", _) => raw.init_fail = true,
            (name, _) => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
        }
    });
    match user {
        Some(Ok(user)) => raw.user = Some(user),
        Some(Err(why)) => {
            removed(scene, node, &why);
            return None;
        }
        None => {}
    }
    match command.and_then(|node| scene.plain_command(node)) {
        Some(argv) => raw.argv = argv,
        None => {
            removed(scene, node, "there is no script");
            return None;
        }
    }
    Some(raw)
}

pub(super) fn file(scene: &mut Scene<'_, '_>, node: Node<'_>) -> Option<TrackFile> {
    let name = name_word(node);
    let mut file = TrackFile {
        name: name.text.to_owned(),
        path: String::new(),
        weight: 1,
        reverse: false,
        init: None,
    };
    scene.checker.block(node.children(), &keywords::TRACK_FILE, &mut |checker, s| match (
        s.keyword.name,
        s.value,
    ) {
        ("file", Value::Text(path)) => path.clone_into(&mut file.path),
        ("weight", Value::Int(n)) => {
            file.weight = small(n);
            file.reverse = is_reverse(s.node);
        }
        ("init_file", _) => file.init = Some(init_file(checker, s)),
        (name, _) => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
    });
    if file.path.is_empty() {
        removed(scene, node, "there is no file");
        return None;
    }
    // Its directory may come later: the watch waits for it.
    if !file.path.starts_with('/') {
        removed(scene, node, &format!("file '{}' is no absolute path", file.path));
        return None;
    }
    Some(file)
}

/// `init_file [VALUE] [overwrite]`, in any order.
fn init_file(checker: &mut Checker<'_>, s: Statement<'_>) -> InitFile {
    let mut init = InitFile { value: 0, overwrite: false };
    for word in s.node.args() {
        if word.text == "overwrite" {
            init.overwrite = true;
        } else if let Ok(value) = word.text.parse() {
            init.value = value;
            if !(-254..=254).contains(&value) {
                let text = format!("init_file '{value}' is not within -254 to 254");
                checker.out.error("init_file", word.span, text);
            }
        } else {
            let text = format!("init_file '{}' is neither a number nor 'overwrite'", word.text);
            checker.out.error("init_file", word.span, text);
        }
    }
    init
}

pub(super) fn process(scene: &mut Scene<'_, '_>, node: Node<'_>) -> Option<TrackProcess> {
    let name = name_word(node);
    let mut process = TrackProcess {
        name: name.text.to_owned(),
        process: String::new(),
        params: Vec::new(),
        param_match: ParamMatch::Any,
        full_command: false,
        weight: 0,
        reverse: false,
        quorum: 1,
        quorum_max: None,
        terminate_delay: Duration::ZERO,
        fork_delay: Duration::ZERO,
    };
    let mut param_match = None;
    scene.checker.block(node.children(), &keywords::VRRP_TRACK_PROCESS, &mut |checker, s| match (
        s.keyword.name,
        s.value,
    ) {
        ("process", Value::Text(name)) => {
            name.clone_into(&mut process.process);
            process.params = s.node.args().skip(1).map(|w| w.text.to_owned()).collect();
        }
        ("param_match", Value::Text("initial")) => param_match = Some(ParamMatch::Initial),
        ("param_match", Value::Text(_)) => param_match = Some(ParamMatch::Partial),
        ("param_match", _) => param_match = Some(ParamMatch::Exact),
        ("weight", Value::Int(n)) => {
            process.weight = small(n);
            process.reverse = is_reverse(s.node);
        }
        ("quorum" | "quorum_max", Value::Int(n)) => quorum(checker, &mut process, s, count(n)),
        ("delay", Value::Micros(n)) => {
            process.terminate_delay = Duration::from_micros(n);
            process.fork_delay = process.terminate_delay;
        }
        ("terminate_delay", Value::Micros(n)) => {
            process.terminate_delay = Duration::from_micros(n);
        }
        ("fork_delay", Value::Micros(n)) => process.fork_delay = Duration::from_micros(n),
        ("full_command", _) => process.full_command = true,
        (name, _) => debug_assert!(false, "'{name}' is in effect and nobody reads it"),
    });
    if process.process.is_empty() {
        removed(scene, node, "there is no process");
        return None;
    }
    let usual = if process.params.is_empty() { ParamMatch::Any } else { ParamMatch::Exact };
    process.param_match = param_match.unwrap_or(usual);
    Some(process)
}

/// The limits must leave a number between them. A maximum of 0 means that none may run.
fn quorum(checker: &mut Checker<'_>, process: &mut TrackProcess, s: Statement<'_>, n: u32) {
    let span = s.node.keyword().span;
    if s.keyword.name == "quorum" {
        match process.quorum_max {
            Some(max) if max < n => {
                let text = format!("quorum {n} is above quorum_max {max}: it is ignored");
                checker.out.error("quorum", span, text);
            }
            _ => process.quorum = n,
        }
    } else if n == 0 {
        process.quorum = 0;
        process.quorum_max = Some(0);
    } else if n < process.quorum {
        let text = format!("quorum_max {n} is below quorum {}: it is ignored", process.quorum);
        checker.out.error("quorum_max", span, text);
    } else {
        process.quorum_max = Some(n);
    }
}
