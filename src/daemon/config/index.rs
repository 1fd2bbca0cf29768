//! Indexes of the configuration in force.

use crate::base::sorted::SortedMap;
use crate::daemon::config::Running;
use crate::daemon::runtime::Runtime;
use crate::vrrp::Input;

impl Running {
    /// Indexes the interfaces and the virtual addresses.
    pub(super) fn index_interfaces(&mut self) {
        let config = &self.config;
        let (interesting, addresses) = (&mut self.interesting, &mut self.virtual_addresses);
        interesting.clear();
        *addresses = SortedMap::default();
        let mut add = |name: &str| {
            if !interesting.contains(name) {
                interesting.insert(name.to_owned());
            }
        };
        for instance in &config.instances {
            let made = instance.virtual_links().flat_map(|link| [&*link.base, &*link.name]);
            instance.own_links().chain(instance.vrf.as_deref()).chain(made).for_each(&mut add);
            instance.tracked_links.iter().for_each(|tracked| add(&tracked.interface));
            for address in instance.all_addresses() {
                addresses.insert(address.prefix.addr, ());
                add(&address.interface);
            }
            instance.interfaces_of_objects().for_each(&mut add);
        }
        config.static_addresses.iter().for_each(|address| add(&address.interface));
        config.bfd.iter().filter_map(|s| s.interface.as_deref()).for_each(&mut add);
        let virtual_ = config.instances.iter().flat_map(|instance| &instance.routes);
        self.has_open_routes = false;
        for route in virtual_.chain(&config.static_routes) {
            route.route.links().for_each(|link| add(link));
            self.has_open_routes |= route.route.next_hops.iter().any(|hop| hop.link.is_none());
        }
        let of_groups = config.groups.iter().flat_map(|group| &group.tracked_links);
        of_groups.for_each(|tracked| add(&tracked.interface));
    }

    fn index_instances(&mut self) {
        self.instances_on.clear();
        for (instance, id) in self.config.instances.iter().zip(&self.ids) {
            if instance.interface.is_none() {
                // Its address may be on any interface.
                self.instances_on.entry(String::new()).or_default().push(*id);
            }
            for own in instance.own_links().chain(instance.vrf.as_deref()) {
                self.instances_on.entry(own.to_owned()).or_default().push(*id);
            }
        }
    }
}

impl Runtime {
    /// Indexes the instances, and passes the states of all interfaces to the core.
    pub(super) fn index_instances(&mut self) {
        self.running.index_instances();
        self.refilter_monitor();
        self.set_up_links();
        for name in self.running.interesting.clone() {
            let state = self.link_state(&name);
            self.cores.vrrp(Input::Link { name: &name, state }, self.now);
            self.note_link(&name, state);
        }
        self.drain();
    }
}
