//! FIFOs, and the commands that `global_defs` has for them and for start and stop.

use std::time::Duration;

use super::global::Outlets;
use super::script::named_user;
use super::Scene;
use crate::config::document::{Node, Word};
use crate::config::keywords::{RawFifo, RawLifeScript};
use crate::model::notify::{Fifo, LifeScript};
use crate::model::Global;

impl Outlets<'_> {
    /// Looks users and commands up, once it is known how scripts are run.
    pub(super) fn resolve(&self, scene: &mut Scene<'_, '_>, global: &mut Global) {
        let mut paths = Vec::new();
        global.fifos.all = fifo(scene, &self.fifos.all, &mut paths);
        global.fifos.vrrp = fifo(scene, &self.fifos.vrrp, &mut paths);
        global.fifos.lvs = fifo(scene, &self.fifos.lvs, &mut paths);
        global.startup_script = life_script(scene, &self.startup);
        global.shutdown_script = life_script(scene, &self.shutdown);
    }
}

fn fifo<'d>(
    scene: &mut Scene<'_, '_>,
    raw: &RawFifo<'d>,
    paths: &mut Vec<&'d str>,
) -> Option<Fifo> {
    let Some(mut fifo) = raw.fifo.and_then(|node| owned_path(scene, node, paths)) else {
        if let Some(node) = raw.script {
            let word = node.keyword();
            let text = format!("'{}' is ignored: there is no such FIFO", word.text);
            scene.checker.out.warn(word.text, word.span, text);
        }
        return None;
    };
    fifo.script = raw.script.and_then(|node| scene.notify_script(node));
    Some(fifo)
}

/// `PATH [USER [GROUP]]`
fn owned_path<'d>(
    scene: &mut Scene<'_, '_>,
    node: Node<'d>,
    paths: &mut Vec<&'d str>,
) -> Option<Fifo> {
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

fn life_script(scene: &mut Scene<'_, '_>, raw: &RawLifeScript<'_>) -> Option<LifeScript> {
    let script = scene.notify_script(raw.script?)?;
    Some(LifeScript { script, timeout: raw.timeout.unwrap_or(Duration::from_secs(10)) })
}
