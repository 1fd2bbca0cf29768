//! Typical configurations, with the resulting model and diagnostics.
//!
//! For each `NAME.conf` in `tests/config`, `NAME.err` has the diagnostics and `NAME.model` the
//! model as text. `UPDATE=1 cargo test` rewrites both.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use keepalived::base::diag::Severity;
#[path = "config/memory.rs"]
mod memory;

use keepalived::config::keyword::{Block, Body};
use keepalived::config::keywords::ROOT;
use keepalived::config::{self, LinkFacts, Loaded, ReadOptions, Secrets};

use keepalived::model::{self, script::User};
use memory::{MemoryHost, MemoryLoader};

use proptest::prelude::*;

/// A host with `eth0`, `eth1`, `lo` and `tun0`, which has no multicast, and with the commands used
/// in the configurations.
fn machine() -> MemoryHost {
    let names = ["lo", "eth0", "eth1", "tun0"];
    let mut host = MemoryHost::default().named("router.example");
    for (index, name) in (1..).zip(names) {
        let ethernet = name.starts_with("eth");
        let plain = LinkFacts::plain(index);
        host = host
            .and_link(name, LinkFacts { multicast: ethernet, ethernet, arp: ethernet, ..plain });
    }
    let own = ["127.0.0.1", "192.0.2.1", "10.0.0.2"].map(|a| a.parse().expect("an address"));
    host.and_addresses(&own)
        .and_vrf("blue", 77)
        .and_names("/etc/iproute2/rt_tables", "254 main\n100 uplink\n")
        .and_names("/etc/iproute2/rt_dsfield", "0xb8 EF\n")
        .and_names("/etc/iproute2/rt_realms", "7 customers\n")
        .and_names("/etc/iproute2/rt_protos", "186 bgp\n")
        .and_names("/etc/iproute2/group", "5 lans\n")
        .and_user("ops", 1000, 100)
        .and_program("/bin/sh")
        .and_program("/usr/bin/killall")
        .and_user("nobody", 65_534, 65_534)
        .and_program("/usr/local/bin/notify")
        .and_program("/usr/bin/pgrep")
        .and_program("/usr/bin/logger")
        .and_program("/etc/keepalived/notify.sh")
        .and_directory("/run", User::ROOT, 0o755)
        .and_program("/opt/open/check.sh")
        .and_directory("/opt/open", User { uid: 0, gid: 1000 }, 0o775)
}

fn load(name: &str, text: &str) -> Loaded {
    let loader = MemoryLoader::with(&format!("/{name}"), text);
    let options = ReadOptions { config_id: "router".to_owned(), ..ReadOptions::default() };
    config::load(&loader, &format!("/{name}"), &options, &machine())
}

/// The diagnostics, each with its severity.
fn complaints(loaded: &Loaded) -> String {
    let mut out = String::new();
    for diagnostic in loaded.diagnostics.iter() {
        let _ = write!(out, "{:?} ", diagnostic.severity);
        diagnostic.render(&loaded.sources, &mut out);
    }
    out
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .expect("tests/config is there")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "conf"))
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|n| n.to_str()).expect("names are text")
}

/// Compares with the golden file, or rewrites it.
fn check(path: &Path, got: &str, failures: &mut String) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, got).expect("the golden file can be written");
        return;
    }
    let want = fs::read_to_string(path).unwrap_or_default();
    if want != got {
        let _ =
            writeln!(failures, "==== {} ====\n{got}---- instead of ----\n{want}", file_name(path));
    }
}

#[test]
fn every_configuration_gives_its_model_and_diagnostics() {
    let mut failures = String::new();
    for case in cases() {
        let text = fs::read_to_string(&case).expect("a readable configuration");
        let loaded = load(file_name(&case), &text);
        check(&case.with_extension("err"), &complaints(&loaded), &mut failures);
        let model = config::print(&loaded.config, Secrets::Shown);
        check(&case.with_extension("model"), &model, &mut failures);
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn a_printed_model_is_read_back_as_the_same_model() {
    for case in cases() {
        let text = fs::read_to_string(&case).expect("a readable configuration");
        let loaded = load(file_name(&case), &text);
        let config = loaded.config;
        let printed = config::print(&config, Secrets::Shown);
        let again = load("printed.conf", &printed);
        assert_eq!(config, again.config, "{}", file_name(&case));
        // Uncorrected errors are reported again: an unknown interface stays unknown.
        let known: Vec<&str> = loaded.diagnostics.iter().map(|d| d.message.as_str()).collect();
        let loud: Vec<_> = again
            .diagnostics
            .iter()
            .filter(|d| d.severity > Severity::Note && !known.contains(&d.message.as_str()))
            .collect();
        assert!(loud.is_empty(), "{}: {loud:#?}\n{printed}", file_name(&case));
    }
}

/// Every keyword of a block, and some of their arguments.
fn vocabulary(block: &'static Block) -> Vec<String> {
    fn walk(block: &'static Block, words: &mut Vec<String>) {
        for keyword in block.keywords {
            words.push(keyword.name.to_owned());
            match keyword.body {
                Body::Keywords(inner) => walk(inner, words),
                Body::Entries(entry) => {
                    words.extend(entry.options.iter().map(|o| o.name.to_owned()))
                }
                Body::Names(_) | Body::None => {}
            }
        }
    }
    let mut words = Vec::new();
    walk(block, &mut words);
    let values = "1 2 3 0.5 255 300 -1 on off eth0 eth1 eth9 lo V W 192.0.2.1 192.0.2.2/24 2001:db8::1 \
                  fe80::1/64 224.0.0.99 ff02::99 MASTER BACKUP PASS AH + - \"\" \"a b\" '\u{e4} \u{1f600}";
    words.extend(values.split_whitespace().map(str::to_owned));
    words
}

/// A random text of keywords, values, braces and line ends, weighted towards plausible ones.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        8 => prop::sample::select(vocabulary(ROOT)),
        3 => Just("\n".to_owned()),
        2 => Just("{\n".to_owned()),
        2 => Just("\n}\n".to_owned()),
        1 => Just(
            "vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\nvirtual_ipaddress {\n192.0.2.9\n}\n"
                .to_owned()
        ),
    ];
    prop::collection::vec(word, 0..60).prop_map(|words| words.join(" "))
}

/// A statement of an instance: a keyword with values or a short block.
fn statement() -> impl Strategy<Value = String> {
    let Some(Body::Keywords(instance)) = ROOT.find("vrrp_instance").map(|k| k.body) else {
        panic!("vrrp_instance has a block");
    };
    let names: Vec<_> = instance.keywords.iter().filter(|k| k.is_set).collect();
    let words = prop::collection::vec(prop::sample::select(vocabulary(instance)), 0..4);
    (prop::sample::select(names), words).prop_map(|(keyword, words)| match keyword.body {
        Body::None => format!("{} {}", keyword.name, words.last().map_or("", |w| w)),
        _ => {
            format!("{} {{\n192.0.2.7 {}\n{}\n}}", keyword.name, words.join(" "), words.join("\n"))
        }
    })
}

/// A statement of `block`: a keyword with values, or with a block of further statements.
fn statement_in(block: &'static Block, depth: u32) -> BoxedStrategy<String> {
    let names: Vec<_> = block.keywords.iter().filter(|k| k.is_set).collect();
    let values = "NAT DR TUN rr sh mh TCP udp 0 1 2 3 7.5 80 443 301-302 192.0.2.5 192.0.2.6 2001:db8::5 \
                  fe80::1 255.255.0.0 inet inet6 on off type gue gre port csum remcsum word caseless \
                  0aff xx 1.1 reverse /path 0123456789abcdef0123456789abcdef";
    let mut values: Vec<_> = values.split_whitespace().map(str::to_owned).collect();
    values.extend(["\"a b\"", "\"(a|b\\\\d){2}#'x'\"", "\"\""].map(str::to_owned));
    let words = prop::collection::vec(prop::sample::select(values), 0..4);
    (prop::sample::select(names), words)
        .prop_flat_map(move |(keyword, words)| {
            let line = format!("{} {}", keyword.name, words.join(" "));
            match keyword.body {
                Body::Keywords(inner) if depth > 0 => {
                    let lines = prop::collection::vec(statement_in(inner, depth - 1), 0..6);
                    let head = match keyword.name {
                        "real_server" => format!("real_server {}", words.join(" ")),
                        // A page needs a path.
                        "url" => "url {\npath /".to_owned(),
                        name => name.to_owned(),
                    };
                    let open = if keyword.name == "url" { "" } else { " {" };
                    lines
                        .prop_map(move |lines| format!("{head}{open}\n{}\n}}", lines.join("\n")))
                        .boxed()
                }
                _ => Just(line).boxed(),
            }
        })
        .boxed()
}

fn check_statement() -> BoxedStrategy<String> {
    let servers = ROOT.find("virtual_server").map(|k| k.body);
    let Some(Body::Keywords(servers)) = servers else { panic!("virtual_server has a block") };
    let Some(Body::Keywords(server)) = servers.find("real_server").map(|k| k.body) else {
        panic!("real_server has a block");
    };
    statement_in(server, 2)
}

fn virtual_server_statement() -> BoxedStrategy<String> {
    let Some(Body::Keywords(block)) = ROOT.find("virtual_server").map(|k| k.body) else {
        panic!("virtual_server has a block");
    };
    statement_in(block, 3)
}

const ROUTE_WORDS: &[&str] = &[
    "10.1.0.0/16",
    "10.1.0.1",
    "default",
    "2001:db8::/32",
    "default6",
    "inet",
    "inet6",
    "to 10.2.0.0/16",
    "to unicast 10.2.0.0/16",
    "blackhole",
    "local",
    "7",
    "via 10.0.0.1",
    "via fe80::1",
    "via inet6 fe80::1",
    "gw 10.0.0.1",
    "or 10.0.0.2",
    "dev eth0",
    "oif eth1",
    "src 10.0.0.2",
    "from 2001:db8:1::/48",
    "nhid 5",
    "table 5",
    "table uplink",
    "vrf blue",
    "metric 5",
    "priority 0",
    "protocol bgp",
    "proto 18",
    "scope link",
    "tos EF",
    "realms 3/4",
    "realms customers",
    "onlink",
    "expires 5",
    "pref low",
    "pref 7",
    "ttl-propagate enabled",
    "mtu lock 1400",
    "mtu 1500",
    "rtt 300ms",
    "rttvar lock 1s",
    "rto_min 5",
    "congctl lock cubic",
    "features ecn",
    "quickack 0",
    "hoplimit 5",
    "as to 10.0.0.1",
    "add",
    "append",
    "no_track",
    "track_group g",
    "encap ip id 5 ttl 5",
    "encap ip6 dst 2001:db8::1 tc 4",
    "encap mpls 100/200",
    "encap ila 1:2:3:4",
    "nexthop via 10.0.0.1 weight 5",
    "nexthop dev eth0 onlink realms 7",
    "nexthop via fe80::1 encap ip dst 10.0.0.9",
    "nexthop",
    "weight 300",
    "word",
];

const RULE_WORDS: &[&str] = &[
    "from 10.0.0.0/8",
    "to 10.0.0.0/8",
    "from 2001:db8::/32",
    "to all",
    "inet",
    "inet6",
    "not",
    "iif eth0",
    "oif eth1",
    "tos EF",
    "fwmark 5",
    "fwmark 0/0xff",
    "fwmark 0/0",
    "realms 3/4",
    "realms 0",
    "suppress_prefixlength 0",
    "sup_group lans",
    "uidrange 0-5",
    "ipproto tcp",
    "ipproto 0",
    "sport 5",
    "dport 5-6",
    "tunnel-id 0",
    "tunnel-id 5",
    "protocol 0",
    "protocol 5",
    "no_track",
    "priority 5",
    "order 0x10",
    "table 5",
    "lookup uplink",
    "table 0",
    "l3mdev",
    "goto 50",
    "type nop",
    "blackhole",
    "8",
    "word",
];

/// A line of these words.
fn line(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(words), 1..7).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn a_virtual_server_of_any_statements_is_printed_and_read_back(
        head in prop::sample::select(vec!["192.0.2.1 80", "192.0.2.1", "2001:db8::1 80", "fwmark 7", "group g"]),
        server in prop::sample::select(vec!["192.0.2.7 80", "192.0.2.7", "2001:db8::7 8080"]),
        lines in prop::collection::vec(virtual_server_statement(), 0..12),
        checks in prop::collection::vec(check_statement(), 0..6),
    ) {
        let text = format!(
            "track_file word {{\nfile /run/x\n}}\n\
             virtual_server_group g {{\n192.0.2.1-3 80\n192.0.2.9 81\nfwmark 3\n}}\n\
             virtual_server {head} {{\n{}\nreal_server {server} {{\n{}\n}}\n}}",
            lines.join("\n"), checks.join("\n"),
        );
        let config = load("any.conf", &text).config;
        let printed = config::print(&config, Secrets::Shown);
        prop_assert_eq!(config, load("printed.conf", &printed).config, "{}", printed);
    }

    #[test]
    fn routes_and_rules_of_any_words_are_printed_and_read_back(
        routes in prop::collection::vec(line(ROUTE_WORDS), 0..8),
        rules in prop::collection::vec(line(RULE_WORDS), 0..8),
    ) {
        let text = format!(
            "static_routes {{\n{}\n}}\nstatic_rules {{\n{}\n}}\n",
            routes.join("\n"), rules.join("\n"),
        );
        let config = load("any.conf", &text).config;
        let printed = config::print(&config, Secrets::Shown);
        prop_assert_eq!(config, load("printed.conf", &printed).config, "{}", printed);
    }

    #[test]
    fn any_text_can_be_parsed(text in text()) {
        let config = load("any.conf", &text).config;
        let printed = config::print(&config, Secrets::Shown);
        prop_assert_eq!(config, load("printed.conf", &printed).config, "{}", printed);
    }

    #[test]
    fn an_instance_of_any_statements_is_printed_and_read_back(
        lines in prop::collection::vec(statement(), 0..20)
    ) {
        let text = format!(
            "vrrp_instance V {{\ninterface eth0\nvirtual_router_id 1\n{}\nvirtual_ipaddress {{\n192.0.2.9\n}}\n}}",
            lines.join("\n")
        );
        let config = load("any.conf", &text).config;
        let printed = config::print(&config, Secrets::Shown);
        prop_assert_eq!(config, load("printed.conf", &printed).config, "{}", printed);
    }
}

#[test]
fn the_shipped_samples_are_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf");
    let samples: Vec<PathBuf> = fs::read_dir(folder)
        .expect("conf is there")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "conf"))
        .collect();
    assert!(!samples.is_empty());
    for path in samples {
        let text = fs::read_to_string(&path).expect("a readable sample");
        let loaded = load(file_name(&path), &text);
        let said = complaints(&loaded);
        assert!(loaded.diagnostics.worst() <= Some(Severity::Note), "{}:\n{said}", path.display());
    }
}
