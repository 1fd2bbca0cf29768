use super::*;
use crate::firewall::Vmac;
use crate::model::firewall::IpSets;

fn settings(output: bool, sets: bool) -> Iptables {
    Iptables {
        input: "INPUT".to_owned(),
        output: output.then(|| "OUTPUT".to_owned()),
        sets: sets.then(IpSets::default),
    }
}

fn entry(addr: &str) -> Entry {
    Entry::Address(addr.parse().expect("an address"))
}

fn link_local(name: &str) -> Entry {
    let addr = "fe80::99".parse().expect("an address");
    Entry::LinkLocal { addr, index: 2, name: name.to_owned(), by_name: false }
}

fn vmac(family: Family) -> Entry {
    let base_link_local = (family == Family::V6).then(|| "fe80::1".parse().expect("an address"));
    let name = "vrrp.51".to_owned();
    Entry::Vmac(Vmac { family, index: 7, name, base: 2, base_link_local })
}

fn entries(list: &[Entry]) -> SortedSet<Entry> {
    list.iter().cloned().collect()
}

/// The steps as text, each with the name of its command.
fn shown(steps: &[Step]) -> Vec<String> {
    let name = |command| match command {
        Command::Ipset => "ipset",
        Command::Iptables(Family::V4) => "v4",
        Command::Iptables(Family::V6) => "v6",
    };
    let lines = |step: &Step| {
        let lines: Vec<_> =
            step.input.lines().map(|line| format!("{} {line}", name(step.command))).collect();
        lines
    };
    steps.iter().flat_map(lines).collect()
}

#[track_caller]
fn expect(steps: &[Step], expected: &str) {
    let expected: Vec<_> = expected.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert_eq!(shown(steps), expected);
}

#[test]
fn each_address_has_its_own_rules() {
    let none = Chains::new(settings(true, false));
    let some = none.with(entries(&[entry("10.7.1.1"), entry("fd07::1"), link_local("eth0")]));
    expect(
        &none.steps_to(&some),
        "v4 *filter
        v4 -A INPUT -d 10.7.1.1/32 -j DROP
        v4 -A OUTPUT -s 10.7.1.1/32 -j DROP
        v4 COMMIT
        v6 *filter
        v6 -A INPUT -d fd07::1/128 -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT
        v6 -A INPUT -d fd07::1/128 -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT
        v6 -A INPUT -d fd07::1/128 -j DROP
        v6 -A OUTPUT -s fd07::1/128 -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT
        v6 -A OUTPUT -s fd07::1/128 -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT
        v6 -A OUTPUT -s fd07::1/128 -j DROP
        v6 -A INPUT -d fe80::99/128 -i eth0 -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT
        v6 -A INPUT -d fe80::99/128 -i eth0 -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT
        v6 -A INPUT -d fe80::99/128 -i eth0 -j DROP
        v6 -A OUTPUT -s fe80::99/128 -o eth0 -p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT
        v6 -A OUTPUT -s fe80::99/128 -o eth0 -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j ACCEPT
        v6 -A OUTPUT -s fe80::99/128 -o eth0 -j DROP
        v6 COMMIT",
    );
    let fewer = some.with(entries(&[entry("fd07::1"), link_local("eth0")]));
    expect(
        &some.steps_to(&fewer),
        "v4 *filter
        v4 -D INPUT -d 10.7.1.1/32 -j DROP
        v4 -D OUTPUT -s 10.7.1.1/32 -j DROP
        v4 COMMIT",
    );
    assert_eq!(some.steps_to(&some), []);
    assert_eq!(shown(&some.last_steps()).iter().filter(|line| line.contains("-D ")).count(), 14);
}

#[test]
fn reports_of_vmacs_are_dropped_before_any_other_rule() {
    let none = Chains::new(settings(true, false));
    let some = none.with(entries(&[vmac(Family::V4), vmac(Family::V6)]));
    expect(
        &none.steps_to(&some),
        "v4 *filter
        v4 -I OUTPUT -o vrrp.51 -p igmp -j DROP
        v4 COMMIT
        v6 *filter
        v6 -I OUTPUT -o vrrp.51 -p ipv6-icmp -m icmp6 --icmpv6-type 143 -j DROP
        v6 -I OUTPUT -o vrrp.51 -p ipv6-icmp -m icmp6 --icmpv6-type 131 -j DROP
        v6 -I OUTPUT -o vrrp.51 -p ipv6-icmp -m icmp6 --icmpv6-type 133 -j DROP
        v6 -I OUTPUT -s fe80::1/128 -o vrrp.51 -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j DROP
        v6 COMMIT",
    );
}

#[test]
fn without_a_chain_for_output_only_input_has_rules() {
    let all = entries(&[entry("10.7.1.1"), vmac(Family::V4)]);
    let none = Chains::new(settings(false, false));
    let expected = "v4 *filter
        v4 -A INPUT -d 10.7.1.1/32 -j DROP
        v4 COMMIT";
    expect(&none.steps_to(&none.with(all.clone())), expected);
    let none = Chains::new(settings(false, true));
    let expected = "ipset create keepalived hash:ip family inet -exist
        ipset add keepalived 10.7.1.1 -exist
        v4 *filter
        v4 -A INPUT -m set --match-set keepalived dst -j DROP
        v4 COMMIT";
    expect(&none.steps_to(&none.with(all)), expected);
}

#[test]
fn with_sets_the_rules_come_once_and_entries_are_members() {
    let none = Chains::new(settings(true, true));
    let some = none.with(entries(&[entry("10.7.1.1"), vmac(Family::V4)]));
    expect(
        &none.steps_to(&some),
        "ipset create keepalived hash:ip family inet -exist
        ipset create keepalived_igmp hash:net,iface family inet -exist
        ipset add keepalived 10.7.1.1 -exist
        ipset add keepalived_igmp 0.0.0.0/0,vrrp.51 -exist
        v4 *filter
        v4 -A INPUT -m set --match-set keepalived dst -j DROP
        v4 -A OUTPUT -m set --match-set keepalived src -j DROP
        v4 -A OUTPUT -p igmp -m set --match-set keepalived_igmp dst,dst -j DROP
        v4 COMMIT",
    );
    let other = some.with(entries(&[entry("10.7.1.2")]));
    expect(
        &some.steps_to(&other),
        "ipset del keepalived 10.7.1.1 -exist
        ipset del keepalived_igmp 0.0.0.0/0,vrrp.51 -exist
        ipset add keepalived 10.7.1.2 -exist",
    );
    expect(
        &other.last_steps(),
        "v4 *filter
        v4 -D INPUT -m set --match-set keepalived dst -j DROP
        v4 -D OUTPUT -m set --match-set keepalived src -j DROP
        v4 -D OUTPUT -p igmp -m set --match-set keepalived_igmp dst,dst -j DROP
        v4 COMMIT
        ipset destroy keepalived
        ipset destroy keepalived_igmp",
    );
}

#[test]
fn sets_of_ipv6_distinguish_link_local_addresses() {
    let none = Chains::new(settings(true, true));
    let some = none.with(entries(&[entry("fd07::1"), link_local("vrrp.51"), vmac(Family::V6)]));
    let icmp = |n| format!("-p ipv6-icmp -m icmp6 --icmpv6-type {n} ");
    let is_in = |set, direction| format!("-m set --match-set keepalived{set} {direction} ");
    let mut expected = vec![
        "create keepalived_nd hash:net,iface family inet6 -exist".to_owned(),
        "create keepalived_mld hash:net,iface family inet6 -exist".to_owned(),
        "create keepalived_if6 hash:net,iface family inet6 -exist".to_owned(),
        "create keepalived6 hash:ip family inet6 -exist".to_owned(),
        "add keepalived_nd fe80::1,vrrp.51 -exist".to_owned(),
        "add keepalived_mld ff00::/8,vrrp.51 -exist".to_owned(),
        "add keepalived_if6 fe80::99,vrrp.51 -exist".to_owned(),
        "add keepalived6 fd07::1 -exist".to_owned(),
    ];
    expected.iter_mut().for_each(|line| line.insert_str(0, "ipset "));
    let mut rules = vec![
        format!("OUTPUT {}{}-j DROP", icmp(136), is_in("_nd", "src,dst")),
        format!("OUTPUT {}{}-j DROP", icmp(143), is_in("_mld", "dst,dst")),
        format!("OUTPUT {}{}-j DROP", icmp(131), is_in("_mld", "dst,dst")),
        format!("OUTPUT {}{}-j DROP", icmp(133), is_in("_mld", "dst,dst")),
    ];
    for (set, [to, from]) in [("_if6", ["dst,src", "src,dst"]), ("6", ["dst", "src"])] {
        for (chain, direction) in [("INPUT", to), ("OUTPUT", from)] {
            for message in [135, 136] {
                rules.push(format!("{chain} {}{}-j ACCEPT", icmp(message), is_in(set, direction)));
            }
            rules.push(format!("{chain} {}-j DROP", is_in(set, direction)));
        }
    }
    expected.push("v6 *filter".to_owned());
    expected.extend(rules.iter().map(|rule| format!("v6 -A {rule}")));
    expected.push("v6 COMMIT".to_owned());
    assert_eq!(shown(&none.steps_to(&some)), expected);
}

#[test]
fn leftovers_are_replaced_and_foreign_rules_stay() {
    let saved = Saved {
        v4: "*filter\n:INPUT ACCEPT [0:0]\n\
            -A INPUT -d 10.7.1.1/32 -j DROP\n\
            -A INPUT -d 10.7.1.9/32 -j DROP\n\
            -A INPUT -d 10.7.1.8/32 -j DROP\n\
            -A INPUT -p tcp -j DROP\n\
            -A OUTPUT -o vrrp.51 -p 2 -j DROP\nCOMMIT\n",
        ..Saved::default()
    };
    let possible = entries(&[entry("10.7.1.1"), entry("10.7.1.9"), vmac(Family::V4)]);
    let some = Chains::new(settings(true, false)).with(entries(&[entry("10.7.1.1")]));
    expect(
        &some.first_steps(&saved, &possible),
        "v4 *filter
        v4 -D INPUT -d 10.7.1.1/32 -j DROP
        v4 -D INPUT -d 10.7.1.9/32 -j DROP
        v4 -D OUTPUT -o vrrp.51 -p 2 -j DROP
        v4 -A INPUT -d 10.7.1.1/32 -j DROP
        v4 -A OUTPUT -s 10.7.1.1/32 -j DROP
        v4 COMMIT",
    );
    assert_eq!(Chains::new(settings(true, false)).first_steps(&Saved::default(), &possible), []);
}

#[test]
fn leftover_sets_get_the_wanted_members_and_idle_ones_go() {
    let rule = "-A INPUT -m set --match-set keepalived dst -j DROP\n";
    let others = "-A INPUT -m set --match-set keepalived_not dst -j DROP\n\
        -A FORWARD -m set --match-set keepalived dst -j DROP\n";
    let v4 = [rule, rule, others].concat();
    let sets = "create keepalived hash:ip family inet hashsize 1024\n\
        add keepalived 10.7.1.1\nadd keepalived 10.7.1.9\n\
        create keepalived6 hash:ip family inet6 hashsize 1024\nadd keepalived6 fd07::1\n\
        create other hash:ip family inet hashsize 1024\nadd other 10.7.1.9\n";
    let saved = Saved { v4: &v4, v6: "", sets };
    let some = Chains::new(settings(true, true)).with(entries(&[entry("10.7.1.1")]));
    expect(
        &some.first_steps(&saved, &SortedSet::new()),
        "ipset create keepalived hash:ip family inet -exist
        ipset add keepalived 10.7.1.1 -exist
        ipset del keepalived 10.7.1.9 -exist
        v4 *filter
        v4 -D INPUT -m set --match-set keepalived dst -j DROP
        v4 -D INPUT -m set --match-set keepalived dst -j DROP
        v4 -A INPUT -m set --match-set keepalived dst -j DROP
        v4 -A OUTPUT -m set --match-set keepalived src -j DROP
        v4 COMMIT
        ipset destroy keepalived6",
    );
}
