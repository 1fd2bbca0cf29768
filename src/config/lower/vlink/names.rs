//! Names of virtual interfaces. They depend on the configuration and on the interfaces that exist,
//! so that a reload keeps every name.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::base::addr::{Family, Mac};
use crate::base::link::LinkKind;
use crate::config::document::Word;
use crate::config::host::LinkFacts;
use crate::config::lower::Scene;
use crate::model::vlink::{VirtualLink, VirtualLinkKind};

/// Limit of the length of a name.
const LONGEST: usize = 15;
/// Default names that are tried.
const ATTEMPTS: u32 = 1000;

/// An interface to be made. Without a name, it is given one.
pub(in crate::config::lower) struct Want {
    pub link: VirtualLink,
    /// Of a VMAC of addresses: their interface and family.
    pub home: Option<(String, Family)>,
    pub vrid: u8,
    pub family: Family,
    pub made: Option<Rc<VirtualLink>>,
}

/// The names in use.
#[derive(Default)]
pub(in crate::config::lower) struct Names {
    /// Every virtual interface, with the instance that its name is reserved for.
    taken: HashMap<String, String>,
    /// VMACs by their base and address: the kernel allows only one.
    vmacs: HashMap<(String, Mac), Rc<VirtualLink>>,
    existing: Option<Existing>,
}

/// The interfaces of the host.
struct Existing {
    links: HashMap<String, LinkFacts>,
    /// Private macvlans by what carries them and by their address.
    macvlans: HashMap<(u32, Mac), String>,
}

impl Names {
    /// True for a virtual interface of this configuration.
    pub(in crate::config::lower) fn contains(&self, name: &str) -> bool {
        self.taken.contains_key(name)
    }

    /// Reserves a configured name, or removes one that cannot be used.
    pub(in crate::config::lower) fn reserve(
        &mut self,
        scene: &mut Scene<'_, '_>,
        name: &mut Option<Word<'_>>,
        kind: Option<VirtualLinkKind>,
        instance: &str,
    ) {
        let (Some(word), Some(kind)) = (*name, kind) else { return };
        let exists = self.existing(scene).links.get(word.text).map(|facts| facts.kind);
        let (about, what, is_fit) = match kind {
            VirtualLinkKind::Macvlan { .. } => (
                "use_vmac",
                "a private macvlan",
                exists.is_none_or(|kind| kind == LinkKind::PRIVATE_MACVLAN),
            ),
            VirtualLinkKind::Ipvlan { .. } => (
                "use_ipvlan",
                "an ipvlan in L2 mode",
                exists.is_none_or(|kind| matches!(kind, LinkKind::Ipvlan { mode: 0, .. })),
            ),
        };
        let text = if let Some(other) = self.taken.get(word.text) {
            format!("the name '{}' is ignored: {other} uses it", word.text)
        } else if !is_fit {
            format!("the name '{}' is ignored: the interface exists and is not {what}", word.text)
        } else {
            self.taken.insert(word.text.to_owned(), instance.to_owned());
            return;
        };
        scene.error(about, word.span, text);
        *name = None;
    }

    /// Gives every interface its name. One that exists and fits keeps its own; only then the free
    /// names are handed out.
    pub(in crate::config::lower) fn assign(
        &mut self,
        scene: &Scene<'_, '_>,
        mut wants: Vec<&mut Want>,
    ) {
        for name in [Self::configured, Self::of_existing, Self::default_name] {
            for want in wants.iter_mut().filter(|want| want.made.is_none()) {
                let vmac = want.link.mac().map(|mac| (want.link.base.clone(), mac));
                if let Some(shared) = vmac.as_ref().and_then(|key| self.vmacs.get(key)) {
                    want.made = Some(Rc::clone(shared));
                    continue;
                }
                let Some(name) = name(self, scene, want) else { continue };
                self.taken.entry(name.clone()).or_default();
                let link = Rc::new(VirtualLink { name, ..want.link.clone() });
                if let Some(key) = vmac {
                    self.vmacs.insert(key, Rc::clone(&link));
                }
                want.made = Some(link);
            }
        }
    }

    fn configured(&mut self, _scene: &Scene<'_, '_>, want: &Want) -> Option<String> {
        Some(want.link.name.clone()).filter(|name| !name.is_empty())
    }

    fn of_existing(&mut self, scene: &Scene<'_, '_>, want: &Want) -> Option<String> {
        let existing = self.existing(scene);
        let carrier = existing.links.get(&want.link.base)?.carrier();
        let name = existing.macvlans.get(&(carrier, want.link.mac()?))?.clone();
        (!self.taken.contains_key(&name)).then_some(name)
    }

    /// `PREFIX.VRID`, or the first one with a number that is free.
    fn default_name(&mut self, scene: &Scene<'_, '_>, want: &Want) -> Option<String> {
        let defaults = scene.defaults;
        let prefix = match want.home {
            None => &defaults.vmac_prefix,
            Some(_) => &defaults.vmac_addr_prefix,
        };
        self.existing(scene);
        let candidate = |number| default_name(prefix, number, want.vrid);
        (0..ATTEMPTS)
            .map(|n| candidate(number(n, want.family)))
            .find(|name| !self.taken.contains_key(name) && self.is_free(scene, name, want))
    }

    /// True if there is no such interface, or one that is or can be made the wanted one.
    fn is_free(&self, scene: &Scene<'_, '_>, name: &str, want: &Want) -> bool {
        let Some(existing) = &self.existing else { return true };
        let Some(facts) = existing.links.get(name) else { return true };
        let is_wanted = match want.link.kind {
            VirtualLinkKind::Macvlan { .. } => false,
            VirtualLinkKind::Ipvlan { flags } => {
                let base = existing.links.get(&want.link.base);
                facts.kind == LinkKind::l2_ipvlan(flags)
                    && base.is_some_and(|base| base.carrier() == facts.parent)
            }
        };
        is_wanted || scene.host.has_made(name)
    }

    fn existing(&mut self, scene: &Scene<'_, '_>) -> &Existing {
        self.existing.get_or_insert_with(|| {
            let names: HashSet<_> = scene.host.link_names().into_iter().collect();
            let facts = |name: String| scene.host.link(&name).map(|facts| (name, facts));
            let links: HashMap<_, _> = names.into_iter().filter_map(facts).collect();
            let private = links.iter().filter(|(_, f)| f.kind == LinkKind::PRIVATE_MACVLAN);
            let macvlans = private
                .filter_map(|(name, facts)| Some(((facts.parent, facts.mac?), name.clone())))
                .collect();
            Existing { links, macvlans }
        })
    }
}

/// The number in the default name of the n-th attempt. IPv6 tries 6 first.
const fn number(n: u32, family: Family) -> u32 {
    match (family, n) {
        (Family::V6, 1) => 6,
        (Family::V6, 2..=6) => n - 1,
        _ => n,
    }
}

/// `vrrp.51`, `vrrp1.51`: of a long prefix only as much as fits.
fn default_name(prefix: &str, number: u32, vrid: u8) -> String {
    let suffix = match number {
        0 => format!(".{vrid}"),
        number => format!("{number}.{vrid}"),
    };
    let mut room = prefix.len().min(LONGEST - suffix.len());
    while !prefix.is_char_boundary(room) {
        room -= 1;
    }
    format!("{}{suffix}", &prefix[..room])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_names_are_numbered() {
        let names = |family| {
            let name = |n| default_name("vrrp", number(n, family), 51);
            (0..9).map(name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            names(Family::V4),
            "vrrp.51 vrrp1.51 vrrp2.51 vrrp3.51 vrrp4.51 vrrp5.51 vrrp6.51 vrrp7.51 vrrp8.51"
        );
        assert_eq!(
            names(Family::V6),
            "vrrp.51 vrrp6.51 vrrp1.51 vrrp2.51 vrrp3.51 vrrp4.51 vrrp5.51 vrrp7.51 vrrp8.51"
        );
        assert_eq!(default_name("a-long-prefix", 0, 255), "a-long-pref.255");
        assert_eq!(default_name("a-long-prefix", 12, 255), "a-long-pr12.255");
        assert_eq!(default_name("ééééééé", 0, 7), "éééééé.7");
    }
}
