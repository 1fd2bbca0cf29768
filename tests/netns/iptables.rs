//! Inputs of the restore commands of iptables and ipset, in the kernel.

use std::io::Write as _;
use std::process::{Command, Stdio};

use keepalived::base::addr::Family;
use keepalived::base::sorted::SortedSet;
use keepalived::firewall::iptables::{self, Chains, Saved, Step};
use keepalived::firewall::{Entry, Vmac};
use keepalived::model::firewall::{IpSets, Iptables};

use crate::lab::{ours_only, require_program, Host, Outcome, Skip};

const IPTABLES: [&str; 2] = ["iptables-legacy-save", "ip6tables-legacy-save"];

fn needed() -> Outcome {
    ours_only()?;
    require_program("iptables-legacy-restore", "iptables")?;
    require_program("ipset", "ipset")?;
    let host = Host::new("a");
    let is_known = |program: &str| !host.output(program, &["-t", "filter"]).is_empty();
    host.output("ipset", &["create", "links", "hash:net,iface"]);
    let has_sets = host.output("ipset", &["save"]).contains("links");
    if IPTABLES.into_iter().all(is_known) && has_sets {
        Ok(())
    } else {
        Err(Skip::new("the kernel has no legacy iptables, or no ipset"))
    }
}

fn host() -> Host {
    let host = Host::new("a");
    host.ip("link add vrrp.51 type veth peer name eth9");
    // A rule of another program.
    for program in ["iptables-legacy", "ip6tables-legacy"] {
        host.output(program, &["-A", "INPUT", "-p", "tcp", "-j", "ACCEPT"]);
    }
    host
}

#[track_caller]
fn carry_out(host: &Host, steps: &[Step]) {
    let _inside = host.enter();
    for Step { command, input } in steps {
        let mut command = match command {
            iptables::Command::Ipset => Command::new("ipset"),
            iptables::Command::Iptables(Family::V4) => Command::new("iptables-legacy-restore"),
            iptables::Command::Iptables(Family::V6) => Command::new("ip6tables-legacy-restore"),
        };
        let is_sets = command.get_program() == "ipset";
        command.args(if is_sets { ["restore"] } else { ["--noflush"] });
        command.stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command is there");
        let mut stdin = child.stdin.take().expect("stdin is a pipe");
        stdin.write_all(input.as_bytes()).expect("it reads its input");
        drop(stdin);
        let done = child.wait_with_output().expect("it was started");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{command:?}: {said}in: {input}");
    }
}

fn saved(host: &Host) -> [String; 3] {
    let [v4, v6] = IPTABLES.map(|program| host.output(program, &["-t", "filter"]));
    [v4, v6, host.output("ipset", &["save"])]
}

/// Rules and members, without those of the other program.
fn shown(host: &Host) -> Vec<String> {
    let lines = saved(host).join("\n");
    let of_interest = |line: &&str| {
        (line.starts_with("-A ") && !line.contains("-p tcp")) || line.starts_with("add ")
    };
    lines.lines().filter(of_interest).map(str::to_owned).collect()
}

fn entries(shift: u8) -> SortedSet<Entry> {
    let addresses = [format!("10.7.1.{shift}"), format!("fd07::{shift}")];
    let vmac = |family| {
        let addr = format!("fe80::{shift}").parse().expect("an address");
        let (name, base_link_local) = ("vrrp.51".to_owned(), Some(addr));
        Entry::Vmac(Vmac { family, index: 7, name, base: 2, base_link_local })
    };
    let link_local = Entry::LinkLocal {
        addr: "fe80::99".parse().expect("an address"),
        index: 7,
        name: "vrrp.51".to_owned(),
        by_name: false,
    };
    let addresses = addresses.map(|a| Entry::Address(a.parse().expect("an address")));
    let vmacs = [Family::V4, Family::V6].map(vmac);
    addresses.into_iter().chain(vmacs).chain([link_local]).collect()
}

/// Start, change, crash, start and stop. `count`: of rules and members.
fn live(sets: Option<IpSets>, count: usize) {
    let host = host();
    let settings = Iptables { input: "INPUT".into(), output: Some("OUTPUT".into()), sets };
    let none = Chains::new(settings);
    let start = |wanted: &Chains| {
        let [v4, v6, sets] = saved(&host);
        let saved = Saved { v4: &v4, v6: &v6, sets: &sets };
        carry_out(&host, &wanted.first_steps(&saved, &(&entries(1) | &entries(2))));
    };
    let before = saved(&host).map(|text| text.lines().count());
    start(&none);
    let first = none.with(entries(1));
    carry_out(&host, &none.steps_to(&first));
    assert_eq!(shown(&host).len(), count, "{:#?}", shown(&host));
    let second = first.with(entries(2));
    carry_out(&host, &first.steps_to(&second));
    let changed = shown(&host);
    assert_eq!(changed.len(), count, "{changed:#?}");
    let sorted = |mut list: Vec<String>| {
        list.sort();
        list
    };
    carry_out(&host, &second.steps_to(&first));
    start(&second);
    assert_eq!(sorted(shown(&host)), sorted(changed), "as after the change, nothing twice");
    carry_out(&host, &second.last_steps());
    assert_eq!(shown(&host), Vec::<String>::new());
    assert_eq!(saved(&host).map(|text| text.lines().count()), before);
}

pub(crate) fn each_address_has_its_own_rules() -> Outcome {
    needed()?;
    // 2 for the IPv4 address, 6 for each of IPv6, and 1 and 4 for the VMACs.
    live(None, 2 + 2 * 6 + 1 + 4);
    Ok(())
}

pub(crate) fn entries_are_members_of_sets() -> Outcome {
    needed()?;
    // 3 rules of IPv4 and 16 of IPv6; two members of the IPv6 VMAC, one of each other entry.
    live(Some(IpSets::default()), 3 + 16 + 6);
    Ok(())
}
