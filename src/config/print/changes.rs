//! Describes the differences of two models: a line for each object or setting that was changed,
//! added or removed.
//!
//! The models are compared as they are printed, so that no setting can be forgotten here.

use crate::base::sorted::SortedMap;
use std::fmt;
use std::rc::Rc;

use super::lvs::Head;
use super::track::{weights, Weights};
use super::vlink::plain;
use super::{line, Printer, Secrets};
use crate::model::bfd::BfdInstance;
use crate::model::diff::{self, Change};
use crate::model::lvs::VirtualServer;
use crate::model::vrrp::Instance;
use crate::model::Config;

/// Changes from `old` to `new`: at most this many lines, and one with the number of the others.
pub fn changes(old: &Config, new: &Config, most: usize) -> Vec<String> {
    let mut comparison =
        Comparison { lines: Vec::new(), more: 0, most, old: weights(old), new: weights(new) };
    let globals = |out: &mut Printer, c: &Config| {
        out.global(&c.global)?;
        out.ipvs(&c.lvs)?;
        out.tls(&c.lvs.tls)
    };
    comparison.compare("global_defs", |out| globals(out, old), |out| globals(out, new));
    comparison.compare(
        "static_ipaddress",
        |out| {
            old.static_addresses
                .iter()
                .try_for_each(|a| line!(out, "{}", super::Entry(a, plain(a))))
        },
        |out| {
            new.static_addresses
                .iter()
                .try_for_each(|a| line!(out, "{}", super::Entry(a, plain(a))))
        },
    );
    comparison.compare("garp_group", |out| out.garp_groups(old), |out| out.garp_groups(new));
    comparison.named(
        "interface_up_down_delays",
        &old.link_delays,
        &new.link_delays,
        |delays| delays.interface.clone(),
        Printer::link_delays,
    );
    comparison.named(
        "linkbeat_interfaces",
        &old.polled_links,
        &new.polled_links,
        |link| link.interface.clone(),
        Printer::polled_link,
    );
    comparison.compare(
        "static_routes",
        |out| out.route_lines(&old.static_routes),
        |out| out.route_lines(&new.static_routes),
    );
    comparison.compare(
        "static_rules",
        |out| out.rule_lines(&old.static_rules),
        |out| out.rule_lines(&new.static_rules),
    );
    comparison.named(
        "vrrp_script",
        &old.scripts,
        &new.scripts,
        |s| s.name.clone(),
        Printer::script,
    );
    comparison.named("track_file", &old.files, &new.files, |f| f.name.clone(), Printer::file);
    let (a, b) = (&old.processes, &new.processes);
    comparison.named("vrrp_track_process", a, b, |p| p.name.clone(), Printer::process);
    let session = |out: &mut Printer, s: &Rc<BfdInstance>| out.session(s);
    comparison.named("bfd_instance", &old.bfd, &new.bfd, |s| s.name.clone(), session);
    comparison.named(
        "vrrp_sync_group",
        &old.groups,
        &new.groups,
        |g| g.name.to_string(),
        Printer::group,
    );
    comparison.instances(old, new);
    let (a, b) = (&old.address_groups, &new.address_groups);
    let entries = Printer::address_group_entries;
    comparison.named("virtual_server_group", a, b, |g| g.name.to_string(), entries);
    comparison.virtual_servers(old, new);
    comparison.finish()
}

struct Comparison {
    lines: Vec<String>,
    more: usize,
    most: usize,
    old: Weights,
    new: Weights,
}

impl Comparison {
    fn say(&mut self, text: String) {
        if self.lines.len() < self.most {
            self.lines.push(text);
        } else {
            self.more += 1;
        }
    }

    fn finish(mut self) -> Vec<String> {
        if self.more > 0 {
            self.lines.push(format!("and {} more changes", self.more));
        }
        self.lines
    }

    /// Objects that are known by their names.
    fn named<T: PartialEq>(
        &mut self,
        kind: &str,
        old: &[T],
        new: &[T],
        name: impl Fn(&T) -> String,
        print: impl Fn(&mut Printer, &T) -> fmt::Result,
    ) {
        let mut known: SortedMap<String, &T> = old.iter().map(|o| (name(o), o)).collect();
        for n in new {
            let title = format!("{kind} {}", name(n));
            match known.remove(&name(n)) {
                None => self.say(format!("{title} added")),
                Some(o) if o == n => {}
                Some(o) => self.differ(&title, |out| print(out, o), |out| print(out, n)),
            }
        }
        for gone in known.into_keys() {
            self.say(format!("{kind} {gone} removed"));
        }
    }

    fn instances(&mut self, old: &Config, new: &Config) {
        for change in diff::instances(old, new) {
            match change {
                Change::Keep { .. } => {}
                Change::Remove { old: o } => {
                    self.say(format!("vrrp_instance {} removed", old.instances[o].name));
                }
                Change::Add { new: n } => {
                    self.say(format!("vrrp_instance {} added", new.instances[n].name));
                }
                Change::Adjust { old: o, new: n } => {
                    let (o, n) = (&old.instances[o], &new.instances[n]);
                    let title = format!("vrrp_instance {}", n.name);
                    if o.name != n.name {
                        self.say(format!("vrrp_instance {} is called {} now", o.name, n.name));
                        if **o == (Instance { name: o.name.clone(), ..(**n).clone() }) {
                            continue;
                        }
                    }
                    let print = |out: &mut Printer, i, c: &Config| out.instance(i, &c.global);
                    self.differ(&title, |out| print(out, o, old), |out| print(out, n, new));
                }
            }
        }
    }

    fn virtual_servers(&mut self, old: &Config, new: &Config) {
        for change in diff::virtual_servers(old, new) {
            let title = |vs: &VirtualServer| format!("virtual_server {}", Head(&vs.service));
            match change {
                Change::Keep { .. } => {}
                Change::Remove { old: o } => {
                    self.say(format!("{} removed", title(&old.virtual_servers[o])));
                }
                Change::Add { new: n } => {
                    self.say(format!("{} added", title(&new.virtual_servers[n])));
                }
                Change::Adjust { old: o, new: n } => {
                    let (o, n) = (&old.virtual_servers[o], &new.virtual_servers[n]);
                    // A change of its address group is reported for the group.
                    if o != n {
                        let print = |out: &mut Printer, vs: &VirtualServer| {
                            // It is assigned, not configured.
                            out.option("fwmark", vs.mark)?;
                            out.virtual_server_lines(vs)
                        };
                        self.differ(&title(n), |out| print(out, o), |out| print(out, n));
                    }
                }
            }
        }
    }

    /// The same object, which differs.
    fn differ(
        &mut self,
        title: &str,
        old: impl FnOnce(&mut Printer) -> fmt::Result,
        new: impl FnOnce(&mut Printer) -> fmt::Result,
    ) {
        let before = self.lines.len() + self.more;
        // Printing thousands of them needlessly would delay the daemon.
        if self.lines.len() < self.most {
            self.compare(title, old, new);
        }
        if self.lines.len() + self.more == before {
            self.say(format!("{title}: changed in its order, a password or what it tracks"));
        }
    }

    fn compare(
        &mut self,
        title: &str,
        old: impl FnOnce(&mut Printer) -> fmt::Result,
        new: impl FnOnce(&mut Printer) -> fmt::Result,
    ) {
        let (old, new) = (printed(&self.old, old), printed(&self.new, new));
        for text in differences(&old, &new) {
            self.say(format!("{title}: {text}"));
        }
    }
}

fn printed(weights: &Weights, print: impl FnOnce(&mut Printer) -> fmt::Result) -> Vec<Line> {
    let (secrets, weights) = (Secrets::Hidden, weights.clone());
    let mut out = Printer { text: String::new(), depth: 0, secrets, weights };
    // Writing to a string cannot fail.
    let _ = print(&mut out);
    lines(&out.text)
}

/// A printed line, with the heads of the blocks around it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Line {
    blocks: String,
    text: String,
    /// It opens a block and has a name, so that the block comes and goes as a whole.
    is_head: bool,
}

impl Line {
    /// Name and value of a setting.
    fn split(&self) -> (&str, &str) {
        self.text.split_once(' ').unwrap_or((&self.text, ""))
    }

    fn setting(&self) -> (bool, &str, &str) {
        (self.is_head, &self.blocks, self.split().0)
    }
}

fn lines(text: &str) -> Vec<Line> {
    let mut blocks: Vec<&str> = Vec::new();
    let mut lines = Vec::new();
    for text in text.lines().map(str::trim) {
        let around = blocks.iter().map(|b| format!("{b} ")).collect::<String>();
        match text.strip_suffix(" {") {
            Some(head) => {
                if head.contains(' ') {
                    lines.push(Line { blocks: around, text: head.to_owned(), is_head: true });
                }
                blocks.push(head);
            }
            None if text == "}" => drop(blocks.pop()),
            None => lines.push(Line { blocks: around, text: text.to_owned(), is_head: false }),
        }
    }
    lines
}

fn differences(old: &[Line], new: &[Line]) -> Vec<String> {
    let (removed, added) = (missing(old, new), missing(new, old));
    let (went, came) = (settings(&removed), settings(&added));
    // Of a setting that is given once, the value has changed.
    let alone = |line: &Line| match (went.get(&line.setting()), came.get(&line.setting())) {
        (Some(went), Some(came)) if went.len() == 1 && came.len() == 1 => came.first().copied(),
        _ => None,
    };
    let value = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
    let mut texts = Vec::new();
    for line in &removed {
        texts.push(match alone(line) {
            None => format!("{}{} removed", line.blocks, line.text),
            Some(now) => {
                let ((key, before), (_, after)) = (line.split(), now.split());
                let (before, after) = (value(before), value(after));
                format!("{}{key} changed from {before} to {after}", line.blocks)
            }
        });
    }
    let new = added.iter().filter(|line| alone(line).is_none());
    texts.extend(new.map(|line| format!("{}{} added", line.blocks, line.text)));
    texts
}

/// Lines by the setting.
fn settings<'l>(lines: &[&'l Line]) -> SortedMap<(bool, &'l str, &'l str), Vec<&'l Line>> {
    let mut map: SortedMap<_, Vec<&Line>> = SortedMap::new();
    for line in lines.iter().copied() {
        let key = line.setting();
        // An added block is not a change of a removed one.
        if !line.is_head {
            map.entry(key).or_default().push(line);
        }
    }
    map
}

/// The lines of `of` that `other` has not, without those in a block that is listed itself.
fn missing<'l>(of: &'l [Line], other: &[Line]) -> Vec<&'l Line> {
    let mut there: SortedMap<&Line, usize> = SortedMap::new();
    for line in other {
        *there.entry(line).or_default() += 1;
    }
    let mut missing: Vec<&Line> = Vec::new();
    // The lines of a block follow its head.
    let mut whole: Option<String> = None;
    for line in of {
        match there.get_mut(line) {
            Some(count) if *count > 0 => *count -= 1,
            _ if whole.as_ref().is_some_and(|head| line.blocks.starts_with(head)) => {}
            _ => {
                if line.is_head {
                    whole = Some(format!("{}{} ", line.blocks, line.text));
                }
                missing.push(line);
            }
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::changes;
    use crate::config::tests::lowered;
    use crate::model::Config;

    fn read(text: &str) -> Config {
        lowered(text).0
    }

    fn router(name: &str, lines: &str, addresses: &str) -> String {
        format!(
            "vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id 1\n{lines}\n\
             virtual_ipaddress {{\n{addresses}\n}}\n}}\n"
        )
    }

    #[track_caller]
    fn told(old: &str, new: &str, want: &[&str]) {
        assert_eq!(changes(&read(old), &read(new), 100), want);
    }

    #[test]
    fn nothing_is_told_of_what_is_the_same() {
        let text = router("V", "priority 100", "192.0.2.1");
        told(&text, &text, &[]);
    }

    #[test]
    fn each_setting_and_each_address_has_its_line() {
        told(
            &router("V", "priority 100\nnopreempt", "192.0.2.1/24\n192.0.2.2\n192.0.2.3"),
            &router("V", "priority 150", "192.0.2.1/24\n192.0.2.3 label eth0:x\n192.0.2.4/24"),
            &[
                "vrrp_instance V: priority changed from 100 to 150",
                "vrrp_instance V: nopreempt removed",
                "vrrp_instance V: virtual_ipaddress 192.0.2.2/32 dev eth0 removed",
                "vrrp_instance V: virtual_ipaddress 192.0.2.3/32 changed from dev eth0 to dev eth0 label eth0:x",
                "vrrp_instance V: virtual_ipaddress 192.0.2.4/24 dev eth0 added",
            ],
        );
    }

    #[test]
    fn instances_come_go_and_get_other_names() {
        let second =
            router("W", "", "192.0.2.9").replace("virtual_router_id 1", "virtual_router_id 2");
        let first = |name| router(name, "", "192.0.2.1");
        told(&first("V"), &first("U"), &["vrrp_instance V is called U now"]);
        told(&first("V"), &(first("V") + &second), &["vrrp_instance W added"]);
        told(&(first("V") + &second), &first("V"), &["vrrp_instance W removed"]);
    }

    #[test]
    fn passwords_are_not_told() {
        let with = |password: &str| {
            router(
                "V",
                &format!("authentication {{\nauth_type PASS\nauth_pass {password}\n}}"),
                "192.0.2.1",
            )
        };
        told(
            &with("secret"),
            &with("other"),
            &["vrrp_instance V: changed in its order, a password or what it tracks"],
        );
    }

    #[test]
    fn commands_and_real_servers_are_told_of() {
        let script = |command: &str| {
            format!(
                "global_defs {{\nscript_user root\n}}\nvrrp_script chk {{\nscript {command}\n}}\n{}",
                router("V", "track_script {\nchk\n}", "192.0.2.1")
            )
        };
        told(
            &script("/usr/bin/true"),
            &script("/usr/bin/check"),
            &["vrrp_script chk: script changed from \"/usr/bin/true\" to \"/usr/bin/check\""],
        );
        let server = |last: u8, weight: u8| {
            format!("real_server 192.0.2.{last} 80 {{\nweight {weight}\nTCP_CHECK {{\n}}\n}}\n")
        };
        let service = |servers: &str| {
            format!(
                "virtual_server 192.0.2.1 80 {{\nlvs_sched rr\nlvs_method DR\nprotocol TCP\n{servers}}}"
            )
        };
        told(
            &service(&(server(10, 1) + &server(11, 1))),
            &service(&(server(10, 2) + &server(12, 1))),
            &[
                "virtual_server 192.0.2.1 80: real_server 192.0.2.10 80 weight changed from 1 to 2",
                "virtual_server 192.0.2.1 80: real_server 192.0.2.11 80 removed",
                "virtual_server 192.0.2.1 80: real_server 192.0.2.12 80 added",
            ],
        );
    }

    #[test]
    fn the_list_has_an_end() {
        let all = (1..=9).map(|n| format!("192.0.2.{n}")).collect::<Vec<_>>().join("\n");
        let (old, new) = (router("V", "", "192.0.2.1"), router("V", "", &all));
        let lines = changes(&read(&old), &read(&new), 3);
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[3], "and 5 more changes");
    }
}
