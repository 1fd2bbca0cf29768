//! Contents of a table: its sets, chains and rules, as a function of the settings and the parts.

use super::element::{Element, Part, Parts};
use super::rules::{self, Rule};
use crate::base::addr::Family;
use crate::model::firewall::Nftables;
use crate::wire::netlink::nft::{self, Batch, Data, Hook, Set};

pub(super) const PARENT_LINK_LOCAL: &str = "parent_link_local";
pub(super) const VMAC_MAP: &str = "vmac_map";
pub(super) const VMAC_SET: &str = "vmac_set";
pub(super) const MLD_REPORT: &str = "mld-report";
pub(super) const NEIGHBOR_DISCOVERY: &str = "neighbor-discovery";
pub(super) const VIPS: &str = "vips";
pub(super) const VIPS_LINK_LOCAL: &str = "vips_link_local";
pub(super) const VIPS_LINK_LOCAL_NAME: &str = "vips_link_local_name";

pub(super) const OUT: &str = "out";
pub(super) const IN: &str = "in";
pub(super) const OUT_LINK_LOCAL: &str = "out_link_local";
pub(super) const IN_LINK_LOCAL: &str = "in_link_local";

/// ICMPv6 types (RFC 4443, 4861, 2710, 3810).
pub(super) const MLD_REPORTS: [u8; 2] = [131, 143];
pub(super) const NEIGHBOR_MESSAGES: [u8; 2] = [135, 136];

/// Form of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Form {
    pub(super) settings: Nftables,
    pub(super) parts: Parts,
    /// False: the kernel cannot do what the rules for VMACs need.
    pub(super) vmac_rules: bool,
}

/// Messages that remove a table, which need not exist.
pub(super) fn remove(table: nft::Table<'_>, batch: &mut Batch) {
    batch.add_table(table);
    batch.remove_table(table);
}

/// Messages that make a table with all it contains. Returns the numbers of those with the rules for
/// VMACs.
pub(super) fn make<'e>(
    family: Family,
    form: &Form,
    elements: impl Iterator<Item = &'e Element>,
    batch: &mut Batch,
) -> Vec<usize> {
    let Form { settings, parts, .. } = form;
    let table = nft::Table { family, name: &settings.table };
    batch.add_table(table);
    for set in sets(family, *parts, settings.by_index) {
        batch.add_set(table, &set);
        if let Some(types) = constants(set.name) {
            let types =
                types.map(|number| nft::Element { key: vec![number], key_end: None, data: None });
            batch.add_elements(table, set.name, &types);
        }
    }
    batch.add_base_chain(table, OUT, Hook::Output, settings.priority);
    if parts.has(Part::Addresses) {
        batch.add_base_chain(table, IN, Hook::Input, settings.priority);
    }
    if parts.has(Part::Addresses) && family == Family::V6 {
        batch.add_chain(table, IN_LINK_LOCAL);
        batch.add_chain(table, OUT_LINK_LOCAL);
    }
    by_set(elements, |set, elements| batch.add_elements(table, set, elements));
    let mut numbers = Vec::new();
    for Rule { chain, steps, for_vmacs } in rules::all(family, form) {
        if for_vmacs {
            numbers.push(batch.next_number());
        }
        batch.add_rule(table, chain, &steps);
    }
    numbers
}

/// Messages that change the elements of a table.
pub(super) fn change<'e>(
    table: nft::Table<'_>,
    removed: impl Iterator<Item = &'e Element>,
    added: impl Iterator<Item = &'e Element>,
    batch: &mut Batch,
) {
    by_set(removed, |set, elements| batch.remove_elements(table, set, elements));
    by_set(added, |set, elements| batch.add_elements(table, set, elements));
}

/// Passes on elements, which are in order, set by set.
fn by_set<'e>(
    elements: impl Iterator<Item = &'e Element>,
    mut each: impl FnMut(&str, &[nft::Element]),
) {
    let mut together: Option<(&str, Vec<nft::Element>)> = None;
    for element in elements {
        match &mut together {
            Some((set, values)) if *set == element.set() => values.push(element.value()),
            _ => {
                if let Some((set, values)) =
                    together.replace((element.set(), vec![element.value()]))
                {
                    each(set, &values);
                }
            }
        }
    }
    if let Some((set, values)) = together {
        each(set, &values);
    }
}

/// The elements of a set that never change.
fn constants(set: &str) -> Option<[u8; 2]> {
    match set {
        MLD_REPORT => Some(MLD_REPORTS),
        NEIGHBOR_DISCOVERY => Some(NEIGHBOR_MESSAGES),
        _ => None,
    }
}

fn sets(family: Family, parts: Parts, by_index: bool) -> Vec<Set<'static>> {
    const MAP: Set<'_> =
        Set { data: Some(Data::LinkIndex), ..Set::new(VMAC_MAP, &[Data::LinkIndex]) };
    let set = Set::new;
    let mut sets = Vec::new();
    if family == Family::V4 {
        sets.extend(parts.has(Part::Vmacs).then_some(MAP));
        let vips = set(VIPS, &[Data::Ipv4Address]);
        sets.extend(parts.has(Part::Addresses).then_some(vips));
        return sets;
    }
    let on_index: &[_] = &[Data::Ipv6Address, Data::LinkIndex];
    let on_name: &[_] = &[Data::Ipv6Address, Data::LinkName];
    sets.push(set(PARENT_LINK_LOCAL, if by_index { on_index } else { on_name }));
    let types = |name| Set { constant: true, ..set(name, &[Data::Icmpv6Type]) };
    if parts.has(Part::Vmacs) {
        sets.extend([MAP, set(VMAC_SET, &[Data::LinkIndex]), types(MLD_REPORT)]);
    }
    if parts.has(Part::Addresses) {
        sets.extend([types(NEIGHBOR_DISCOVERY), set(VIPS, &[Data::Ipv6Address])]);
    }
    if parts.has(Part::OnIndex) {
        sets.push(set(VIPS_LINK_LOCAL, on_index));
    }
    if parts.has(Part::OnName) {
        sets.push(set(VIPS_LINK_LOCAL_NAME, on_name));
    }
    sets
}
