//! Brings facts to the core they are for: packets, the kernel's news, answers, signals.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::base::ids::InstanceId;
use crate::base::link::KernelEvent;
use crate::base::ratelimit::Rate;
use crate::base::time::{Duration, Instant};
use crate::daemon::network::endpoints::{endpoint_of, SocketId};
use crate::daemon::outlets::report;
use crate::daemon::outlets::report::HeldBack;
use crate::daemon::retries::Lacking;
use crate::daemon::runtime::{Message, Mode, Runtime};
use crate::holdings::{self, Fact, Links, Object};
use crate::notify;
use crate::sys::netlink;
use crate::sys::raw::Batch;
use crate::sys::reason;
use crate::sys::signals::Signal;
use crate::track;
use crate::vrrp::receive::Received;
use crate::vrrp::{Hold, Input};

/// How often an unknown virtual router is told of, by sender.
const UNKNOWN_VRID: Rate = Rate::new(10, Duration::from_secs(1));
/// Batches read from one socket in one turn; what is left waits for the next.
const RECEIVE_BUDGET: usize = 8;

impl Runtime {
    pub(super) fn deliver(&mut self, message: Message) {
        match message {
            Message::Held(id) => {
                self.vrrp.handle(Input::Held { id }, self.now, &mut self.vrrp_actions);
            }
            Message::Tracked(object, state) => {
                self.tell_servers(&object, &state);
                let input = Input::Tracked { object: &object, state };
                self.vrrp.handle(input, self.now, &mut self.vrrp_actions);
            }
            Message::TrackExited(script, outcome) => {
                let input = track::Input::Exited { script, outcome };
                self.track.handle(input, self.now, &mut self.track_actions);
            }
            Message::ReadFile(name) => self.read_tracked_file(&name),
            Message::Tell(telling) => self.tell(telling),
            Message::Role(id, is_master) => self.on_role(id, is_master),
            Message::NotifyEnded(run) => {
                let input = notify::Input::ScriptEnded(run);
                self.notify.handle(input, self.now, &mut self.notify_actions);
            }
            Message::Hold(id, hold) => self.tell_holdings(id, hold),
            Message::Refused(id, refusal) => {
                let input = Input::Addresses { id, refusal };
                self.vrrp.handle(input, self.now, &mut self.vrrp_actions);
            }
            Message::Fact(fact) => self.on_fact(fact),
            Message::Answer(request, answer) => {
                self.hold(holdings::Input::Answer { request, answer });
            }
        }
    }

    fn tell_holdings(&mut self, id: InstanceId, hold: Hold) {
        let owner = id.into();
        let config = self.instance_config(id);
        let addresses = config.iter().flat_map(|config| config.all_addresses());
        let objects = &addresses.map(Object::from).collect::<Vec<_>>()[..];
        let input = match (hold, &config) {
            (Hold::Release, _) => holdings::Input::Release { owner },
            (Hold::Rival, _) => holdings::Input::Rival { owner },
            (Hold::Want | Hold::Expect, None) => return,
            (Hold::Want, Some(_)) => holdings::Input::Want { owner, objects },
            (Hold::Expect, Some(_)) => holdings::Input::Expect { owner, objects },
        };
        let before = self.holdings_actions.len();
        self.hold(input);
        // A reload may only take some away.
        let adds = self.holdings_actions[before..].iter().any(holdings::Action::adds);
        if let (Hold::Want, true, Some(config)) = (hold, adds, config) {
            report::detail(&config.name, "setting VIPs.", &mut self.chatter, self.now);
        }
    }

    /// Reads one socket within its budget, in a turn that began then; true if it is empty now.
    pub(super) fn receive_adverts(&mut self, socket: SocketId, began: Instant) -> bool {
        let mut batch = self.batch.take().unwrap_or_default();
        let mut empty = false;
        for _ in 0..RECEIVE_BUDGET {
            let Some(source) = self.endpoints.socket(socket) else {
                empty = true;
                break;
            };
            let count = match source.receive(&mut batch) {
                Ok(count) => count,
                Err(e) => {
                    log::debug!("cannot receive: {e}");
                    0
                }
            };
            self.take_batch(socket, &batch);
            self.serve_owed(began);
            if count < Batch::CAPACITY {
                empty = true;
                break;
            }
        }
        self.batch = Some(batch);
        self.heard_before = std::mem::replace(&mut self.heard, self.now);
        empty
    }

    fn take_batch(&mut self, socket: SocketId, batch: &Batch) {
        let moment = self.clock.moment();
        self.now = moment.now;
        let mut last = moment.now;
        for datagram in batch.packets() {
            let arrived = datagram.stamp.map_or(moment.now, |stamp| moment.arrival(stamp));
            last = arrived;
            // The filter has looked at the router id already, so there is one.
            let Some(&vrid) = datagram.payload.get(1) else { continue };
            let Some(id) = self.endpoints.addressee(socket, vrid, datagram.source) else {
                self.on_unknown_vrid(vrid, datagram.source);
                continue;
            };
            let packet = Received {
                source: datagram.source,
                destination: datagram.destination,
                ttl: datagram.ttl,
                arrived,
                pdu: datagram.payload,
            };
            self.vrrp.handle(Input::Packet { id, packet }, self.now, &mut self.vrrp_actions);
        }
        self.endpoints.note_read(socket, last);
    }

    fn on_unknown_vrid(&mut self, vrid: u8, from: IpAddr) {
        if !self.config.global.log_unknown_vrids {
            return;
        }
        if let Some(held_back) = self.unknown_vrids.admit((), Some(from), UNKNOWN_VRID, self.now) {
            log::info!("VRID {vrid} from {from} is none of ours{}", HeldBack(held_back));
        }
    }

    /// Reads one datagram of kernel news; false if there was none.
    pub(super) fn receive_kernel(&mut self) -> bool {
        let mut events = Vec::new();
        match self.monitor.receive(&mut events) {
            Ok(more) => {
                self.take_events(events);
                more
            }
            Err(e) => {
                log::warn!("kernel news were lost ({e}): reading everything again");
                self.resynchronise();
                true
            }
        }
    }

    fn hold(&mut self, input: holdings::Input<'_>) {
        self.holdings.handle(input, self.now, &mut self.holdings_actions);
    }

    /// A gap is never trusted: what the kernel has now is the truth.
    pub(super) fn resynchronise(&mut self) {
        self.monitor.discard();
        let mut breathe = || {
            if self.vrrp_is_due() {
                self.catch_up();
            }
        };
        match netlink::dump(&mut breathe) {
            Ok(events) => {
                self.hold(holdings::Input::Dumped(Links::dumped(events)));
                self.drain();
            }
            Err(e) => log::error!("cannot read interfaces and addresses from the kernel: {e}"),
        }
    }

    fn take_events(&mut self, events: Vec<KernelEvent>) {
        for event in events {
            self.hold(holdings::Input::Kernel(event));
        }
        self.drain();
    }

    fn on_fact(&mut self, fact: Fact) {
        match fact {
            Fact::Appeared(link) => {
                self.tell_link(&link);
                self.refilter_monitor();
            }
            Fact::Changed(link) => self.tell_link(&link),
            Fact::Vanished { link, index, deleted } => {
                let what = if deleted { "deleted" } else { "has another name now" };
                log::info!("Interface {link} {what}");
                if deleted {
                    self.rescue.release_all(|place| place.0 == index);
                }
                self.tell_link(&link);
                self.refilter_monitor();
            }
            Fact::Added { link, address, ours } => {
                self.on_address("added to", link, address.prefix.addr, ours);
            }
            Fact::Removed { link, address, ours } => {
                self.on_address("removed from", link, address.prefix.addr, ours);
            }
        }
    }

    fn on_address(&mut self, what: &str, link: String, addr: IpAddr, ours: bool) {
        self.address_log(what, &link, &addr);
        self.on_local_address(addr, self.holdings.links().holds(&addr));
        // A virtual address of ours is no source, however often it comes and goes.
        if !ours || !self.virtual_addresses.contains(&addr) {
            self.stale_sources.insert(link);
        }
    }

    /// `-a`: every address change is told.
    fn address_log(&self, what: &str, link: &str, addr: &IpAddr) {
        if self.options.address_log {
            log::info!("Netlink: address {addr} {what} {link}");
        }
    }

    /// Tells the core the state of an interface, and brings its sockets in line.
    fn tell_link(&mut self, name: &str) {
        if !self.is_of_interest(name) {
            return;
        }
        let state = self.holdings.links().state(name);
        if self.told_links.insert(name.to_owned(), state) != Some(state) {
            log::info!(
                "Netlink reports {name} {}",
                if state == crate::vrrp::LinkState::Up { "up" } else { "down" }
            );
        }
        self.stale_sources.insert(name.to_owned());
        self.refresh_stale_sources();
        self.vrrp.handle(Input::Link { name, state }, self.now, &mut self.vrrp_actions);
        self.drain();
    }

    /// Works out again what instances send from and through: those on interfaces whose addresses
    /// changed, and those without one, whose address may be on any.
    pub(super) fn refresh_stale_sources(&mut self) {
        let mut concerned = BTreeSet::new();
        let stale = std::mem::take(&mut self.stale_sources);
        for link in stale.iter().map(String::as_str).chain([""]) {
            concerned.extend(self.instances_on.get(link).into_iter().flatten().copied());
        }
        for id in concerned {
            self.refresh_source(id);
        }
    }

    pub(super) fn refresh_source(&mut self, id: InstanceId) {
        let Some(config) = self.instance_config(id) else { return };
        let links = self.holdings.links();
        let source = links.source(&config, &self.virtual_addresses);
        let index = config.interface.as_deref().and_then(|name| links.get(name));
        let index = index.map(|link| link.index);
        let error = match endpoint_of(&config, index, source) {
            Some(endpoint) => {
                let poll = &mut self.poll;
                self.endpoints.attach(id, config.vrid, &endpoint, poll).err().map(|e| reason(&e))
            }
            None => None,
        };
        match &error {
            None => {
                self.retries.ended(&Lacking::Socket(id));
            }
            Some(why) => {
                if self.retries.failed(Lacking::Socket(id), why, self.now) {
                    log::warn!("({}) {why}; it is tried again", config.name);
                }
            }
        }
        let known = self.vrrp.instance(id).map(crate::vrrp::Instance::source);
        if known != Some(source) {
            let input = Input::Source { id, source };
            self.vrrp.handle(input, self.now, &mut self.vrrp_actions);
        }
        let input = Input::Socket { id, error };
        self.vrrp.handle(input, self.now, &mut self.vrrp_actions);
    }

    pub(super) fn on_signals(&mut self) {
        loop {
            match self.signals.take() {
                Ok(Some(signal)) => self.on_signal(signal),
                Ok(None) => return,
                Err(e) => {
                    log::error!("cannot read signals: {e}");
                    return;
                }
            }
        }
    }

    fn on_signal(&mut self, signal: Signal) {
        match signal {
            Signal::Stop => self.mode = Mode::Stopping,
            Signal::Reload => self.reload(),
            Signal::Data => self.dump_data(),
            Signal::Stats => {
                self.dump_stats();
                #[cfg(debug_assertions)]
                self.maybe_fail(crate::daemon::start::fault::Moment::Stats);
            }
            Signal::StatsClear => {
                self.dump_stats();
                self.vrrp.clear_counters();
            }
            Signal::Json => self.dump_json(),
            Signal::Child => {
                self.children.on_sigchld(&mut self.child_events);
                self.on_child_events();
            }
            Signal::CpuLimit => log::warn!("the limit of real-time CPU is near"),
        }
    }

    /// Interfaces that some instance names.
    pub(super) fn is_of_interest(&self, name: &str) -> bool {
        self.interesting.contains(name)
    }

    /// Hears of all interfaces.
    pub(super) fn unfilter_monitor(&self) {
        self.filter_monitor(None);
    }

    /// Lets the kernel hold back what matters to no instance: changes on other interfaces. While one that
    /// matters is missing, new interfaces have to be heard of.
    pub(super) fn refilter_monitor(&mut self) {
        let mut indices = Vec::new();
        // Checks that rest without an address have to hear of it, wherever it is.
        let depends = self.config.virtual_servers.iter().any(|vs| vs.ha_suspend);
        let mut complete = !self.options.address_log && !depends;
        for name in &self.interesting {
            match self.holdings.links().get(name) {
                Some(link) => indices.push(link.index),
                None => complete = false,
            }
        }
        self.filter_monitor(complete.then_some(&indices));
    }

    fn filter_monitor(&self, links: Option<&[u32]>) {
        let own = match self.requests.port() {
            Ok(own) => own,
            Err(e) => {
                log::debug!("cannot learn our netlink port: {e}");
                return;
            }
        };
        if let Err(e) = self.monitor.watch_only(links, own) {
            log::warn!("cannot filter kernel news: {e}");
        }
    }
}
