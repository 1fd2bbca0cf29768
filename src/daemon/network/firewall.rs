//! The packet filter: requests of the holdings for entries become transactions, or commands.
//!
//! The kernel carries out a transaction while it is sent. Wanted entries go before the addresses
//! that are added in the same turn, so an address is protected before it exists; these wait for
//! commands, too. Releases wait until the kernel has answered all removals of addresses.

use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;

use crate::base::addr::Family;
use crate::base::ids::InstanceId;
use crate::base::shield::Shield;
use crate::base::sorted::{SortedMap, SortedSet};
use crate::base::time::Instant;
use crate::daemon::config::fixed::shields_of_links;
use crate::daemon::network::iptables::{possible, Delay};
use crate::daemon::outlets::filter as report;
use crate::daemon::runtime::Runtime;
use crate::daemon::tables::Tables;
use crate::daemon::tokens;
use crate::firewall::iptables::Run;
use crate::firewall::{Action, Entry, Firewall, Input, Means, Vmac};
use crate::holdings::{self, shields_of, Links, RequestId};
use crate::model::firewall::FirewallKind;
use crate::model::vrrp::Instance;
use crate::model::Config;
use crate::sys::children::Streams;
use crate::sys::nft;

/// Owner of an entry.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::daemon) enum Owner {
    /// An entry that the holdings request.
    Holding(Rc<Shield<u32>>),
    /// An address that an earlier run has left, for an instance that may want it.
    Left(InstanceId, Rc<Shield<u32>>),
}

/// The core with its sockets, and the inputs that wait for the next transaction.
pub(in crate::daemon) struct Filter {
    core: Firewall<Owner>,
    /// Inputs that precede the requests for addresses, and those that follow them.
    before: Vec<Input<Owner>>,
    after: Vec<Input<Owner>>,
    /// Requests of the holdings without an answer.
    asked: SortedMap<Owner, RequestId>,
    answers: Vec<(RequestId, i32)>,
    /// Entries for what an earlier run has left.
    left: SortedMap<InstanceId, SortedSet<Rc<Shield<u32>>>>,
    tables: Tables,
    /// Some instance needs a table.
    needs_tables: bool,
    /// A command that has to be started, and the streams of one that runs.
    pub(super) run: Option<Run>,
    pub(super) streams: Option<Streams>,
    delay: Delay,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            core: Firewall::default(),
            before: Vec::new(),
            after: Vec::new(),
            asked: SortedMap::new(),
            answers: Vec::new(),
            left: SortedMap::new(),
            tables: Tables::new("Addresses that are not accepted are unprotected"),
            needs_tables: false,
            run: None,
            streams: None,
            delay: Delay::default(),
        }
    }
}

impl Filter {
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.core.next_deadline().into_iter().chain(self.delay.end()).min()
    }

    /// True if nothing waits for [`Runtime::flush_requests`].
    pub(in crate::daemon) fn is_idle(&self) -> bool {
        let has_releases = !self.after.is_empty() && !self.delays_requests();
        self.before.is_empty() && !has_releases && self.answers.is_empty()
    }

    /// True while requests to the kernel wait for commands.
    pub(in crate::daemon) const fn delays_requests(&self) -> bool {
        self.delay.end().is_some()
    }

    fn is_due(&self, now: Instant) -> bool {
        self.core.next_deadline().is_some_and(|when| when <= now)
    }

    fn want(&mut self, owner: Owner, entry: Entry) {
        self.after.retain(|input| !matches!(input, Input::Release { owner: o } if *o == owner));
        self.before.push(Input::Want { owner, entry });
    }

    /// An unanswered request for the same entry is obsolete.
    fn replace_asked(&mut self, owner: &Owner, id: Option<RequestId>) {
        let before = match id {
            Some(id) => self.asked.insert(owner.clone(), id),
            None => self.asked.remove(owner),
        };
        self.answers.extend(before.map(|id| (id, libc::ECANCELED)));
    }

    fn release(&mut self, owner: Owner) {
        self.replace_asked(&owner, None);
        self.after.push(Input::Release { owner });
    }

    fn configure(&mut self, means: Option<Means>) {
        self.after.retain(|input| !matches!(input, Input::Configure(_)));
        match means {
            // Addresses that are about to be removed stay protected until then.
            None => self.after.push(Input::Configure(None)),
            means => self.before.push(Input::Configure(means)),
        }
    }

    /// Releases entries for leftovers that are adopted or removed by now.
    fn release_left(&mut self, is_left: impl Fn(InstanceId) -> bool) {
        let gone: Vec<_> = self.left.keys().copied().filter(|id| !is_left(*id)).collect();
        for id in gone {
            for shield in self.left.remove(&id).into_iter().flatten() {
                self.release(Owner::Left(id, shield));
            }
        }
    }

    pub(super) fn input(&mut self, input: Input<Owner>, now: Instant) {
        self.run(vec![input], now);
    }

    /// Takes in inputs, carries out the transactions that are due, and keeps a command that has to
    /// be started.
    fn run(&mut self, inputs: Vec<Input<Owner>>, now: Instant) {
        let mut out = Vec::new();
        for input in inputs {
            self.core.handle(input, now, &mut out);
        }
        loop {
            self.core.flush(now, &mut out);
            if out.is_empty() {
                return;
            }
            for action in std::mem::take(&mut out) {
                self.execute(action, now, &mut out);
            }
        }
    }

    fn execute(&mut self, action: Action<Owner>, now: Instant, out: &mut Vec<Action<Owner>>) {
        match action {
            Action::Send { family, batch } => {
                let result = self.tables.commit(&batch);
                self.core.handle(Input::Answer { family, result }, now, out);
            }
            Action::Outcome { owner, errno } => {
                let id = self.asked.remove(&owner);
                self.answers.extend(id.map(|id| (id, errno)));
            }
            Action::Run(run) => self.run = Some(run),
            // The log has the reason already.
            Action::Refused { .. } if self.tables.is_lack_told => {}
            other => report::filter(&other),
        }
    }
}

/// True if some instance needs a packet filter.
fn is_needed(config: &Config) -> bool {
    let has_vmacs = |i: &Instance| shields_of_links(config, i).next().is_some();
    config.instances.iter().any(|i| i.is_shielded() || has_vmacs(i))
}

/// The way in which packets are filtered, if some instance needs it. That of iptables may have to
/// remove rules of an earlier run in any case.
fn means(config: &Config, links: &Links) -> Option<Means> {
    let firewall = &config.global.firewall;
    match &firewall.kind {
        FirewallKind::Iptables(settings) => {
            Some(Means::Iptables(settings.clone(), possible(config, links)))
        }
        FirewallKind::Default | FirewallKind::Nftables => {
            is_needed(config).then(|| Means::Nftables(firewall.nftables.clone()))
        }
    }
}

/// The entry with what the kernel says of the interfaces; `None` if one of them is gone.
fn entry(shield: &Shield<u32>, links: &Links) -> Option<Entry> {
    let name = |index: &u32| links.by_index(*index).map(|link| link.name.to_string());
    entry_of(shield, links, |index| *index, name)
}

/// The entry with these indices and names of its interfaces.
pub(super) fn entry_of<L>(
    shield: &Shield<L>,
    links: &Links,
    index: impl Fn(&L) -> u32,
    name: impl Fn(&L) -> Option<String>,
) -> Option<Entry> {
    Some(match shield {
        Shield::Address(addr) => Entry::Address(*addr),
        Shield::LinkLocal { addr, link, by_name } => {
            let (addr, index, name, by_name) = (*addr, index(link), name(link)?, *by_name);
            Entry::LinkLocal { addr, index, name, by_name }
        }
        Shield::Vmac { family, link, base } => Entry::Vmac(Vmac {
            family: *family,
            index: index(link),
            name: name(link)?,
            base: index(base),
            base_link_local: link_local(index(base), links),
        }),
    })
}

fn link_local(index: u32, links: &Links) -> Option<Ipv6Addr> {
    links.link_locals(index).find_map(|address| match address.prefix.addr {
        IpAddr::V6(addr) => Some(addr),
        IpAddr::V4(_) => None,
    })
}

impl Runtime {
    /// Applies the settings of the running configuration. At the start, finds the tables that an
    /// earlier run has left.
    pub(in crate::daemon) fn set_up_filter(&mut self) {
        let firewall = &self.running.config.global.firewall;
        let means = means(&self.running.config, self.cores.holdings.links());
        if means.is_some() && firewall.kind == FirewallKind::Default {
            log::info!(
                "use_vmac or no_accept/strict specified, but no firewall configured - using nftables"
            );
        }
        let table = firewall.nftables.table.clone();
        let filter = &mut self.network.filter;
        // Without the module there is no table, and a socket would load it.
        filter.needs_tables = matches!(means, Some(Means::Nftables(_)));
        if !filter.tables.is_open() && (filter.needs_tables || nft::is_loaded()) {
            for family in filter.tables.families_with(&table) {
                filter.before.push(Input::Found { family, table: table.clone() });
            }
        }
        filter.configure(means);
        self.watch_tables();
    }

    fn watch_tables(&mut self) {
        let filter = &mut self.network.filter;
        filter.tables.keep_watch(filter.needs_tables, tokens::Owner::Tables, &mut self.poll);
    }

    pub(in crate::daemon) fn want_shield(&mut self, id: RequestId, shield: &Rc<Shield<u32>>) {
        let filter = &mut self.network.filter;
        match entry(shield, self.cores.holdings.links()) {
            Some(entry) => {
                let owner = Owner::Holding(Rc::clone(shield));
                filter.replace_asked(&owner, Some(id));
                filter.want(owner, entry);
            }
            None => filter.answers.push((id, libc::ENODEV)),
        }
    }

    /// A link-local address of this interface changed, which the entries of its VMACs contain.
    pub(in crate::daemon) fn renew_shields_on(&mut self, base: &str) {
        let links = self.cores.holdings.links();
        let Some(base) = links.get(base).map(|link| link.index) else { return };
        let is_on_it = |shield: &&Rc<Shield<u32>>| matches!(***shield, Shield::Vmac { family: Family::V6, base: b, .. } if b == base);
        for shield in self.cores.holdings.shields().filter(is_on_it) {
            if let Some(entry) = entry(shield, links) {
                self.network.filter.want(Owner::Holding(Rc::clone(shield)), entry);
            }
        }
    }

    pub(in crate::daemon) fn release_shield(&mut self, id: RequestId, shield: &Rc<Shield<u32>>) {
        self.network.filter.release(Owner::Holding(Rc::clone(shield)));
        self.network.filter.answers.push((id, 0));
    }

    /// Protects the addresses that an earlier run has left and that are not removed yet.
    pub(in crate::daemon) fn shield_left(&mut self, id: InstanceId, config: &Instance) {
        let links = self.cores.holdings.links();
        for shield in shields_of(config) {
            let index = |name: &String| links.get(name).map(|link| link.index);
            let Some(shield) = shield.translated(index).map(Rc::new) else { continue };
            if let Some(entry) = entry(&shield, links) {
                self.network.filter.want(Owner::Left(id, Rc::clone(&shield)), entry);
                self.network.filter.left.entry(id).or_default().insert(shield);
            }
        }
    }

    /// Carries out the transactions that precede requests for addresses, and starts commands.
    pub(super) fn protect(&mut self) {
        let filter = &mut self.network.filter;
        if !filter.before.is_empty() || filter.is_due(self.now) {
            let inputs = std::mem::take(&mut filter.before);
            filter.run(inputs, self.now);
            self.watch_tables();
        }
        self.start_filter_command();
        let filter = &mut self.network.filter;
        filter.delay.update(!filter.asked.is_empty(), self.now);
    }

    /// Carries out the transactions that follow requests for addresses, once these are answered,
    /// and passes on the outcomes.
    pub(super) fn unprotect(&mut self) {
        let (filter, holdings) = (&mut self.network.filter, &self.cores.holdings);
        if self.network.requests.is_idle() {
            filter.release_left(|id| holdings.keeps(id.into()));
            if !filter.after.is_empty() {
                let inputs = std::mem::take(&mut filter.after);
                filter.run(inputs, self.now);
                self.start_filter_command();
            }
        }
        for (request, errno) in std::mem::take(&mut self.network.filter.answers) {
            let input = holdings::Input::Answer { request, answer: errno.into() };
            self.cores.holdings(input, self.now);
        }
    }

    /// Reads the changes of tables by other programs.
    pub(in crate::daemon) fn serve_tables(&mut self) {
        if !self.pace.ready.remove(&tokens::Owner::Tables) {
            return;
        }
        let table = self.running.config.global.firewall.nftables.table.clone();
        let filter = &mut self.network.filter;
        let (gone, more) = filter.tables.removed(&table);
        if more {
            self.pace.ready.insert(tokens::Owner::Tables);
        }
        filter.before.extend(gone.into_iter().map(|family| Input::Vanished { family }));
    }

    /// No address is added any more, so no request has to wait.
    pub(in crate::daemon) fn stop_waiting_for_filter(&mut self) {
        self.network.filter.asked.clear();
    }

    /// Removes all tables and rules, after the addresses.
    pub(in crate::daemon) fn remove_tables(&mut self) {
        let filter = &mut self.network.filter;
        let mut inputs = std::mem::take(&mut filter.before);
        inputs.append(&mut filter.after);
        inputs.push(Input::Stop);
        filter.run(inputs, self.now);
        self.finish_filter_commands();
        self.network.filter.answers.clear();
    }

    /// Removes tables after a panic, whatever the core knows of them, and rules as far as it knows
    /// them.
    pub(in crate::daemon) fn abandon_tables(&mut self) {
        let mut inputs = vec![Input::Interrupted, Input::Stop];
        if self.network.filter.tables.is_open() {
            let table = &self.running.config.global.firewall.nftables.table;
            let found = |family| Input::Forgotten { family, table: table.clone() };
            inputs.splice(0..0, [Family::V4, Family::V6].map(found));
        }
        self.network.filter.run(inputs, self.now);
        self.finish_filter_commands();
    }
}
