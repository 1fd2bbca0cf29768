//! Rules of a table, in order.

use super::element::Part;
use super::ruleset::{
    Form, IN, IN_LINK_LOCAL, MLD_REPORT, NEIGHBOR_DISCOVERY, OUT, OUT_LINK_LOCAL,
    PARENT_LINK_LOCAL, VIPS, VIPS_LINK_LOCAL, VIPS_LINK_LOCAL_NAME, VMAC_MAP, VMAC_SET,
};
use crate::base::addr::Family;
use crate::wire::netlink::nft::{Base, Expr, Meta, Register, Verdict};

const IGMP: u8 = 2;
const ICMPV6: u8 = 58;
const ROUTER_SOLICITATION: u8 = 133;
const NEIGHBOR_ADVERTISEMENT: u8 = 136;

/// The kind of VMACs, with zeros behind it.
const MACVLAN: &[u8; 16] = b"macvlan\0\0\0\0\0\0\0\0\0";
/// `fe80::/10`
const LINK_LOCAL: &[u8; 16] = &[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const LINK_LOCAL_MASK: &[u8; 16] = &[0xff, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A rule of a chain.
pub(super) struct Rule {
    pub(super) chain: &'static str,
    pub(super) steps: Vec<Expr<'static>>,
    /// Matches packets of VMACs only.
    pub(super) for_vmacs: bool,
}

type Step = Expr<'static>;

const fn payload(base: Base, offset: u32, len: u32) -> Step {
    Expr::Payload { base, offset, len, to: Register::First }
}

const SOURCE_V4: Step = payload(Base::Network, 12, 4);
const DESTINATION_V4: Step = payload(Base::Network, 16, 4);
const SOURCE_V6: Step = payload(Base::Network, 8, 16);
const DESTINATION_V6: Step = payload(Base::Network, 24, 16);

const fn is(value: &'static [u8]) -> Step {
    Expr::Equal(Register::First, value)
}

const fn is_in(set: &'static str) -> Step {
    Expr::In(Register::First, set)
}

const fn meta(meta: Meta) -> Step {
    Expr::Meta(meta, Register::Second)
}

/// Loads the type of an ICMPv6 message.
const ICMPV6_TYPE: [Step; 3] =
    [Expr::Meta(Meta::Transport, Register::First), is(&[ICMPV6]), payload(Base::Transport, 0, 1)];

/// The packet leaves through a VMAC.
const FROM_VMAC: [Step; 2] = [meta(Meta::OutputKind), Expr::Equal(Register::Second, MACVLAN)];

/// A copy leaves through the base interface. The destination is in the first register.
const THROUGH_BASE: [Step; 3] = [
    meta(Meta::OutputIndex),
    Expr::Map(Register::Second, VMAC_MAP),
    Expr::Duplicate { to: Register::First, through: Register::Second },
];

/// Collects rules.
struct Rules {
    counters: bool,
    list: Vec<Rule>,
}

impl Rules {
    fn add(&mut self, chain: &'static str, matches: &[&[Step]], verdict: Verdict<'static>) {
        let mut steps = matches.concat();
        steps.extend(self.counters.then_some(Expr::Counter));
        steps.push(Expr::Verdict(verdict));
        self.list.push(Rule { chain, steps, for_vmacs: false });
    }

    fn add_for_vmacs(&mut self, matches: &[&[Step]]) {
        self.add(OUT, matches, Verdict::Drop);
        self.list.iter_mut().rev().take(1).for_each(|rule| rule.for_vmacs = true);
    }

    fn v4(&mut self, form: &Form) {
        if form.vmac_rules && form.parts.has(Part::Vmacs) {
            let igmp = [payload(Base::Network, 9, 1), is(&[IGMP])];
            self.add_for_vmacs(&[&igmp, &[DESTINATION_V4], &FROM_VMAC, &THROUGH_BASE]);
        }
        if form.parts.has(Part::Addresses) {
            self.add(IN, &[&[DESTINATION_V4, is_in(VIPS)]], Verdict::Drop);
            self.add(OUT, &[&[SOURCE_V4, is_in(VIPS)]], Verdict::Drop);
        }
    }

    fn v6(&mut self, form: &Form) {
        if form.vmac_rules {
            self.v6_vmacs(form);
        }
        if !form.parts.has(Part::Addresses) {
            return;
        }
        let link_local = [Expr::Mask(Register::First, LINK_LOCAL_MASK), is(LINK_LOCAL)];
        for (chain, address, other) in
            [(IN, DESTINATION_V6, IN_LINK_LOCAL), (OUT, SOURCE_V6, OUT_LINK_LOCAL)]
        {
            // Neighbours may look for the address; it is what they send to it that is dropped.
            self.add(chain, &[&ICMPV6_TYPE, &[is_in(NEIGHBOR_DISCOVERY)]], Verdict::Accept);
            self.add(chain, &[&[address], &link_local], Verdict::Goto(other));
            self.add(chain, &[&[address, is_in(VIPS)]], Verdict::Drop);
        }
        for (part, set, input, output) in [
            (Part::OnIndex, VIPS_LINK_LOCAL, Meta::InputIndex, Meta::OutputIndex),
            (Part::OnName, VIPS_LINK_LOCAL_NAME, Meta::InputName, Meta::OutputName),
        ] {
            if form.parts.has(part) {
                let (to, from) = ([DESTINATION_V6, meta(input)], [SOURCE_V6, meta(output)]);
                self.add(IN_LINK_LOCAL, &[&to, &[is_in(set)]], Verdict::Drop);
                self.add(OUT_LINK_LOCAL, &[&from, &[is_in(set)]], Verdict::Drop);
            }
        }
    }

    fn v6_vmacs(&mut self, form: &Form) {
        let link = if form.settings.by_index { Meta::OutputIndex } else { Meta::OutputName };
        let parent = [SOURCE_V6, meta(link), is_in(PARENT_LINK_LOCAL)];
        let is_advertisement = [is(&[NEIGHBOR_ADVERTISEMENT])];
        self.add_for_vmacs(&[&ICMPV6_TYPE, &is_advertisement, &FROM_VMAC, &parent]);
        if form.parts.has(Part::Vmacs) {
            let reports = [is_in(MLD_REPORT), DESTINATION_V6];
            self.add_for_vmacs(&[&ICMPV6_TYPE, &reports, &FROM_VMAC, &THROUGH_BASE]);
            let is_vmac = [meta(Meta::OutputIndex), Expr::In(Register::Second, VMAC_SET)];
            let is_solicitation = [is(&[ROUTER_SOLICITATION])];
            self.add_for_vmacs(&[&ICMPV6_TYPE, &is_solicitation, &FROM_VMAC, &is_vmac]);
        }
    }
}

/// All rules of a table.
pub(super) fn all(family: Family, form: &Form) -> Vec<Rule> {
    let mut rules = Rules { counters: form.settings.counters, list: Vec::new() };
    match family {
        Family::V4 => rules.v4(form),
        Family::V6 => rules.v6(form),
    }
    rules.list
}
