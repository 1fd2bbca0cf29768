//! Replays a scenario: feeds each line to the pool and records its decisions.
//!
//! ```text
//! limit 2                                    probes that may run at once
//! check A tcp delay 10 retry 2 wait 3 [warmup 4] [alpha]
//!                    (also: http N, fast N with N pages, smtp, dns, ping, misc, file F, bfd S)
//! 0     add A [suspended]                    or `add` for all of them
//! 20    run                                  serves every deadline until then, each in time
//! 20.1  good A  (good A 7: weight)           ends a probe; also: bad A, unmade A
//! ```
//!
//! Other facts: `remove A`, `suspend A`, `resume A`, `hurry A`, `adjust A WORDS`, `file F 3`, `bfd S up`,
//! `deadline`.
//!
//! A check may also have predefined results and a duration for its probes:
//! `check A tcp delay 10 does ++-+ takes 0.5`; the last result repeats for ever.
//! `> next T` is the next deadline, written whenever it changes.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;

use keepalived::base::ids::CheckId;
use keepalived::base::time::{Duration, Instant};
use keepalived::base::tracked::{Finding, TrackState};
use keepalived::base::verdict::ProbeStep;
use keepalived::check::pool::{Action, Input, Pool};
use keepalived::check::{Reason, Timings, Verdict, Weight};
use keepalived::model::check::{
    Check, Connect, Dns, File, Http, Kind, Misc, Protocol, Record, Schedule, Smtp, Url,
    STATUS_DEFAULT,
};
use keepalived::model::script::{Script, User};

use super::scenario::{self, Fallible};
use super::time::{instant, parsed};

#[derive(Clone)]
struct Described {
    config: Check,
    /// Predefined results of probes, `+` and `-`.
    does: VecDeque<char>,
    takes: Duration,
}

pub(crate) struct Story {
    checks: Vec<(String, Described)>,
    pool: Pool,
    now: Instant,
    next: Option<Instant>,
    /// Time at which a probe with a predefined result ends.
    ends: BTreeMap<(Instant, usize), ()>,
    said: Vec<String>,
}

impl Default for Story {
    fn default() -> Self {
        Self {
            checks: Vec::new(),
            pool: Pool::new(100, 1),
            now: Instant::ZERO,
            next: None,
            ends: BTreeMap::new(),
            said: Vec::new(),
        }
    }
}

impl scenario::Story for Story {
    fn line(&mut self, line: &str) -> Fallible<()> {
        let line = line.split(" #").next().unwrap_or("").trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        let (first, rest) = line.split_once(' ').ok_or("one word?")?;
        match first {
            "limit" => {
                self.pool = Pool::new(parsed(rest)?, 1);
                return Ok(());
            }
            "check" => return self.describe(rest),
            _ => {}
        }
        let to = instant(first)?;
        let (verb, rest) = rest.trim().split_once(' ').unwrap_or_else(|| (rest.trim(), ""));
        if verb == "run" {
            self.run(to);
        } else if self.pool.next_deadline().is_some_and(|next| next < to) && verb != "deadline" {
            return Err("a deadline would pass: `run` before".to_owned());
        }
        self.now = to;
        self.event(verb, rest.trim())?;
        let next = self.pool.next_deadline();
        if next != self.next {
            self.next = next;
            let when = next.map_or_else(|| "never".to_owned(), |next| next.to_string());
            self.said.push(format!("next {when}"));
        }
        Ok(())
    }

    fn said(&mut self) -> &mut Vec<String> {
        &mut self.said
    }
}

impl Story {
    fn run(&mut self, to: Instant) {
        loop {
            let end = self.ends.first_key_value().map(|(&(when, _), ())| when);
            let next = self.pool.next_deadline();
            let Some(at) = end.into_iter().chain(next).min().filter(|at| *at <= to) else { return };
            let count = self.said.len();
            self.now = self.now.max(at);
            let stamp = self.now;
            if end == Some(at) {
                let Some(((_, n), ())) = self.ends.pop_first() else { return };
                let does = &mut self.checks[n].1.does;
                let good = does.front() == Some(&'+');
                if does.len() > 1 {
                    does.pop_front();
                }
                self.finish(n, good, Weight::Unchanged);
            } else {
                self.hand(Input::Deadline);
            }
            for said in &mut self.said[count..] {
                *said = format!("{stamp} {said}");
            }
        }
    }

    fn event(&mut self, verb: &str, rest: &str) -> Fallible<()> {
        let (name, more) = rest.split_once(' ').unwrap_or((rest, ""));
        match verb {
            "run" => {}
            "deadline" => self.hand(Input::Deadline),
            "add" if rest.is_empty() => {
                (0..self.checks.len()).for_each(|n| self.add(n, false));
            }
            "file" => {
                let value = parsed(more)?;
                self.hand(Input::File { name, value });
            }
            "bfd" => {
                let state = match more {
                    "up" => TrackState::Up(Finding::SessionUp),
                    _ => TrackState::Down(Finding::NoSession),
                };
                self.hand(Input::Bfd { name, state: &state });
            }
            _ => {
                let n = self.position(name).ok_or("which check?")?;
                let check = id(n);
                match verb {
                    "add" => self.add(n, more == "suspended"),
                    "remove" => self.hand(Input::Remove(check)),
                    "suspend" => self.hand(Input::Suspend(check)),
                    "resume" => self.hand(Input::Resume(check)),
                    "hurry" => self.hand(Input::Hurry(check)),
                    "unmade" => {
                        let why = Reason::Unmade("no descriptor".to_owned());
                        self.done(check, Verdict::Down(why));
                    }
                    "adjust" => {
                        describe(&mut self.checks[n].1, more)?;
                        let config = Rc::new(self.checks[n].1.config.clone());
                        self.hand(Input::Adjust { check, config });
                    }
                    "good" if more.is_empty() => self.finish(n, true, Weight::Unchanged),
                    "good" => {
                        let weight = Weight::Instead(parsed(more)?);
                        self.finish(n, true, weight);
                    }
                    "bad" => self.finish(n, false, Weight::Unchanged),
                    _ => return Err("no such event".to_owned()),
                }
            }
        }
        Ok(())
    }

    fn describe(&mut self, rest: &str) -> Fallible<()> {
        let (name, words) = rest.split_once(' ').ok_or("what kind?")?;
        let config = Check {
            kind: Kind::Tcp(SERVER),
            schedule: Schedule { warmup: Duration::ZERO, ..Schedule::default() },
            alpha: false,
            log_all_failures: false,
        };
        let mut new = Described { config, does: VecDeque::new(), takes: Duration::ZERO };
        describe(&mut new, words)?;
        self.checks.push((name.to_owned(), new));
        Ok(())
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.checks.iter().position(|(n, _)| n == name)
    }

    fn add(&mut self, n: usize, suspended: bool) {
        let config = Rc::new(self.checks[n].1.config.clone());
        let up = !config.alpha;
        self.hand(Input::Add { check: id(n), config, up, suspended, recalled: None });
    }

    fn finish(&mut self, n: usize, good: bool, weight: Weight) {
        let verdict = match good {
            true => Verdict::Up(weight),
            false => Verdict::Down(Reason::TimedOut(ProbeStep::Connecting)),
        };
        self.done(id(n), verdict);
    }

    fn done(&mut self, check: CheckId, verdict: Verdict) {
        self.hand(Input::Done { check, verdict, timings: Timings::default() });
    }

    fn hand(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.pool.handle(input, self.now, &mut out);
        for action in out {
            let said = self.words(&action);
            self.said.push(said);
            match action {
                Action::Begin { check, .. } => {
                    let n = check.0 as usize;
                    let described = &self.checks[n].1;
                    if !described.does.is_empty() {
                        self.ends.insert((self.now + described.takes, n), ());
                    }
                }
                Action::Abort(check) => self.ends.retain(|(_, n), ()| *n != check.0 as usize),
                _ => {}
            }
        }
    }

    fn words(&self, action: &Action) -> String {
        let name = |check: &CheckId| self.checks[check.0 as usize].0.as_str();
        match action {
            Action::Begin { check, page } => {
                let pages = match &self.checks[check.0 as usize].1.config.kind {
                    Kind::Http(_, http) => http.urls.len(),
                    _ => 1,
                };
                let page = if pages > 1 { format!(" page {page}") } else { String::new() };
                format!("{} begins{page}", name(check))
            }
            Action::GoOn { check, .. } => format!("{} goes on", name(check)),
            Action::Abort(check) => format!("{} is aborted", name(check)),
            Action::Retrying { check, nth, of } => {
                format!("{} failed, will try again {nth}/{of}", name(check))
            }
            Action::PageUp { check, page } => format!("{} page {page} is well", name(check)),
            Action::Result { check, verdict, turned, first, retries, .. } => {
                let mut text =
                    format!("{} {}", name(check), if verdict.is_up() { "UP" } else { "DOWN" });
                if *first {
                    text += ", first";
                }
                if !turned {
                    text += ", as assumed";
                }
                if *retries > 0 {
                    text += &format!(", after {retries} retries");
                }
                match verdict {
                    Verdict::Up(Weight::Unchanged) | Verdict::Down(_) => {}
                    Verdict::Up(weight) => text += &format!(", weight {weight:?}"),
                }
                text
            }
        }
    }
}

const SERVER: Connect = Connect::to(IpAddr::V4(Ipv4Addr::LOCALHOST), 80);

fn describe(described: &mut Described, text: &str) -> Fallible<()> {
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} what?"));
        let config = &mut described.config;
        match word {
            "tcp" => config.kind = Kind::Tcp(SERVER),
            "http" => config.kind = http(parsed(value()?)?, false),
            "fast" => config.kind = http(parsed(value()?)?, true),
            "smtp" => config.kind = Kind::Smtp(SERVER, Smtp { helo_name: "x".into() }),
            "dns" => {
                config.kind = Kind::Dns(SERVER, Dns { record: Record::Soa, name: String::new() });
            }
            "ping" => config.kind = Kind::Ping(SERVER),
            "misc" => config.kind = misc(),
            "file" => {
                let name = value()?.to_owned();
                config.kind = Kind::File(File { name, weight: 1, reverse: false });
            }
            "bfd" => config.kind = Kind::Bfd(value()?.to_owned()),
            "alpha" => config.alpha = true,
            "retry" => config.schedule.retry = parsed(value()?)?,
            "delay" => config.schedule.delay_loop = duration(value()?)?,
            "wait" => config.schedule.delay_before_retry = duration(value()?)?,
            "warmup" => config.schedule.warmup = duration(value()?)?,
            "does" => described.does = value()?.chars().collect(),
            "takes" => described.takes = duration(value()?)?,
            _ => return Err(format!("unknown: {word}")),
        }
    }
    Ok(())
}

fn http(pages: usize, fast_recovery: bool) -> Kind {
    let url = |n: usize| Url {
        path: format!("/{n}"),
        status_codes: vec![STATUS_DEFAULT],
        digest: None,
        regex: None,
        virtualhost: None,
        sni_name: None,
        tls_compliant: false,
    };
    let urls = (0..pages).map(url).collect();
    Kind::Http(SERVER, Http { tls: false, protocol: Protocol::V1_0, urls, fast_recovery })
}

fn misc() -> Kind {
    let script = Script {
        path: "/bin/true".into(),
        argv: vec!["true".into()],
        user: User::ROOT,
        by_shell: false,
    };
    Kind::Misc(Misc { script, timeout: Duration::from_secs(10), dynamic: true })
}

fn id(n: usize) -> CheckId {
    CheckId(u32::try_from(n).expect("a few"))
}

fn duration(text: &str) -> Fallible<Duration> {
    Ok(instant(text)?.since(Instant::ZERO))
}
