//! Settings of interfaces, whose old values are restored.

use std::rc::Rc;

use super::*;

fn promoting(link: &str) -> KernelObject {
    let setting = Setting::PromoteSecondaries;
    KernelObject::Sysctl(Rc::new(Sysctl { link: link.into(), setting, value: 1 }))
}

fn want(b: &mut Bench, objects: &[KernelObject]) -> Vec<Action> {
    b.on(Input::Want { owner: Holder::Host, objects })
}

#[test]
fn a_setting_is_changed_before_the_addresses_and_restored_after_them() {
    let mut b = Bench::new();
    let address = KernelObject::from(&nth(1));
    assert_eq!(want(&mut b, &[address, promoting("eth0")]), [Action::Held(Holder::Host)]);
    assert_eq!(b.asked(), ["=1 1", "+10.0.0.1/24 1"]);
    b.on(Input::Release { owner: Holder::Host });
    assert_eq!(b.asked(), ["-10.0.0.1/24 1", "=0 1"]);
    assert_eq!(b.settings[&1], "0");
}

#[test]
fn a_setting_that_was_already_right_is_not_restored() {
    let mut b = Bench::new();
    want(&mut b, &[promoting("eth1")]);
    b.on(Input::Release { owner: Holder::Host });
    assert_eq!((b.asked().len(), b.settings[&2].as_str()), (1, "1"));
}

#[test]
fn the_old_value_waits_until_the_kernel_has_removed_everything() {
    let mut b = Bench::new();
    want(&mut b, &[promoting("eth0"), KernelObject::from(&nth(1))]);
    let mut out = Vec::new();
    b.domain.handle(Input::Release { owner: Holder::Host }, b.now, &mut out);
    let [Action::Ask(request)] = &out[..] else { panic!("{out:?}") };
    assert_eq!(b.settings[&1], "1");
    b.on(Input::Answer { request: request.id, answer: 0.into() });
    assert_eq!(b.settings[&1], "0");
}

#[test]
fn a_setting_wanted_again_before_its_restoration_stays() {
    let mut b = Bench::new();
    want(&mut b, &[promoting("eth0")]);
    b.on(Input::Pause);
    want(&mut b, &[]);
    want(&mut b, &[promoting("eth0")]);
    b.on(Input::Resume);
    assert_eq!(b.settings[&1], "1");
    b.on(Input::Release { owner: Holder::Host });
    assert_eq!(b.settings[&1], "0", "not the value set by the daemon");
}

#[test]
fn an_interface_that_appears_later_or_again_is_set_then() {
    let mut b = Bench::new();
    want(&mut b, &[promoting("eth2")]);
    assert!(b.asked().is_empty());
    b.settings.insert(3, "0".into());
    assert_eq!(b.on(link(3, "eth2")), [Action::Held(Holder::Host)]);
    assert_eq!(b.settings[&3], "1");
    b.settings = [(4, "0".to_owned())].into();
    b.on(link_gone(3));
    b.on(link(4, "eth2"));
    assert_eq!(b.settings[&4], "1");
    let changed: Vec<_> = b.domain.changed_settings().map(|(index, ..)| index).collect();
    assert_eq!(changed, [4]);
}

#[test]
fn the_value_of_a_renamed_interface_is_restored() {
    let mut b = Bench::new();
    want(&mut b, &[promoting("eth0")]);
    b.rename("eth0", "wan");
    assert_eq!(b.settings[&1], "0");
}
