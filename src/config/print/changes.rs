//! Describes the differences of two models: a line for each object or setting that was changed,
//! added or removed.
//!
//! The models are compared as they are printed, so that no setting can be forgotten here.

use std::rc::Rc;

use super::address::plain;
use super::text::Printer;
use super::track::{weights, Weights};
use super::Secrets;
use crate::base::sorted::SortedMap;
use crate::model::diff::{self, Change};
use crate::model::lvs::{Service, VirtualServer};
use crate::model::vrrp::Instance;
use crate::model::Config;

/// Changes from `old` to `new`: at most this many lines, and one with the number of the others.
pub fn changes(old: &Config, new: &Config, most: usize) -> Vec<String> {
    let weights = [old, new].map(|config| Rc::new(weights(config)));
    let mut list = Comparison { lines: Vec::new(), more: 0, most, old, new, weights };
    list.part("global_defs", |out, config| {
        out.global(&config.global);
        out.ipvs(&config.lvs);
        out.tls(&config.lvs.tls);
    });
    list.part("static_ipaddress", |out, c| out.lines(c.static_addresses.iter().map(plain)));
    list.part("garp_group", Printer::garp_groups);
    let delays = "interface_up_down_delays";
    list.named(delays, |c| &c.link_delays, |d| &d.interface, |out, d| out.lines([d]));
    let polled = "linkbeat_interfaces";
    list.named(polled, |c| &c.polled_links, |link| &link.interface, |out, link| out.lines([link]));
    list.part("static_routes", |out, config| out.lines(&config.static_routes));
    list.part("static_rules", |out, config| out.lines(&config.static_rules));
    list.named("vrrp_script", |c| &c.scripts, |s| &s.name, Printer::script);
    list.named("track_file", |c| &c.files, |f| &f.name, Printer::file);
    list.named("vrrp_track_process", |c| &c.processes, |p| &p.name, Printer::process);
    list.named("bfd_instance", |c| &c.bfd, |s| &s.name, |out, s| out.session(s));
    list.named("vrrp_sync_group", |c| &c.groups, |g| &g.name, Printer::group);
    list.instances();
    let groups = "virtual_server_group";
    list.named(groups, |c| &c.address_groups, |g| &g.name, |out, g| out.lines(&g.entries));
    list.virtual_servers();
    list.finish()
}

struct Comparison<'c> {
    lines: Vec<String>,
    more: usize,
    most: usize,
    old: &'c Config,
    new: &'c Config,
    weights: [Rc<Weights>; 2],
}

impl<'c> Comparison<'c> {
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
    fn named<T: PartialEq + 'c>(
        &mut self,
        kind: &str,
        list: impl Fn(&'c Config) -> &'c [T],
        name: impl Fn(&'c T) -> &'c str,
        print: impl Fn(&mut Printer, &T),
    ) {
        let mut known: SortedMap<_, _> = list(self.old).iter().map(|o| (name(o), o)).collect();
        for n in list(self.new) {
            let title = format!("{kind} {}", name(n));
            match known.remove(name(n)) {
                None => self.say(format!("{title} added")),
                Some(o) if o == n => {}
                Some(o) => self.differ(&title, [o, n], &print),
            }
        }
        for gone in known.into_keys() {
            self.say(format!("{kind} {gone} removed"));
        }
    }

    fn instances(&mut self) {
        let (old, new) = (self.old, self.new);
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
                    self.differ(&title, [(o, old), (n, new)], |out, (i, config)| {
                        out.instance(i, &config.global);
                    });
                }
            }
        }
    }

    fn virtual_servers(&mut self) {
        let (old, new) = (self.old, self.new);
        let title = |vs: &VirtualServer| {
            let service = printed(&Rc::default(), |out| out.lines([&vs.service]));
            format!("virtual_server {}", service.trim())
        };
        for change in diff::virtual_servers(old, new) {
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
                        self.differ(&title(n), [o, n], |out, vs| {
                            // It is assigned, not configured.
                            out.lines(vs.mark.map(Service::Fwmark));
                            out.service(vs);
                        });
                    }
                }
            }
        }
    }

    /// The same object, which differs.
    fn differ<T>(&mut self, title: &str, pair: [T; 2], print: impl Fn(&mut Printer, T)) {
        let before = self.lines.len() + self.more;
        // Printing thousands of them needlessly would delay the daemon.
        if self.lines.len() < self.most {
            self.compare(title, pair, print);
        }
        if self.lines.len() + self.more == before {
            self.say(format!("{title}: changed in its order, a password or what it tracks"));
        }
    }

    /// A part of both models.
    fn part(&mut self, title: &str, print: impl Fn(&mut Printer, &Config)) {
        self.compare(title, [self.old, self.new], print);
    }

    fn compare<T>(&mut self, title: &str, [old, new]: [T; 2], print: impl Fn(&mut Printer, T)) {
        let old = printed(&self.weights[0], |out| print(out, old));
        let new = printed(&self.weights[1], |out| print(out, new));
        for text in differences(&lines(&old), &lines(&new)) {
            self.say(format!("{title}: {text}"));
        }
    }
}

fn printed(weights: &Rc<Weights>, print: impl FnOnce(&mut Printer)) -> String {
    let mut out = Printer::new(Secrets::Hidden, Rc::clone(weights));
    print(&mut out);
    out.finish()
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

    #[cfg(feature = "lvs")]
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
