//! Quorum, sorry server, `alpha`, `omega` and `inhibit_on_failure`: the table, FIFOs and scripts.

use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command};

use crate::farm::{lines, table, wait_table, PATIENCE};
use crate::lab::{eventually, wait, Host, Outcome, Program, Workshop};

const SERVICE: &str = "10.0.0.1:80";

/// Additional settings.
#[derive(Clone, Copy, Default)]
struct Words {
    global: &'static str,
    /// Settings of the virtual server, before and after its sorry server.
    inner: &'static str,
    of_sorry: &'static str,
}

/// Three servers, each up while a file with its number exists; two are needed.
fn config(shop: &Workshop, words: Words) -> String {
    let Words { global, inner, of_sorry } = words;
    let recorder = shop.script("record.sh", "echo \"$*\" >>$HERE/notified");
    let check = shop.script("check.sh", "test -e $HERE/$1");
    let mut text = format!(
        "global_defs {{ router_id lab; script_user root; enable_script_security; lvs_notify_fifo {}; {global} }} \
         virtual_server 10.0.0.1 80 {{ delay_loop 1; lvs_sched rr; lvs_method DR; protocol TCP; quorum 2; {inner}; \
         quorum_up \"{recorder} gained\"; quorum_down \"{recorder} lost\"; sorry_server 10.9.0.9 80; {of_sorry}; ",
        shop.path("fifo")
    );
    for n in 1..=3 {
        let _ = write!(
            text,
            "real_server 10.9.0.{n} 80 {{ weight 1; notify_up \"{recorder} up {n}\"; notify_down \"{recorder} down {n}\"; \
             MISC_CHECK {{ misc_path \"{check} {n}\"; misc_timeout 5 }} }} "
        );
    }
    lines(&(text + "} "))
}

/// Records the lines of the FIFO until dropped.
struct Reader(Child);

impl Reader {
    fn start(shop: &Workshop) -> Self {
        let (fifo, into) = (shop.path("fifo"), shop.path("heard"));
        let command = format!("mkfifo {fifo}; exec cat <>{fifo} >{into}");
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "sh", "-c", &command])
            .spawn()
            .expect("the runner has seen that setpriv is there");
        wait("the FIFO has a reader", PATIENCE, || shop.exists("heard"));
        Self(child)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The live servers; the resulting rows of the table, number and weight; and the notifications, in
/// the terms of the scripts.
type Step = (&'static [u8], &'static [(u8, u8)], &'static [&'static str]);

/// A line of the FIFO in the terms of the scripts.
fn word_of(line: &str) -> String {
    let (server, up) = (line.strip_prefix("RS [10.9.0."), line.ends_with("]:tcp:80 UP"));
    assert!(up || line.ends_with("[10.0.0.1]:tcp:80 DOWN"), "{line}");
    match server.and_then(|rest| rest.strip_suffix(if up { " UP" } else { " DOWN" })) {
        Some(rest) => {
            assert!(rest.ends_with("]:tcp:80 [10.0.0.1]:tcp:80"), "{line}");
            format!("{} {}", if up { "up" } else { "down" }, &rest[..1])
        }
        None => if up { "gained" } else { "lost" }.to_owned(),
    }
}

struct Stage {
    host: Host,
    shop: Workshop,
    words: Words,
    notified: Vec<&'static str>,
}

impl Stage {
    /// Creates the files that the checks of live servers test.
    fn set_alive(&self, alive: &[u8]) {
        for n in 1..=3_u8 {
            let name = n.to_string();
            match (alive.contains(&n), self.shop.exists(&name)) {
                (true, false) => self.shop.write(&name, ""),
                (false, true) => self.shop.remove(&name),
                _ => {}
            }
        }
    }

    #[track_caller]
    fn wait_rows(&self, rows: &[(u8, u8)]) {
        let sorry = if self.words.of_sorry.contains("NAT") { "-m" } else { "-g" };
        let row = |(n, weight): &_| {
            let method = if *n == 9 { sorry } else { "-g" };
            format!("-a -t {SERVICE} -r 10.9.0.{n}:80 {method} -w {weight}")
        };
        let mut expected = vec![format!("-A -t {SERVICE} -s rr")];
        expected.extend(rows.iter().map(row));
        wait_table(&self.host, &expected.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// Waits for these further lines in the FIFO, in this order except the first time, and for the
    /// same from the scripts, which may overtake each other.
    #[track_caller]
    fn wait_notified(&mut self, more: &[&'static str], scripts: bool) {
        let first = self.notified.is_empty();
        self.notified.extend(more);
        let mut sorted = self.notified.clone();
        sorted.sort_unstable();
        let (mut heard, mut ran) = (Vec::new(), Vec::new());
        let done = eventually(PATIENCE, || {
            heard = self.shop.lines("heard").iter().map(|line| word_of(line)).collect();
            if first {
                heard.sort();
            }
            ran = self.shop.lines("notified");
            ran.sort();
            heard == if first { &sorted } else { &self.notified }[..] && (!scripts || ran == sorted)
        });
        assert!(done, "the FIFO has {heard:?}, scripts {ran:?}, instead of {:?}", self.notified);
        if first {
            let lines = self.shop.lines("heard");
            self.notified = sorted; // as it was heard, from now on
            self.notified.sort_by_key(|word| lines.iter().position(|line| word_of(line) == *word));
        }
    }
}

fn play(program: &Program, words: Words, steps: &[Step], at_stop: &[&'static str]) {
    let (host, shop) = (Host::new("a"), Workshop::new());
    let mut stage = Stage { host, shop, words, notified: Vec::new() };
    let _reader = Reader::start(&stage.shop);
    let mut daemon = None;
    for (alive, rows, notified) in steps {
        stage.set_alive(alive);
        let config = || config(&stage.shop, words);
        daemon.get_or_insert_with(|| stage.host.start_program(program, &config()));
        stage.wait_rows(rows);
        stage.wait_notified(notified, true);
    }
    let ended = daemon.map(|mut daemon| daemon.stop());
    // Debian's keepalived sometimes kills itself together with its scripts.
    if !program.ours && ended.is_some_and(|status| status.signal() == Some(9)) {
        return;
    }
    assert!(ended.is_some_and(|status| status.success()), "{program:?} ended with {ended:?}");
    assert_eq!(table(&stage.host), [""; 0]);
    // The reference kills at once the scripts that it starts now.
    stage.wait_notified(at_stop, false);
}

/// Runs the steps with both programs.
fn both(words: Words, steps: &[Step], at_stop: &[&'static str]) -> Outcome {
    play(&Program::reference()?, words, steps, at_stop);
    play(Program::under_test(), words, steps, at_stop);
    Ok(())
}

pub(crate) fn the_sorry_server_serves_below_the_quorum() -> Outcome {
    both(
        Words { inner: "omega", ..Words::default() },
        &[
            (&[1, 2, 3], &[(1, 1), (2, 1), (3, 1)], &["gained"]),
            (&[1, 2], &[(1, 1), (2, 1)], &["down 3"]),
            (&[1], &[(9, 1)], &["down 2", "lost"]),
            (&[1, 3], &[(1, 1), (3, 1)], &["up 3", "gained"]),
        ],
        &["down 1", "down 3", "lost"],
    )
}

pub(crate) fn alpha_starts_without_servers() -> Outcome {
    both(
        Words { inner: "alpha", ..Words::default() },
        &[
            (&[], &[(9, 1)], &["lost", "down 1", "down 2", "down 3"]),
            (&[2], &[(9, 1)], &["up 2"]),
            (&[2, 3], &[(2, 1), (3, 1)], &["up 3", "gained"]),
        ],
        &[],
    )
}

pub(crate) fn inhibited_servers_stay_with_weight_0() -> Outcome {
    both(
        Words { inner: "inhibit_on_failure", ..Words::default() },
        &[
            (&[1, 2, 3], &[(1, 1), (2, 1), (3, 1)], &["gained"]),
            (&[2, 3], &[(1, 0), (2, 1), (3, 1)], &["down 1"]),
            (&[3], &[(1, 0), (2, 0), (3, 0), (9, 1)], &["down 2", "lost"]),
            (&[1, 3], &[(1, 1), (2, 0), (3, 1)], &["up 1", "gained"]),
        ],
        &[],
    )
}

pub(crate) fn an_inhibited_sorry_server_waits_with_weight_0() -> Outcome {
    let of_sorry = "sorry_server_lvs_method NAT; sorry_server_inhibit";
    both(
        Words { of_sorry, ..Words::default() },
        &[
            (&[1, 2, 3], &[(1, 1), (2, 1), (3, 1), (9, 0)], &["gained"]),
            (&[1, 2], &[(1, 1), (2, 1), (9, 0)], &["down 3"]),
            (&[1], &[(9, 1)], &["down 2", "lost"]),
            (&[1, 3], &[(1, 1), (3, 1), (9, 0)], &["up 3", "gained"]),
        ],
        &[],
    )
}

pub(crate) fn everything_can_be_inhibited_at_once() -> Outcome {
    let (inner, of_sorry) = ("alpha; inhibit_on_failure", "sorry_server_inhibit");
    both(
        Words { inner, of_sorry, ..Words::default() },
        &[
            (&[], &[(1, 0), (2, 0), (3, 0), (9, 1)], &["lost", "down 1", "down 2", "down 3"]),
            (&[1], &[(1, 0), (2, 0), (3, 0), (9, 1)], &["up 1"]),
            (&[1, 2], &[(1, 1), (2, 1), (3, 0), (9, 0)], &["up 2", "gained"]),
            (&[2], &[(1, 0), (2, 0), (3, 0), (9, 1)], &["down 1", "lost"]),
        ],
        &[],
    )
}

/// With `lvs_flush_on_stop`, servers are removed with their virtual server, without notification.
pub(crate) fn a_flush_on_stop_notifies_virtual_servers_only() -> Outcome {
    for global in ["lvs_flush_on_stop VS", "lvs_flush_on_stop"] {
        both(
            Words { global, inner: "omega", ..Words::default() },
            &[(&[1, 2, 3], &[(1, 1), (2, 1), (3, 1)], &["gained"])],
            &["lost"],
        )?;
    }
    Ok(())
}
