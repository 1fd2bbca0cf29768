//! Configurations with one line per block, in the keywords of the manual page:
//!
//! ```text
//! instance A  priority 100, nopreempt, track_interface { eth1 weight -20, eth2 }
//! group G  A B, track_interface { eth3 }
//! script S  weight -5
//! file F  weight 2
//! process P  quorum 2
//! global  vrrp_startup_delay 3
//! ```
//!
//! Defaults: `interface eth0`, a `virtual_router_id` (51, 52, ...) and a `virtual_ipaddress`
//! (10.0.0.101, 10.0.0.102, ...); a command, a path, a name.

#[path = "../config/memory.rs"]
mod memory;

use keepalived::config::{self, LinkFacts, ReadOptions};
use keepalived::model::script::User;
use keepalived::model::{self, Config};
use memory::{MemoryHost, MemoryLoader};

#[derive(Default)]
pub(crate) struct Conf {
    global: Vec<String>,
    /// `vrrp_script` and the like, with their keyword.
    objects: Vec<(&'static str, Block)>,
    instances: Vec<Block>,
    groups: Vec<Block>,
    added: usize,
}

struct Block {
    name: String,
    statements: Vec<String>,
}

impl Conf {
    /// Adds the block of one line; `None` if it is not one.
    pub(crate) fn add(&mut self, line: &str) -> Option<()> {
        let (kind, rest) = line.split_once(' ')?;
        let rest = rest.trim();
        match kind {
            "global" => self.global.extend(statements(rest)),
            "script" => self.add_object("vrrp_script", rest, |_| "script /usr/bin/true".to_owned()),
            "file" => self.add_object("track_file", rest, |name| format!("file /run/{name}")),
            "process" => {
                self.add_object("vrrp_track_process", rest, |name| format!("process {name}"));
            }
            "instance" => {
                let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                let mut block = Block { name: name.to_owned(), statements: statements(rest) };
                self.added += 1;
                block.set_default("interface eth0".to_owned());
                block.set_default(format!("virtual_router_id {}", 50 + self.added));
                block.set_default(format!("virtual_ipaddress {{ 10.0.0.{} }}", 100 + self.added));
                self.instances.push(block);
            }
            "group" => {
                let (name, rest) = rest.split_once(' ')?;
                let (members, rest) = rest.split_once(',').unwrap_or((rest, ""));
                let members = members.split_whitespace().collect::<Vec<_>>().join(", ");
                let mut all = vec![format!("group {{ {members} }}")];
                all.extend(statements(rest));
                self.groups.retain(|g| g.name != name);
                self.groups.push(Block { name: name.to_owned(), statements: all });
            }
            _ => return None,
        }
        Some(())
    }

    fn add_object(&mut self, keyword: &'static str, text: &str, main: fn(&str) -> String) {
        let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
        let mut block = Block { name: name.to_owned(), statements: statements(rest) };
        block.set_default(main(name));
        self.objects.retain(|(_, b)| b.name != name);
        self.objects.push((keyword, block));
    }

    /// Changes of a reload: `remove A`, `ungroup G`, a new line of the head, or `A priority 120,
    /// -nopreempt`, which sets one statement of an instance and removes another.
    pub(crate) fn change(&mut self, text: &str) -> Option<()> {
        let (first, rest) = text.split_once(' ')?;
        match first {
            "remove" => self.instances.retain(|b| b.name != rest.trim()),
            "ungroup" => self.groups.retain(|b| b.name != rest.trim()),
            "instance" | "group" | "global" | "script" | "file" | "process" => self.add(text)?,
            name => {
                let block = self.instances.iter_mut().find(|b| b.name == name)?;
                for statement in statements(rest) {
                    let word = first_word(&statement).to_owned();
                    let taken = word.strip_prefix('-').unwrap_or(&word);
                    block.statements.retain(|s| first_word(s) != taken);
                    if !word.starts_with('-') {
                        block.statements.push(statement);
                    }
                }
            }
        }
        Some(())
    }

    /// Untracked objects are left out, since they would only cause a diagnostic.
    fn is_tracked(&self, name: &str) -> bool {
        let statements = self.instances.iter().chain(&self.groups).flat_map(|b| &b.statements);
        let mut lists = statements.filter(|s| s.starts_with("track_"));
        lists.any(|s| s.split(|c: char| !c.is_alphanumeric()).any(|word| word == name))
    }

    /// The model as loaded by the daemon. Diagnostics are errors in the scenario.
    pub(crate) fn load(&self) -> Result<Config, String> {
        let mut text = String::from("global_defs {\n");
        text.push_str("enable_script_security\nscript_user root\n");
        block(&mut text, &self.global);
        for (keyword, o) in self.objects.iter().filter(|(_, o)| self.is_tracked(&o.name)) {
            text.push_str(&format!("{keyword} {} {{\n", o.name));
            block(&mut text, &o.statements);
        }
        for i in &self.instances {
            text.push_str(&format!("vrrp_instance {} {{\n", i.name));
            block(&mut text, &i.statements);
        }
        for g in &self.groups {
            text.push_str(&format!("vrrp_sync_group {} {{\n", g.name));
            block(&mut text, &g.statements);
        }
        let loader = MemoryLoader::with("/conf", text.as_str());
        let loaded = config::load(&loader, "/conf", &ReadOptions::default(), &machine());
        if loaded.diagnostics.is_empty() {
            Ok(loaded.config)
        } else {
            Err(format!("{}{text}", loaded.diagnostics.render(&loaded.sources)))
        }
    }
}

impl Block {
    fn set_default(&mut self, statement: String) {
        if !self.statements.iter().any(|s| first_word(s) == first_word(&statement)) {
            self.statements.push(statement);
        }
    }
}

/// Splits at commas outside braces.
fn statements(text: &str) -> Vec<String> {
    let mut depth = 0;
    let parts = text.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect()
}

fn first_word(statement: &str) -> &str {
    statement.split_whitespace().next().unwrap_or("")
}

/// Writes the statements and closes the block.
fn block(text: &mut String, statements: &[String]) {
    for s in statements {
        text.push_str(&s.replace('{', "{\n").replace(',', "\n").replace('}', "\n}"));
        text.push('\n');
    }
    text.push_str("}\n");
}

/// A host on which every interface mentioned exists.
fn machine() -> MemoryHost {
    let root = User::ROOT;
    let host = MemoryHost::default().and_program("/usr/bin/true").and_user("root", 0, 0);
    host.and_directory("/run", root, 0o755).and_any_link(LinkFacts::plain(2))
}
