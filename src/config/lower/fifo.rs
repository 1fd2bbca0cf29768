//! FIFOs, and the commands that `global_defs` has for them and for start and stop.

use std::time::Duration;

use super::script::named_user;
use super::Scene;
use crate::config::document::{Node, Word};
use crate::config::statement::Statement;
use crate::config::value::Value;
use crate::model::notify::{Fifo, LifeScript};
use crate::model::Global;

/// A FIFO and its command.
#[derive(Default)]
struct RawFifo<'d> {
    fifo: Option<Node<'d>>,
    script: Option<Node<'d>>,
}

/// A command and how long it may take.
#[derive(Default)]
struct RawLife<'d> {
    script: Option<Node<'d>>,
    timeout: Option<Duration>,
}

/// All of them, as written.
#[derive(Default)]
pub(super) struct RawFifos<'d> {
    all: RawFifo<'d>,
    vrrp: RawFifo<'d>,
    lvs: RawFifo<'d>,
    states_on_reload: bool,
    startup: RawLife<'d>,
    shutdown: RawLife<'d>,
}

impl<'d> RawFifos<'d> {
    /// Takes a statement; false if it is about something else.
    pub(super) fn take(&mut self, s: &Statement<'d>) -> bool {
        let node = Some(s.node);
        let time = match s.value {
            Value::Int(n) => u64::try_from(n).ok().map(Duration::from_secs),
            _ => None,
        };
        match s.keyword.name {
            "notify_fifo" => self.all.fifo = node,
            "notify_fifo_script" => self.all.script = node,
            "vrrp_notify_fifo" => self.vrrp.fifo = node,
            "vrrp_notify_fifo_script" => self.vrrp.script = node,
            "lvs_notify_fifo" => self.lvs.fifo = node,
            "lvs_notify_fifo_script" => self.lvs.script = node,
            "fifo_write_vrrp_states_on_reload" => self.states_on_reload = true,
            "startup_script" => self.startup.script = node,
            "startup_script_timeout" => self.startup.timeout = time,
            "shutdown_script" => self.shutdown.script = node,
            "shutdown_script_timeout" => self.shutdown.timeout = time,
            _ => return false,
        }
        true
    }

    /// Looks users and commands up, once it is known how scripts are run.
    pub(super) fn settle(self, scene: &mut Scene<'_, '_>, global: &mut Global) {
        let mut paths = Vec::new();
        global.fifos.all = self.all.settle(scene, &mut paths);
        global.fifos.vrrp = self.vrrp.settle(scene, &mut paths);
        global.fifos.lvs = self.lvs.settle(scene, &mut paths);
        global.fifos.states_on_reload = self.states_on_reload;
        global.startup_script = self.startup.settle(scene);
        global.shutdown_script = self.shutdown.settle(scene);
    }
}

impl<'d> RawFifo<'d> {
    fn settle(self, scene: &mut Scene<'_, '_>, paths: &mut Vec<&'d str>) -> Option<Fifo> {
        let fifo = self.fifo.and_then(|node| fifo(scene, node, paths));
        let Some(mut fifo) = fifo else {
            if let Some(node) = self.script {
                let word = node.keyword();
                let text = format!("'{}' is ignored: there is no such FIFO", word.text);
                scene.checker.out.warn(word.text, word.span, text);
            }
            return None;
        };
        fifo.script = self.script.and_then(|node| scene.notify_script(node));
        Some(fifo)
    }
}

/// `PATH [USER [GROUP]]`
fn fifo<'d>(scene: &mut Scene<'_, '_>, node: Node<'d>, paths: &mut Vec<&'d str>) -> Option<Fifo> {
    let Word { text: path, span, .. } = node.arg(0)?;
    let keyword = node.keyword().text;
    if paths.contains(&path) {
        let text = format!("{keyword} '{path}' is another FIFO already: it is ignored");
        scene.checker.out.warn(keyword, span, text);
        return None;
    }
    let owner = match node.arg(1) {
        None => scene.defaults.scripts.default_user(scene.host),
        user => match named_user(scene.host, user, node.arg(2)) {
            Ok(user) => user,
            Err(why) => {
                let text = format!("{why}: {keyword} '{path}' is ignored");
                scene.checker.out.warn(keyword, span, text);
                return None;
            }
        },
    };
    paths.push(path);
    Some(Fifo { path: path.to_owned(), owner, script: None })
}

impl RawLife<'_> {
    fn settle(self, scene: &mut Scene<'_, '_>) -> Option<LifeScript> {
        let script = scene.notify_script(self.script?)?;
        Some(LifeScript { script, timeout: self.timeout.unwrap_or(Duration::from_secs(10)) })
    }
}
