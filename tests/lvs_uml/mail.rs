//! Mail about virtual and real servers.

use std::fmt::Write as _;

use crate::farm::{lines, require_aiosmtpd, wait_table, Server, Web, PATIENCE};
use crate::lab::{eventually, wait, Host, Namespace, Outcome, Program, Segment, Workshop};

const SERVER: &str = r#"
import sys, time
from aiosmtpd.controller import Controller
class Handler:
    async def handle_DATA(self, server, session, envelope):
        text = b"FROM " + envelope.mail_from.encode() + b" TO " + ",".join(envelope.rcpt_tos).encode()
        with open(sys.argv[1], "ab") as f:
            f.write(text + b"\n" + envelope.original_content.replace(b"\r\n", b"\n") + b"-- end\n")
        return "250 thank you"
Controller(Handler(), hostname="10.7.0.1", port=25).start()
time.sleep(200)
"#;

fn mail_server(host: &Namespace, shop: &Workshop) -> Server {
    shop.write("server.py", SERVER);
    let (program, mails) = (shop.path("server.py"), shop.path("mails"));
    Server::start(host, &["/usr/bin/python3", &program, &mails]).listens(host, "10.7.0.1:25")
}

/// The invariable parts of a mail: subject and text.
type Mail = (String, String);

/// All mails from the daemon with this `router_id`, sorted.
fn mails_of(shop: &Workshop, router: &str) -> Vec<Mail> {
    let all = shop.read("mails");
    let mut found: Vec<_> = all.split("-- end\n").filter_map(|mail| parse(mail, router)).collect();
    found.sort();
    found
}

fn parse(mail: &str, router: &str) -> Option<Mail> {
    let (head, text) = mail.split_once("\n\n")?;
    let subject = head.lines().find_map(|line| line.strip_prefix("Subject: "))?;
    let subject = subject.strip_prefix(&format!("[{router}] "))?;
    // The reference of Debian does not fold the list.
    let head = head.replace(",\n ", ", ");
    for part in [
        "FROM keepalived@lab TO root@lab,second@lab\n",
        "\nDate: ",
        "\nFrom: keepalived@lab\n",
        "\nX-Mailer: Keepalived\n",
        "\nTo: root@lab, second@lab",
    ] {
        assert!(head.contains(part), "no {part:?} in {mail}");
    }
    // Behind the reference's text there may be a line of ours.
    let text = text.trim();
    let text = text.split_once("\nbecause: ").map_or(text, |(text, _)| text);
    Some((subject.to_owned(), text.to_owned()))
}

/// A configuration, and whether mail about real servers and virtual servers is then expected.
#[derive(Debug)]
struct Case {
    global: &'static str,
    of_virtual: &'static str,
    of_real: &'static str,
    mailed: (bool, bool),
}

const fn case(
    global: &'static str,
    of_virtual: &'static str,
    of_real: &'static str,
    mailed: (bool, bool),
) -> Case {
    Case { global, of_virtual, of_real, mailed }
}

const CASES: [Case; 4] = [
    case("smtp_alert", "", "", (true, true)),
    case("", "", "", (true, false)),
    case("smtp_alert; smtp_alert_checker off", "smtp_alert", "", (false, true)),
    case("smtp_alert off", "", "smtp_alert", (true, false)),
];

/// Two servers that are up while a file exists, and are both needed; and one with a port.
fn config(shop: &Workshop, router: &str, case: &Case) -> String {
    let check = shop.script("check.sh", "test -e $HERE/$1");
    let Case { global, of_virtual, of_real, .. } = case;
    let mut text = format!(
        "global_defs {{ router_id {router}; script_user root; enable_script_security; smtp_server 10.7.0.1; \
         notification_email_from keepalived@lab; notification_email {{ root@lab; second@lab }}; {global} }} \
         virtual_server 10.0.0.1 80 {{ delay_loop 1; lvs_sched rr; lvs_method DR; protocol TCP; quorum 2; omega; {of_virtual}; "
    );
    for n in [1, 2] {
        let _ = write!(
            text,
            "real_server 10.9.0.{n} 80 {{ weight 1; {of_real}; \
             MISC_CHECK {{ misc_path \"{check} {n}\"; misc_timeout 9 }} }} "
        );
    }
    let _ = write!(
        text,
        "}} virtual_server 10.0.0.2 90 {{ delay_loop 1; lvs_sched rr; lvs_method NAT; protocol TCP; {of_virtual}; \
         real_server 10.7.0.1 90 {{ weight 1; {of_real}; HTTP_GET {{ connect_timeout 5; retry 0; url {{ path / }} }} }} \
         real_server 10.7.0.1 91 {{ weight 1; {of_real}; TCP_CHECK {{ connect_timeout 5; retry 0 }} }} }} "
    );
    lines(&text)
}

/// Waits until the tables of all hosts have these servers, by number.
#[track_caller]
fn wait_servers(hosts: &[Host], alive: &[u8]) {
    let of_second = |port| format!("-a -t 10.0.0.2:90 -r 10.7.0.1:{port} -m -w 1");
    let mut rows: Vec<_> =
        ["10.0.0.1:80", "10.0.0.2:90"].map(|s| format!("-A -t {s} -s rr")).into();
    rows.extend(alive.iter().map(|n| match n {
        90.. => of_second(n),
        _ => format!("-a -t 10.0.0.1:80 -r 10.9.0.{n}:80 -g -w 1"),
    }));
    rows.sort();
    let rows: Vec<_> = rows.iter().map(String::as_str).collect();
    hosts.iter().for_each(|host| wait_table(host, &rows));
}

pub(crate) fn mail_about_servers_and_quorums_follows_the_settings() -> Outcome {
    require_aiosmtpd()?;
    let programs = [("t", &Program::reference()?), ("o", Program::under_test())];
    let shop = Workshop::new();
    let (segment, [world]) = Segment::with_hosts(["w"]);
    let _mails = mail_server(&world, &shop);
    let webs =
        || [90, 91].map(|port| Web::start(&world, &format!("10.7.0.1:{port}"), |_| (200, "")));
    let web = webs();
    ["1", "2"].into_iter().for_each(|n| shop.write(n, ""));
    let (mut hosts, mut daemons) = (Vec::new(), Vec::new());
    for case in &CASES {
        for (letter, program) in programs {
            let id = u8::try_from(hosts.len() + 2).expect("few hosts");
            let host = Host::new(&format!("{letter}{id}"));
            segment.attach(&host, "eth0", id);
            daemons.push(host.start_program(program, &config(&shop, &host.name, case)));
            hosts.push(host);
        }
    }
    wait_servers(&hosts, &[1, 2, 90, 91]);
    // Every check has run: removals are notified from now on.
    let ran = "Misc check for [[10.9.0.2]:tcp:80 VS [10.0.0.1]:tcp:80]";
    for daemon in &daemons {
        wait("the checks have run", PATIENCE, || daemon.log().iter().any(|l| l.contains(ran)));
    }
    drop(web);
    shop.remove("2");
    wait_servers(&hosts, &[1]);
    shop.write("2", "");
    let _web = webs();
    wait_servers(&hosts, &[1, 2, 90, 91]);
    assert!(daemons.iter_mut().all(|daemon| daemon.stop().success()));
    let expected = EXPECTED.map(|(subject, text)| (subject.to_owned(), format!("=> {text} <=")));
    for (case, hosts) in CASES.iter().zip(hosts.chunks(2)) {
        let (of_real, of_virtual) = case.mailed;
        let wanted = |(subject, _): &&Mail| match subject.starts_with("Realserver") {
            true => of_real,
            false => of_virtual,
        };
        let mut expected: Vec<_> = expected.iter().filter(wanted).cloned().collect();
        expected.sort();
        for (host, (_, program)) in hosts.iter().zip(programs) {
            let mut seen = Vec::new();
            let expected = if program.ours { expected.clone() } else { as_newer(expected.clone()) };
            let done = eventually(PATIENCE, || {
                seen = mails_of(&shop, &host.name);
                if !program.ours {
                    seen = as_newer(std::mem::take(&mut seen));
                }
                seen == expected
            });
            assert!(done, "{} with {case:?} sent {seen:#?} instead of {expected:#?}", host.name);
            if program.ours && of_real {
                let because = "\nbecause: TCP_CHECK 10.7.0.1:91: ";
                assert!(shop.read("mails").contains(because), "no cause in the mails");
            }
        }
    }
    Ok(())
}

const EXPECTED: [(&str, &str); 15] = [
    ("Virtualserver [10.0.0.1]:tcp:80 - UP", "Starting with quorum up 2+0=2 <= 2"),
    ("Virtualserver [10.0.0.2]:tcp:90 - UP", "Starting with quorum up 1+0=1 <= 2"),
    (
        "Realserver [10.7.0.1]:tcp:90 of virtual server [10.0.0.2]:tcp:90 - DOWN",
        "CHECK failed on service : HTTP/SSL request failed",
    ),
    (
        "Realserver [10.7.0.1]:tcp:91 of virtual server [10.0.0.2]:tcp:90 - DOWN",
        "TCP CHECK failed on service",
    ),
    ("Virtualserver [10.0.0.2]:tcp:90 - DOWN", "Lost quorum 1+0=1 <= 0"),
    (
        "Realserver [10.9.0.2]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - DOWN",
        "MISC CHECK failed on service",
    ),
    ("Virtualserver [10.0.0.1]:tcp:80 - DOWN", "Lost quorum 2+0=2 <= 1"),
    (
        "Realserver [10.7.0.1]:tcp:90 of virtual server [10.0.0.2]:tcp:90 - UP",
        "CHECK succeed on service",
    ),
    (
        "Realserver [10.7.0.1]:tcp:91 of virtual server [10.0.0.2]:tcp:90 - UP",
        "TCP CHECK succeed on service",
    ),
    ("Virtualserver [10.0.0.2]:tcp:90 - UP", "Gained quorum 1+0=1 <= 1"),
    (
        "Realserver [10.9.0.2]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - UP",
        "MISC CHECK succeeded on service",
    ),
    ("Virtualserver [10.0.0.1]:tcp:80 - UP", "Gained quorum 2+0=2 <= 2"),
    // From here on: on stop.
    ("Realserver [10.9.0.1]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - DOWN", "Shutting down"),
    ("Realserver [10.9.0.2]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - DOWN", "Shutting down"),
    ("Virtualserver [10.0.0.1]:tcp:80 - DOWN", "Shutting down"),
];

/// Compensates for differences of Debian's keepalived 2.2.7: its message for a missing page, mail
/// for the first success of a script, and an exit before its last mail is sent.
fn as_newer(mut mails: Vec<Mail>) -> Vec<Mail> {
    for (_, text) in &mut mails {
        *text = text.replace("HTTP request", "HTTP/SSL request");
    }
    mails.dedup();
    let first = "Realserver [10.9.0.1]:tcp:80 of virtual server [10.0.0.1]:tcp:80 - UP";
    mails.retain(|(subject, text)| subject != first && !text.contains("Shutting down"));
    mails
}
