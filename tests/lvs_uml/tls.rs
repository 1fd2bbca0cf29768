//! `SSL_GET` against nginx: server names, sessions, client certificates.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::farm::{certificate, lines, succeeds, wait_table, Server, PATIENCE};
use crate::lab::{
    eventually, millis, ours_only, pass, require_program, wait, Host, Outcome, Segment, Workshop,
};

/// Runs nginx on a host with these `server` blocks, of which one listens at this port. It logs
/// requests to `asked`.
fn nginx(host: &Host, shop: &Workshop, port: u16, servers: &str) -> Server {
    let (asked, errors, folder) = (shop.path("asked"), shop.path("errors"), shop.path("nginx"));
    let (file, key) = certificate(shop, "default.example");
    shop.write(
        "nginx.conf",
        &format!(
            "user root; daemon off; worker_processes 1; error_log {errors}; pid {folder}.pid;
            events {{ worker_connections 2000; }}
            http {{
                log_format asked '$uri $ssl_protocol $server_addr $ssl_server_name $http_host '
                    '$ssl_session_reused $ssl_client_verify $status';
                access_log {asked} asked;
                client_body_temp_path {folder}.1; proxy_temp_path {folder}.2;
                fastcgi_temp_path {folder}.3; uwsgi_temp_path {folder}.4; scgi_temp_path {folder}.5;
                ssl_certificate {file};
                ssl_certificate_key {key};
                {servers}
            }}"
        ),
    );
    let command = ["nginx", "-e", &errors, "-c", &shop.path("nginx.conf")];
    Server::start(host, &command).listens(host, &format!("10.7.0.2:{port}"))
}

/// The requests that nginx received.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Asked {
    path: String,
    version: String,
    server: String,
    sni: String,
    host: String,
    resumed: bool,
    client: String,
    status: String,
}

fn asked(shop: &Workshop) -> Vec<Asked> {
    let parse = |line: &String| {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        let [path, version, server, sni, host, reused, client, status] = words.try_into().ok()?;
        Some(Asked { path, version, server, sni, host, resumed: reused == "r", client, status })
    };
    shop.lines("asked").iter().filter_map(parse).collect()
}

fn require() -> Outcome {
    require_program("nginx", "nginx-light")?;
    require_program("openssl", "openssl")
}

/// A virtual server at this port of 10.7.1.1 with one real server, 10.7.0.2, checked at port 443.
fn service(port: u16, virtualhost: &str, of_server: &str, check: &str) -> String {
    lines(&format!(
        "virtual_server 10.7.1.1 {port} {{ delay_loop 1; lvs_sched rr; lvs_method NAT; protocol TCP; {virtualhost}; \
         real_server 10.7.0.2 443 {{ weight 1; {of_server}; SSL_GET {{ connect_timeout 4; retry 0; {check} }} }} }} "
    ))
}

pub(crate) fn configured_names_reach_the_server() -> Outcome {
    require()?;
    let shop = Workshop::new();
    let (_segment, [director, server]) = Segment::with_hosts(["a", "s"]);
    let mut blocks = String::from("server { listen 10.7.0.2:443 ssl default_server; return 404; }");
    for name in ["one.example", "two.example"] {
        let (file, key) = certificate(&shop, name);
        let _ = write!(
            blocks,
            "server {{ listen 10.7.0.2:443 ssl; server_name {name}; ssl_certificate {file};
             ssl_certificate_key {key}; return 200 'this is {name}'; }}"
        );
    }
    let _nginx = nginx(&server, &shop, 443, &blocks);
    let (one, two) = ("virtualhost one.example", "virtualhost two.example");
    let url = |path: &str, inner: &str| format!("url {{ path /{path}; {inner} }}");
    let is = |name: &str| format!("regex \"is {name}.example\"");
    let config = [
        service(
            1,
            "",
            "",
            &format!(
                "enable_sni; {}; {}",
                url("1a", &format!("{one}; {}", is("one"))),
                url("1b", &format!("{two}; {}", is("two")))
            ),
        ),
        service(2, one, "", &format!("enable_sni; {two}; {}", url("2", &is("two")))),
        service(3, one, "", &format!("enable_sni; {}", url("3", &is("one")))),
        // The virtual host of a real server is not used as a TLS server name.
        service(4, one, two, &format!("enable_sni; {}", url("4", &is("two")))),
        service(5, "", two, &format!("enable_sni; {}", url("5", &is("two")))),
        service(6, one, "", &url("6", &is("one"))),
        service(7, one, "", &format!("enable_sni; {}", url("7", &format!("{two}; {}", is("two"))))),
        service(8, "", "", &format!("enable_sni; {}", url("8", "status_code 404"))),
    ];
    let expected = [
        ("/1a", "one.example", "one.example"),
        ("/1b", "two.example", "two.example"),
        ("/2", "two.example", "two.example"),
        ("/3", "one.example", "one.example"),
        ("/4", "one.example", "two.example"),
        ("/5", "-", "two.example"),
        ("/6", "-", "one.example"),
        ("/7", "two.example", "two.example"),
        ("/8", "-", "10.7.0.2:443"),
    ];
    let mut daemon = director.start(&config.concat());
    let mut seen = Vec::new();
    let done = eventually(PATIENCE, || {
        seen = asked(&shop).into_iter().map(|a| (a.path, a.sni, a.host)).collect();
        expected.iter().all(|e| seen.iter().filter(|s| s.0 == e.0).count() >= 2) || {
            pass(millis(200));
            false
        }
    });
    assert!(done, "not everything is requested: {seen:#?}");
    for (path, sni, host) in &seen {
        assert!(expected.contains(&(path, sni, host)), "{path} with {sni} and {host}");
    }
    // The pages are correct: no server was removed.
    let mut rows: Vec<_> = (1..=8)
        .flat_map(|port| {
            let key = format!("-t 10.7.1.1:{port}");
            [format!("-A {key} -s rr"), format!("-a {key} -r 10.7.0.2:443 -m -w 1")]
        })
        .collect();
    rows.sort();
    wait_table(&director, &rows.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(daemon.stop().success());
    Ok(())
}

/// Real servers for each TLS version: more than the session store of rustls holds by default.
const MANY: usize = 50;

pub(crate) fn sessions_of_many_servers_are_resumed() -> Outcome {
    ours_only()?;
    require()?;
    let shop = Workshop::new();
    let (_segment, [director, server]) = Segment::with_hosts(["a", "s"]);
    server.ip("route add local 10.8.0.0/16 dev lo");
    director.ip("route add 10.8.0.0/16 via 10.7.0.2");
    let blocks: String = ["1.2", "1.3"]
        .iter()
        .map(|v| {
            let port = v.replace("1.", "100");
            format!("server {{ listen {port} ssl; ssl_protocols TLSv{v}; return 200 hello; }}")
        })
        .collect();
    let _nginx = nginx(&server, &shop, 1002, &blocks);
    let mut config = String::new();
    for port in [1002, 1003] {
        let _ = write!(
            config,
            "virtual_server 10.7.1.1 {port} {{ delay_loop 4; lvs_sched rr; lvs_method NAT; protocol TCP; virtualhost www.example; "
        );
        for n in 1..=MANY {
            // With one name for all, or by address.
            let sni = if n % 2 == 0 { "enable_sni" } else { "" };
            let _ = write!(
                config,
                "real_server 10.8.1.{n} {port} {{ weight 1; SSL_GET {{ {sni}; connect_timeout 4; url {{ path / }} }} }} "
            );
        }
        config.push_str("} ");
    }
    let mut daemon = director.start(&lines(&config));
    let mut by_server = BTreeMap::new();
    let done = eventually(2 * PATIENCE, || {
        by_server.clear();
        for a in asked(&shop) {
            let kinds: &mut Vec<_> = by_server.entry((a.version, a.server)).or_default();
            kinds.push(a.resumed);
        }
        by_server.len() == 2 * MANY && by_server.values().all(|kinds| kinds.len() >= 2) || {
            pass(millis(200));
            false
        }
    });
    assert!(done, "not every server was checked twice: {by_server:?}");
    for (server, kinds) in &by_server {
        let full = kinds.iter().filter(|resumed| !**resumed).count();
        assert!(full == 1 && !kinds[0], "{server:?} had these resumed: {kinds:?}");
    }
    assert!(daemon.stop().success());
    Ok(())
}

pub(crate) fn the_client_certificate_is_sent_on_request() -> Outcome {
    require()?;
    let shop = Workshop::new();
    let (_segment, [director, server]) = Segment::with_hosts(["a", "s"]);
    let (file, key) = certificate(&shop, "client");
    let locked = shop.path("locked");
    let lock = ["pkcs8", "-topk8", "-in", &key, "-passout", "pass:secret", "-out", &locked];
    assert!(succeeds("openssl", &lock), "no locked key");
    let _nginx = nginx(
        &server,
        &shop,
        443,
        &format!(
            "server {{ listen 10.7.0.2:443 ssl; ssl_verify_client on; ssl_client_certificate {file};
             return 200 hello; }}"
        ),
    );
    let check = "url { path /; status_code 200 }";
    let with = |ssl: &str| lines(&format!("SSL {{ {ssl} }} ")) + &service(1, "", "", check);
    let [row, up] = ["-A -t 10.7.1.1:1 -s rr", "-a -t 10.7.1.1:1 -r 10.7.0.2:443 -m -w 1"];
    let count = |client: &str, status: &str| {
        asked(&shop).iter().filter(|a| a.client == client && a.status == status).count()
    };
    let whole = with(&format!("certificate {file}; key {locked}; password secret"));
    let mut daemon = director.start(&whole);
    wait("the certificate arrives", PATIENCE, || count("SUCCESS", "200") >= 2);
    wait_table(&director, &[row, up]);
    // A key alone is not enough.
    daemon.rewrite(&with(&format!("key {key}")));
    daemon.reload();
    wait_table(&director, &[row]);
    assert!(count("NONE", "400") > 0);
    daemon.rewrite(&whole);
    daemon.reload();
    wait_table(&director, &[row, up]);
    assert!(daemon.stop().success());
    Ok(())
}

/// Each reload reads the key material again.
pub(crate) fn a_reload_can_correct_an_invalid_key() -> Outcome {
    ours_only()?;
    require()?;
    let shop = Workshop::new();
    let (_segment, [director, server]) = Segment::with_hosts(["a", "s"]);
    let (file, key) = certificate(&shop, "client");
    let _nginx = nginx(
        &server,
        &shop,
        443,
        &format!(
            "server {{ listen 10.7.0.2:443 ssl; ssl_verify_client on; ssl_client_certificate {file};
             return 200 hello; }}"
        ),
    );
    let given = shop.path("given");
    let ssl = format!("SSL {{ certificate {file}; key {given} }} ");
    let config = lines(&ssl) + &service(1, "", "", "url { path /; status_code 200 }");
    let mut daemon = director.start(&config);
    daemon.wait_log_part(0, &format!("cannot use the SSL key: cannot read {given}"));
    shop.write("given", &std::fs::read_to_string(&key).expect("it was made"));
    daemon.reload();
    daemon.wait_log("Remote Web server [10.7.0.2]:tcp:443 succeed on service.");
    assert!(asked(&shop).iter().all(|a| a.client == "SUCCESS"));
    assert!(daemon.stop().success());
    Ok(())
}
