//! Replays a scenario: feeds each line to the core and records its decisions.
//!
//! ```text
//! 0  start [init_notifies]
//! 1  down 10.0.0.1              (A:10.0.0.1/2: the second check, of the server of A)
//! 2  up 10.0.0.1 instead 7      (or plus -3: what the check says of the weight)
//! 3  order 10.0.0.1 drain       (disable, enable, weight 7: of the first virtual server)
//! 3  address 10.0.0.100 absent
//! 4  reload rs A 10.0.0.1 weight 5; drop A 10.0.0.2
//! 5  stop
//! ```
//!
//! `> held:` shows the resulting state of the kernel, written whenever it changes.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use keepalived::base::ids::{CheckId, ServiceId};
use keepalived::base::time::Instant;
use keepalived::base::verdict::{Reason, Verdict, Weight};
use keepalived::lvs::{Action, Domain, Input, ServerOrder, Wanted};
use keepalived::model::diff::{self, Change};
use keepalived::model::Config;

use super::conf::Conf;
use super::scenario::{self, Fallible};
use super::words::Words;

#[derive(Default)]
pub(crate) struct Story {
    conf: Conf,
    running: Config,
    lvs: Domain,
    /// In the order of the configuration.
    ids: Vec<ServiceId>,
    now: Instant,
    /// Simulated state of the kernel: destinations and weights.
    held: BTreeMap<(ServiceId, IpAddr), u32>,
    said: Vec<String>,
}

impl scenario::Story for Story {
    const MARGIN: &'static str = "   >";

    fn line(&mut self, line: &str) -> Fallible<()> {
        let line = line.split(" #").next().unwrap_or("").trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if !line.starts_with(|c: char| c.is_ascii_digit()) {
            return self.conf.line(line);
        }
        let (time, event) = line.split_once(' ').ok_or("a time, but nothing happens")?;
        let to: u64 = time.parse().map_err(|_| "seconds")?;
        self.now = Instant::from_millis(to * 1000);
        let event = event.trim();
        let (verb, rest) = event.split_once(' ').unwrap_or((event, ""));
        let before = self.held.clone();
        self.event(verb, rest.trim())?;
        self.compare();
        if before != self.held {
            let list: Vec<String> =
                self.held.iter().map(|((_, addr), weight)| format!("{addr} w{weight}")).collect();
            self.said.push(format!("held: {}", list.join(", ")).trim_end().to_owned());
        }
        Ok(())
    }

    fn said(&mut self) -> &mut Vec<String> {
        &mut self.said
    }
}

impl Story {
    fn event(&mut self, verb: &str, rest: &str) -> Fallible<()> {
        match verb {
            "start" => self.adopt(rest == "init_notifies"),
            "reload" => {
                for change in rest.split(';') {
                    self.conf.line(change.trim())?;
                }
                self.adopt(false);
            }
            "stop" => self.hand(Input::Stop { flush: rest == "flush" }),
            "up" | "down" => {
                let (check, weight) = rest.split_once(' ').unwrap_or((rest, ""));
                let number = |text: &str| text.parse().map_err(|_| format!("{text}?"));
                let weight = match weight.split_once(' ') {
                    Some(("instead", n)) => Weight::Instead(number(n)?),
                    Some(("plus", n)) => Weight::Plus(number(n)?),
                    _ => Weight::Unchanged,
                };
                let check = self.check(check).ok_or("which check?")?;
                let verdict = match verb {
                    "up" => Verdict::Up(weight),
                    _ => Verdict::Down(Reason::Overran),
                };
                self.hand(Input::Verdict { check, page: 0, verdict });
            }
            "order" => {
                let (addr, order) = rest.split_once(' ').ok_or("which order?")?;
                let order = match order.split_once(' ') {
                    None if order == "drain" => Some(ServerOrder::Drain),
                    None if order == "disable" => Some(ServerOrder::Disable),
                    None if order == "enable" => None,
                    Some(("weight", n)) => {
                        Some(ServerOrder::Weight(n.parse().map_err(|_| "which weight?")?))
                    }
                    _ => return Err("no such order".to_owned()),
                };
                let addr: IpAddr = addr.parse().map_err(|_| "which address?")?;
                let id = *self.ids.first().ok_or("no virtual server")?;
                let service = self.lvs.service(id).ok_or("no virtual server")?;
                let index = service.servers().position(|(rs, _)| rs.addr == addr);
                let index = index.ok_or("no such server")?;
                self.hand(Input::Order { id, index, order });
            }
            "address" => {
                let (addr, state) = rest.split_once(' ').ok_or("present or absent?")?;
                let addr = addr.parse().map_err(|_| "which address?")?;
                self.hand(Input::Address { addr, present: state == "present" });
            }
            _ => return Err("no such event".to_owned()),
        }
        Ok(())
    }

    /// `[A:]ADDR[/N]`
    fn check(&self, text: &str) -> Option<CheckId> {
        let (name, rest) = text.split_once(':').map_or((None, text), |(a, b)| (Some(a), b));
        let (addr, n) = rest.split_once('/').unwrap_or((rest, "1"));
        let (addr, n): (IpAddr, usize) = (addr.parse().ok()?, n.parse().ok()?);
        let at = name.map_or(Some(0), |name| self.conf.position(name))?;
        let service = self.lvs.service(*self.ids.get(at)?)?;
        let (_, server) = service.servers().find(|(rs, _)| rs.addr == addr)?;
        Some(server.checks().get(n.checked_sub(1)?)?.id())
    }

    fn hand(&mut self, input: Input) {
        let mut out = Vec::new();
        self.lvs.handle(input, self.now, &mut out);
        for action in &out {
            self.said.push(Words(action, &self.lvs).to_string());
            self.execute(action);
        }
    }

    /// Applies an action, as the executor does with the kernel.
    fn execute(&mut self, action: &Action) {
        match action {
            Action::Want(id) => {
                self.held.retain(|(owner, _), _| owner != id);
                self.held.extend(wanted(&self.lvs, *id));
            }
            Action::Put { server, weight } => {
                self.held.insert((server.service.id, server.config().addr), *weight);
            }
            Action::Withdraw(server) => {
                self.held.remove(&(server.service.id, server.config().addr));
            }
            Action::Release(id) => self.held.retain(|(owner, _), _| owner != id),
            _ => {}
        }
    }

    /// Verifies that the incremental changes add up to the wanted state.
    fn compare(&self) {
        let all: BTreeMap<_, _> =
            self.lvs.services().flat_map(|(id, _)| wanted(&self.lvs, id)).collect();
        assert_eq!(all, self.held);
    }

    fn adopt(&mut self, init_notifies: bool) {
        let new = self.conf.load();
        let mut ids = BTreeMap::new();
        for change in diff::virtual_servers(&self.running, &new) {
            match change {
                Change::Remove { old } => self.hand(Input::Remove { id: self.ids[old] }),
                Change::Keep { old, new } => {
                    ids.insert(new, self.ids[old]);
                }
                Change::Adjust { old, new: n } => {
                    let (id, config) = (self.ids[old], Rc::clone(&new.virtual_servers[n]));
                    ids.insert(n, id);
                    self.hand(Input::Adjust { id, config });
                }
                Change::Add { new: n } => {
                    let id = self.lvs.vacant_id();
                    ids.insert(n, id);
                    let config = Rc::clone(&new.virtual_servers[n]);
                    self.hand(Input::Add {
                        id,
                        config,
                        recalled: keepalived::base::recalled::RecalledService::default(),
                    });
                }
            }
        }
        self.ids = ids.into_values().collect();
        self.running = new;
        self.hand(Input::Start { init_notifies });
    }
}

fn wanted(lvs: &Domain, id: ServiceId) -> BTreeMap<(ServiceId, IpAddr), u32> {
    let mut map = BTreeMap::new();
    for wanted in lvs.service(id).map(|s| s.wanted()).unwrap_or_default() {
        let (addr, weight) = match wanted {
            Wanted::Server(rs, weight) => (rs.addr, weight),
            Wanted::Sorry(rs, weight) => (rs.addr, weight),
        };
        // Of duplicates, the first counts.
        map.entry((id, addr)).or_insert(weight);
    }
    map
}
