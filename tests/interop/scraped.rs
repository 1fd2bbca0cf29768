//! Prometheus, its checker and a browser as the clients of metrics and the status page.

#![expect(clippy::disallowed_methods, reason = "tests read files and run programs")]

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use keepalived::web::metrics::names;
use serde_json::Value;

use crate::lab::http::get;
use crate::lab::{
    config_with, eventually, instance, kactl_says, output_of, require_program, secs, wait, Daemon,
    Host, Instance, Outcome, Runs, Segment, Skip, Workshop, SOON,
};

const HERE: &str = "127.0.0.1:9650";
const SERVER: &str = "127.0.0.1:9090";
/// A name that every form of output has to escape.
const ODD: &str = "<b>\\\\odd'&amp;</b>";

fn shipped(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf").join(name);
    std::fs::read_to_string(path).expect("it is in the repository")
}

/// What a text says of one metric or another, without the suffixes of histograms.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let words = words.filter(|word| word.starts_with("keepalived_"));
    let base = |word: &str| {
        let ends = ["_bucket", "_count", "_sum"];
        let histogram = ends.iter().find_map(|end| word.strip_suffix(end));
        let known = |name: &&str| names().any(|(own, _)| own == *name);
        histogram.filter(known).unwrap_or(word).to_owned()
    };
    words.map(base).collect()
}

pub(crate) fn the_dashboard_and_the_alerts_name_metrics_that_exist() -> Outcome {
    let dashboard: Value =
        serde_json::from_str(&shipped("grafana-dashboard.json")).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().expect("targets"));
    let texts = targets.map(|target| target["expr"].as_str().expect("a query").to_owned());
    let texts: Vec<_> = texts.chain([shipped("prometheus-alerts.yml")]).collect();
    let used: BTreeSet<_> = texts.iter().flat_map(|text| named(text)).collect();
    assert!(used.len() > 20, "{used:?}");
    let lost: Vec<_> = used.iter().filter(|name| !names().any(|(own, _)| own == **name)).collect();
    assert!(lost.is_empty(), "not served: {lost:?}");
    Ok(())
}

pub(crate) fn promtool_finds_nothing_wrong_with_the_alerts() -> Outcome {
    require_program("promtool", "prometheus")?;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/prometheus-alerts.yml");
    let (status, text) = output_of(Command::new("promtool").args(["check", "rules"]).arg(file));
    assert!(status == Some(0) && text.contains("12 rules found"), "{text}");
    Ok(())
}

fn router() -> Instance {
    instance("VI_1").priority(200).vip("10.7.1.1/16").line("track_script {\n chk weight 7\n }")
}

/// A master with everything that a router without IPVS has samples of.
fn start(host: &Host) -> Daemon {
    let global =
        "metrics_listen 9650\n}\nvrrp_script chk {\n script /bin/true\n interval 1\n rise 1";
    let odd = instance(&format!("\"{ODD}\"")).vrid(77).vip("10.7.1.2/16");
    let daemon = host.start(&config_with(global, &[router(), odd]));
    daemon.wait_master("VI_1");
    daemon.wait_master(ODD);
    wait("the script has run", SOON, || {
        get(host, HERE, "/metrics").body.contains("keepalived_script_status{name=\"chk\"} 1\n")
    });
    daemon
}

pub(crate) fn promtool_finds_nothing_wrong_with_the_metrics() -> Outcome {
    require_program("promtool", "prometheus")?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let _daemon = start(&a);
    let check = |text: &str| {
        let mut promtool = Command::new("promtool");
        promtool.args(["check", "metrics"]).stdin(Stdio::piped());
        let mut child = promtool.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(text.as_bytes()).expect("it reads");
        drop(stdin);
        let done = child.wait_with_output().expect("it ends");
        let said = [done.stdout, done.stderr].concat();
        (done.status.code(), String::from_utf8_lossy(&said).into_owned())
    };
    let text = get(&a, HERE, "/metrics").body;
    assert_eq!(check(&text), (Some(0), String::new()), "{text}");
    // It sees what is wrong.
    let (status, said) = check(&text.replace("le=\"+Inf\"} ", "le=\"+Inf\"} x"));
    assert!(status != Some(0), "{said}");
    Ok(())
}

/// What Prometheus answers to a query: the labels and the value of each sample.
fn query(host: &Host, query: &str) -> Vec<(Value, String)> {
    let reply = get(host, SERVER, &format!("/api/v1/query?query={query}"));
    let reply: Value = serde_json::from_str(&reply.body).unwrap_or_default();
    let found = reply["data"]["result"].as_array().cloned().unwrap_or_default();
    let value = |sample: &Value| sample["value"][1].as_str().unwrap_or_default().to_owned();
    found.iter().map(|sample| (sample["metric"].clone(), value(sample))).collect()
}

pub(crate) fn prometheus_takes_every_sample() -> Outcome {
    require_program("prometheus", "prometheus")?;
    let (_segment, [a]) = Segment::with_hosts(["a"]);
    let daemon = start(&a);
    let shop = Workshop::new();
    let alerts = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/prometheus-alerts.yml");
    shop.write(
        "prometheus.yml",
        &format!(
            "global: {{ scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 1s }}\n\
             rule_files: ['{}']\n\
             scrape_configs:\n- job_name: keepalived\n  static_configs:\n  - targets: ['{HERE}']\n",
            alerts.display()
        ),
    );
    let (file, data) = (shop.path("prometheus.yml"), shop.path("data"));
    let server = Runs::new(
        &a,
        &[
            "prometheus",
            &format!("--config.file={file}"),
            &format!("--storage.tsdb.path={data}"),
            &format!("--web.listen-address={SERVER}"),
        ],
    );
    let is_ready = || crate::lab::http::connect(&a, SERVER).is_ok();
    assert!(eventually(secs(30), is_ready), "{}", server.output());
    let up = || query(&a, "up").iter().any(|(_, value)| value == "1");
    assert!(eventually(secs(30), up), "{}", server.output());
    let state = query(&a, "keepalived_vrrp_instance_state");
    let names: BTreeSet<_> =
        state.iter().filter_map(|(labels, _)| labels["iname"].as_str()).collect();
    assert_eq!(names, ["VI_1", ODD].into(), "{state:?}");
    assert!(state.iter().any(|(_, value)| value == "2"), "{state:?}");
    let served = kactl_says(&daemon, &["metrics"]);
    let samples = served.lines().filter(|line| !line.starts_with('#')).count();
    let mut taken = Vec::new();
    let is_whole = || {
        taken = query(&a, "scrape_samples_scraped");
        taken.iter().any(|(_, value)| *value == samples.to_string())
    };
    assert!(eventually(SOON, is_whole), "{samples}, not {taken:?}");
    // The expressions of the alerts can be evaluated.
    let rules = get(&a, SERVER, "/api/v1/rules").body;
    assert!(
        rules.contains("KeepalivedTwoMasters") && !rules.contains("\"health\":\"err\""),
        "{rules}"
    );
    Ok(())
}

/// Debian's browser without a screen, or the whole of it.
fn browser() -> Result<&'static str, Skip> {
    let known = ["chromium-headless-shell", "chromium"];
    let found = known.into_iter().find(|name| require_program(name, name).is_ok());
    found.ok_or_else(|| Skip::new("no browser: apt-get install chromium-headless-shell"))
}

/// Loads a page: the document as the browser understood it, and the lines of its console.
fn load(host: &Host, browser: &str, url: &str) -> (String, Vec<String>) {
    let shop = Workshop::new();
    let _inside = host.enter();
    let done = Command::new("timeout")
        .args(["60", browser, "--headless", "--no-sandbox", "--disable-gpu"])
        .args(["--disable-dev-shm-usage", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", shop.path("profile")))
        .arg(url)
        .env("HOME", shop.path("home"))
        .stdin(Stdio::null())
        .output()
        .expect("timeout is there");
    let log = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{log}");
    let console = log.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    (String::from_utf8_lossy(&done.stdout).into_owned(), console)
}

/// The text of an element of a document as a browser writes it.
fn text(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        out.push_str(before);
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")];
    pairs.iter().fold(out, |text, (from, to)| text.replace(from, to))
}

pub(crate) fn a_browser_shows_what_kactl_says() -> Outcome {
    let browser = browser()?;
    let (segment, [a]) = Segment::with_hosts(["a"]);
    segment.attach(&a, "eth1", 9);
    let ill = instance("VI_ill").on("eth1").vrid(78).vip("10.7.1.3/16");
    let global =
        "metrics_listen 9650\n}\nvrrp_script chk {\n script /bin/true\n interval 1\n rise 1";
    let odd = instance(&format!("\"{ODD}\"")).vrid(77).vip("10.7.1.2/16");
    let daemon = a.start(&config_with(global, &[router(), odd, ill]));
    daemon.wait_master("VI_1");
    daemon.wait_master(ODD);
    segment.pull_cable(&a, "eth1");
    daemon.wait_fault("VI_ill");
    wait("the script counts", SOON, || {
        kactl_says(&daemon, &["status", "--json"]).contains("\"effective\": 207")
    });
    let (page, console) = load(&a, browser, &format!("http://{HERE}/"));
    assert!(console.is_empty(), "{console:?}");
    assert!(page.contains("</footer>"), "{page}");
    let told = kactl_says(&daemon, &["status", "--json"]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let table = page.split("<table").nth(1).expect("a table");
    let rows: Vec<_> = table.split("<tr>").skip(2).collect();
    let instances = told["instances"].as_array().expect("a list");
    assert_eq!(rows.len(), instances.len(), "{table}");
    for (row, instance) in rows.iter().zip(instances) {
        let cells: Vec<_> =
            row.split("<t").skip(1).map(|cell| text(&format!("<t{cell}"))).collect();
        let part = |key: &str| instance[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(cells[0], part("name"), "{row}");
        assert_eq!(cells[1], part("state"), "{row}");
        let faults = instance["faults"].as_array().expect("a list");
        let why = faults.first().and_then(Value::as_str).map_or_else(|| part("why"), str::to_owned);
        assert!(cells[3].contains(&why), "{why}: {row}");
        let priority = instance["priority"]["effective"].to_string();
        assert!(cells[4].starts_with(&priority), "{priority}: {row}");
        for part in instance["priority"]["parts"].as_array().expect("a list") {
            assert!(cells[4].contains(part["reason"].as_str().expect("text")), "{row}");
        }
        for address in instance["addresses"].as_array().expect("a list") {
            assert!(cells[6].contains(address["address"].as_str().expect("text")), "{row}");
        }
    }
    assert_eq!(rows.iter().filter(|row| row.contains("state bad")).count(), 1);
    // The console is seen, and the policy of the page forbids what it does not contain itself.
    let (_, console) = load(&a, browser, "data:text/html,<script>console.error('bad')</script>");
    assert_eq!(console.len(), 1, "{console:?}");
    Ok(())
}
