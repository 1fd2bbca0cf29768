//! Syntax of virtual servers in scenarios:
//!
//! ```text
//! vs A 10.0.0.100 quorum 2 hysteresis 1 sorry 10.0.0.9 sorry_inhibit alpha omega ha_suspend
//! rs A 10.0.0.1 weight 3 checks 2 inhibit alpha delay 10
//! ```
//!
//! Defaults are one check and weight 1. A reload has lines of the same kind, which add or modify,
//! and `drop A` or `drop A 10.0.0.1`; `sorry none` removes the sorry server.

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use keepalived::base::addr::Family;
use keepalived::model::check::{Check, Connect, Kind, Schedule};
use keepalived::model::lvs::{
    Forwarding, Protocol, RealServer, Scheduler, SchedulerFlags, Service, SorryServer,
    VirtualServer,
};
use keepalived::model::shown::{OwnSchedule, ShownSchedule};
use keepalived::model::Config;

#[derive(Default)]
pub(crate) struct Conf {
    list: Vec<(String, VirtualServer)>,
}

impl Conf {
    pub(crate) fn line(&mut self, line: &str) -> Result<(), String> {
        self.understood(line).ok_or_else(|| format!("not a description: {line}"))
    }

    fn understood(&mut self, line: &str) -> Option<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        match *words.first()? {
            "vs" => self.virtual_server(&words[1..]),
            "rs" => self.real_server(&words[1..]),
            "drop" => {
                let Some(addr) = words.get(2) else {
                    self.list.retain(|(name, _)| name != words[1]);
                    return Some(());
                };
                let addr: IpAddr = addr.parse().ok()?;
                self.named(words.get(1)?)?.servers.retain(|rs| rs.addr != addr);
                Some(())
            }
            _ => None,
        }
    }

    fn named(&mut self, name: &str) -> Option<&mut VirtualServer> {
        self.list.iter_mut().find(|(n, _)| n == name).map(|(_, vs)| vs)
    }

    fn virtual_server(&mut self, words: &[&str]) -> Option<()> {
        let name = *words.first()?;
        let mut words = words[1..].iter();
        if self.named(name).is_none() {
            let addr = words.next()?.parse().ok()?;
            self.list.push((name.to_owned(), virtual_server(addr)));
        }
        let vs = self.named(name)?;
        while let Some(&word) = words.next() {
            match word {
                "quorum" => vs.quorum = words.next()?.parse().ok()?,
                "hysteresis" => vs.hysteresis = words.next()?.parse().ok()?,
                "sorry" => {
                    let addr = words.next()?.parse().ok();
                    let sorry = |addr| SorryServer {
                        addr,
                        port: 80,
                        forwarding: Forwarding::Nat,
                        inhibit: false,
                    };
                    vs.sorry_server = addr.map(sorry);
                }
                "sorry_inhibit" => vs.sorry_server.as_mut()?.inhibit = true,
                "alpha" => vs.alpha = true,
                "omega" => vs.omega = true,
                "ha_suspend" => vs.ha_suspend = true,
                _ => return None,
            }
        }
        Some(())
    }

    fn real_server(&mut self, words: &[&str]) -> Option<()> {
        let vs = self.named(words.first()?)?;
        let addr: IpAddr = words.get(1)?.parse().ok()?;
        if !vs.servers.iter().any(|rs| rs.addr == addr) {
            let server = real_server(addr, vs.alpha);
            vs.servers.push(server);
        }
        let rs = vs.servers.iter_mut().find(|rs| rs.addr == addr)?;
        let mut words = words[2..].iter();
        while let Some(&word) = words.next() {
            match word {
                "weight" => rs.weight = words.next()?.parse().ok()?,
                "inhibit" => rs.inhibit_on_failure = true,
                "alpha" => {
                    rs.alpha = true;
                    rs.checks.iter_mut().for_each(|check| Rc::make_mut(check).alpha = true);
                }
                "checks" => {
                    let n: u16 = words.next()?.parse().ok()?;
                    rs.checks = (0..n).map(|i| check(addr, 80 + i, rs.alpha)).collect();
                }
                "delay" => {
                    let delay = Duration::from_secs(words.next()?.parse().ok()?);
                    rs.checks
                        .iter_mut()
                        .for_each(|check| Rc::make_mut(check).schedule.delay_loop = delay);
                }
                _ => return None,
            }
        }
        Some(())
    }

    pub(crate) fn load(&self) -> Config {
        let virtual_servers = self.list.iter().map(|(_, vs)| Rc::new(vs.clone())).collect();
        Config { virtual_servers, ..Config::default() }
    }

    /// Index in the configuration.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.list.iter().position(|(n, _)| n == name)
    }
}

fn virtual_server(addr: IpAddr) -> VirtualServer {
    VirtualServer {
        service: Service::Address { addr, port: 80 },
        mark: None,
        protocol: Some(Protocol::Tcp),
        family: Family::of(&addr),
        scheduler: Scheduler::Wlc,
        scheduler_flags: SchedulerFlags::default(),
        forwarding: Forwarding::Nat,
        persistence: None,
        persistence_engine: None,
        one_packet: false,
        delay_loop: Duration::from_secs(60),
        alpha: false,
        omega: false,
        ha_suspend: false,
        quorum: 1,
        hysteresis: 0,
        quorum_up: None,
        quorum_down: None,
        sorry_server: None,
        mail: false,
        virtualhost: None,
        snmp_name: None,
        shown: ShownSchedule::default(),
        servers: Vec::new(),
    }
}

fn real_server(addr: IpAddr, alpha: bool) -> RealServer {
    RealServer {
        addr,
        port: 80,
        weight: 1,
        forwarding: Forwarding::Nat,
        upper_threshold: 0,
        lower_threshold: 0,
        inhibit_on_failure: false,
        notify_up: None,
        notify_down: None,
        alpha,
        mail: true,
        virtualhost: None,
        snmp_name: None,
        shown: OwnSchedule::default(),
        checks: vec![check(addr, 80, alpha)],
    }
}

fn check(addr: IpAddr, port: u16, alpha: bool) -> Rc<Check> {
    let kind = Kind::Tcp(Connect::to(addr, port));
    Rc::new(Check { kind, schedule: Schedule::default(), alpha, log_all_failures: false })
}
