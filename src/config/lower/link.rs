//! `interface_up_down_delays`, `linkbeat_interfaces`, `linkbeat_use_polling` and `garp_group`.

use super::{seconds, LoweredInstance, Scene};
use crate::base::diag::Span;
use crate::base::name::SharedName;
use crate::base::sorted::SortedSet;
use crate::config::document::{Node, Word};
use crate::config::keywords::{RawDelays, RawGarpGroup, RawPolledLink, GARP_GROUP};
use crate::config::statement::Checker;
use crate::model::link::{LinkDelays, PolledLink};
use crate::model::vrrp::{GarpGroup, TrackedLink};
use crate::model::Config;

/// Lists of interfaces, as they are written.
#[derive(Default)]
pub(super) struct LinkLists<'d> {
    delays: Vec<RawDelays<'d>>,
    polled: Vec<RawPolledLink<'d>>,
    /// `linkbeat_use_polling`.
    all: bool,
    groups: Vec<RawGarpGroup<'d>>,
}

impl<'d> LinkLists<'d> {
    /// Reads `interface_up_down_delays`.
    pub(super) fn delays(&mut self, checker: &mut Checker<'_>, node: Node<'d>) {
        self.delays.extend(node.children().filter_map(|line| RawDelays::read(checker, line)));
    }

    /// Reads `linkbeat_interfaces`.
    pub(super) fn polled(&mut self, checker: &mut Checker<'_>, node: Node<'d>) {
        self.polled.extend(node.children().filter_map(|line| RawPolledLink::read(checker, line)));
    }

    /// The interface of an instance with the old word.
    pub(super) fn poll(&mut self, interface: Option<Word<'d>>) {
        self.polled.extend(interface.map(|name| RawPolledLink { name, query: None }));
    }

    pub(super) const fn poll_all(&mut self) {
        self.all = true;
    }

    /// Reads `garp_group`.
    pub(super) fn group(&mut self, checker: &mut Checker<'_>, node: Node<'d>) {
        let keyword = node.keyword();
        let mut raw = RawGarpGroup { keyword, ..RawGarpGroup::default() };
        checker.fill(node.children(), &GARP_GROUP, &mut raw);
        self.groups.push(raw);
    }

    /// Once all instances and groups are known.
    pub(super) fn resolve(
        mut self,
        scene: &mut Scene<'_, '_>,
        instances: &[LoweredInstance],
        config: &mut Config,
    ) {
        for raw in std::mem::take(&mut self.groups) {
            config.garp_groups.extend(garp_group(scene, raw, &config.garp_groups));
        }
        for raw in std::mem::take(&mut self.delays) {
            scene.check_link(raw.name.text, raw.name.span);
            let delays = LinkDelays {
                interface: raw.name.text.to_owned(),
                down: raw.down.unwrap_or_default(),
                up: raw.up.unwrap_or_default(),
            };
            let delays = cut(scene, instances, delays, raw.name.span);
            config.link_delays.retain(|other| other.interface != delays.interface);
            config.link_delays.push(delays);
        }
        self.resolve_polled(scene, instances, config);
    }

    fn resolve_polled(
        self,
        scene: &mut Scene<'_, '_>,
        instances: &[LoweredInstance],
        config: &mut Config,
    ) {
        let needed = needed(instances, config);
        for raw in self.polled {
            scene.check_link(raw.name.text, raw.name.span);
            if needed.contains(raw.name.text) {
                let interface = raw.name.text.to_owned();
                config.polled_links.retain(|other| other.interface != interface);
                config.polled_links.push(PolledLink { interface, query: raw.query });
            } else {
                let text = format!(
                    "the link of '{}' is not polled: no instance depends on it",
                    raw.name.text
                );
                scene.checker.out.warn("linkbeat_interfaces", raw.name.span, text);
            }
        }
        if self.all {
            let own = instances.iter().filter_map(|i| i.instance.interface.as_deref());
            for interface in own {
                if config.polled_links.iter().all(|other| other.interface != interface) {
                    let interface = interface.to_owned();
                    config.polled_links.push(PolledLink { interface, query: None });
                }
            }
        }
    }
}

/// `None`: the group sets no pace, or for no interface.
fn garp_group(
    scene: &mut Scene<'_, '_>,
    raw: RawGarpGroup<'_>,
    known: &[GarpGroup],
) -> Option<GarpGroup> {
    const NAME: &str = "garp_group";
    let mut interfaces: Vec<String> = Vec::new();
    for word in &raw.interfaces {
        scene.check_link(word.text, word.span);
        let grouped = known.iter().flat_map(|group| &group.interfaces);
        if grouped.chain(&interfaces).any(|name| name == word.text) {
            let text = format!("'{}' is in a garp_group already: it is ignored here", word.text);
            scene.error(NAME, word.span, text);
        } else {
            interfaces.push(word.text.to_owned());
        }
    }
    let lacks = if raw.garp.is_none() && raw.gna.is_none() {
        "garp_interval and gna_interval"
    } else if interfaces.is_empty() {
        "interfaces"
    } else {
        return Some(GarpGroup { garp: raw.garp, gna: raw.gna, interfaces });
    };
    scene.error(NAME, raw.keyword.span, format!("a garp_group without {lacks} is ignored"));
    None
}

/// A link that is down for longer would leave two masters when it comes back.
fn cut(
    scene: &mut Scene<'_, '_>,
    instances: &[LoweredInstance],
    mut delays: LinkDelays,
    span: Span,
) -> LinkDelays {
    let own = instances.iter().map(|lowered| &*lowered.instance);
    let own = own.filter(|i| i.interface.as_deref() == Some(&delays.interface));
    let limits = own.map(|i| (i.longest_outage(i.advert_interval), &i.name));
    let Some((limit, name)) = limits.min() else { return delays };
    let (down, up) = delays.within(limit);
    if down < delays.down {
        let text = format!(
            "{} may be down for {} s at most, or a backup of {name} takes over: {} s is used",
            delays.interface,
            seconds(limit),
            seconds(down)
        );
        scene.checker.out.note(span, text);
    }
    (delays.down, delays.up) = (down, up);
    delays
}

/// Interfaces whose state matters to an instance.
fn needed(instances: &[LoweredInstance], config: &Config) -> SortedSet<SharedName> {
    let mut needed = SortedSet::new();
    let names =
        |list: &[TrackedLink]| list.iter().map(|link| link.interface.clone()).collect::<Vec<_>>();
    for group in &config.groups {
        needed.extend(names(&group.tracked_links));
    }
    for instance in instances.iter().map(|lowered| &lowered.instance) {
        needed.extend(instance.interface.clone());
        needed.extend(names(&instance.tracked_links));
        let tracked = instance.all_addresses().filter(|address| !address.no_track);
        needed.extend(tracked.map(|address| address.interface.clone()));
    }
    needed
}
