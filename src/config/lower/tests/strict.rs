use super::*;

#[track_caller]
fn strictly(lines: &str, want: &[&str]) -> Instance {
    let i = tells(&format!("strict_mode\n{lines}"), want);
    assert!(i.strict);
    i
}

#[test]
fn the_state_follows_the_priority() {
    let text =
        "Error (V) strict mode derives the state from the priority: MASTER with 255, else BACKUP";
    let i = strictly("state MASTER\npriority 100", &[text]);
    assert_eq!(i.initial_state, InitialState::Backup);
    let i = strictly("state BACKUP\npriority 255", &[text]);
    assert_eq!(i.initial_state, InitialState::Master);
    strictly("state MASTER", &[]);
}

#[test]
fn settings_it_does_not_leave_open() {
    let i = strictly(
        "preempt_delay 5\ndown_timer_adverts 4\ngarp_lower_prio_repeat 1\ngarp_lower_prio_delay 2\n\
         lower_prio_no_advert off\nhigher_prio_send_advert on",
        &[
            "Error (V) preempt_delay is ignored in strict mode",
            "Error (V) down_timer_adverts is ignored in strict mode",
            "Error (V) garp_lower_prio_repeat is ignored in strict mode",
            "Error (V) garp_lower_prio_delay is ignored in strict mode",
            "Error (V) lower_prio_no_advert is ignored in strict mode",
            "Error (V) higher_prio_send_advert is ignored in strict mode",
        ],
    );
    assert!(i.preempt_delay.is_zero() && i.lower_prio_no_advert && !i.higher_prio_send_advert);
    assert_eq!(i.down_timer_adverts, 3);
    assert_eq!((i.garp.lower_prio_delay, i.garp.lower_prio_repeat), (Duration::ZERO, 0));
}

#[test]
fn only_the_owner_accepts() {
    assert!(!strictly("", &[]).accept);
    assert!(strictly("priority 255", &[]).accept);
    assert!(strictly("version 3\naccept", &[]).accept);
    let text = "Error (V) accept is ignored in strict mode with version 2";
    assert!(!strictly("accept", &[text]).accept);
}

#[test]
fn no_authentication_and_no_unicast() {
    let i = strictly(
        "authentication {\nauth_type PASS\nauth_pass x\n}",
        &["Error (V) strict mode has no authentication: it is ignored"],
    );
    assert_eq!(i.authentication, Authentication::None);
    strictly(
        "unicast_peer {\n192.0.2.2\n}",
        &["Fatal (V) strict mode has no unicast on an interface with multicast"],
    );
}

#[test]
fn ipv6_in_version_3_with_a_link_local_address_first() {
    let (config, told) = lowered(
        "vrrp_instance V {\nstrict_mode\nversion 2\ninterface eth0\nvirtual_router_id 1\npriority 255\n\
         virtual_ipaddress {\n2001:db8::1\n}\n}",
    );
    assert_eq!(
        without_place(told),
        [
            "Error (V) strict mode has no version 2 over IPv6: version 3 is used",
            "Error (V) the first address is not link-local: '2001:db8::1'",
        ]
    );
    assert_eq!(config.instances[0].version, Version::V3);
    assert!(config.instances[0].owner_ignore_adverts, "the default for an owner");
}

#[test]
fn an_address_is_needed() {
    let told = told(
        "vrrp_instance V {\nstrict_mode\npriority 255\nno_virtual_ipaddress\ninterface eth0\nvirtual_router_id 1\n}",
    );
    assert_eq!(
        without_place(told),
        [
            "Error (V) no_virtual_ipaddress is ignored in strict mode",
            "Fatal (V) no virtual_ipaddress is given: strict mode needs one",
        ]
    );
}
