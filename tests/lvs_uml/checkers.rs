//! Every checker, with a matching real server.

use std::net::UdpSocket;

use crate::farm::{certificate, lines, require_aiosmtpd, table, wait_table, Server, Web};
use crate::lab::{
    ours_only, require_program, secs, stays, Host, Namespace, Outcome, Segment, Workshop,
};

/// A virtual server with one real server and this check.
struct Checked {
    port: u16,
    server: &'static str,
    udp: bool,
    checker: String,
}

impl Checked {
    fn new(port: u16, checker: &str) -> Self {
        Self { port, server: "10.7.0.2", udp: false, checker: checker.to_owned() }
    }

    fn udp(port: u16, checker: &str) -> Self {
        Self { udp: true, ..Self::new(port, checker) }
    }

    fn virtual_address(&self) -> &'static str {
        if self.server.contains(':') {
            "fd07::1:1"
        } else {
            "10.7.1.1"
        }
    }

    fn block(&self) -> String {
        let (vip, port, server) = (self.virtual_address(), self.port, self.server);
        let protocol = if self.udp { "UDP" } else { "TCP" };
        lines(&format!(
            "virtual_server {vip} {port} {{ delay_loop 1; lvs_sched wlc; lvs_method DR; protocol {protocol}; retry 0; \
             connect_timeout 1; real_server {server} {port} {{ weight 1; {} }} }} ",
            self.checker
        ))
    }

    fn key(&self) -> String {
        let letter = if self.udp { 'u' } else { 't' };
        format!("-{letter} {}", Self::shown(self.virtual_address(), self.port))
    }

    fn shown(address: &str, port: u16) -> String {
        if address.contains(':') {
            format!("[{address}]:{port}")
        } else {
            format!("{address}:{port}")
        }
    }

    fn row(&self, weight: u8) -> String {
        format!("-a {} -r {} -g -w {weight}", self.key(), Self::shown(self.server, self.port))
    }
}

/// The sorted table of all of them, with the servers that have a weight.
fn rows(all: &[Checked], weight: impl Fn(&Checked) -> Option<u8>) -> Vec<String> {
    let servers = all.iter().filter_map(|c| weight(c).map(|w| c.row(w)));
    let services = all.iter().map(|c| format!("-A {} -s wlc", c.key()));
    let mut rows: Vec<_> = services.chain(servers).collect();
    rows.sort();
    rows
}

#[track_caller]
fn wait_rows(host: &Host, rows: &[String]) {
    wait_table(host, &rows.iter().map(String::as_str).collect::<Vec<_>>());
}

fn config(all: &[Checked], shop: &Workshop) -> String {
    let mut text =
        lines("global_defs { router_id lab; script_user root; enable_script_security } ");
    let number = shop.path("number");
    text += &lines(&format!("track_file watched {{ file {number}; weight 0 }} "));
    text += &lines(&format!("track_file added {{ file {number}; weight 1 }} "));
    all.iter().for_each(|c| text += &c.block());
    text
}

/// No server runs at first: all are removed. Then all start, and stop again.
fn they_come_and_go<S>(all: &[Checked], shop: &Workshop, start: impl Fn(&Host) -> S) {
    let (_segment, [director, server]) = Segment::with_hosts(["a", "s"]);
    let mut daemon = director.start(&config(all, shop));
    let (down, up) = (rows(all, |_| None), rows(all, |_| Some(1)));
    wait_rows(&director, &down);
    let servers = start(&server);
    wait_rows(&director, &up);
    stays("the servers are in the table", secs(2), || table(&director) == up);
    drop(servers);
    wait_rows(&director, &down);
    assert!(daemon.stop().success());
}

pub(crate) fn tcp_and_http_servers_come_and_go() -> Outcome {
    let get = |url: &str| format!("HTTP_GET {{ url {{ {url} }} }}");
    let all = [
        Checked::new(1001, "TCP_CHECK { connect_timeout 1 }"),
        Checked::new(1002, &get("path /; status_code 200")),
        Checked::new(
            1003,
            "HTTP_GET { http_protocol 1.1; virtualhost www.example; url { path / } }",
        ),
        Checked::new(1004, &get("path /digested; digest e44ac848b54053adeef5fc47d1aadb36")),
        Checked::new(1005, &get("path /; regex wel+come")),
        Checked::new(1006, &get("path /moved; status_code 301-302 307")),
        Checked::new(1007, "HTTP_GET { url { path / }; url { path /digested; status_code 200 } }"),
    ];
    they_come_and_go(&all, &Workshop::new(), |server| {
        [1001, 1002, 1003, 1004, 1005, 1006, 1007].map(|port| {
            Web::start(server, &format!("10.7.0.2:{port}"), |path| match path {
                "/" => (200, "you are welcome"),
                "/digested" => (200, "digested"),
                "/moved" => (302, "elsewhere"),
                _ => (404, ""),
            })
        })
    });
    Ok(())
}

/// The content of a reply is checked.
pub(crate) fn wrong_pages_are_failures() -> Outcome {
    let get = |url: &str| format!("HTTP_GET {{ url {{ {url} }} }}");
    let all = [
        Checked::new(1002, &get("path /; status_code 200")),
        Checked::new(1003, &get("path /good; status_code 200-204")),
        Checked::new(1004, &get("path /good; digest e44ac848b54053adeef5fc47d1aadb36")),
        Checked::new(1005, &get("path /good; regex wel+come")),
        Checked::new(1006, &get("path /good; regex wel+come; regex_no_match")),
        Checked::new(1007, "SMTP_CHECK { connect_timeout 1 }"),
        Checked::new(1008, "TCP_CHECK { connect_timeout 1 }"),
    ];
    let (_segment, [director, server]) = Segment::with_hosts(["a", "s"]);
    let _webs = [1002, 1003, 1004, 1005, 1006, 1007, 1008].map(|port| {
        Web::start(&server, &format!("10.7.0.2:{port}"), |path| match path {
            "/good" => (200, "something"),
            _ => (500, ""),
        })
    });
    let mut daemon = director.start(&config(&all, &Workshop::new()));
    let right = rows(&all, |c| [1003, 1006, 1008].contains(&c.port).then_some(1));
    wait_rows(&director, &right);
    stays("the wrong pages are out", secs(2), || table(&director) == right);
    assert!(daemon.stop().success());
    Ok(())
}

pub(crate) fn tls_mail_and_name_servers_come_and_go() -> Outcome {
    require_program("openssl", "openssl")?;
    require_program("dnsmasq", "dnsmasq-base")?;
    require_aiosmtpd()?;
    let all = [
        Checked::new(1001, "SSL_GET { url { path /; status_code 200 } }"),
        Checked::new(1002, "SMTP_CHECK { helo_name lab.example }"),
        Checked::udp(1003, "DNS_CHECK { type A; name lab.example }"),
    ];
    let shop = Workshop::new();
    let (certificate, key) = certificate(&shop, "lab");
    they_come_and_go(&all, &shop, |server| {
        let tls = [
            "openssl",
            "s_server",
            "-www",
            "-accept",
            "10.7.0.2:1001",
            "-key",
            &key,
            "-cert",
            &certificate,
        ];
        let mail = [
            "/usr/bin/python3",
            "-m",
            "aiosmtpd",
            "-n",
            "-l",
            "10.7.0.2:1002",
            "-c",
            "aiosmtpd.handlers.Sink",
        ];
        let names = [
            "/usr/sbin/dnsmasq",
            "-k",
            "-C",
            "/dev/null",
            "--pid-file=",
            "--user=root",
            "--listen-address=10.7.0.2",
            "--bind-interfaces",
            "--port=1003",
            "--no-resolv",
            "--no-hosts",
            "--address=/lab.example/10.7.0.9",
        ];
        let started = [
            (1001, Server::start(server, &tls)),
            (1002, Server::start(server, &mail)),
            (1003, Server::start(server, &names)),
        ];
        started.map(|(port, program)| program.listens(server, &format!("10.7.0.2:{port}")))
    });
    Ok(())
}

pub(crate) fn ports_and_hosts_come_and_go() -> Outcome {
    let all = [
        Checked::udp(1001, "UDP_CHECK { connect_timeout 1 }"),
        Checked { server: "10.7.0.3", ..Checked::new(1002, "PING_CHECK { connect_timeout 1 }") },
        Checked { server: "fd07::3", ..Checked::new(1003, "PING_CHECK { connect_timeout 1 }") },
        Checked { server: "fd07::3", ..Checked::new(1004, "TCP_CHECK { connect_timeout 1 }") },
    ];
    let (_segment, [director, server]) = Segment::with_hosts(["a", "s"]);
    let mut daemon = director.start(&config(&all, &Workshop::new()));
    let (down, up) = (rows(&all, |_| None), rows(&all, |_| Some(1)));
    wait_rows(&director, &down);
    server.ip("addr add 10.7.0.3/16 dev eth0\naddr add fd07::3/64 dev eth0 nodad");
    let socket = {
        let _inside = server.enter();
        UdpSocket::bind("10.7.0.2:1001").expect("a free port")
    };
    let web = Web::start(&server, "[fd07::3]:1004", |_| (200, ""));
    wait_rows(&director, &up);
    server.ip("addr del 10.7.0.3/16 dev eth0\naddr del fd07::3/64 dev eth0");
    drop((socket, web));
    wait_rows(&director, &down);
    assert!(daemon.stop().success());
    Ok(())
}

/// Statuses of scripts and numbers in files are weights.
pub(crate) fn scripts_and_files_give_weights() -> Outcome {
    let shop = Workshop::new();
    let status = shop.script("status.sh", "exit $(cat $HERE/status)");
    let misc =
        |dynamic| format!("MISC_CHECK {{ misc_path \"{status}\"; misc_timeout 5; {dynamic} }}");
    let all = [
        Checked::new(1001, &misc("")),
        Checked::new(1002, &misc("misc_dynamic")),
        Checked::new(1003, "FILE_CHECK { track_file watched; weight 0 }"),
        Checked::new(1004, "FILE_CHECK { track_file added; weight 1 }"),
    ];
    let story: [(&str, &str, [Option<u8>; 4]); 5] = [
        ("0", "0", [Some(1), Some(1), Some(1), Some(1)]),
        ("1", "7", [None, None, None, Some(8)]),
        ("12", "-5", [None, Some(10), None, Some(0)]),
        ("7", "0", [None, Some(5), Some(1), Some(1)]),
        ("0", "2", [Some(1), Some(1), None, Some(3)]),
    ];
    let (_segment, [director]) = Segment::with_hosts(["a"]);
    let mut daemon = None;
    for (status, number, weights) in story {
        for (name, text) in [("status", status), ("number", number)] {
            shop.write("draft", text);
            std::fs::rename(shop.path("draft"), shop.path(name)).expect("one folder");
        }
        daemon.get_or_insert_with(|| director.start(&config(&all, &shop)));
        wait_rows(&director, &rows(&all, |c| weights[usize::from(c.port) - 1001]));
    }
    assert!(daemon.is_some_and(|mut daemon| daemon.stop().success()));
    Ok(())
}

/// A forbidding route counts as a failure of the server, for every kind of check.
pub(crate) fn servers_behind_forbidding_routes_are_out() -> Outcome {
    let get = "HTTP_GET { url { path / } }";
    let kinds: [(bool, &str); 6] = [
        (false, "TCP_CHECK { retry 0 }"),
        (false, get),
        (false, "SMTP_CHECK { retry 0 }"),
        (true, "DNS_CHECK { type A; retry 0 }"),
        (true, "UDP_CHECK { retry 0 }"),
        (false, "PING_CHECK { retry 0 }"),
    ];
    let servers = ["10.8.0.1", "10.8.0.2", "10.8.0.3", "fd08::1", "fd08::2", "fd08::3"];
    let pairs = servers.iter().flat_map(|server| kinds.iter().map(move |kind| (*server, kind)));
    let all: Vec<_> = pairs
        .zip(1001..)
        .map(|((server, (udp, check)), port)| Checked {
            server,
            udp: *udp,
            ..Checked::new(port, check)
        })
        .collect();
    let (_segment, [director]) = Segment::with_hosts(["a"]);
    for (route, n) in [("prohibit", 1), ("blackhole", 2), ("unreachable", 3)] {
        director.ip(&format!("route add {route} 10.8.0.{n}\nroute add {route} fd08::{n}"));
    }
    let mut daemon = director.start(&config(&all, &Workshop::new()));
    wait_rows(&director, &rows(&all, |_| None));
    assert!(daemon.stop().success());
    Ok(())
}

pub(crate) fn a_dead_server_stays_out_at_a_reload() -> Outcome {
    let all = ["weight 1", "weight 2"].map(|weight| {
        [1001, 1002].map(|port| Checked::new(port, &format!("{weight}; TCP_CHECK {{ retry 0 }}")))
    });
    let (_segment, [director, server]) = Segment::with_hosts(["a", "s"]);
    let _web = Web::start(&server, "10.7.0.2:1001", |_| (200, ""));
    let shop = Workshop::new();
    let mut daemon = director.start(&config(&all[0], &shop));
    let alive = |weight| rows(&all[0], |c| (c.port == 1001).then_some(weight));
    wait_rows(&director, &alive(1));
    daemon.rewrite(&config(&all[1], &shop));
    daemon.reload();
    wait_rows(&director, &alive(2));
    stays("the dead server is out", secs(2), || table(&director) == alive(2));
    assert!(daemon.stop().success());
    Ok(())
}

pub(crate) fn a_crash_changes_no_server() -> Outcome {
    ours_only()?;
    let all = [1001, 1002, 1003].map(|port| {
        let alpha = if port == 1003 { "; alpha" } else { "" };
        Checked::new(port, &format!("TCP_CHECK {{ retry 0 }}{alpha}"))
    });
    let (_segment, [director, server]) = Segment::with_hosts(["a", "s"]);
    let _webs =
        [1001, 1003].map(|port| Web::start(&server, &format!("10.7.0.2:{port}"), |_| (200, "")));
    let mut daemon = director.start(&config(&all, &Workshop::new()));
    let alive = rows(&all, |c| (c.port != 1002).then_some(1));
    wait_rows(&director, &alive);
    for _ in 0..2 {
        daemon.crash();
        let mark = daemon.mark();
        daemon.start_again();
        stays("the same servers are in", secs(3), || table(&director) == alive);
        daemon.wait_log_since(mark, "Startup complete");
    }
    assert!(daemon.stop().success());
    Ok(())
}

/// Replies to every packet with this text, until the guest ends.
fn echo(host: &Namespace, address: &str, answer: &'static [u8]) {
    let socket = {
        let _inside = host.enter();
        UdpSocket::bind(address).expect("a free port")
    };
    #[expect(clippy::disallowed_methods, reason = "a server beside the test")]
    std::thread::spawn(move || {
        while let Ok((_, peer)) = socket.recv_from(&mut [0; 512]) {
            let _ = socket.send_to(answer, peer);
        }
    });
}

pub(crate) fn required_replies_are_compared() -> Outcome {
    let all = [
        Checked::udp(1001, "UDP_CHECK { payload 0102; require_reply 6f6b }"),
        Checked::udp(1002, "UDP_CHECK { payload 0102; require_reply 6fxx }"),
        Checked::udp(1003, "UDP_CHECK { payload 0102; require_reply 7878 }"),
        Checked::udp(1004, "UDP_CHECK { payload 0102; require_reply }"),
    ];
    let (_segment, [director, server]) = Segment::with_hosts(["a", "s"]);
    for port in [1001, 1002, 1003] {
        echo(&server, &format!("10.7.0.2:{port}"), b"ok");
    }
    let _silent = {
        let _inside = server.enter();
        UdpSocket::bind("10.7.0.2:1004").expect("a free port")
    };
    let mut daemon = director.start(&config(&all, &Workshop::new()));
    let right = rows(&all, |c| (c.port < 1003).then_some(1));
    wait_rows(&director, &right);
    stays("the right replies are in", secs(2), || table(&director) == right);
    assert!(daemon.stop().success());
    Ok(())
}
