//! Orders of an operator to a real server: the table of IPVS, and connections that go on.

use std::net::TcpStream;

use crate::farm::{kactl_says, lines, ok, wait_table, Street, Web, PATIENCE};
use crate::lab::{ours_only, wait, Host, Outcome, Workshop};

const SERVICE: &str = "[10.1.0.1]:tcp:80";
const SERVER: &str = "[10.2.0.3]:tcp:80";

#[track_caller]
fn wait_weight(host: &Host, weight: Option<u32>) {
    let row = weight.map(|weight| format!("-a -t 10.1.0.1:80 -r 10.2.0.3:80 -m -w {weight}"));
    let service = "-A -t 10.1.0.1:80 -s rr".to_owned();
    let expected: Vec<_> = [service].into_iter().chain(row).collect();
    wait_table(host, &expected.iter().map(String::as_str).collect::<Vec<_>>());
}

pub(crate) fn a_server_is_drained_disabled_and_weighed_by_command() -> Outcome {
    ours_only()?;
    let Street { client, director, server, .. } = &Street::new();
    let _web = Web::start(server, "0.0.0.0:80", |_| (200, "it"));
    let shop = Workshop::new();
    let check = shop.script("check.sh", "echo >>$HERE/runs; test -e $HERE/alive");
    shop.write("alive", "");
    let config = lines(&format!(
        "global_defs {{ script_user root; enable_script_security }} \
         virtual_server 10.1.0.1 80 {{ delay_loop 600; lvs_sched rr; lvs_method NAT; protocol TCP; \
         real_server 10.2.0.3 80 {{ weight 1; MISC_CHECK {{ misc_path {check}; warmup 0 }} }} }} ",
    ));
    let mut daemon = director.start(&config);
    wait_weight(director, Some(1));
    wait("the check has run", PATIENCE, || shop.exists("runs"));

    // A connection that stays.
    let open = {
        let _inside = client.enter();
        TcpStream::connect("10.1.0.1:80").expect("the server accepts")
    };
    let text = ok(&daemon, &["server", SERVICE, SERVER, "drain"]);
    let wanted = "is up, drain by command; weight 0 in IPVS, 1 active and 0 inactive connections";
    assert!(text.contains(wanted), "{text}");
    wait_weight(director, Some(0));
    ok(&daemon, &["reload"]);
    wait_weight(director, Some(0));
    let text = ok(&daemon, &["status"]);
    assert!(text.contains("drain, connections 1+0"), "{text}");
    drop(open);
    wait("the connection is over", PATIENCE, || {
        ok(&daemon, &["explain", SERVER]).contains("It has 0 active and 1 inactive connections.")
    });

    ok(&daemon, &["server", SERVICE, SERVER, "disable"]);
    wait_weight(director, None);
    let story = ok(&daemon, &["explain", SERVER]);
    assert!(story.contains("Because: disable by command of an operator."), "{story}");
    assert_eq!(kactl_says(&daemon, &["status", "--healthy", SERVICE]).0, Some(3));
    ok(&daemon, &["server", SERVICE, SERVER, "weight", "7"]);
    wait_weight(director, Some(7));
    // Neither another program nor a crash is the end of an order.
    ok(&daemon, &["restart"]);
    wait_weight(director, Some(7));
    assert!(ok(&daemon, &["explain", SERVER]).contains("By command: weight 7."));
    daemon.crash();
    let mark = daemon.mark();
    daemon.start_again();
    daemon.wait_log_since(mark, "Startup complete");
    wait("the order is in force", PATIENCE, || {
        kactl_says(&daemon, &["explain", SERVER]).1.contains("By command: weight 7.")
    });
    wait_weight(director, Some(7));
    ok(&daemon, &["server", SERVICE, SERVER, "enable"]);
    wait_weight(director, Some(1));
    assert!(!ok(&daemon, &["explain", SERVER]).contains("By command"));

    // Ten minutes earlier than by itself.
    shop.remove("alive");
    ok(&daemon, &["server", SERVICE, SERVER, "check-now"]);
    wait_weight(director, None);
    shop.write("alive", "");
    ok(&daemon, &["server", SERVICE, SERVER, "check-now"]);
    wait_weight(director, Some(1));
    assert_eq!(kactl_says(&daemon, &["server", SERVICE, "[10.2.0.4]:tcp:80", "drain"]).0, Some(5));
    Ok(())
}
