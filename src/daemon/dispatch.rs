//! Brings facts to the core they are for: packets, the kernel's news, answers, signals.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::endpoints::{endpoint_of, SocketId};
use super::links::Fact;
use super::report;
use super::report::HeldBack;
use super::retries::Lacking;
use super::runtime::{Message, Mode, Runtime};
use crate::base::addr::{HostAddress, Prefix};
use crate::base::ids::InstanceId;
use crate::base::ratelimit::Rate;
use crate::base::time::{Duration, Instant};
use crate::holdings;
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
            Message::TrackExited(script, end) => {
                let input = track::Input::Exited { script, end };
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
            Message::Address(event) => self.take_events(vec![event]),
        }
    }

    fn tell_holdings(&mut self, id: InstanceId, hold: Hold) {
        let owner = id.into();
        let config = self.instance_config(id);
        let addresses: Vec<_> = config.iter().flat_map(|config| config.all_addresses()).collect();
        let addresses = &addresses[..];
        let input = match (hold, &config) {
            (Hold::Release, _) => holdings::Input::Release { owner },
            (Hold::Rival, _) => holdings::Input::Rival { owner },
            (Hold::Want | Hold::Expect, None) => return,
            (Hold::Want, Some(_)) => holdings::Input::Want { owner, addresses },
            (Hold::Expect, Some(_)) => holdings::Input::Expect { owner, addresses },
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
            Ok(events) => self.replace_links(events),
            Err(e) => log::error!("cannot read interfaces and addresses from the kernel: {e}"),
        }
    }

    fn replace_links(&mut self, events: Vec<netlink::Event>) {
        let mut facts = Vec::new();
        let before: BTreeSet<_> = self.links.all_addresses().map(|(_, a)| a.prefix.addr).collect();
        self.links.replace(events, &mut facts);
        let input = holdings::Input::Dumped {
            links: self.links.indices_by_name().clone(),
            addresses: self.links.all_addresses().map(|(i, a)| (i, a.clone())).collect(),
        };
        self.hold(input);
        self.take_facts(facts);
        let after: BTreeSet<_> = self.links.all_addresses().map(|(_, a)| a.prefix.addr).collect();
        for addr in before.symmetric_difference(&after) {
            self.on_local_address(*addr, after.contains(addr));
        }
        self.refresh_sources(None);
        self.drain();
    }

    pub(super) fn take_events(&mut self, events: Vec<netlink::Event>) {
        let mut facts = Vec::new();
        for event in events {
            self.links.take(event, &mut facts);
        }
        self.take_facts(facts);
    }

    fn take_facts(&mut self, facts: Vec<Fact>) {
        for fact in facts {
            match fact {
                Fact::Appeared { link, index } => {
                    self.tell_link(&link);
                    self.refilter_monitor();
                    self.hold(holdings::Input::LinkBack { link: &link, index });
                }
                Fact::Changed(link) => self.tell_link(&link),
                Fact::Vanished { link, index, deleted } => {
                    let what = if deleted { "deleted" } else { "has another name now" };
                    log::info!("Interface {link} {what}");
                    self.hold(holdings::Input::LinkGone { link: &link, index, deleted });
                    if deleted {
                        self.rescue.release_all(|place| place.0 == index);
                    }
                    self.tell_link(&link);
                    self.refilter_monitor();
                }
                Fact::Added { link, index, address } => {
                    let prefix = address.prefix;
                    self.address_log("added to", &link, &prefix);
                    self.on_local_address(prefix.addr, true);
                    self.hold(holdings::Input::Seen { index, address: address.clone() });
                    let is_ours = self.holdings.is_ours(index, &address);
                    self.on_source_candidate(&link, &prefix, is_ours);
                }
                Fact::Removed { link, index, address } => {
                    let prefix = address.prefix;
                    self.address_log("removed from", &link, &prefix);
                    self.on_local_address(prefix.addr, self.links.holds(&prefix.addr));
                    let is_ours = self.holdings.is_ours(index, &address);
                    self.hold(holdings::Input::Gone { index, address: &address });
                    self.on_source_candidate(&link, &prefix, is_ours);
                }
            }
            self.drain();
        }
    }

    /// A virtual address of ours is no source, however often it comes and goes.
    fn on_source_candidate(&mut self, link: &str, prefix: &Prefix, is_ours: bool) {
        if !is_ours || !self.virtual_addresses.contains(&prefix.addr) {
            self.refresh_sources(Some(link));
        }
    }

    /// `-a`: every address change is told.
    fn address_log(&self, what: &str, link: &str, prefix: &Prefix) {
        if self.options.address_log {
            log::info!("Netlink: address {} {what} {link}", prefix.addr);
        }
    }

    /// Tells the core the state of an interface, and brings its sockets in line.
    fn tell_link(&mut self, name: &str) {
        if !self.is_of_interest(name) {
            return;
        }
        let state = self.links.state(name);
        if self.told_links.insert(name.to_owned(), state) != Some(state) {
            log::info!(
                "Netlink reports {name} {}",
                if state == crate::vrrp::LinkState::Up { "up" } else { "down" }
            );
        }
        self.refresh_sources(Some(name));
        self.vrrp.handle(Input::Link { name, state }, self.now, &mut self.vrrp_actions);
        self.drain();
    }

    /// Works out again what instances send from and through: all of them, or those on one link and
    /// those without a link, whose address may be on any.
    fn refresh_sources(&mut self, link: Option<&str>) {
        let concerned: Vec<_> = match link {
            None => self.ids.clone(),
            Some(link) => {
                let on = |name: &str| self.instances_on.get(name).into_iter().flatten().copied();
                on(link).chain(on("")).collect()
            }
        };
        for id in concerned {
            self.refresh_source(id);
        }
    }

    pub(super) fn refresh_source(&mut self, id: InstanceId) {
        let Some(config) = self.instance_config(id) else { return };
        let holdings = &self.holdings;
        let is_ours = |index, address: &HostAddress| holdings.is_ours(index, address);
        let source = self.links.source(&config, &self.virtual_addresses, is_ours);
        let index = config.interface.as_deref().and_then(|name| self.links.get(name));
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
                self.maybe_fail(super::fault::Moment::Stats);
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
            match self.links.get(name) {
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
