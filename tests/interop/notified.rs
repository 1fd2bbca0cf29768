//! The reference and this program go through the same events: notifications must be the same.

use std::collections::BTreeMap;

use crate::lab::{
    config_with, instance, wait, Daemon, Host, Outcome, Program, Segment, Workshop, SOON,
};

/// Notifications by instance and group, in order.
type Heard = BTreeMap<String, Vec<String>>;

struct Notified {
    fifo: Heard,
    scripts: Heard,
}

fn config(shop: &Workshop, with_third: bool) -> String {
    let recorder = shop.script("record.sh", "echo \"$*\" >>$HERE/notified");
    let check = shop.script("check.sh", "test -e $HERE/good");
    let global = format!(
        "    script_user root\n    enable_script_security\n    vrrp_notify_fifo {}",
        shop.path("fifo")
    );
    let mut text = config_with(&global, &[]);
    text += &format!(
        "vrrp_script check {{\n script \"{check}\"\n interval 0.1\n weight -5\n}}\n\
         vrrp_sync_group G1 {{\n group {{\n VI_1\n VI_2\n }}\n notify \"{recorder}\"\n notify_fault \"{recorder} G1 fault\"\n}}\n"
    );
    text += &instance("VI_1").vrid(51).vip("10.7.1.1/16").to_string();
    text += &instance("VI_2").vrid(52).vip("10.7.1.2/16").to_string();
    if with_third {
        text += &instance("VI_3")
            .vrid(53)
            .line("track_script {\n check\n }")
            .line("notify_priority_changes")
            .line(&format!("notify \"{recorder}\""))
            .line(&format!("notify_master \"{recorder} VI_3 master\""))
            .line(&format!("notify_backup \"{recorder} VI_3 backup\""))
            .line(&format!("notify_fault \"{recorder} VI_3 fault\""))
            .line(&format!("notify_stop \"{recorder} VI_3 stop\""))
            .vip("10.7.1.3/16")
            .to_string();
    }
    text
}

/// Sorts lines by the first of these names that they contain.
fn by_name(lines: &[String]) -> Heard {
    let mut heard = Heard::new();
    for line in lines {
        let name = ["G1", "VI_1", "VI_2", "VI_3"].into_iter().find(|n| line.contains(n));
        heard.entry(name.unwrap_or("none").to_owned()).or_default().push(line.clone());
    }
    heard
}

struct Story {
    segment: Segment,
    host: [Host; 1],
    shop: Workshop,
}

impl Story {
    fn last(&self, name: &str) -> String {
        let heard = by_name(&self.shop.lines("heard"));
        heard.get(name).and_then(|l| l.last().cloned()).unwrap_or_default()
    }

    #[track_caller]
    fn hears(&self, name: &str, what: &str) {
        wait(&format!("the FIFO says {what} of {name}"), SOON, || self.last(name).contains(what));
    }

    fn all(&self, what: &str) {
        for name in ["G1", "VI_1", "VI_2", "VI_3"] {
            self.hears(name, what);
        }
    }

    fn run(&self, program: &Program) -> Notified {
        self.shop.write("good", "");
        let mut daemon = self.host[0].start_program(program, &config(&self.shop, true));
        wait("the FIFO is there", SOON, || self.shop.exists("fifo"));
        let _reader = Reader::start(&self.shop);
        self.all(" MASTER ");
        self.shop.remove("good");
        self.hears("VI_3", "MASTER_PRIORITY 95");
        self.shop.write("good", "");
        self.hears("VI_3", "MASTER_PRIORITY 100");
        self.segment.pull_cable(&self.host[0], "eth0");
        self.all(" FAULT ");
        self.segment.plug_cable(&self.host[0], "eth0");
        self.all(" MASTER ");
        wait("the scripts are done", SOON, || self.shop.lines("notified").len() == 16);
        let scripts = self.shop.lines("notified");
        self.remove_third(&mut daemon);
        assert_eq!(daemon.stop().code(), Some(0));
        self.hears("G1", " STOP ");
        // The reference starts scripts concurrently: those of one event may overtake each other.
        let mut scripts = by_name(&scripts);
        scripts.values_mut().for_each(|list| list.sort());
        Notified { fifo: by_name(&self.shop.lines("heard")), scripts }
    }

    fn remove_third(&self, daemon: &mut Daemon) {
        daemon.rewrite(&config(&self.shop, false));
        daemon.reload();
        self.hears("VI_3", " FAULT ");
        wait("its address is gone", SOON, || !self.host[0].holds("eth0", "10.7.1.3"));
    }
}

/// Reopens the FIFO repeatedly: a reload may have replaced it.
struct Reader(std::process::Child);

impl Reader {
    fn start(shop: &Workshop) -> Self {
        let (fifo, into) = (shop.path("fifo"), shop.path("heard"));
        let command = format!(
            "for i in $(seq 1000); do while read -r line; do echo \"$line\" >>{into}; done <{fifo}; sleep 0.02; done 2>/dev/null"
        );
        let child = std::process::Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "bash", "-c", &command])
            .spawn()
            .expect("the runner has seen that setpriv is there");
        Self(child)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn notifications_of(program: &Program) -> Notified {
    let (segment, host) = Segment::with_hosts(["a"]);
    let story = Story { segment, host, shop: Workshop::new() };
    story.run(program)
}

pub(crate) fn scripts_and_fifos_say_the_same() -> Outcome {
    let theirs = notifications_of(&Program::reference()?);
    let ours = notifications_of(Program::under_test());
    assert_eq!(ours.fifo, theirs.fifo);
    assert_eq!(ours.scripts, theirs.scripts);
    Ok(())
}
