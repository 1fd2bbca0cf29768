//! Settings affected by strict mode (`vrrp_strict`, `strict_mode`).

use super::Scene;
use crate::base::addr::{is_link_local, Family};
use crate::config::keywords::RawInstance;
use crate::config::table::Given;
use crate::model::vrrp::{Version, VirtualAddress};
use std::rc::Rc;

/// Inputs of the decision.
pub(super) struct StrictFacts {
    pub strict: bool,
    pub owner: bool,
    pub version: Version,
    pub family: Family,
}

pub(super) struct Settings {
    pub down_timer_adverts: u32,
    pub lower_prio_no_advert: bool,
    pub higher_prio_send_advert: bool,
    pub owner_ignore_adverts: bool,
    pub accept: bool,
    pub garp_lower_prio_delay: u32,
    pub garp_lower_prio_repeat: u32,
}

impl Settings {
    pub(super) fn new(
        scene: &mut Scene<'_, '_>,
        raw: &RawInstance<'_>,
        facts: &StrictFacts,
        addresses: &[Rc<VirtualAddress>],
    ) -> Self {
        let defaults = scene.defaults;
        let mut rule = Rule { scene, strict: facts.strict };
        if facts.strict && facts.family == Family::V6 {
            // RFC 9568 §5.2.9: the first address is the link-local one.
            if let Some(first) = addresses.first().filter(|a| !is_link_local(&a.prefix.addr)) {
                let text = format!("the first address is not link-local: '{}'", first.prefix.addr);
                rule.scene.error("virtual_ipaddress", raw.name.span, text);
            }
        }
        Self {
            down_timer_adverts: rule.fixed(
                "down_timer_adverts",
                raw.down_timer_adverts,
                3,
                defaults.down_timer_adverts,
            ),
            lower_prio_no_advert: rule.fixed(
                "lower_prio_no_advert",
                raw.lower_prio_no_advert,
                true,
                defaults.lower_prio_no_advert,
            ),
            higher_prio_send_advert: rule.fixed(
                "higher_prio_send_advert",
                raw.higher_prio_send_advert,
                false,
                defaults.higher_prio_send_advert,
            ),
            garp_lower_prio_delay: rule.fixed(
                "garp_lower_prio_delay",
                raw.garp.lower_prio_delay,
                0,
                defaults.garp_lower_prio_delay,
            ),
            garp_lower_prio_repeat: rule.fixed(
                "garp_lower_prio_repeat",
                raw.garp.lower_prio_repeat,
                0,
                defaults.garp_lower_prio_repeat,
            ),
            owner_ignore_adverts: owner_ignore_adverts(rule.scene, raw, facts),
            accept: accept(rule.scene, raw, facts),
        }
    }
}

struct Rule<'r, 's, 'a> {
    scene: &'r mut Scene<'s, 'a>,
    strict: bool,
}

impl Rule<'_, '_, '_> {
    /// A setting that strict mode determines.
    fn fixed<T: PartialEq>(
        &mut self,
        name: &str,
        given: Option<Given<T>>,
        in_strict: T,
        default: T,
    ) -> T {
        if !self.strict {
            return given.map_or(default, |g| g.value);
        }
        if let Some(given) = given.filter(|g| g.value != in_strict) {
            let text = format!("{name} is ignored in strict mode");
            self.scene.error(name, given.span, text);
        }
        in_strict
    }
}

fn owner_ignore_adverts(
    scene: &mut Scene<'_, '_>,
    raw: &RawInstance<'_>,
    facts: &StrictFacts,
) -> bool {
    const NAME: &str = "owner_ignore_adverts";
    match raw.owner_ignore_adverts {
        None => facts.owner && (facts.strict || scene.defaults.owner_ignore_adverts),
        Some(Given { value: true, span }) => {
            if !facts.owner {
                scene.error(NAME, span, "owner_ignore_adverts is ignored without priority 255");
            }
            facts.owner
        }
        Some(Given { value: false, span }) => {
            if facts.owner {
                scene.error(NAME, span, "owner_ignore_adverts off is ignored with priority 255");
            }
            facts.owner
        }
    }
}

/// RFC 9568 §6.1, Accept_Mode: only the owner accepts packets for its addresses, according to the
/// letter of the RFC.
fn accept(scene: &mut Scene<'_, '_>, raw: &RawInstance<'_>, facts: &StrictFacts) -> bool {
    let strict_other = facts.strict && !facts.owner;
    match raw.accept {
        None => !strict_other,
        Some(Given { value: true, span }) if strict_other && facts.version == Version::V2 => {
            scene.error("accept", span, "accept is ignored in strict mode with version 2");
            false
        }
        Some(given) => given.value,
    }
}
