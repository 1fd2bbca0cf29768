//! Programs that read the dump files for Prometheus find in them what they look for.
//!
//! Their rules are those of keepalived-exporter (mehdy) and of keepalived_exporter (gen2brain).

#![expect(clippy::disallowed_methods, reason = "tests remove files")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::lab::{
    config_with, instance, ours_only, wait, Daemon, Host, Instance, Outcome, Segment, Workshop,
    SOON,
};

/// Where the blocks of a text are, and what their lines say.
struct Rules {
    /// Such a line begins a block, if it has a `=`. The name follows.
    head: &'static str,
    /// Such a line is skipped.
    skipped: &'static [&'static str],
    /// A line of a block that has none of these before its value is skipped, or ends the block.
    signs: &'static [char],
    ends_without_sign: bool,
    /// Such a line is an entry of the list that the last key names.
    entry: Option<&'static str>,
}

/// Every line of a block.
const INDENT: &str = "   ";

const FIRST: Rules = Rules {
    head: " VRRP Instance",
    skipped: &[" VRRP Version", " VRRP Script"],
    signs: &['=', ':'],
    ends_without_sign: false,
    entry: Some("     "),
};
const SCRIPTS: Rules =
    Rules { head: " VRRP Script", skipped: &[], signs: &['='], entry: None, ..FIRST };
const SECOND: Rules = Rules {
    skipped: &[" VRRP Version"],
    signs: &['='],
    ends_without_sign: true,
    entry: None,
    ..FIRST
};

/// The four states, by their numbers.
const STATES: [&str; 4] = ["INIT", "BACKUP", "MASTER", "FAULT"];
const STATUSES: [&str; 2] = ["BAD", "GOOD"];
const DOINGS: [&str; 4] = ["idle", "running", "requested termination", "forcing termination"];

/// Sections and keys of the statistics, with the keys of the same counters in the JSON.
const COUNTERS: [(&str, &str, &str); 14] = [
    ("Advertisements", "Received", "advert_rcvd"),
    ("Advertisements", "Sent", "advert_sent"),
    ("", "Became master", "become_master"),
    ("", "Released master", "release_master"),
    ("Packet Errors", "Length", "packet_len_err"),
    ("Packet Errors", "TTL", "ip_ttl_err"),
    ("Packet Errors", "Invalid Type", "invalid_type_rcvd"),
    ("Packet Errors", "Advertisement Interval", "advert_interval_err"),
    ("Packet Errors", "Address List", "addr_list_err"),
    ("Authentication Errors", "Invalid Type", "invalid_authtype"),
    ("Authentication Errors", "Type Mismatch", "authtype_mismatch"),
    ("Authentication Errors", "Failure", "auth_failure"),
    ("Priority Zero", "Received", "pri_zero_rcvd"),
    ("Priority Zero", "Sent", "pri_zero_sent"),
];

/// A block: its name, and its keys with their values in order.
type Block = (String, Vec<(String, String)>);

impl Rules {
    fn blocks(&self, text: &str) -> Vec<Block> {
        let (mut blocks, mut is_open, mut last) = (Vec::<Block>::new(), false, String::new());
        for line in text.lines() {
            let trimmed = line.trim();
            if let Some((_, name)) = trimmed.split_once('=').filter(|_| line.starts_with(self.head))
            {
                let name = name.split('=').next().unwrap_or_default();
                blocks.push((name.trim().to_owned(), Vec::new()));
                is_open = true;
                continue;
            }
            if self.skipped.iter().any(|start| line.starts_with(start)) {
                continue;
            }
            let Some((_, pairs)) = blocks.last_mut().filter(|_| is_open) else { continue };
            if !line.starts_with(INDENT) {
                is_open = false;
            } else if self.entry.is_some_and(|entry| line.starts_with(entry)) {
                pairs.push((last.clone(), trimmed.to_owned()));
            } else if let Some(sign) = self.signs.iter().find(|sign| line.contains(**sign)) {
                let mut parts = trimmed.split(*sign);
                let mut part = || parts.next().unwrap_or_default().trim().to_owned();
                last = part();
                pairs.push((last.clone(), part()));
            } else {
                is_open &= !self.ends_without_sign;
            }
        }
        blocks
    }
}

/// The last value of a key, as the programs keep it.
fn value<'a>((name, pairs): &'a Block, key: &str) -> &'a str {
    let found = pairs.iter().rev().find(|(own, _)| own == key);
    found.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("no {key} of {name}"))
}

fn has(block: &Block, key: &str) -> bool {
    block.1.iter().any(|(own, _)| own == key)
}

fn number(words: &[&str], word: &str) -> u64 {
    let place = words.iter().position(|own| *own == word);
    place.unwrap_or_else(|| panic!("'{word}' is none of {words:?}")).try_into().expect("few")
}

/// By section and key.
type Counters = BTreeMap<(String, String), u64>;

/// The counters of each instance. Every value must be a number.
fn statistics(text: &str) -> Vec<(String, Counters)> {
    let (mut all, mut section) = (Vec::new(), String::new());
    for line in text.lines() {
        if let Some((_, name)) = line.split_once(':').filter(|_| line.starts_with("VRRP Instance"))
        {
            all.push((name.trim().to_owned(), Counters::new()));
        } else if let Some(title) = line.strip_suffix(':').filter(|_| line.starts_with("  ")) {
            section = title.trim().to_owned();
        } else if line.starts_with("  ") {
            if !line.starts_with("    ") {
                section.clear();
            }
            let (key, value) = line.trim().split_once(':').expect("a key");
            let value = value.trim().parse().unwrap_or_else(|e| panic!("{line}: {e}"));
            let (_, counters) = all.last_mut().expect("an instance");
            counters.insert((section.clone(), key.trim().to_owned()), value);
        }
    }
    all
}

/// What the files say of an instance.
#[derive(PartialEq, Eq, Debug)]
struct Said {
    name: String,
    state: u64,
    wanted: u64,
    interface: String,
    vrid: u64,
    garp_delay: u64,
    /// Address and interface of each virtual address.
    addresses: Vec<(String, String)>,
}

/// The first and the third word.
fn place(address: &str) -> (String, String) {
    let words: Vec<_> = address.split(' ').collect();
    let [address, _, interface, ..] = &words[..] else { panic!("'{address}' is too short") };
    ((*address).to_owned(), (*interface).to_owned())
}

fn said_by_data(block: &Block) -> Said {
    let is_address =
        |key: &str| key.starts_with("Virtual IP (") || key.starts_with("Virtual IP Ex");
    let entries = block.1.iter().filter(|(key, value)| is_address(key) && !value.is_empty());
    let digits = |key| value(block, key).parse().unwrap_or_else(|e| panic!("{key}: {e}"));
    Said {
        name: block.0.clone(),
        state: number(&STATES, value(block, "State")),
        wanted: number(&STATES, value(block, "Wantstate")),
        interface: value(block, "Interface").to_owned(),
        vrid: digits("Virtual Router ID"),
        garp_delay: digits("Gratuitous ARP delay"),
        addresses: entries.map(|(_, value)| place(value)).collect(),
    }
}

fn said_by_json(instance: &Value) -> Said {
    let data = &instance["data"];
    let digits = |key: &str| data[key].as_u64().unwrap_or_else(|| panic!("{key} of {data}"));
    let text = |key: &str| data[key].as_str().unwrap_or_else(|| panic!("{key} of {data}"));
    let list = |key: &str| data[key].as_array().cloned().unwrap_or_default();
    let addresses = [list("vips"), list("evips")].concat();
    let addresses = addresses.iter().map(|value| place(value.as_str().expect("text"))).collect();
    assert!(data["last_transition"].is_number(), "{data}");
    Said {
        name: text("iname").to_owned(),
        state: digits("state"),
        wanted: digits("wantstate"),
        interface: text("ifp_ifname").to_owned(),
        vrid: digits("vrid"),
        garp_delay: digits("garp_delay"),
        addresses,
    }
}

/// The three files, written anew.
struct Files {
    data: String,
    stats: String,
    json: String,
}

impl Files {
    fn of(daemon: &Daemon) -> Self {
        let signals = [("data", Signal::SIGUSR1), ("stats", Signal::SIGUSR2)];
        let name = |kind| format!("keepalived.{kind}");
        for kind in ["data", "stats", "json"] {
            let _ = std::fs::remove_file(daemon.file(&name(kind)));
        }
        signals.iter().for_each(|(_, signal)| daemon.signal(*signal));
        // SIGRTMIN + 2, which has no name.
        let sent = Command::new("kill").args(["-36", &daemon.pid().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        let read = |kind| {
            wait(kind, SOON, || daemon.file(&name(kind)).exists());
            daemon.read(&name(kind))
        };
        Self { data: read("data"), stats: read("stats"), json: read("json") }
    }
}

/// What both programs take from the files. Returns it, with the status and the state of scripts.
fn examined(daemon: &Daemon) -> (Vec<Said>, BTreeMap<String, (u64, u64)>) {
    let files = Files::of(daemon);
    let said: Vec<_> = FIRST.blocks(&files.data).iter().map(said_by_data).collect();
    let json: Value = serde_json::from_str(&files.json).expect("JSON");
    let list = json.as_array().expect("a list").as_slice();
    assert_eq!(list.iter().map(said_by_json).collect::<Vec<_>>(), said, "{}", files.data);
    let stats = statistics(&files.stats);
    let names = |said: &[Said]| said.iter().map(|s| s.name.clone()).collect::<Vec<_>>();
    assert_eq!(stats.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), names(&said));
    for ((name, counters), instance) in stats.iter().zip(list) {
        for (section, key, in_json) in COUNTERS {
            let found = counters.get(&(section.to_owned(), key.to_owned()));
            let found = found.unwrap_or_else(|| panic!("no {section} {key} of {name}"));
            let in_json = instance["stats"][in_json].as_u64().expect(in_json);
            assert!(in_json >= *found, "{name}: {section} {key}");
        }
    }
    // The second program pairs the instances of both files by their places. Of the data, it reads
    // the first lines, as with the original.
    let short = SECOND.blocks(&files.data);
    assert_eq!(short.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), names(&said));
    for (block, said) in short.iter().zip(&said) {
        if has(block, "State") {
            assert_eq!(number(&STATES, value(block, "State")), said.state, "{block:?}");
        }
    }
    assert!(short.iter().any(|block| has(block, "State")), "{short:?}");
    let scripts = SCRIPTS.blocks(&files.data);
    let scripts = scripts.iter().map(|block| {
        let status = number(&STATUSES, value(block, "Status"));
        (block.0.clone(), (status, number(&DOINGS, value(block, "State"))))
    });
    (said, scripts.collect())
}

fn routers(priority: u8) -> Vec<Instance> {
    let tracked = "track_script {\n good\n bad weight 2\n slow weight 3\n }";
    // A backup must not take over because the machine is busy.
    let instance = |name| instance(name).every("1");
    vec![
        instance("VI_1")
            .priority(priority)
            .line(tracked)
            .line("virtual_ipaddress_excluded {\n 10.7.1.9/32\n }")
            .line("nopreempt")
            .vip("10.7.1.1/16")
            .vip("10.7.1.2/16"),
        instance("VI_2").vrid(52).priority(priority).v2_pass("secret").vip("10.7.1.3/16"),
        instance("VI_6").vrid(53).priority(priority).vip("fe80::51").vip("fd07::1:1/64"),
        instance("VI_down").on("eth1").vrid(54).priority(priority).vip("10.8.1.1/16"),
        instance("VI_3").vrid(55).priority(priority).vip("10.7.1.4/16"),
    ]
}

/// `more`: the end of the configuration.
pub(crate) fn they_find_everything(more: &str) -> Outcome {
    ours_only()?;
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let shop = Workshop::new();
    let script = |name: &str, text: &str, more: &str| {
        let path = shop.script(&format!("{name}.sh"), text);
        format!("vrrp_script {name} {{\n script {path}\n interval 1\n {more}\n}}\n")
    };
    let blocks = [
        script("good", "exit 0", "rise 1"),
        script("bad", "exit 1", "rise 1"),
        script("slow", "exec sleep 60", "timeout 50"),
        "vrrp_sync_group G {\n group {\n VI_2\n VI_3\n }\n}\n".to_owned(),
    ];
    let start = |host: &Host, number, priority| {
        segment.attach(host, "eth1", number);
        segment.pull_cable(host, "eth1");
        let routers: String = routers(priority).iter().map(ToString::to_string).collect();
        host.start(&(config_with("script_user root", &[]) + &blocks.concat() + &routers + more))
    };
    let master = start(&a, 8, 200);
    for name in ["VI_1", "VI_2", "VI_3", "VI_6"] {
        master.wait_master(name);
    }
    let backup = start(&b, 9, 100);
    ["VI_1", "VI_2", "VI_3", "VI_6"].iter().for_each(|name| backup.wait_backup(name));
    let expected: BTreeMap<_, _> = [("bad", (0, 0)), ("good", (1, 0)), ("slow", (0, 1))]
        .map(|(name, state)| (name.to_owned(), state))
        .into();
    for (daemon, state) in [(&master, 2), (&backup, 1)] {
        let mut seen = examined(daemon);
        // A script may run at this moment.
        wait("the scripts are known", SOON, || {
            seen = examined(daemon);
            seen.1 == expected
        });
        let states: Vec<_> = seen.0.iter().map(|said| (said.name.as_str(), said.state)).collect();
        let expected =
            [("VI_1", state), ("VI_2", state), ("VI_6", state), ("VI_down", 3), ("VI_3", state)];
        assert_eq!(states, expected);
        let first = &seen.0[0];
        assert_eq!((first.vrid, first.garp_delay, first.interface.as_str()), (51, 5, "eth0"));
        let addresses: BTreeSet<_> =
            first.addresses.iter().map(|(a, i)| (a.as_str(), i.as_str())).collect();
        let expected = [("10.7.1.1/16", "eth0"), ("10.7.1.2/16", "eth0"), ("10.7.1.9", "eth0")];
        assert_eq!(addresses, expected.into());
    }
    Ok(())
}
