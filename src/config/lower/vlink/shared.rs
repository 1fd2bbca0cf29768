//! VMACs that several instances use.

use std::collections::HashMap;
use std::rc::Rc;

use crate::base::addr::Family;
use crate::config::lower::{Instances, Scene};
use crate::model::vrrp::{Instance, StandingFault, SyncGroup};

/// Instances that share a VMAC without sharing a group: as MASTERs on two routers, both would have
/// its hardware address. All but the first stay in FAULT.
pub(in crate::config::lower) fn conflicts(
    scene: &mut Scene<'_, '_>,
    instances: &mut Instances,
    groups: &[SyncGroup],
) {
    let group_of = |name: &str| groups.iter().position(|g| g.members.iter().any(|m| m == name));
    let mut users: HashMap<(String, Family), usize> = HashMap::new();
    for n in 0..instances.list.len() {
        let instance = &instances.list[n].instance;
        let mut first = None;
        for (link, family) in uses(instance) {
            let key = (link.to_owned(), family);
            let owner = *users.entry(key).or_insert(n);
            let other = &instances.list[owner].instance.name;
            let together = group_of(other).is_some_and(|g| group_of(&instance.name) == Some(g));
            if owner != n && !together {
                first.get_or_insert_with(|| (link.to_owned(), other.clone()));
            }
        }
        let Some((link, other)) = first else { continue };
        let span = instances.list[n].name;
        let name = instance.name.clone();
        let text = format!(
            "'{link}' is the VMAC of {other}, too, and no group has both: {name} stays in FAULT"
        );
        scene.error("use_vmac", span, text);
        // It is not shared before the model is complete.
        if let Some(instance) = Rc::get_mut(&mut instances.list[n].instance) {
            instance.standing_fault.get_or_insert(StandingFault::SharedVmac);
        }
    }
}

/// The VMACs of an instance and the families of its packets and addresses there.
fn uses(instance: &Instance) -> Vec<(&str, Family)> {
    let own = instance.vlink.iter().filter(|link| link.is_vmac());
    let own = own.map(|link| (link.name.as_str(), instance.family));
    let made = |name: &str| instance.virtual_links().any(|l| l.is_vmac() && l.name == name);
    let held = instance.all_addresses().filter(|a| made(&a.interface));
    let held = held.map(|a| (a.interface.as_str(), Family::of(&a.prefix.addr)));
    own.chain(held).collect()
}
