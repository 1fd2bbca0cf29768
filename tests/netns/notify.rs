//! Notification: scripts and their arguments, FIFO lines, mail.

use std::process::{Child, Command, Stdio};

use nix::fcntl::{open, OFlag};
use nix::sys::stat::Mode;

use crate::lab::{
    config_with, instance, ours_only, output_of, secs, stays, wait, Host, Instance, Outcome,
    Segment, Skip, Workshop, SOON,
};

const TRUSTING: &str = "    script_user root\n    enable_script_security";

fn hosts() -> (Segment, [Host; 1]) {
    Segment::with_hosts(["a"])
}

/// An instance with the generic and all specific scripts, each of which records its arguments.
fn chatty(shop: &Workshop, block: Instance) -> Instance {
    let recorder = shop.script("record.sh", "echo \"$*\" >>$HERE/notified");
    block
        .line(&format!("notify_master \"{recorder} specific master\""))
        .line(&format!("notify_backup \"{recorder} specific backup\""))
        .line(&format!("notify_fault \"{recorder} specific fault\""))
        .line(&format!("notify_stop \"{recorder} specific stop\""))
        .line(&format!("notify \"{recorder} generic\""))
}

pub(crate) fn scripts_get_the_documented_arguments() -> Outcome {
    let shop = Workshop::new();
    let (_segment, [a]) = hosts();
    let block = chatty(&shop, instance("VI_1").vip("10.7.1.1/16"));
    let mut daemon = a.start(&config_with(TRUSTING, &[block]));
    daemon.wait_master("VI_1");
    let notified = |line: &str| shop.lines("notified").iter().any(|l| l == line);
    for line in [
        "specific backup",
        "generic INSTANCE VI_1 BACKUP 100",
        "specific master",
        "generic INSTANCE VI_1 MASTER 100",
    ] {
        wait(line, SOON, || notified(line));
    }
    assert_eq!(daemon.stop().code(), Some(0));
    for line in ["specific stop", "generic INSTANCE VI_1 STOP 100"] {
        wait(line, SOON, || notified(line));
    }
    assert_eq!(shop.lines("notified").len(), 6);
    Ok(())
}

pub(crate) fn scripts_of_one_instance_run_in_order() -> Outcome {
    ours_only()?;
    let shop = Workshop::new();
    let (segment, [a]) = hosts();
    let slow = shop.script(
        "slow.sh",
        "echo begin $3 >>$HERE/notified; sleep 0.3; echo end $3 >>$HERE/notified",
    );
    let block = instance("VI_1").line(&format!("notify \"{slow}\"")).vip("10.7.1.1/16");
    let daemon = a.start(&config_with(TRUSTING, &[block]));
    daemon.wait_master("VI_1");
    segment.pull_cable(&a, "eth0");
    daemon.wait_log("(VI_1) Entering FAULT STATE");
    shop.wait_lines(
        "notified",
        &["begin BACKUP", "end BACKUP", "begin MASTER", "end MASTER", "begin FAULT", "end FAULT"],
    );
    Ok(())
}

/// The process attributes of a script at its start.
pub(crate) fn a_script_inherits_nothing_but_the_environment() -> Outcome {
    let shop = Workshop::new();
    let (_segment, [a]) = hosts();
    let look = shop.script(
        "look.sh",
        "{ for fd in /proc/$$/fd/*; do echo ${fd##*/} $(readlink $fd); done | grep -v look.sh; \
         grep -E '^(SigBlk|SigIgn)' /proc/self/status; ps -o pgid= -p $$ | tr -d ' '; echo $$; } >$HERE/draft 2>/dev/null\n\
         mv $HERE/draft $HERE/found",
    );
    let block = instance("VI_1").line(&format!("notify_master \"{look}\"")).vip("10.7.1.1/16");
    let _daemon = a.start(&config_with(TRUSTING, &[block]));
    let found = shop.wait_written("found");
    let lines: Vec<_> = found.lines().collect();
    let open =
        lines.iter().filter(|l| l.starts_with(|c: char| c.is_ascii_digit()) && l.contains('/'));
    let strange: Vec<_> =
        open.filter(|l| !l.ends_with("/dev/null") && !l.contains("draft")).collect();
    assert!(strange.is_empty(), "descriptors of the daemon: {strange:?}");
    for signals in lines.iter().filter(|l| l.starts_with("Sig")) {
        // Signals from 32 on belong to the C library.
        let mask = signals.split_whitespace().last().and_then(|m| u64::from_str_radix(m, 16).ok());
        assert_eq!(mask.map(|m| m & 0x7fff_ffff), Some(0), "{signals}");
    }
    let [group, pid] = lines[lines.len() - 2..] else { panic!("{found}") };
    assert_eq!(group, pid, "its own process group");
    Ok(())
}

pub(crate) fn a_group_is_notified_as_a_whole() -> Outcome {
    let shop = Workshop::new();
    let (_segment, [a]) = hosts();
    let recorder = shop.script("record.sh", "echo \"$*\" >>$HERE/notified");
    let blocks = [
        instance("VI_1").vrid(51).vip("10.7.1.1/16"),
        instance("VI_2").vrid(52).vip("10.7.1.2/16"),
    ];
    let group = format!(
        "vrrp_sync_group G1 {{\n group {{\n VI_1\n VI_2\n }}\n notify \"{recorder}\"\n notify_master \"{recorder} master\"\n}}\n"
    );
    let daemon = a.start(
        &(config_with(TRUSTING, &[]) + &group + &blocks[0].to_string() + &blocks[1].to_string()),
    );
    daemon.wait_master("VI_2");
    for line in ["GROUP G1 BACKUP 0", "master", "GROUP G1 MASTER 0"] {
        wait(line, SOON, || shop.lines("notified").iter().any(|l| l == line));
    }
    assert_eq!(shop.lines("notified").len(), 3);
    Ok(())
}

/// Reads a FIFO into a file, line by line.
struct Reader(Child);

impl Reader {
    fn start(shop: &Workshop, fifo: &str, into: &str) -> Self {
        let command = format!(
            "while read -r line; do echo \"$line\" >>{}; done <{}",
            shop.path(into),
            shop.path(fifo)
        );
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "sh", "-c", &command])
            .stdin(Stdio::null())
            .spawn()
            .expect("the runner has seen that setpriv is there");
        Self(child)
    }

    fn stop(mut self) {
        self.0.kill().expect("an own child");
        self.0.wait().expect("an own child");
    }
}

pub(crate) fn fifo_lines_match_the_manual() -> Outcome {
    let shop = Workshop::new();
    let (_segment, [a]) = hosts();
    let global = format!("    vrrp_notify_fifo {}", shop.path("fifo"));
    let blocks = [
        instance("VI_1").vrid(51).line("notify_priority_changes").vip("10.7.1.1/16"),
        instance("VI_2").vrid(52).vip("10.7.1.2/16"),
    ];
    let mut daemon = a.start(&config_with(&global, &blocks));
    wait("the FIFO is there", SOON, || shop.exists("fifo"));
    let reader = Reader::start(&shop, "fifo", "heard");
    daemon.wait_master("VI_1");
    daemon.wait_master("VI_2");
    let expected = [
        "INSTANCE \"VI_1\" BACKUP 100",
        "INSTANCE \"VI_2\" BACKUP 100",
        "INSTANCE \"VI_1\" MASTER 100",
        "INSTANCE \"VI_2\" MASTER 100",
    ];
    let sorted = |lines: &[String]| {
        let mut lines = lines.to_vec();
        lines.sort();
        lines
    };
    wait("four lines", SOON, || shop.lines("heard").len() >= 4);
    let heard = shop.lines("heard");
    assert_eq!(heard[..2], expected[..2]);
    assert_eq!(sorted(&heard), sorted(&expected.map(str::to_owned)));
    assert_eq!(daemon.stop().code(), Some(0));
    wait("six lines", SOON, || shop.lines("heard").len() == 6);
    assert_eq!(
        shop.lines("heard")[4..],
        ["INSTANCE \"VI_1\" STOP 100", "INSTANCE \"VI_2\" STOP 100"]
    );
    assert!(!shop.exists("fifo"), "a FIFO of ours goes with us");
    drop(reader);
    Ok(())
}

pub(crate) fn a_reopened_fifo_gets_the_current_state() -> Outcome {
    ours_only()?;
    let shop = Workshop::new();
    let (segment, [a]) = hosts();
    let global = format!("    vrrp_notify_fifo {}", shop.path("fifo"));
    let daemon = a.start(&config_with(&global, &[instance("VI_1").vip("10.7.1.1/16")]));
    wait("the FIFO is there", SOON, || shop.exists("fifo"));
    let first = Reader::start(&shop, "fifo", "first");
    wait("the first reader hears", SOON, || {
        shop.lines("first").last().is_some_and(|l| l == "INSTANCE \"VI_1\" MASTER 100")
    });
    first.stop();
    let second = Reader::start(&shop, "fifo", "second");
    wait("the second reader hears where things stand", SOON, || {
        shop.lines("second").last().is_some_and(|l| l == "INSTANCE \"VI_1\" MASTER 100")
    });
    segment.pull_cable(&a, "eth0");
    daemon.wait_log("(VI_1) Entering FAULT STATE");
    wait("and what comes next", SOON, || {
        shop.lines("second").last().is_some_and(|l| l == "INSTANCE \"VI_1\" FAULT 100")
    });
    second.stop();
    Ok(())
}

/// A reader that opens the FIFO and never reads loses lines, without other effects.
pub(crate) fn an_unread_fifo_blocks_nothing() -> Outcome {
    ours_only()?;
    let shop = Workshop::new();
    let (_segment, [a]) = hosts();
    let toggle = shop.script(
        "toggle.sh",
        "if test -e $HERE/flag; then rm $HERE/flag; else : >$HERE/flag; exit 1; fi",
    );
    let global = format!("    vrrp_notify_fifo {}\n{TRUSTING}", shop.path("fifo"));
    let script =
        format!("vrrp_script t {{\n script \"{toggle}\"\n interval 0.01\n weight -1\n}}\n");
    let name = "V".repeat(900);
    let block = instance(&name)
        .line("notify_priority_changes")
        .line("track_script {\n t\n }")
        .vip("10.7.1.1/16");
    let mut daemon = a.start(&(config_with(&global, &[]) + &script + &block.to_string()));
    wait("the FIFO is there", SOON, || shop.exists("fifo"));
    let path = shop.path("fifo");
    let _silent = open(path.as_str(), OFlag::O_RDONLY | OFlag::O_NONBLOCK, Mode::empty())
        .expect("the FIFO can be opened");
    daemon.wait_master(&name);
    wait("it holds the address", SOON, || a.holds("eth0", "10.7.1.1"));
    stays("it goes on", secs(2), || a.holds("eth0", "10.7.1.1"));
    assert_eq!(daemon.stop().code(), Some(0));
    Ok(())
}

pub(crate) fn the_fifo_script_gets_the_path_and_ends_with_the_daemon() -> Outcome {
    let shop = Workshop::new();
    let (_segment, [a]) = hosts();
    let script = shop.script(
        "reader.sh",
        "echo \"$*\" >$HERE/words; echo $$ >$HERE/pid\nwhile read -r line; do echo \"$line\" >>$HERE/heard; done <\"$2\"",
    );
    let fifo = shop.path("fifo");
    let global =
        format!("{TRUSTING}\n    notify_fifo {fifo}\n    notify_fifo_script \"{script} x\"");
    let mut daemon = a.start(&config_with(&global, &[instance("VI_1").vip("10.7.1.1/16")]));
    daemon.wait_master("VI_1");
    shop.wait_lines("words", &[&format!("x {fifo}")]);
    wait("the script reads", SOON, || {
        shop.lines("heard").last().is_some_and(|l| l == "INSTANCE \"VI_1\" MASTER 100")
    });
    let pid = shop.wait_written("pid");
    assert_eq!(daemon.stop().code(), Some(0));
    let path = format!("/proc/{}", pid.trim());
    wait("the script is gone", SOON, || !std::path::Path::new(&path).exists());
    Ok(())
}

/// A changed script, a script that has exited, and a removed FIFO are handled by the end of a
/// reload.
pub(crate) fn a_reload_restores_fifos_and_their_scripts() -> Outcome {
    ours_only()?;
    let shop = Workshop::new();
    let (_segment, [a]) = hosts();
    let script =
        shop.script("reader.sh", "echo \"$*\" >>$HERE/words; exec cat <\"$2\" >>$HERE/heard");
    let short = shop.script("short.sh", "echo \"$*\" >>$HERE/words");
    let fifo = shop.path("fifo");
    let config = |command: &str| {
        let global = format!(
            "{TRUSTING}\n    vrrp_notify_fifo {fifo}\n    vrrp_notify_fifo_script \"{command}\""
        );
        config_with(&global, &[instance("VI_1").vip("10.7.1.1/16")])
    };
    let daemon = a.start(&config(&format!("{short} x")));
    daemon.wait_master("VI_1");
    let line = |word: &str| format!("{word} {fifo}");
    shop.wait_lines("words", &[&line("x")]);
    daemon.wait_log("vrrp notify fifo script terminated");
    daemon.reload();
    shop.wait_lines("words", &[&line("x"), &line("x")]);
    daemon.rewrite(&config(&format!("{script} y")));
    daemon.reload();
    shop.wait_lines("words", &[&line("x"), &line("x"), &line("y")]);
    wait("the unread lines", SOON, || shop.lines("heard").len() == 2);
    shop.remove("fifo");
    daemon.reload();
    shop.wait_lines("words", &[&line("x"), &line("x"), &line("y"), &line("y")]);
    wait("where things stand", SOON, || shop.lines("heard").len() == 3);
    assert_eq!(shop.lines("heard")[2], "INSTANCE \"VI_1\" MASTER 100");
    Ok(())
}

pub(crate) fn startup_and_shutdown_scripts_run_first_and_last() -> Outcome {
    let shop = Workshop::new();
    let (_segment, [a]) = hosts();
    let say = shop.script(
        "say.sh",
        "ip -br addr show dev eth0 | grep -q 10.7.1.1; echo \"$1 $?\" >>$HERE/said",
    );
    let global = format!(
        "{TRUSTING}\n    startup_script \"{say} up\"\n    shutdown_script \"{say} down\"\n    shutdown_script_timeout 5"
    );
    let mut daemon = a.start(&config_with(&global, &[instance("VI_1").vip("10.7.1.1/16")]));
    daemon.wait_master("VI_1");
    wait("the address is there", SOON, || a.holds("eth0", "10.7.1.1"));
    assert_eq!(daemon.stop().code(), Some(0));
    // The address was not there yet at startup, and is gone at shutdown.
    shop.wait_lines("said", &["up 1", "down 1"]);
    Ok(())
}

pub(crate) fn a_hanging_startup_script_is_terminated() -> Outcome {
    ours_only()?;
    let shop = Workshop::new();
    let (_segment, [a]) = hosts();
    let hang =
        shop.script("hang.sh", "trap '' TERM; echo $$ >$HERE/pid; while :; do sleep 0.1; done");
    let global = format!("{TRUSTING}\n    startup_script {hang}\n    startup_script_timeout 1");
    let daemon = a.start(&config_with(&global, &[instance("VI_1").vip("10.7.1.1/16")]));
    daemon.wait_log_part(0, "startup script timed out");
    daemon.wait_master("VI_1");
    let path = format!("/proc/{}", shop.read("pid").trim());
    assert!(!std::path::Path::new(&path).exists());
    Ok(())
}

/// A mail server on port 2525 of a host, which stores mail in the workshop.
struct MailServer(Child);

const SERVER: &str = r#"
import sys, time
from aiosmtpd.controller import Controller
class Handler:
    async def handle_DATA(self, server, session, envelope):
        with open(sys.argv[1], "ab") as f:
            f.write(b"FROM " + envelope.mail_from.encode() + b" TO " + ",".join(envelope.rcpt_tos).encode() + b"\n")
            f.write(envelope.original_content + b"\n-- end\n")
        return "250 thank you"
Controller(Handler(), hostname="10.7.0.1", port=2525).start()
open(sys.argv[2], "w").write("ready")
time.sleep(120)
"#;

/// Sends a greeting, and then stalls.
const STALLED: &str = r#"
import socket, sys, time
s = socket.create_server(("10.7.0.1", 2525))
open(sys.argv[2], "w").write("ready")
held = []
s.settimeout(120)
while True:
    c, _ = s.accept()
    c.sendall(b"220 wait for it\r\n")
    held.append(c)
    open(sys.argv[1], "a").write("connected\n")
"#;

impl MailServer {
    fn start(host: &Host, shop: &Workshop, program: &str) -> Result<Self, Skip> {
        let mut import = Command::new("/usr/bin/python3");
        if output_of(import.args(["-c", "import aiosmtpd"])).0 != Some(0) {
            return Err(Skip::new("aiosmtpd is missing: apt-get install python3-aiosmtpd"));
        }
        shop.write("server.py", program);
        let child = {
            let _inside = host.enter();
            Command::new("setpriv")
                .args(["--pdeathsig", "KILL", "/usr/bin/python3"])
                .args([shop.path("server.py"), shop.path("mails"), shop.path("ready")])
                .spawn()
                .expect("the runner has seen that setpriv is there")
        };
        let server = Self(child);
        shop.wait_written("ready");
        Ok(server)
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const MAIL: &str = "    router_id lvs-älpha
    smtp_server 10.7.0.1 2525
    smtp_connect_timeout 2
    notification_email_from \"Kärntner <keepalived@lab>\"
    notification_email {
        root@lab
        \"Second Person <second@lab>\"
    }";

pub(crate) fn a_change_of_state_is_mailed() -> Outcome {
    let shop = Workshop::new();
    let (_segment, [a]) = hosts();
    let _server = MailServer::start(&a, &shop, SERVER)?;
    // Debian's reference passes names to the server unchanged.
    let global = MAIL
        .replace('ä', "a")
        .replace("\"Second Person <second@lab>\"", "second@lab")
        .replace("\"Karntner <keepalived@lab>\"", "keepalived@lab");
    let text = format!(
        "global_defs {{\n{global}\n}}\n{}",
        instance("VI_1").line("smtp_alert").vip("10.7.1.1/16")
    );
    let daemon = a.start(&text);
    daemon.wait_master("VI_1");
    wait("two mails", SOON, || shop.read("mails").matches("-- end").count() >= 2);
    let mails = shop.read("mails");
    let master = mails.split("-- end").find(|m| m.contains("MASTER")).expect("one for MASTER");
    for part in [
        "FROM keepalived@lab TO root@lab,second@lab",
        "Subject: [lvs-alpha] VRRP Instance VI_1 - Entering MASTER state",
        "X-Mailer: Keepalived",
        "=> VRRP Instance is now owning VRRP VIPs <=",
        "Date: ",
    ] {
        assert!(master.contains(part), "no '{part}' in {master}");
    }
    Ok(())
}

pub(crate) fn non_ascii_mail_arrives_unchanged() -> Outcome {
    ours_only()?;
    let shop = Workshop::new();
    let (_segment, [a]) = hosts();
    let _server = MailServer::start(&a, &shop, SERVER)?;
    let text = format!(
        "global_defs {{\n{MAIL}\n}}\n{}",
        instance("VI_1").line("smtp_alert").vip("10.7.1.1/16")
    );
    let daemon = a.start(&text);
    daemon.wait_master("VI_1");
    wait("two mails", SOON, || shop.read("mails").matches("-- end").count() >= 2);
    let decoded = a.output(
        "python3",
        &[
            "-c",
            "import sys, email, email.policy\nfor m in open(sys.argv[1], 'rb').read().split(b'-- end')[:2]:\n m = email.message_from_bytes(m.strip().split(b'\\n', 1)[1], policy=email.policy.default); sys.stdout.buffer.write((m['subject'] + '|' + m['from'] + '\\n').encode())",
            &shop.path("mails"),
        ],
    );
    assert!(
        decoded.contains(
            "[lvs-älpha] VRRP Instance VI_1 - Entering MASTER state|Kärntner <keepalived@lab>"
        ),
        "{decoded}"
    );
    Ok(())
}

pub(crate) fn a_stalled_mail_server_delays_nothing_else() -> Outcome {
    ours_only()?;
    let shop = Workshop::new();
    let (segment, [a]) = hosts();
    let _server = MailServer::start(&a, &shop, STALLED)?;
    let global = MAIL.replace('ä', "a");
    let block = instance("VI_1").line("smtp_alert").vip("10.7.1.1/16");
    let mut daemon = a.start(&format!("global_defs {{\n{global}\n}}\n{block}"));
    daemon.wait_master("VI_1");
    wait("the mail server was asked", SOON, || !shop.read("mails").is_empty());
    let mut capture = segment.capture();
    crate::lab::pass(secs(3));
    let adverts = capture.adverts_of(51);
    let worst = crate::lab::gaps(&adverts).into_iter().max().unwrap_or_default();
    assert!(worst < crate::lab::millis(140), "an advertisement came after {worst:?}");
    daemon.wait_log_part(0, "10.7.0.1");
    assert_eq!(daemon.stop().code(), Some(0));
    Ok(())
}
