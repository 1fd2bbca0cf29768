//! Firewall marks of virtual servers on groups of addresses (`nftables_ipvs`).

use std::rc::Rc;

use super::diff::Groups;
use super::lvs::{GroupEntry, Protocol, Service};
use super::Config;
use crate::base::sorted::{SortedMap, SortedSet};

/// Gives each virtual server on a group of addresses its mark. With `before`, the configuration that
/// runs, virtual servers keep theirs.
///
/// A mark that a removed virtual server had is not given to another one at once: until the kernel
/// has followed, packets still carry it.
pub fn assign(config: &mut Config, before: &Config) {
    let first = config.global.firewall.marking.as_ref().map(|marking| marking.first_mark);
    let mut marks = vec![None; config.virtual_servers.len()];
    if let Some(first) = first {
        let mut taken = explicit(config);
        let groups = Groups::of(config);
        let groups: Vec<_> = config
            .virtual_servers
            .iter()
            .map(|vs| groups.entries(vs).filter(|entries| entries.iter().all(is_range)))
            .collect();
        let earlier = Earlier::of(before, first, &taken);
        earlier.keep(config, &groups, &mut marks);
        taken.extend(before.virtual_servers.iter().filter_map(|vs| vs.mark));
        // 0 is no mark.
        let mut free = (first..=u32::MAX).chain(1..first).filter(|mark| !taken.contains(mark));
        for (group, mark) in groups.iter().zip(&mut marks) {
            if mark.is_none() && group.is_some() {
                *mark = free.next();
            }
        }
    }
    for (vs, mark) in config.virtual_servers.iter_mut().zip(marks) {
        if vs.mark != mark {
            Rc::make_mut(vs).mark = mark;
        }
    }
}

/// A group with any other entry has a mark of its own already.
const fn is_range(entry: &GroupEntry) -> bool {
    matches!(entry, GroupEntry::Range { .. })
}

/// Marks that the configuration names: of services, of routing rules, and of packets of checks, which
/// IPVS would balance otherwise.
fn explicit(config: &Config) -> SortedSet<u32> {
    let services = config.virtual_servers.iter().filter_map(|vs| match vs.service {
        Service::Fwmark(mark) => Some(mark),
        _ => None,
    });
    let entries = config.address_groups.iter().flat_map(|group| &group.entries);
    let entries = entries.filter_map(|entry| match entry {
        GroupEntry::Fwmark { mark, .. } => Some(*mark),
        GroupEntry::Range { .. } => None,
    });
    let rules = config.instances.iter().flat_map(|instance| &instance.rules);
    let rules = rules.chain(&config.static_rules);
    let rules = rules.filter_map(|rule| rule.rule.mark.map(|(value, _)| value));
    let servers = config.virtual_servers.iter().flat_map(|vs| &vs.servers);
    let checks = servers.flat_map(|rs| &rs.checks).filter_map(|check| check.kind.connect());
    services.chain(entries).chain(rules).chain(checks.map(|connect| connect.fwmark)).collect()
}

/// Marks of the running configuration that can be kept, with the addresses they stand for.
struct Earlier<'c>(SortedMap<(&'c str, Option<Protocol>), Kept<'c>>);

type Kept<'c> = (u32, &'c [GroupEntry]);

impl<'c> Earlier<'c> {
    fn of(before: &'c Config, first: u32, taken: &SortedSet<u32>) -> Self {
        let marking = before.global.firewall.marking.as_ref();
        let is_same_start = marking.is_some_and(|marking| marking.first_mark == first);
        let groups = Groups::of(before);
        let kept = before.virtual_servers.iter().filter_map(|vs| {
            let mark = vs.mark.filter(|mark| is_same_start && !taken.contains(mark))?;
            let Service::Group { name, .. } = &vs.service else { return None };
            Some(((name.as_str(), vs.protocol), (mark, groups.entries(vs)?)))
        });
        Self(kept.collect())
    }

    /// First by name. Then by addresses: a group that is renamed is the same one.
    fn keep(self, config: &Config, groups: &[Option<&[GroupEntry]>], marks: &mut [Option<u32>]) {
        let mut left = self.0;
        let servers = config.virtual_servers.iter().zip(groups);
        for ((vs, _), mark) in servers.clone().zip(&mut *marks).filter(|((_, g), _)| g.is_some()) {
            let Service::Group { name, .. } = &vs.service else { continue };
            let same = left.remove(&(name.as_str(), vs.protocol));
            *mark = same.map(|(mark, _)| mark);
        }
        let mut left: SortedMap<_, _> = left
            .into_iter()
            .map(|((_, protocol), (mark, entries))| ((protocol, entries), mark))
            .collect();
        for ((vs, group), mark) in servers.zip(marks).filter(|(_, mark)| mark.is_none()) {
            *mark = group.and_then(|entries| left.remove(&(vs.protocol, entries)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::firewall::Marking;
    use crate::model::lvs::tests::virtual_server;
    use crate::model::lvs::AddressGroup;

    fn range(last: u8) -> GroupEntry {
        let first = [10, 9, 0, last].into();
        GroupEntry::Range { first, last: first, port: 80 }
    }

    /// Groups with the last part of their address, or with a mark of their own.
    fn config(groups: &[(&str, Result<u8, u32>)]) -> Config {
        let mut config = Config::default();
        config.global.firewall.marking = Some(Marking::default());
        for (name, entry) in groups {
            let entry = match *entry {
                Ok(last) => range(last),
                Err(mark) => GroupEntry::Fwmark { mark, family: None },
            };
            let entries = vec![range(200), entry];
            config.address_groups.push(AddressGroup { name: (*name).to_owned(), entries });
            let mut vs = virtual_server([0; 4], 0);
            vs.service = Service::Group { name: (*name).to_owned(), index: 0 };
            config.virtual_servers.push(Rc::new(vs));
        }
        config
    }

    fn marks(config: &Config) -> Vec<Option<u32>> {
        config.virtual_servers.iter().map(|vs| vs.mark).collect()
    }

    fn assigned(mut config: Config, before: &Config) -> Config {
        assign(&mut config, before);
        config
    }

    #[test]
    fn marks_count_up_and_avoid_those_in_use() {
        let mut new = config(&[("a", Ok(1)), ("b", Err(1001)), ("c", Ok(3)), ("d", Ok(4))]);
        let mut plain = virtual_server([0; 4], 0);
        plain.service = Service::Fwmark(1002);
        new.virtual_servers.push(Rc::new(plain));
        let new = assigned(new, &Config::default());
        assert_eq!(marks(&new), [Some(1000), None, Some(1003), Some(1004), None]);
    }

    #[test]
    fn marks_begin_again_at_1_behind_the_last_one() {
        let mut new = config(&[("a", Ok(1)), ("b", Ok(2)), ("c", Ok(3))]);
        new.global.firewall.marking =
            Some(Marking { first_mark: u32::MAX - 1, ..Marking::default() });
        let new = assigned(new, &Config::default());
        assert_eq!(marks(&new), [Some(u32::MAX - 1), Some(u32::MAX), Some(1)]);
    }

    #[test]
    fn without_the_keyword_there_are_no_marks() {
        let before = assigned(config(&[("a", Ok(1))]), &Config::default());
        let mut new = before.clone();
        new.global.firewall.marking = None;
        assert_eq!(marks(&assigned(new, &before)), [None]);
    }

    #[test]
    fn a_reload_keeps_marks() {
        let before = assigned(config(&[("a", Ok(1)), ("b", Ok(2))]), &Config::default());
        let other = config(&[("c", Ok(3)), ("b", Ok(9)), ("a", Ok(1))]);
        let new = assigned(other.clone(), &before);
        assert_eq!(marks(&new), [Some(1002), Some(1001), Some(1000)], "whatever the order");
        let unchanged = assigned(other, &new);
        assert_eq!(unchanged, new);
    }

    #[test]
    fn a_renamed_group_keeps_its_mark_and_a_removed_one_leaves_it() {
        let before = assigned(config(&[("a", Ok(1)), ("b", Ok(2))]), &Config::default());
        let renamed = assigned(config(&[("c", Ok(3)), ("d", Ok(2))]), &before);
        assert_eq!(marks(&renamed), [Some(1002), Some(1001)], "1000 is on its way out");
        let again = assigned(config(&[("c", Ok(3)), ("d", Ok(2)), ("e", Ok(5))]), &renamed);
        assert_eq!(marks(&again), [Some(1002), Some(1001), Some(1000)]);
    }

    #[test]
    fn a_mark_that_is_used_explicitly_now_is_given_up() {
        let before = assigned(config(&[("a", Ok(1))]), &Config::default());
        let new = assigned(config(&[("a", Ok(1)), ("b", Err(1000))]), &before);
        assert_eq!(marks(&new), [Some(1001), None]);
    }

    #[test]
    fn another_start_gives_other_marks() {
        let before = assigned(config(&[("a", Ok(1))]), &Config::default());
        let mut new = config(&[("a", Ok(1))]);
        new.global.firewall.marking = Some(Marking { first_mark: 2000, ..Marking::default() });
        assert_eq!(marks(&assigned(new, &before)), [Some(2000)]);
    }
}
