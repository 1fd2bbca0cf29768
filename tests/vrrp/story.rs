//! Replays a scenario: feeds each line to the core and records its decisions.
//!
//! ```text
//! 0.000  start                               everything described in the head begins
//! 4.000  advert from 10.0.0.2 priority 200   (advert A from ..., with several instances)
//! 9.000  run                                 serves every deadline until then, each in time
//! 9.500  stall                               from here, deadlines wait for `deadline`
//! ```
//!
//! `deadline unread A 3.5` serves deadlines while A has unread packets that arrived after 3.5.
//!
//! `failover A for 600`, also with `to ADDR` or `forced`; `failover A end`; `maintenance on`, also
//! with `for 600`; `maintenance off`: orders of an operator.
//!
//! Other inputs: `recall A silent 0.4 interval 1` before `start`, `deadline`, `link eth1 down`, `source A none`, `socket A no such luck`, `held A`,
//! `stop`, `reload ...` (see `conf.rs`; several changes are separated by `;`).
//!
//! `> next T` is the core's next deadline, written whenever it changes. Skipping a deadline without
//! `run` or `stall` is an error: a daemon that is not stalled never does.

use std::net::IpAddr;
use std::rc::Rc;

use keepalived::base::addr::Family;
use keepalived::base::ids::InstanceId;
use keepalived::base::sorted::SortedMap;
use keepalived::base::time::{Duration, Instant, WallTime};
use keepalived::base::tracked::RunEnd;
use keepalived::model::diff::{self, Change};
use keepalived::model::track::Object;
use keepalived::model::vrrp::{Authentication, Delivery, Version};
use keepalived::model::Config;
use keepalived::sim::words::Words;
use keepalived::vrrp::receive::Received;
use keepalived::vrrp::{advert, Action, Domain, Input, LinkState, Order, TrackState, Unread};
use keepalived::wire::ip::V4_HEADER_LEN;

use super::conf::Conf;
use super::scenario::{self, Fallible};
use super::time::{instant, parsed};

#[derive(Default)]
pub(crate) struct Story {
    conf: Conf,
    running: Config,
    vrrp: Domain,
    ids: Vec<InstanceId>,
    links: SortedMap<String, LinkState>,
    objects: SortedMap<Object, TrackState>,
    /// Source addresses set in the scenario, by instance; the default is 10.0.0.1 or `fe80::1`.
    sources: SortedMap<String, Option<IpAddr>>,
    begun: bool,
    now: Instant,
    /// What the run before left, for instances to come.
    recalled: SortedMap<String, (Option<Duration>, Duration)>,
    /// The daemon is stalled: deadlines pass.
    stalled: bool,
    next: Option<Instant>,
    said: Vec<String>,
}

impl scenario::Story for Story {
    fn line(&mut self, line: &str) -> Fallible<()> {
        let line = line.split(" #").next().unwrap_or("").trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if !line.starts_with(|c: char| c.is_ascii_digit()) {
            return self.conf.add(line).ok_or_else(|| "not a description".to_owned());
        }
        let (time, event) = line.split_once(' ').ok_or("a time, but nothing happens")?;
        let to = instant(time)?;
        if to < self.now {
            return Err("time does not go backwards".to_owned());
        }
        let event = event.trim();
        let (verb, rest) = event.split_once(' ').unwrap_or((event, ""));
        let passed = self.vrrp.next_deadline().filter(|next| *next < to);
        if let (Some(next), false) = (passed, self.stalled || verb == "run") {
            return Err(format!("the deadline at {next} would pass: `run` or `stall` before"));
        }
        if verb == "run" {
            self.run(to);
        }
        self.now = to;
        self.event(verb, rest.trim())?;
        let next = self.vrrp.next_deadline();
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
        while let Some(next) = self.vrrp.next_deadline().filter(|next| *next <= to) {
            self.now = next;
            self.said.push(format!("at {next}"));
            self.hand(Input::Deadline);
            assert!(self.vrrp.next_deadline() > Some(next) || self.vrrp.next_deadline().is_none());
        }
    }

    fn event(&mut self, verb: &str, rest: &str) -> Fallible<()> {
        match verb {
            "run" => {}
            "stall" => self.stalled = true,
            "deadline" if rest.is_empty() => {
                self.stalled = false;
                self.hand(Input::Deadline);
            }
            "deadline" => {
                let rest = rest.strip_prefix("unread ").ok_or("which instance?")?;
                let (name, up_to) = rest.split_once(' ').ok_or("up to when is it read?")?;
                let unread = SortedMap::from([(self.named(name)?, instant(up_to)?)]);
                self.hand(Input::DeadlineAmid(Unread::Since(&unread)));
            }
            "recall" => {
                let words: Vec<_> = rest.split_whitespace().collect();
                let [name, "silent", silent, "interval", interval] = words[..] else {
                    return Err("recall NAME silent S interval S".to_owned());
                };
                let spans =
                    [silent, interval].map(|text| instant(text).map(|t| t.since(Instant::ZERO)));
                let [silent, interval] = spans;
                self.recalled.insert(name.to_owned(), (Some(silent?), interval?));
            }
            "start" => {
                let config = self.conf.load()?;
                self.vrrp = Domain::new(config.global.startup_delay);
                self.begun = true;
                self.adopt(config);
            }
            "reload" => {
                for change in rest.split(';') {
                    let text = change.trim();
                    self.conf.change(text).ok_or_else(|| format!("not a change: {text}"))?;
                }
                self.adopt(self.conf.load()?);
            }
            "stop" => self.hand(Input::Stop),
            "advert" => self.advert(rest)?,
            "link" => {
                let (name, state) = rest.split_once(' ').ok_or("which state?")?;
                let state = match state.trim() {
                    "up" => LinkState::Up,
                    "down" => LinkState::Down,
                    "missing" => LinkState::Missing,
                    other => return Err(format!("no such state: {other}")),
                };
                self.links.insert(name.to_owned(), state);
                self.hand(Input::Link { name, state });
            }
            "script" => self.tracked(rest, Object::Script)?,
            "file" => self.tracked(rest, Object::File)?,
            "process" => self.tracked(rest, Object::Process)?,
            "source" => {
                let (name, address) = rest.split_once(' ').ok_or("which address?")?;
                let source = (address != "none").then(|| parsed(address)).transpose()?;
                self.sources.insert(name.to_owned(), source);
                if self.begun {
                    let id = self.named(name)?;
                    self.hand(Input::Source { id, source });
                }
            }
            "socket" => {
                let (name, error) = rest.split_once(' ').ok_or("which error?")?;
                let id = self.named(name)?;
                let error = (error != "open").then(|| error.to_owned());
                self.hand(Input::Socket { id, error });
            }
            "failover" => self.failover(rest)?,
            "maintenance" => {
                let order = match rest.split_once(" for ") {
                    Some(("on", span)) => {
                        Order::Maintenance { number: 1, span: Some(duration(span)?) }
                    }
                    None if rest == "on" => Order::Maintenance { number: 1, span: None },
                    None if rest == "off" => Order::EndMaintenance,
                    _ => return Err("on or off?".to_owned()),
                };
                self.hand(Input::Order(order));
            }
            "held" => {
                let id = self.named(rest)?;
                self.hand(Input::Held { id });
            }
            _ => return Err("no such event".to_owned()),
        }
        Ok(())
    }

    /// `NAME for 600 [to ADDR] [forced]`, `NAME end`
    fn failover(&mut self, text: &str) -> Fallible<()> {
        let (name, rest) = text.split_once(' ').ok_or("for how long?")?;
        let id = self.named(name)?;
        let words: Vec<_> = rest.split_whitespace().collect();
        let (span, to, is_forced) = match words[..] {
            ["end"] => {
                self.hand(Input::Order(Order::EndFailover { id }));
                return Ok(());
            }
            ["for", span] => (span, None, false),
            ["for", span, "forced"] => (span, None, true),
            ["for", span, "to", to] => (span, Some(parsed(to)?), false),
            _ => return Err("for how long, and to which router?".to_owned()),
        };
        let span = duration(span)?;
        match self.vrrp.may_fail_over(id, to, is_forced) {
            Ok(()) => self.hand(Input::Order(Order::Failover { number: 1, id, to, span })),
            Err(objection) => self.said.push(format!("refused: {objection}")),
        }
        Ok(())
    }

    /// `NAME up`, `NAME pending`, `NAME value 5`, `NAME exit 1`, `NAME 0 of 1 processes`.
    fn tracked(&mut self, text: &str, object: fn(String) -> Object) -> Fallible<()> {
        let (name, state) = text.split_once(' ').ok_or("in which state?")?;
        let object = object(name.to_owned());
        let state = match state.trim() {
            "pending" => TrackState::Pending,
            "up" if matches!(object, Object::Process(_)) => TrackState::processes(1, 1, None),
            "up" => TrackState::exit(0),
            "timed out" => TrackState::after(RunEnd::TimedOut),
            other => match other.split_whitespace().collect::<Vec<_>>()[..] {
                ["value", value] => TrackState::Value(parsed(value)?),
                ["exit", status] => TrackState::exit(parsed(status)?),
                ["signal", number] => TrackState::after(RunEnd::Signal(parsed(number)?)),
                [count, "of", quorum, "processes"] => {
                    TrackState::processes(parsed(count)?, parsed(quorum)?, None)
                }
                _ => return Err("no such state".to_owned()),
            },
        };
        if self.begun {
            self.hand(Input::Tracked { object: &object, state: state.clone() });
        }
        self.objects.insert(object, state);
        Ok(())
    }

    fn hand(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.vrrp.handle(input, self.now, &mut out);
        self.say(&out);
    }

    fn say(&mut self, actions: &[Action]) {
        self.said.extend(actions.iter().map(|a| Words(a, &self.vrrp).to_string()));
    }

    /// Switches to a configuration, in the order of `daemon/config/reload.rs`.
    fn adopt(&mut self, new: Config) {
        let changes = diff::instances(&self.running, &new);
        let (mut ids, mut touched) = (SortedMap::new(), Vec::new());
        for change in changes {
            match change {
                Change::Remove { old } => {
                    self.hand(Input::Remove { id: self.ids[old] });
                    self.vrrp.forget(self.ids[old]);
                }
                Change::Keep { old, new } => {
                    ids.insert(new, self.ids[old]);
                }
                Change::Adjust { old, new } => {
                    ids.insert(new, self.ids[old]);
                    touched.push((new, false));
                }
                Change::Add { new: n } => {
                    let id = self.vrrp.vacant_id();
                    self.hand(Input::Add { id, config: Rc::clone(&new.instances[n]) });
                    if let Some((silent, interval)) = self.recalled.remove(&*new.instances[n].name)
                    {
                        self.hand(Input::Recall { id, silent, interval });
                    }
                    ids.insert(n, id);
                    touched.push((n, true));
                }
            }
        }
        self.ids = ids.into_values().collect();
        self.running = new;
        for name in links_of(&self.running) {
            let state = *self.links.entry(name.clone()).or_insert(LinkState::Up);
            self.hand(Input::Link { name: &name, state });
        }
        for (object, state) in self.objects.clone() {
            self.hand(Input::Tracked { object: &object, state });
        }
        for (n, is_new) in touched {
            let (id, config) = (self.ids[n], Rc::clone(&self.running.instances[n]));
            if !is_new {
                self.hand(Input::Adjust { id, config: Rc::clone(&config) });
            }
            let own = if config.family == Family::V4 { "10.0.0.1" } else { "fe80::1" };
            let own = config.source.or_else(|| own.parse().ok());
            let source = *self.sources.entry(config.name.to_string()).or_insert(own);
            self.hand(Input::Source { id, source });
        }
        let groups = self.running.groups.clone();
        self.hand(Input::Groups(&groups));
        self.hand(Input::Start);
    }

    /// `[A] from ADDR priority N [interval S] [version N] [arrived T] [ttl N] [addresses N]
    /// [pass WORD]`
    fn advert(&mut self, text: &str) -> Fallible<()> {
        let mut words = text.split_whitespace().peekable();
        let id = match words.next_if(|w| *w != "from") {
            Some(name) => self.named(name)?,
            None => *self.ids.first().ok_or("no instance listens")?,
        };
        let ours = self.vrrp.instance(id).ok_or("no instance listens")?;
        let mut config = (**ours.config()).clone();
        let (mut from, mut priority) = (None, config.priority);
        let (mut arrived, mut ttl) = (self.now, 255);
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word} what?"))?;
            match word {
                "from" => from = Some(parsed::<IpAddr>(value)?),
                "priority" => priority = parsed(value)?,
                "interval" => config.advert_interval = instant(value)?.since(Instant::ZERO),
                "version" if value == "2" => config.version = Version::V2,
                "version" if value == "3" => config.version = Version::V3,
                "arrived" => arrived = instant(value)?,
                "ttl" => ttl = parsed(value)?,
                "addresses" => config.addresses.truncate(parsed(value)?),
                "pass" => config.authentication = password(value)?,
                _ => return Err(format!("unknown: {word} {value}")),
            }
        }
        let source = from.ok_or("from whom?")?;
        let destination = match &config.delivery {
            Delivery::Multicast { group } => *group,
            Delivery::Unicast { .. } => ours.source().ok_or("no address to send to")?,
        };
        let mut bytes = Vec::new();
        advert::emit(&config, priority, source, destination, &mut bytes);
        let header = if config.family == Family::V4 { V4_HEADER_LEN } else { 0 };
        let destination = Some(destination);
        let packet = Received {
            source,
            destination,
            ttl: Some(ttl),
            arrived,
            wall: WallTime(0),
            header: None,
            pdu: &bytes[header..],
        };
        self.hand(Input::Packet { id, packet });
        Ok(())
    }

    fn named(&self, name: &str) -> Fallible<InstanceId> {
        let mut all = self.vrrp.instances();
        let found = all.find(|(_, i)| i.config().name == name).map(|(id, _)| id);
        found.ok_or_else(|| format!("no instance {name}"))
    }
}

fn duration(text: &str) -> Fallible<Duration> {
    Ok(instant(text)?.since(Instant::ZERO))
}

/// `auth_pass`.
fn password(text: &str) -> Fallible<Authentication> {
    let mut octets = [0; 8];
    octets.get_mut(..text.len()).ok_or("too long")?.copy_from_slice(text.as_bytes());
    Ok(Authentication::Pass(octets))
}

/// Every interface in a configuration.
fn links_of(config: &Config) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for i in &config.instances {
        names.extend(i.interface.iter().map(|name| name.to_string()));
        names.extend(i.tracked_links.iter().map(|t| t.interface.to_string()));
        names.extend(i.all_addresses().map(|a| a.interface.to_string()));
    }
    names.extend(
        config.groups.iter().flat_map(|g| &g.tracked_links).map(|t| t.interface.to_string()),
    );
    names.sort();
    names.dedup();
    names
}
