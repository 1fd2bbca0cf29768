//! Objects that the kernel has to hold while a configuration is in force, whatever the states of
//! its instances.

use std::net::{IpAddr, Ipv6Addr};
use std::rc::Rc;

use crate::base::addr::{is_link_local, Family, Mac, Prefix};
use crate::base::name::SharedName;
use crate::base::shield::Shield;
use crate::daemon::runtime::Runtime;
use crate::holdings::{self, Holder, KernelObject, Links, Setting, Sysctl};
use crate::model::vlink::VirtualLink;
use crate::model::vrrp::{Instance, Scope, VirtualAddress};
use crate::model::Config;

impl Runtime {
    /// Requests all of them, and lets go of those of an earlier configuration.
    pub(in crate::daemon) fn want_fixed(&mut self) {
        let objects = fixed(&self.running.config, self.cores.holdings.links());
        let input = holdings::Input::Want { owner: Holder::Host, objects: &objects };
        self.cores.holdings(input, self.now);
    }

    /// An address of this interface changed. It may be one that a VMAC has, too.
    pub(in crate::daemon) fn on_base_changed(&mut self, link: &str) {
        let lends = |i: &Rc<Instance>| needs_link_local(i) && i.interface.as_deref() == Some(link);
        if self.running.config.instances.iter().any(lends) {
            self.want_fixed();
        }
    }
}

fn fixed(config: &Config, links: &Links) -> Vec<KernelObject> {
    let mut objects = Vec::new();
    for instance in &config.instances {
        for link in instance.virtual_links() {
            objects.push(KernelObject::Link(Rc::clone(link)));
            if link.is_vmac() && instance.uses(link, Family::V4) {
                objects.extend(settings_of_base(link));
            }
        }
        let shields = shields_of_links(config, instance);
        objects.extend(shields.map(|shield| KernelObject::Firewall(Rc::new(shield))));
        objects.extend(instance.ipvlan_address.iter().map(KernelObject::from));
        objects.extend(link_local(instance, links));
        if let Some(link) = instance.interface.clone().filter(|_| instance.promote_secondaries) {
            objects.push(setting(link, Setting::PromoteSecondaries));
        }
    }
    objects.extend(config.static_addresses.iter().map(KernelObject::from));
    objects.extend(config.static_routes.iter().map(|route| KernelObject::Route(Rc::clone(route))));
    objects.extend(config.static_rules.iter().map(|rule| KernelObject::Rule(Rc::clone(rule))));
    objects
}

fn setting(link: SharedName, setting: Setting) -> KernelObject {
    KernelObject::Sysctl(Rc::new(Sysctl { link, setting, value: setting.value() }))
}

/// The base must not answer ARP for the addresses of a VMAC with its own hardware address, nor ask
/// with them, from which neighbours would learn as well.
fn settings_of_base(link: &VirtualLink) -> [KernelObject; 3] {
    [Setting::ArpIgnore, Setting::ArpFilter, Setting::ArpAnnounce]
        .map(|of| setting(link.base.as_str().into(), of))
}

/// The entries of the packet filter for the VMACs of an instance, whose reports of group membership
/// leave through their bases.
pub(in crate::daemon) fn shields_of_links<'a>(
    config: &'a Config,
    instance: &'a Instance,
) -> impl Iterator<Item = Shield<String>> + 'a {
    let is_silent =
        move |family: &Family| *family == Family::V4 && config.global.disable_local_igmp;
    instance.virtual_links().filter(|link| link.is_vmac()).flat_map(move |link| {
        let families = [Family::V4, Family::V6].into_iter();
        let families =
            families.filter(move |f| instance.uses(link, *f)).filter(move |f| !is_silent(f));
        families.map(|family| Shield::Vmac {
            family,
            link: link.name.clone(),
            base: link.base.clone(),
        })
    })
}

/// True for an instance whose VMAC sends IPv6 advertisements, for which it needs a link-local
/// address. The kernel must not derive one from its hardware address, which is not unique.
fn needs_link_local(instance: &Instance) -> bool {
    let has_vmac = instance.vlink.as_ref().is_some_and(|link| link.is_vmac());
    has_vmac && instance.family == Family::V6 && !instance.xmit_base
}

/// The link-local address of the VMAC: the configured source, or the one of its base, or one from
/// the hardware address of the base.
fn link_local(instance: &Instance, links: &Links) -> Option<KernelObject> {
    let made = instance.vlink.as_ref().filter(|_| needs_link_local(instance))?;
    let base = links.get(&made.base)?;
    let of_base = links.link_locals(base.index).find(|address| address.is_usable());
    let of_base = of_base.map(|address| address.prefix.addr);
    let configured = instance.source.filter(is_link_local);
    let addr = configured.or(of_base).or_else(|| base.mac.map(from_mac))?;
    let plain = VirtualAddress::plain(Prefix { addr, len: 64 }, made.name.as_str().into());
    let never_preferred = VirtualAddress { scope: Scope::LINK, preferred_lft: Some(0), ..plain };
    Some(KernelObject::Address(Rc::new(never_preferred)))
}

/// RFC 4291 §2.5.1: the modified EUI-64.
fn from_mac(Mac([a, b, c, d, e, f]): Mac) -> IpAddr {
    let word = |high: u8, low: u8| u16::from_be_bytes([high, low]);
    let [a, b] = [word(a ^ 2, b), word(c, 0xff)];
    Ipv6Addr::new(0xfe80, 0, 0, 0, a, b, word(0xfe, d), word(e, f)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::addr::HostAddress;
    use crate::base::link::{KernelEvent, Link};
    use crate::model::vlink::{virtual_mac, VirtualLinkKind};
    use crate::model::vrrp::tests::instance;

    const FILTER: &str = "packet filter for vrrp.51";

    fn with_vmac(family: Family) -> Instance {
        let link = VirtualLink {
            name: "vrrp.51".into(),
            base: "eth0".into(),
            kind: VirtualLinkKind::Macvlan { mac: virtual_mac(family, 51) },
            group: None,
            notify_base: false,
        };
        Instance { family, vlink: Some(Rc::new(link)), ..instance("A", 51) }
    }

    fn named(instance: Instance, addresses: &[&str]) -> Vec<String> {
        let mac = Some(Mac([2, 0, 0, 0, 0, 1]));
        let mut events = vec![KernelEvent::Link(Link { mac, ..Link::plain(1, "eth0") })];
        for addr in addresses {
            let prefix = Prefix { addr: addr.parse().unwrap(), len: 64 };
            let address = HostAddress::plain(prefix);
            events.push(KernelEvent::Address { index: 1, address });
        }
        let config = Config { instances: vec![Rc::new(instance)], ..Config::default() };
        let objects = fixed(&config, &Links::dumped(events));
        objects.iter().map(|object| object.name().to_string()).collect()
    }

    #[test]
    fn the_base_of_an_ipv4_vmac_answers_no_arp_for_it() {
        let expected = ["interface vrrp.51", "arp_ignore", "arp_filter", "arp_announce", FILTER];
        assert_eq!(named(with_vmac(Family::V4), &[]), expected);
    }

    #[test]
    fn an_ipv6_vmac_has_the_link_local_address_of_its_base() {
        let addresses = ["2001:db8::1", "fe80::7", "fe80::8"];
        let expected = ["interface vrrp.51", FILTER, "fe80::7/64"];
        assert_eq!(named(with_vmac(Family::V6), &addresses), expected);
        let expected = ["interface vrrp.51", FILTER, "fe80::ff:fe00:1/64"];
        assert_eq!(named(with_vmac(Family::V6), &[]), expected, "from the hardware address");
        let source = Some("fe80::9".parse().unwrap());
        let given = Instance { source, ..with_vmac(Family::V6) };
        assert_eq!(named(given, &addresses), ["interface vrrp.51", FILTER, "fe80::9/64"]);
        let base = Instance { xmit_base: true, ..with_vmac(Family::V6) };
        assert_eq!(
            named(base, &addresses),
            ["interface vrrp.51", FILTER],
            "advertisements leave elsewhere"
        );
    }
}
