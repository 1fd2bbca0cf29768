//! Virtual interfaces of instances and of single addresses: rules of one instance.
//!
//! All instances are looked at before the first is lowered, since any of them may name the virtual
//! interface of another.

mod names;
mod shared;

use std::rc::Rc;

pub(super) use self::names::Names;
use self::names::Want;
pub(super) use self::shared::conflicts;
use super::Scene;
use crate::base::addr::{Family, Mac, Prefix};
use crate::config::document::Word;
use crate::config::host::LinkFacts;
use crate::config::keywords::{RawAddress, RawInstance};
use crate::config::value::any_base;
use crate::model::vlink::{virtual_mac, VirtualLink, VirtualLinkKind};
use crate::model::vrrp::{StandingFault, VirtualAddress};

/// The virtual interfaces of an instance, and what follows from them.
#[derive(Default)]
pub(super) struct Plan {
    pub link: Option<Rc<VirtualLink>>,
    pub xmit_base: bool,
    pub ipvlan_address: Option<Rc<VirtualAddress>>,
    pub fault: Option<StandingFault>,
    pub vrf: Option<String>,
    /// Interface and family of the instance.
    own: Option<(String, Family)>,
    /// `use_vmac_addr`: for all addresses elsewhere.
    everywhere: bool,
    /// VMACs for addresses of an interface and a family.
    homes: Vec<(String, Family, Rc<VirtualLink>)>,
}

impl Plan {
    /// The interface of an address that is to be on `dev`.
    pub(super) fn place<'a>(&'a self, dev: &'a str, raw: &RawAddress<'_>) -> &'a str {
        let family = Family::of(&raw.prefix().addr);
        let is_own = self.own.as_ref().is_some_and(|own| own.0 == dev && own.1 == family);
        let by_instance = if is_own { self.has_vmac() } else { self.everywhere };
        if !by_instance && raw.use_vmac.is_none() {
            return dev;
        }
        let home = self.homes.iter().find(|(on, of, _)| on == dev && *of == family);
        home.map_or(dev, |(_, _, link)| link.name.as_str())
    }

    fn has_vmac(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.is_vmac())
    }

    /// The VMACs that the instance needs besides its own.
    pub(super) fn address_links(&self) -> Vec<Rc<VirtualLink>> {
        let mut links: Vec<Rc<VirtualLink>> = Vec::new();
        for (_, _, link) in &self.homes {
            if self.link.as_ref() != Some(link) && !links.contains(link) {
                links.push(Rc::clone(link));
            }
        }
        links
    }
}

/// What an instance asks for, before the interfaces have names.
struct Draft<'d> {
    kind: Option<VirtualLinkKind>,
    name: Option<Word<'d>>,
    group: Option<u32>,
    notify_base: bool,
    /// The configured hardware address.
    mac: Option<Mac>,
    vrid: u8,
    family: Family,
    base: Option<&'d str>,
    plan: Plan,
    address: Option<Prefix>,
}

/// The plan of each instance.
pub(super) fn plan(scene: &mut Scene<'_, '_>, raws: &[&RawInstance<'_>]) -> (Vec<Plan>, Names) {
    let mut names = Names::default();
    let mut drafts = Vec::with_capacity(raws.len());
    for raw in raws {
        scene.checker.out.set_scope(Some(raw.name.text));
        let mut draft = Draft::read(scene, raw);
        draft.name = draft.name.filter(|_| draft.kind.is_some());
        names.reserve(scene, &mut draft.name, draft.kind, raw.name.text);
        let wants = draft.wants(scene, raw);
        drafts.push((draft, wants));
        scene.checker.out.set_scope(None);
    }
    let wants = drafts.iter_mut().flat_map(|(_, wants)| wants.iter_mut()).collect();
    names.assign(scene, wants);
    // Not in the memory of the drafts, which are twice as large.
    let mut plans = Vec::with_capacity(raws.len());
    plans.extend(drafts.into_iter().map(|(draft, wants)| draft.finish(wants)));
    (plans, names)
}

impl<'d> Draft<'d> {
    fn read(scene: &mut Scene<'_, '_>, raw: &RawInstance<'d>) -> Self {
        let mut draft = Self {
            kind: None,
            name: None,
            group: None,
            notify_base: false,
            mac: None,
            vrid: raw.vrid.map_or(0, |vrid| vrid.value),
            family: raw.family.unwrap_or(Family::V4),
            base: raw.interface.map(|word| word.text).filter(|name| *name != "lo"),
            plan: Plan::default(),
            address: None,
        };
        draft.vrf(scene, raw);
        let keyword = draft.kind(scene, raw);
        if let Some(keyword) = keyword {
            draft.conditions(scene, raw, keyword);
        }
        draft.transmission(scene, raw);
        draft.plan.own = draft.base.map(|base| (base.to_owned(), draft.family));
        draft.plan.everywhere = raw.address_vmacs;
        draft
    }

    /// What kind of interface it is; the keyword that says so.
    fn kind(&mut self, scene: &mut Scene<'_, '_>, raw: &RawInstance<'d>) -> Option<Word<'d>> {
        if let Some(vmac) = &raw.vmac {
            self.group = vmac.group.and_then(|word| group(scene, word));
            self.notify_base = vmac.notify;
            self.name = vmac.name;
            self.mac = self.mac(scene, raw);
            let mac = self.mac.unwrap_or_else(|| virtual_mac(self.family, self.vrid));
            self.kind = Some(VirtualLinkKind::Macvlan { mac });
            if let Some(ipvlan) = &raw.ipvlan {
                let text = "use_ipvlan is ignored: the instance has a VMAC";
                scene.error("use_ipvlan", ipvlan.keyword.span, text);
            }
            return Some(vmac.keyword);
        }
        let ipvlan = raw.ipvlan.as_ref()?;
        self.group = ipvlan.group.and_then(|word| group(scene, word));
        self.name = ipvlan.name;
        self.kind = Some(VirtualLinkKind::Ipvlan { flags: ipvlan.flags.unwrap_or(0) });
        self.address = ipvlan.address.map(|given| given.value);
        Some(ipvlan.keyword)
    }

    fn mac(&self, scene: &mut Scene<'_, '_>, raw: &RawInstance<'_>) -> Option<Mac> {
        let given = raw.vmac.as_ref()?.mac?;
        if is_strict(scene, raw) {
            let text = "strict mode has no hardware address but that of the virtual router";
            scene.error("use_vmac", given.span, format!("{text}: it is ignored"));
            return None;
        }
        Some(given.value.with_vrid(self.vrid))
    }

    /// What must be so for the instance to have such an interface.
    fn conditions(&mut self, scene: &mut Scene<'_, '_>, raw: &RawInstance<'_>, keyword: Word<'_>) {
        let (word, span) = (keyword.text, keyword.span);
        if self.base.is_none() {
            self.kind = None;
            if raw.unicast.is_some() {
                let text = format!("{word} is ignored: the instance has no interface");
                scene.error(word, span, text);
            }
            return;
        }
        if let Some(promote) = raw.promote_secondaries {
            let text = format!("promote_secondaries is ignored with {word}");
            scene.error("promote_secondaries", promote, text);
        }
        let facts = self.base.and_then(|name| scene.host.link(name));
        if facts.is_some_and(|facts| !facts.ethernet) {
            let text = format!(
                "{word} needs an Ethernet interface, which '{}' is not: the instance stays in FAULT",
                self.base.unwrap_or_default()
            );
            scene.error(word, span, text);
            self.plan.fault = Some(StandingFault::NoEthernet);
        }
        let is_ipvlan = matches!(self.kind, Some(VirtualLinkKind::Ipvlan { .. }));
        if is_ipvlan && self.address.is_none() && self.family == Family::V4 {
            let text = "use_ipvlan needs an address for IPv4: the instance stays in FAULT";
            scene.error(word, span, text);
            self.plan.fault.get_or_insert(StandingFault::NoIpvlanAddress);
        }
    }

    /// The interface that advertisements take.
    fn transmission(&mut self, scene: &mut Scene<'_, '_>, raw: &RawInstance<'_>) {
        const NAME: &str = "vmac_xmit_base";
        let strict = is_strict(scene, raw);
        match (self.kind, raw.xmit_base, raw.unicast) {
            (Some(VirtualLinkKind::Macvlan { .. }), Some(span), _) if strict => {
                scene.error(NAME, span, "vmac_xmit_base is ignored in strict mode");
            }
            (Some(VirtualLinkKind::Macvlan { .. }), Some(_), _) => self.plan.xmit_base = true,
            (Some(VirtualLinkKind::Macvlan { .. }), None, Some(span)) if !strict => {
                let text = "unicast with use_vmac needs vmac_xmit_base: it is switched on";
                scene.error(NAME, span, text);
                self.plan.xmit_base = true;
            }
            (Some(VirtualLinkKind::Macvlan { .. }), None, _) => {}
            (_, Some(span), _) => {
                scene.error(NAME, span, "vmac_xmit_base is ignored without use_vmac");
            }
            (_, None, _) => {}
        }
    }

    fn vrf(&mut self, scene: &mut Scene<'_, '_>, raw: &RawInstance<'_>) {
        let Some(word) = raw.vrf else { return };
        let why = if raw.interface.is_some() {
            "the instance has an interface"
        } else if word.text == "lo" {
            "'lo' is no VRF"
        } else {
            scene.check_link(word.text, word.span);
            self.plan.vrf = Some(word.text.to_owned());
            return;
        };
        scene.error("vrf", word.span, format!("vrf is ignored: {why}"));
    }

    /// The interfaces to be made, that of the instance first.
    fn wants(&self, scene: &mut Scene<'_, '_>, raw: &RawInstance<'d>) -> Vec<Want> {
        let mut wants = Vec::new();
        if let (Some(kind), Some(base), Some(_)) = (self.kind, self.base, raw.vrid) {
            wants.push(self.want(kind, base, None));
        }
        for address in raw.addresses.iter().chain(&raw.excluded) {
            let Some(home) = self.home(scene, raw, address) else { continue };
            if wants.iter().all(|want| want.home.as_ref() != Some(&home)) && raw.vrid.is_some() {
                let mac = self.mac.unwrap_or_else(|| virtual_mac(home.1, self.vrid));
                let (base, kind) = (home.0.clone(), VirtualLinkKind::Macvlan { mac });
                wants.push(self.want(kind, &base, Some(home)));
            }
        }
        wants
    }

    fn want(&self, kind: VirtualLinkKind, base: &str, home: Option<(String, Family)>) -> Want {
        let own = home.is_none();
        let link = VirtualLink {
            name: self.name.filter(|_| own).map_or_else(String::new, |word| word.text.to_owned()),
            base: base.to_owned(),
            kind,
            group: self.group.filter(|_| own),
            notify_base: self.notify_base && own,
        };
        let family = home.as_ref().map_or(self.family, |home| home.1);
        Want { link, home, vrid: self.vrid, family, made: None }
    }

    /// The interface and family of an address that needs a VMAC other than that of the instance;
    /// the family alone may make it another.
    fn home(
        &self,
        scene: &mut Scene<'_, '_>,
        raw: &RawInstance<'_>,
        address: &RawAddress<'_>,
    ) -> Option<(String, Family)> {
        let (addr, own) = (address.prefix().addr, self.base);
        let dev = address.dev.map(|word| word.text).or(own)?;
        let family = Family::of(&addr);
        let elsewhere = own != Some(dev) || family != self.family;
        let has_vmac = matches!(self.kind, Some(VirtualLinkKind::Macvlan { .. }));
        if !elsewhere && has_vmac {
            if let Some(span) = address.use_vmac {
                let text = format!("use_vmac of '{addr}' is of no use: the instance has a VMAC");
                scene.error("use_vmac", span, text);
            }
            return None;
        }
        let by_instance = raw.address_vmacs && elsewhere;
        match address.use_vmac {
            None if !by_instance => return None,
            Some(span) if by_instance => {
                let text = format!("use_vmac of '{addr}' is of no use with use_vmac_addr");
                scene.error("use_vmac", span, text);
            }
            _ => {}
        }
        if scene.host.link(dev).is_some_and(|facts: LinkFacts| !facts.ethernet) {
            let span = address.use_vmac.unwrap_or(address.word.span);
            let text = format!("'{addr}' has no VMAC: '{dev}' is not an Ethernet interface");
            scene.error("use_vmac", span, text);
            return None;
        }
        Some((dev.to_owned(), family))
    }

    fn finish(self, wants: Vec<Want>) -> Plan {
        let mut plan = self.plan;
        for want in wants {
            let Some(link) = want.made else { continue };
            match want.home {
                None => {
                    if link.is_vmac() {
                        plan.homes.push((link.base.clone(), self.family, Rc::clone(&link)));
                    }
                    plan.link = Some(link);
                }
                Some((dev, family)) => plan.homes.push((dev, family, link)),
            }
        }
        let on = plan.link.as_ref().map(|link| link.name.clone());
        plan.ipvlan_address = self.address.zip(on).map(|(prefix, on)| Rc::new(fixed(prefix, on)));
        plan
    }
}

fn is_strict(scene: &Scene<'_, '_>, raw: &RawInstance<'_>) -> bool {
    raw.strict.unwrap_or(scene.defaults.strict)
}

/// The address of an ipvlan. It is in use before the kernel could check it for duplicates.
fn fixed(prefix: Prefix, interface: String) -> VirtualAddress {
    let nodad = prefix.addr.is_ipv6();
    VirtualAddress { nodad, no_track: true, ..VirtualAddress::plain(prefix, interface.into()) }
}

fn group(scene: &mut Scene<'_, '_>, word: Word<'_>) -> Option<u32> {
    let number = any_base(word.text).and_then(|number| u32::try_from(number).ok());
    if number.is_none() {
        let text = format!("group '{}' is not known: it is ignored", word.text);
        scene.error("group", word.span, text);
    }
    number
}
