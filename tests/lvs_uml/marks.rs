//! A group of addresses with one service in IPVS, which packets get to by their firewall mark
//! (`nftables_ipvs`).

use crate::farm::{lines, page, wait_table, Web, PATIENCE};
use crate::lab::{ours_only, wait, Daemon, Host, Outcome, Segment, Skip};

const ADDRESSES: [&str; 3] = ["10.7.1.1", "10.7.1.5", "10.7.1.6"];
const GROUP: &str = "10.7.1.1 80; 10.7.1.5-6 80";

/// A virtual server for each group.
fn config(groups: &[(&str, &str)]) -> String {
    let server = |n| {
        format!(
            "real_server 10.7.0.{n} 80 {{ weight 1; TCP_CHECK {{ connect_timeout 1; retry 0 }} }} "
        )
    };
    let (first, second) = (server(3), server(4));
    let blocks = groups.iter().map(|(name, entries)| {
        format!(
            "virtual_server_group {name} {{ {entries} }} virtual_server group {name} {{ \
             delay_loop 1; lvs_sched rr; lvs_method DR; protocol TCP; quorum 2; \
             sorry_server 127.0.0.1 80; {first}{second}}} "
        )
    });
    lines(&format!("global_defs {{ nftables_ipvs }} {}", blocks.collect::<String>()))
}

/// The rules of the daemon, or rules of iptables in their place if the kernel has no nf_tables for
/// IPv4, as that of Debian's User-Mode Linux.
fn ensure_marks(director: &Host, daemon: &Daemon) -> Outcome {
    let refused = |daemon: &Daemon| {
        let log = daemon.log();
        log.iter().any(|line| line.contains("groups get no connections over IPv4: nf_tables"))
    };
    let is_marking = || director.output("nft", &["list", "ruleset"]).contains("@tcp_map return");
    wait("nf_tables is tried", PATIENCE, || refused(daemon) || is_marking());
    if is_marking() {
        return Ok(());
    }
    for address in ADDRESSES {
        let rule =
            format!("-t mangle -A INPUT -d {address} -p tcp --dport 80 -j MARK --set-mark 1000");
        director.output("iptables-legacy", &rule.split(' ').collect::<Vec<_>>());
    }
    let shown = director.output("iptables-legacy", &["-t", "mangle", "-S", "INPUT"]);
    match shown.matches("MARK").count() {
        3 => Ok(()),
        _ => Err(Skip::new("the kernel has neither nf_tables nor iptables to set marks")),
    }
}

fn served(client: &Host, address: &str, count: usize) -> Vec<String> {
    let got = |_| page(client, &format!("{address}:80")).unwrap_or_else(|| "nothing".to_owned());
    let mut pages: Vec<String> = (0..count).map(got).collect();
    pages.sort();
    pages
}

pub(crate) fn a_group_is_one_service_that_its_mark_leads_to() -> Outcome {
    ours_only()?;
    let (_segment, [client, director, first, second]) =
        Segment::with_hosts(["client", "director", "first", "second"]);
    for host in [&first, &second] {
        host.sysctl("net/ipv4/conf/all/arp_ignore", "1");
        host.sysctl("net/ipv4/conf/all/arp_announce", "2");
    }
    for address in ADDRESSES {
        director.ip(&format!("addr add {address}/16 dev eth0"));
        first.ip(&format!("addr add {address}/32 dev lo"));
        second.ip(&format!("addr add {address}/32 dev lo"));
    }
    let sorry = Web::start(&director, "0.0.0.0:80", |_| (200, "director"));
    let webs = [
        Web::start(&first, "0.0.0.0:80", |_| (200, "first")),
        Web::start(&second, "0.0.0.0:80", |_| (200, "second")),
    ];
    let mut daemon = director.start(&config(&[("G", GROUP)]));
    let service = "-A -f 1000 -s rr";
    let [one, two, last] = ["10.7.0.3", "10.7.0.4", "127.0.0.1"]
        .map(|server| format!("-a -f 1000 -r {server}:0 -g -w 1"));
    wait_table(&director, &[service, &one, &two]);
    ensure_marks(&director, &daemon)?;
    for address in ADDRESSES {
        wait("the first answer", PATIENCE, || served(&client, address, 1) != ["nothing"]);
        assert_eq!(served(&client, address, 4), ["first", "first", "second", "second"]);
    }
    // One server is too few for the quorum.
    let [web, other] = webs;
    drop(other);
    wait_table(&director, &[service, &last]);
    assert_eq!(served(&client, "10.7.1.5", 2), ["director", "director"]);
    let other = Web::start(&second, "0.0.0.0:80", |_| (200, "second"));
    wait_table(&director, &[service, &one, &two]);
    assert_eq!(served(&client, "10.7.1.6", 2), ["first", "second"]);
    // Another group does not take the mark away, nor does one more address need a service.
    daemon.rewrite(&config(&[("A", "10.7.1.9 80"), ("G", &format!("{GROUP}; 10.7.1.10 80"))]));
    daemon.reload();
    let added = [service, &one, &two].map(|row| row.replace("1000", "1001"));
    let [added, a, b] = added.each_ref();
    wait_table(&director, &[service, added, &one, &two, a, b]);
    daemon.rewrite(&config(&[("G", GROUP)]));
    daemon.reload();
    wait_table(&director, &[service, &one, &two]);
    assert!(daemon.stop().success());
    wait_table(&director, &[]);
    drop((sorry, web, other));
    Ok(())
}
