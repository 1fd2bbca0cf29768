//! Tables of the packet filter in the kernel, as `nft` shows them, and their effect on packets.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use keepalived::base::addr::Family;
use keepalived::base::time::Instant;
use keepalived::firewall::{Action, Entry, Firewall, Input, Means, Vmac};
use keepalived::model::firewall::Nftables;
use keepalived::sys::nft::{Nft, Watch};
use keepalived::wire::netlink::nft::{Refusal, TableEvent};

use crate::lab::{ours_only, require_program, ruleset_lines, secs, Host, Outcome, Segment, Skip};

const START: Instant = Instant::from_millis(1000);
const ENOENT: i32 = 2;

/// The core with a socket in the namespace of a host.
struct Bench<'h> {
    host: &'h Host,
    firewall: Firewall<&'static str>,
    nft: Nft,
    refusals: Vec<Refusal>,
}

impl<'h> Bench<'h> {
    fn new(host: &'h Host) -> Self {
        let _inside = host.enter();
        let nft = Nft::open().expect("nf_tables");
        Self { host, firewall: Firewall::default(), nft, refusals: Vec::new() }
    }

    fn started(host: &'h Host, settings: Nftables) -> Self {
        let mut new = Self::new(host);
        let there = new.nft.tables().expect("a list");
        let ours = there.into_iter().filter(|(_, table)| *table == settings.table);
        let mut inputs: Vec<_> =
            ours.map(|(family, table)| Input::Found { family, table }).collect();
        inputs.push(Input::Configure(Some(Means::Nftables(settings))));
        for input in inputs {
            new.firewall.handle(input, START, &mut Vec::new());
        }
        new
    }

    /// Takes in inputs, and carries out the transactions.
    #[track_caller]
    fn run(&mut self, inputs: impl IntoIterator<Item = Input<&'static str>>) -> Vec<String> {
        let mut out = Vec::new();
        for input in inputs {
            self.firewall.handle(input, START, &mut out);
        }
        let mut seen = Vec::new();
        loop {
            self.firewall.flush(START, &mut out);
            if out.is_empty() {
                return seen;
            }
            for action in std::mem::take(&mut out) {
                match action {
                    Action::Send { family, batch } => {
                        let result = self.nft.commit(&batch);
                        self.refusals.extend(result.err());
                        self.firewall.handle(Input::Answer { family, result }, START, &mut out);
                    }
                    other => seen.push(format!("{other:?}")),
                }
            }
        }
    }

    fn rules(&self) -> String {
        ruleset_lines(self.host, &[]).join("\n")
    }

    #[track_caller]
    fn expect(&self, rules: &str) {
        assert_eq!(self.refusals, []);
        let expected: Vec<_> = rules.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        assert_eq!(self.rules(), expected.join("\n"), "\n{}", self.rules());
    }
}

fn want(owner: &'static str, addr: &str) -> Input<&'static str> {
    let addr = addr.parse().expect("an address");
    Input::Want { owner, entry: Entry::Address(addr) }
}

fn index(host: &Host, link: &str) -> u32 {
    let link = host.link(link).expect("the interface exists");
    u32::try_from(link.ifindex()).expect("an index")
}

fn link_local(host: &Host, addr: &str, link: &str, by_name: bool) -> Entry {
    let (addr, name) = (addr.parse().expect("an address"), link.to_owned());
    Entry::LinkLocal { addr, index: index(host, link), name, by_name }
}

fn vmac(host: &Host, family: Family, link: &str, base_link_local: Option<&str>) -> Entry {
    Entry::Vmac(Vmac {
        family,
        index: index(host, link),
        name: link.to_owned(),
        base: index(host, "eth0"),
        base_link_local: base_link_local.map(|a| a.parse().expect("an address")),
    })
}

/// A host with `eth0` and the VMACs `vrrp.51` and `vrrp.52`.
fn with_vmacs() -> Host {
    let host = Host::new("a");
    host.ip("link add eth0 type veth peer name eth9
        link set eth0 up
        link add vrrp.51 link eth0 type macvlan mode private
        link add vrrp.52 link eth0 type macvlan mode private");
    host
}

fn needed() -> Outcome {
    ours_only()?;
    require_program("nft", "nftables")?;
    let there = Nft::open().and_then(|mut nft| nft.tables());
    there.map(drop).map_err(|e| Skip::new(format!("the kernel has no nf_tables: {e}")))
}

const V4: &str = r#"
    table ip keepalived {
        map vmac_map {
            type iface_index : iface_index
            elements = { "vrrp.51" : "eth0" }
        }
        set vips {
            type ipv4_addr
            elements = { 10.7.1.1, 10.7.1.2 }
        }
        chain out {
            type filter hook output priority filter - 1; policy accept;
            ip protocol igmp meta oifkind "macvlan" dup to ip daddr device oif map @vmac_map drop
            ip saddr @vips drop
        }
        chain in {
            type filter hook input priority filter - 1; policy accept;
            ip daddr @vips drop
        }
    }"#;

pub(crate) fn the_ipv4_table_is_that_of_keepalived() -> Outcome {
    needed()?;
    let host = with_vmacs();
    let mut bench = Bench::started(&host, Nftables::default());
    bench.run([]);
    bench.expect("");
    let owners = bench.run([want("A", "10.7.1.1"), want("B", "10.7.1.2")]);
    assert_eq!(owners.len(), 2, "{owners:?}");
    let entry = vmac(&host, Family::V4, "vrrp.51", None);
    bench.run([Input::Want { owner: "V", entry }]);
    bench.expect(V4);
    bench.run([Input::Release { owner: "A" }, Input::Release { owner: "B" }]);
    let fewer: Vec<_> = V4.lines().filter(|line| !line.contains("10.7.1.1")).collect();
    bench.expect(&fewer.join("\n"));
    bench.run([Input::Stop]);
    bench.expect("");
    Ok(())
}

const V6: &str = r#"
    table ip6 keepalived {
        set parent_link_local {
            type ipv6_addr . ifname
            elements = { fe80::1 . "vrrp.52" }
        }
        map vmac_map {
            type iface_index : iface_index
            elements = { "vrrp.52" : "eth0" }
        }
        set vmac_set {
            type iface_index
            elements = { "vrrp.52" }
        }
        set mld-report {
            type icmpv6_type
            flags constant
            elements = { mld-listener-report, mld2-listener-report }
        }
        set neighbor-discovery {
            type icmpv6_type
            flags constant
            elements = { nd-neighbor-solicit, nd-neighbor-advert }
        }
        set vips {
            type ipv6_addr
            elements = { fd07::98, fd07::99 }
        }
        set vips_link_local {
            type ipv6_addr . iface_index
            elements = { fe80::99 . "vrrp.52" }
        }
        set vips_link_local_name {
            type ipv6_addr . ifname
            elements = { fe80::98 . "eth0" }
        }
        chain out {
            type filter hook output priority filter - 1; policy accept;
            icmpv6 type nd-neighbor-advert meta oifkind "macvlan" ip6 saddr . oifname @parent_link_local drop
            icmpv6 type @mld-report meta oifkind "macvlan" dup to ip6 daddr device oif map @vmac_map drop
            icmpv6 type nd-router-solicit meta oifkind "macvlan" oif @vmac_set drop
            icmpv6 type @neighbor-discovery accept
            ip6 saddr fe80::/10 goto out_link_local
            ip6 saddr @vips drop
        }
        chain in {
            type filter hook input priority filter - 1; policy accept;
            icmpv6 type @neighbor-discovery accept
            ip6 daddr fe80::/10 goto in_link_local
            ip6 daddr @vips drop
        }
        chain in_link_local {
            ip6 daddr . iif @vips_link_local drop
            ip6 daddr . iifname @vips_link_local_name drop
        }
        chain out_link_local {
            ip6 saddr . oif @vips_link_local drop
            ip6 saddr . oifname @vips_link_local_name drop
        }
    }"#;

fn v6_entries(host: &Host) -> Vec<Input<&'static str>> {
    let by_index = link_local(host, "fe80::99", "vrrp.52", false);
    let by_name = link_local(host, "fe80::98", "eth0", true);
    let vmac = vmac(host, Family::V6, "vrrp.52", Some("fe80::1"));
    vec![
        want("A", "fd07::99"),
        want("B", "fd07::98"),
        Input::Want { owner: "C", entry: by_index },
        Input::Want { owner: "D", entry: by_name },
        Input::Want { owner: "V", entry: vmac },
    ]
}

pub(crate) fn the_ipv6_table_is_that_of_keepalived() -> Outcome {
    needed()?;
    let host = with_vmacs();
    let mut bench = Bench::started(&host, Nftables::default());
    for input in v6_entries(&host) {
        bench.run([input]);
    }
    bench.expect(V6);
    // All at once makes the same table.
    bench.run([Input::Stop]);
    bench.expect("");
    let mut bench = Bench::started(&host, Nftables::default());
    bench.run(v6_entries(&host));
    bench.expect(V6);
    let entry = vmac(&host, Family::V6, "vrrp.52", None);
    bench.run([Input::Want { owner: "V", entry }]);
    bench.expect(&V6.replace("fe80::1 . \"vrrp.52\"", ":: . \"vrrp.52\""));
    Ok(())
}

pub(crate) fn settings_of_the_table_are_applied_in_place() -> Outcome {
    needed()?;
    let host = with_vmacs();
    let mut bench = Bench::started(&host, Nftables::default());
    bench.run(v6_entries(&host));
    let settings = Nftables { priority: 7, counters: true, ..Nftables::default() };
    bench.run([Input::Configure(Some(Means::Nftables(settings.clone())))]);
    let counted = |text: &str| {
        let with = |line: &str| {
            let (rule, verdict) = ["drop", "accept", "goto"]
                .into_iter()
                .filter(|_| !line.contains("policy"))
                .find_map(|verdict| line.rfind(verdict).map(|at| line.split_at(at)))
                .unwrap_or((line, ""));
            match verdict {
                "" => line.to_owned(),
                verdict => format!("{rule}counter packets N bytes N {verdict}"),
            }
        };
        let lines: Vec<_> = text.lines().map(str::trim).map(with).collect();
        lines.join("\n").replace("filter - 1", "filter + 7").trim().to_owned()
    };
    // Packets of the host itself may have been counted.
    let shown = |bench: &Bench<'_>| {
        let rules = bench.rules();
        let words = rules.split_inclusive(['\n', ' ']).scan("", |before, word| {
            let is_count = matches!(before.trim(), "packets" | "bytes");
            *before = word;
            Some(if is_count { "N " } else { word })
        });
        words.collect::<String>()
    };
    assert_eq!(shown(&bench), counted(V6), "\n{}", shown(&bench));
    bench.run([Input::Configure(Some(Means::Nftables(Nftables { by_index: true, ..settings })))]);
    let by_index = V6
        .replace(
            "ipv6_addr . ifname\n            elements = { fe80::1",
            "ipv6_addr . iface_index\n            elements = { fe80::1",
        )
        .replace("ip6 saddr . oifname @parent", "ip6 saddr . oif @parent")
        .replace("fe80::99 . \"vrrp.52\"", "fe80::98 . \"eth0\", fe80::99 . \"vrrp.52\"");
    let (head, rest) = by_index.split_once("set vips_link_local_name").expect("the set");
    let (_, rest) = rest.split_once("chain out").expect("the chain");
    let by_index: Vec<_> = format!("{head}chain out{rest}")
        .lines()
        .filter(|line| !line.contains("_name"))
        .map(str::to_owned)
        .collect();
    assert_eq!(shown(&bench), counted(&by_index.join("\n")), "\n{}", shown(&bench));
    let named = Nftables { table: "other".to_owned(), ..Nftables::default() };
    bench.run([Input::Configure(Some(Means::Nftables(named)))]);
    bench.expect(&V6.replace("ip6 keepalived", "ip6 other"));
    Ok(())
}

/// Also when another program has added to it.
pub(crate) fn a_leftover_table_is_replaced_or_removed() -> Outcome {
    needed()?;
    let host = with_vmacs();
    let mut crashed = Bench::started(&host, Nftables::default());
    crashed.run([want("A", "10.7.1.1"), want("B", "10.7.1.9"), want("C", "fd07::1")]);
    host.output("nft", &["add", "rule", "ip", "keepalived", "in", "tcp", "dport", "22", "drop"]);
    let mut bench = Bench::started(&host, Nftables::default());
    let entry = vmac(&host, Family::V4, "vrrp.51", None);
    let vmac = Input::Want { owner: "V", entry };
    let seen = bench.run([vmac, want("A", "10.7.1.1"), want("B", "10.7.1.2")]);
    assert!(seen.contains(&r#"Replaces { family: V4, table: "keepalived" }"#.to_owned()));
    assert!(seen.contains(&r#"Replaces { family: V6, table: "keepalived" }"#.to_owned()));
    bench.expect(V4);
    // No instance needs a packet filter now.
    let mut bench = Bench::started(&host, Nftables::default());
    bench.run([Input::Configure(None)]);
    bench.expect("");
    Ok(())
}

pub(crate) fn a_table_that_is_removed_externally_is_restored() -> Outcome {
    needed()?;
    let host = with_vmacs();
    let mut bench = Bench::started(&host, Nftables::default());
    let mut watch = {
        let _inside = host.enter();
        Watch::open(bench.nft.port()).expect("nf_tables")
    };
    let entry = vmac(&host, Family::V4, "vrrp.51", None);
    bench.run([Input::Want { owner: "V", entry }]);
    bench.run([want("A", "10.7.1.1"), want("B", "10.7.1.2")]);
    let mut events = Vec::new();
    assert!(!watch.receive(&mut events).expect("readable"), "own changes are not reported");
    host.output("nft", &["flush", "ruleset"]);
    bench.expect("");
    while watch.receive(&mut events).expect("readable") {}
    let removed = TableEvent::Removed(Family::V4, "keepalived".to_owned());
    assert!(events.contains(&removed), "{events:?}");
    let seen = bench.run([Input::Vanished { family: Family::V4 }]);
    assert_eq!(seen, ["Missing { family: V4, after: 0ns }"]);
    bench.expect(V4);
    // Without a notification, the next change notices it.
    host.output("nft", &["delete", "table", "ip", "keepalived"]);
    let seen = bench.run([want("B", "10.7.1.3")]);
    let expected = ["Missing { family: V4, after: 0ns }", r#"Outcome { owner: "B", errno: 0 }"#];
    assert_eq!(seen, expected);
    assert_eq!(std::mem::take(&mut bench.refusals), [Refusal { errno: ENOENT, at: 1 }]);
    bench.expect(&V4.replace("10.7.1.2", "10.7.1.3"));
    Ok(())
}

pub(crate) fn thousands_of_addresses_fit_into_one_transaction() -> Outcome {
    needed()?;
    let host = Host::new("a");
    let mut bench = Bench::started(&host, Nftables::default());
    let names: Vec<&'static str> = (0..20_000).map(|n| &*n.to_string().leak()).collect();
    let wants = |from: usize, to: usize| -> Vec<_> {
        (from..to).map(|n| want(names[n], &format!("fd07::{n:x}"))).collect()
    };
    let seen = bench.run(wants(0, 10_000));
    assert_eq!(seen.len(), 10_000);
    let seen = bench.run(wants(10_000, 20_000));
    assert_eq!(seen.len(), 10_000);
    assert_eq!(bench.rules().matches("fd07::").count(), 20_000);
    bench.run(names.iter().skip(1).map(|&owner| Input::Release { owner }));
    assert_eq!(bench.rules().matches("fd07::").count(), 1);
    Ok(())
}

/// From before the address exists until the end, whatever happens to the table.
pub(crate) fn no_packet_reaches_a_shielded_address() -> Outcome {
    needed()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    for [addr, prefix, open] in [["10.7.1.1", "16", "10.7.0.1"], ["fd07::1:1", "64", "fd07::1"]] {
        let mut bench = Bench::started(&a, Nftables::default());
        bench.run([want("A", addr)]);
        let nodad = if addr.contains(':') { " nodad" } else { "" };
        a.ip(&format!("addr add {addr}/{prefix} dev eth0{nodad}"));
        // Packets that wait for the answer of a neighbour would come after the release.
        let mac = a.mac("eth0").map(|byte| format!("{byte:02x}")).join(":");
        b.ip(&format!("neigh replace {addr} lladdr {mac} dev eth0 nud permanent"));
        let to = |addr: &str| SocketAddr::new(addr.parse::<IpAddr>().expect("an address"), 9);
        let (server, client) = {
            let any = if addr.contains(':') { "[::]:0" } else { "0.0.0.0:0" };
            let bound = |host: &Host, local: SocketAddr| {
                let _inside = host.enter();
                UdpSocket::bind(local).expect("a socket")
            };
            let any: SocketAddr = any.parse().expect("an address");
            (bound(&a, SocketAddr::new(any.ip(), 9)), bound(&b, any))
        };
        server.set_read_timeout(Some(secs(5))).expect("a timeout");
        let priorities = (0..40).map(|priority| Nftables { priority, ..Nftables::default() });
        for settings in priorities {
            client.send_to(b"before", to(addr)).expect("sent");
            bench.run([Input::Configure(Some(Means::Nftables(settings.clone())))]);
            client.send_to(b"between", to(addr)).expect("sent");
            // After a crash.
            bench = Bench::started(&a, settings);
            bench.run([want("A", addr)]);
            client.send_to(b"after", to(addr)).expect("sent");
        }
        client.send_to(b"open", to(open)).expect("sent");
        let mut buffer = [0; 16];
        let heard = |buffer: &mut [u8]| {
            let (len, _) = server.recv_from(buffer).expect("a packet");
            String::from_utf8_lossy(&buffer[..len]).into_owned()
        };
        assert_eq!(heard(&mut buffer), "open", "nothing before it");
        bench.run([Input::Release { owner: "A" }]);
        client.send_to(b"released", to(addr)).expect("sent");
        assert_eq!(heard(&mut buffer), "released");
        bench.run([Input::Stop]);
    }
    Ok(())
}
