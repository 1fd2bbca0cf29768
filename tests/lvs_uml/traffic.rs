//! Metrics of connections and packets: what ipvsadm shows.

use std::net::TcpStream;

use crate::farm::{lines, ok, page, statistics, wait_table, Street, Web, PATIENCE};
use crate::lab::{ours_only, wait, Daemon, Outcome};

const SERVICES: [&str; 2] = ["[10.1.0.1]:tcp:80", "[10.1.0.1]:tcp:81"];
const SERVER: &str = "[10.2.0.3]:tcp:80";

/// The value of a metric of a virtual server, or of its real server; `None` without a sample.
fn sample(text: &str, name: &str, service: &str, server: Option<&str>) -> Option<u64> {
    let start = match server {
        None => format!("keepalived_virtual_server_{name}{{virtual_server=\"{service}\"}} "),
        Some(server) => format!(
            "keepalived_real_server_{name}{{virtual_server=\"{service}\",\
             real_server=\"{server}\"}} "
        ),
    };
    let value = text.lines().find_map(|line| line.strip_prefix(&start))?;
    Some(value.parse().expect("a number"))
}

/// The counters of an object in the order of ipvsadm.
fn counters(text: &str, service: &str, server: Option<&str>) -> Option<[u64; 5]> {
    let of = |name: &str| sample(text, &format!("{name}_total"), service, server);
    let packets = [of("incoming_packets")?, of("outgoing_packets")?];
    let bytes = [of("incoming_bytes")?, of("outgoing_bytes")?];
    Some([of("connections")?, packets[0], packets[1], bytes[0], bytes[1]])
}

fn metrics(daemon: &Daemon) -> String {
    ok(daemon, &["metrics"])
}

pub(crate) fn metrics_show_what_ipvs_counts() -> Outcome {
    ours_only()?;
    let Street { client, director, server, .. } = &Street::new();
    let _web = Web::start(server, "0.0.0.0:80", |_| (200, "it"));
    // The second server of each is never there, and neither is the mark of the third.
    let service = |head: &str| {
        format!(
            "virtual_server {head} {{ delay_loop 600; lvs_sched rr; lvs_method NAT; \
             protocol TCP; real_server 10.2.0.3 80 {{ weight 1 }} real_server 10.2.0.4 80 {{ \
             MISC_CHECK {{ misc_path /bin/false; warmup 0 }} }} }} "
        )
    };
    let marked = "virtual_server fwmark 7 { lvs_sched rr; lvs_method DR; protocol TCP; \
                  real_server 10.2.0.3 80 { weight 1 } } ";
    let config = format!(
        "global_defs {{ script_user root; enable_script_security }} {}{}{marked}",
        service("10.1.0.1 80"),
        service("10.1.0.1 81")
    );
    let daemon = director.start(&lines(&config));
    wait_table(
        director,
        &[
            "-A -f 7 -s rr",
            "-A -t 10.1.0.1:80 -s rr",
            "-A -t 10.1.0.1:81 -s rr",
            "-a -f 7 -r 10.2.0.3:0 -g -w 1",
            "-a -t 10.1.0.1:80 -r 10.2.0.3:80 -m -w 1",
            "-a -t 10.1.0.1:81 -r 10.2.0.3:80 -m -w 1",
        ],
    );
    for expected in 1..=3 {
        assert_eq!(page(client, "10.1.0.1:80").as_deref(), Some("it"), "page {expected}");
    }
    // Another one that stays.
    let open = {
        let _inside = client.enter();
        TcpStream::connect("10.1.0.1:80").expect("the server accepts")
    };
    wait("everything is counted", PATIENCE, || {
        let (seen, text) = (statistics(director, &[]), metrics(&daemon));
        let of = |server: &str| seen.get(&("10.1.0.1:80".to_owned(), server.to_owned())).copied();
        let expected = [of(""), of("10.2.0.3:80")];
        let shown = [None, Some(SERVER)].map(|server| counters(&text, SERVICES[0], server));
        shown == expected && shown[0].is_some_and(|[connections, ..]| connections == 4)
    });
    let text = metrics(&daemon);
    for server in [None, Some(SERVER)] {
        let now = |text: &str, name: &str| sample(text, name, SERVICES[0], server);
        assert_eq!(now(&text, "active_connections"), Some(1), "{text}");
        assert!(now(&text, "outgoing_bytes_total") > now(&text, "outgoing_packets_total"));
        assert!(now(&text, "incoming_packets_total") > Some(4), "{text}");
        assert_eq!(counters(&text, SERVICES[1], server), Some([0; 5]), "{text}");
    }
    // IPVS has no port for a mark.
    assert_eq!(counters(&text, "FWM 7", Some("[10.2.0.3]:none:0")), Some([0; 5]), "{text}");
    let absent = |name: &str| {
        text.contains(&format!(
            "_{name}{{virtual_server=\"{}\",real_server=\"[10.2.0.4]",
            SERVICES[0]
        ))
    };
    assert!(absent("up") && !absent("connections_total"), "{text}");
    drop(open);
    wait("the connection is over", PATIENCE, || {
        sample(&metrics(&daemon), "active_connections", SERVICES[0], Some(SERVER)) == Some(0)
    });
    let text = metrics(&daemon);
    assert!(sample(&text, "inactive_connections", SERVICES[0], None) >= Some(1), "{text}");
    // One that is removed from IPVS begins again.
    director.output("ipvsadm", &["-D", "-t", "10.1.0.1:80"]);
    assert_eq!(counters(&metrics(&daemon), SERVICES[0], None), None);
    assert_eq!(counters(&metrics(&daemon), SERVICES[1], None), Some([0; 5]));
    Ok(())
}
