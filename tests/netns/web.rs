//! Metrics, the status page and the probe, over HTTP.

#![expect(clippy::disallowed_methods, reason = "tests read the clock, and measure")]

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::http::{ask, connect, get, Reply};
use crate::lab::{
    config_with, instance, kactl_says, millis, ours_only, output_of, pass, secs, wait, Host,
    Instance, Outcome, Program, Segment, SOON,
};

const HERE: &str = "127.0.0.1:9650";

fn router(priority: u8) -> Instance {
    instance("VI_1").priority(priority).vip("10.7.1.1/16")
}

fn listening(at: &str) -> String {
    config_with(&format!("metrics_listen {at}"), &[router(200)])
}

/// The names and labels of samples.
fn series(text: &str) -> BTreeSet<&str> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| line.rsplit_once(' ')).map(|(series, _)| series).collect()
}

#[track_caller]
fn wait_sample(host: &Host, sample: &str) {
    let mut text = String::new();
    let seen = crate::lab::eventually(SOON, || {
        text = get(host, HERE, "/metrics").body;
        text.lines().any(|line| line == sample)
    });
    assert!(seen, "{sample} is not in\n{text}");
}

pub(crate) fn metrics_the_page_and_kactl_say_the_same() -> Outcome {
    ours_only()?;
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let name = "<script>alert('VI')</script>&amp;";
    let odd = instance(&format!("\"{name}\"")).vrid(77).vip("10.7.1.2/16");
    let daemon = a.start(&config_with("metrics_listen 9650", &[router(200), odd]));
    let peer = b.start(&config_with("metrics_listen unix:/nowhere/k.http", &[router(100)]));
    daemon.wait_master("VI_1");
    // The state is a label of some samples.
    daemon.wait_master(name);
    peer.wait_log_part(0, "cannot serve metrics at unix:/nowhere/k.http: No such file");
    let sample = "keepalived_vrrp_state{iname=\"VI_1\",intf=\"eth0\",vrid=\"51\",\
                  ip_address=\"10.7.1.1/16\"} 2";
    wait_sample(&a, sample);

    let metrics = get(&a, HERE, "/metrics");
    assert_eq!(metrics.status, 200);
    let kind = metrics.field("Content-Type");
    assert_eq!(kind, Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(series(&metrics.body), series(&kactl_says(&daemon, &["metrics"])));

    let json = get(&a, HERE, "/status.json");
    let json: Value = serde_json::from_str(&json.body).expect("JSON");
    let told: Value =
        serde_json::from_str(&kactl_says(&daemon, &["status", "--json"])).expect("it");
    let keys = |value: &Value| {
        value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>()
    };
    assert_eq!(keys(&json), keys(&told));
    assert_eq!(keys(&json["daemon"]), keys(&told["daemon"]));
    for (ours, theirs) in [(&json, &told), (&told, &json)] {
        let all = ours["instances"].as_array().expect("a list");
        for (n, instance) in all.iter().enumerate() {
            let other = &theirs["instances"][n];
            for key in ["name", "state", "why", "priority", "addresses", "interface"] {
                assert_eq!(instance[key], other[key], "{key}");
            }
        }
    }
    assert_eq!(json["instances"][1]["name"], name);

    let page = get(&a, HERE, "/");
    assert_eq!(page.field("Cache-Control"), Some("no-store"));
    assert_eq!(page.field("X-Content-Type-Options"), Some("nosniff"));
    let policy = page.field("Content-Security-Policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    let row = "<th scope=\"row\">VI_1</th><td data-head=\"State\">\
               <span class=\"state good\">MASTER</span>";
    assert!(page.body.contains(row), "{}", page.body);
    assert!(!page.body.contains("<script>") && page.body.contains("&lt;script&gt;alert(&#39;VI"));
    Ok(())
}

/// Whether something listens there.
fn serves(host: &Host, at: &str) -> bool {
    connect(host, at).is_ok()
}

pub(crate) fn a_reload_opens_moves_and_closes_the_socket() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&config_with("", &[router(200)]));
    daemon.wait_master("VI_1");
    assert!(!serves(&a, HERE), "it is off by default");
    let reload = |at: &str| {
        daemon.rewrite(&listening(at));
        kactl_says(&daemon, &["reload"])
    };
    reload("9650");
    let mut early = connect(&a, HERE).expect("it is served");
    wait("the client is accepted", SOON, || get(&a, HERE, "/healthz").status == 200);
    // Nothing changed: the client stays, and the socket is not opened again.
    let mark = daemon.mark();
    kactl_says(&daemon, &["reload"]);
    assert!(!daemon.logged_since(mark, "Metrics and the status page are served at 127.0.0.1:9650"));
    reload("[::1]:9651");
    assert!(!serves(&a, HERE) && serves(&a, "[::1]:9651"));
    assert_eq!(get(&a, "[::1]:9651", "/healthz").body, "ok\n");
    let reply = ask(&mut early, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(reply.status, 200, "it came before the move");
    let path = daemon.file("k.http");
    reload(&format!("unix:{}", path.display()));
    assert!(!serves(&a, "[::1]:9651"));
    let mut local = UnixStream::connect(&path).expect("it is served");
    assert_eq!(ask(&mut local, b"GET /healthz HTTP/1.0\r\n\r\n").body, "ok\n");
    reload("off");
    assert!(!path.exists());
    // The command line comes first.
    let other = a.start_with(&listening("9650"), &["--metrics", "127.0.0.1:9652"]);
    other.wait_log_part(0, "Metrics and the status page are served at 127.0.0.1:9652");
    assert!(serves(&a, "127.0.0.1:9652") && !serves(&a, HERE));
    let mut check = Command::new(&Program::under_test().path);
    let file = other.file("keepalived.conf");
    let (status, text) = output_of(check.args(["-t", "-f"]).arg(file).args(["--metrics", "x"]));
    assert!(status != Some(0) && text.contains("--metrics: give PORT"), "{status:?}: {text}");
    Ok(())
}

pub(crate) fn a_port_that_is_taken_is_no_end() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let taken = {
        let _inside = a.enter();
        TcpListener::bind(HERE).expect("the port is free")
    };
    let daemon = a.start(&listening("9650"));
    daemon.wait_master("VI_1");
    daemon.wait_log_part(0, "cannot serve metrics at 127.0.0.1:9650: Address already in use");
    drop(taken);
    daemon.reload();
    wait("a reload tries again", SOON, || serves(&a, HERE));
    Ok(())
}

pub(crate) fn an_unhealthy_instance_is_shown_by_the_probe() -> Outcome {
    ours_only()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&listening("9650"));
    daemon.wait_master("VI_1");
    assert_eq!(get(&a, HERE, "/healthz").status, 200);
    segment.pull_cable(&a, "eth0");
    wait("it is in FAULT", SOON, || get(&a, HERE, "/healthz").status == 503);
    assert_eq!(get(&a, HERE, "/healthz").body, "VI_1 is in FAULT: interface eth0 down\n");
    wait_sample(
        &a,
        "keepalived_vrrp_transitions_total{iname=\"VI_1\",intf=\"eth0\",vrid=\"51\",\
         cause=\"fault\"} 1",
    );
    Ok(())
}

pub(crate) fn requests_that_are_not_served() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&listening("9650"));
    daemon.wait_master("VI_1");
    let said =
        |request: &[u8]| -> Reply { ask(&mut connect(&a, HERE).expect("it is served"), request) };
    let long = [&b"GET / HTTP/1.1\r\nHost: a\r\nX: "[..], &vec![b'x'; 100_000]].concat();
    // The reply comes although the body is not read.
    let post =
        [&b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n"[..], &[b'x'; 99_999]];
    for (request, status) in [
        (&b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"[..], 404),
        (b"GET /metrics/../status.json HTTP/1.1\r\nHost: a\r\n\r\n", 404),
        (&post.concat(), 405),
        (b"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", 405),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"{\"version\":1,\"do\":\"reload\"}\n\n", 400),
        (&long, 431),
        (
            &b"GET / HTTP/1.1\r\nHost: a\r\n"
                .iter()
                .copied()
                .chain(b"a: b\r\n".repeat(100))
                .collect::<Vec<_>>(),
            431,
        ),
        (b"GET / HTTP/3.7\r\nHost: a\r\n\r\n", 505),
    ] {
        let reply = said(request);
        assert_eq!(reply.status, status, "{reply:?}");
        assert_eq!(reply.field("Connection"), Some("close"));
        let length = reply.field("Content-Length").and_then(|n| n.parse().ok());
        assert_eq!(length, Some(reply.body.len()), "{reply:?}");
    }
    // Of several requests, the first one is answered.
    let request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000);
    assert_eq!(said(&request).body, "ok\n");
    let head = said(b"HEAD /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    // A byte at a time.
    let mut slow = connect(&a, HERE).expect("it is served");
    slow.set_nodelay(true).expect("a socket");
    for byte in b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r" {
        slow.write_all(&[*byte]).expect("it reads");
    }
    assert_eq!(ask(&mut slow, b"\n").body, "ok\n");
    Ok(())
}

pub(crate) fn a_client_that_asks_nothing_or_reads_nothing_is_dropped() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let many: Vec<_> = (0..200)
        .map(|n| instance(&format!("VI_{n}")).vrid(n + 1).vip(&format!("10.7.2.{}/16", n + 1)))
        .collect();
    // Otherwise, the kernel takes a reply of this size off the daemon.
    for buffers in ["tcp_rmem", "tcp_wmem"] {
        a.sysctl(&format!("net/ipv4/{buffers}"), "4096 8192 16384");
    }
    let daemon = a.start(&config_with("metrics_listen 9650", &many));
    daemon.wait_master("VI_199");
    let began = Instant::now();
    let mut silent = connect(&a, HERE).expect("it is served");
    silent.set_read_timeout(Some(secs(60))).expect("a socket");
    silent.write_all(b"GET / HTTP/1.1\r\n").expect("it reads");
    let lazy: Vec<_> = (0..4).map(|_| connect(&a, HERE).expect("it is served")).collect();
    for mut stream in &lazy {
        let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for _ in 0..5 {
        assert_eq!(get(&a, HERE, "/healthz").status, 200);
    }
    assert!(began.elapsed() < secs(5), "others wait");
    wait("those that do not read are dropped", secs(40), || {
        let line = "a client of the web does not read: its connection is closed";
        daemon.log().iter().filter(|own| *own == line).count() == lazy.len()
    });
    assert!(began.elapsed() > secs(9), "{:?}", began.elapsed());
    let mut text = String::new();
    silent.read_to_string(&mut text).expect("an end");
    assert!(text.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{text}");
    assert!(began.elapsed() > secs(28), "{:?}", began.elapsed());
    Ok(())
}

pub(crate) fn clients_beyond_the_limit_are_turned_away() -> Outcome {
    ours_only()?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = a.start(&listening("9650"));
    daemon.wait_master("VI_1");
    let idle: Vec<_> = (0..64).map(|_| connect(&a, HERE).expect("it is served")).collect();
    wait("there is no room", SOON, || {
        let Ok(mut stream) = connect(&a, HERE) else { return false };
        let mut text = String::new();
        // Without a request, so that nothing is left unread.
        stream.set_read_timeout(Some(millis(500))).expect("a socket");
        let _ = stream.read_to_string(&mut text);
        text.starts_with("HTTP/1.1 503 ")
    });
    // Those of the control socket are not affected.
    kactl_says(&daemon, &["status"]);
    drop(idle);
    wait("there is room again", SOON, || {
        connect(&a, HERE).is_ok_and(|mut stream| {
            let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
            let mut text = String::new();
            stream.read_to_string(&mut text).is_ok() && text.ends_with("ok\n")
        })
    });
    Ok(())
}

/// Far more than a monitoring system asks.
pub(crate) fn scrapes_delay_no_advert() -> Outcome {
    ours_only()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    let mut capture = segment.capture();
    let many = (0..100).map(|n| {
        instance(&format!("VI_{n}")).vrid(n + 100).every("1").vip(&format!("10.7.9.{n}/16"))
    });
    let all: Vec<_> = [router(200)].into_iter().chain(many).collect();
    let daemon = a.start(&config_with("metrics_listen 9650", &all));
    daemon.wait_master("VI_1");
    let began = Instant::now();
    let (mut scrapes, mut bytes) = (0_u32, 0);
    while began.elapsed() < secs(5) {
        let reply = get(&a, HERE, "/metrics");
        assert!(reply.body.ends_with('\n') && reply.body.contains("keepalived_up 1\n"));
        (scrapes, bytes) = (scrapes + 1, bytes + reply.body.len());
        pass((millis(50) * scrapes).saturating_sub(began.elapsed()));
    }
    let adverts = capture.adverts();
    let own: Vec<_> = adverts.iter().filter(|advert| advert.vrid == 51).map(|a| a.at).collect();
    let mut gaps: Vec<Duration> = own.windows(2).map(|w| w[1] - w[0]).collect();
    gaps.sort();
    let (middle, worst) = (gaps[gaps.len() / 2], gaps[gaps.len() - 1]);
    eprintln!(
        "{scrapes} scrapes of {bytes} bytes: adverts every {middle:?}, at most {worst:?} apart"
    );
    assert!(gaps.len() > 40 && scrapes > 20, "{} gaps, {scrapes} scrapes", gaps.len());
    assert!(worst < millis(150), "an advert came {worst:?} after the last one");
    Ok(())
}
