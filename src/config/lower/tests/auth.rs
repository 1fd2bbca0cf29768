use super::*;
use crate::model::secret::Secret;
use crate::model::signing::{AntiReplay, Signing, SigningMode};
use crate::model::vrrp::StandingFault;

const KEY: &str = "0123456789012345678901234567890123456789";

fn hmac(lines: &str) -> String {
    format!("auth_hmac {{\n{lines}\n}}")
}

fn signing(instance: &Instance) -> &Signing {
    match &instance.authentication {
        Authentication::Signed(signing) => signing,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_authentication_header_needs_version_2_over_ipv4() {
    let ah = "authentication {\nauth_type AH\nauth_pass s3cr3t\n}";
    let i = tells(ah, &[]);
    assert_eq!(i.authentication, Authentication::Header(Secret::new(b"s3cr3t\0\0")));
    let i = tells(
        &format!("version 3\n{ah}"),
        &["Error (V) version 3 has no authentication: it is ignored"],
    );
    assert_eq!(i.authentication, Authentication::None);
    let i = tells(
        &format!("state MASTER\npriority 100\n{ah}"),
        &["Error (V) state MASTER with auth_type AH: BACKUP is used"],
    );
    assert_eq!(i.initial_state, InitialState::Backup);
}

#[test]
fn an_authentication_header_without_a_password_is_a_fault() {
    let i = tells(
        "authentication {\nauth_type AH\n}",
        &["Error (V) auth_pass is missing: the instance stays in FAULT"],
    );
    assert_eq!(i.authentication, Authentication::Unusable);
    assert_eq!(i.standing_fault, Some(StandingFault::NoKey));
}

#[test]
fn keys_are_texts_digits_and_files() {
    let i = tells(
        &hmac(&format!(
            "key 1 {KEY}\nkey 2 hex:{}\nkey 255 file:/etc/key\nactive_key 2",
            "aB".repeat(64)
        )),
        &[],
    );
    let signing = signing(&i);
    assert_eq!(signing.key(1), Some(&Secret::new(KEY.as_bytes())));
    assert_eq!(signing.key(2), Some(&Secret::new(&[0xab; 64])));
    let counted: Vec<u8> = (0..32).collect();
    assert_eq!(signing.key(255), Some(&Secret::new(&counted)));
    assert_eq!((signing.active, signing.mode), (2, SigningMode::Enforce));
    let window = Duration::from_secs(5);
    assert_eq!(signing.anti_replay, AntiReplay::Time { window });
    assert_eq!(i.standing_fault, None);
}

#[test]
fn the_window_depends_on_the_interval() {
    for (lines, seconds) in [
        ("advert_int 1", 5),
        ("advert_int 2", 6),
        ("advert_int 255", 300),
        ("version 3\nadvert_int 2.9", 6),
    ] {
        let i = tells(&format!("{lines}\n{}", hmac(&format!("key 1 {KEY}\nactive_key 1"))), &[]);
        let window = Duration::from_secs(seconds);
        assert_eq!(signing(&i).anti_replay, AntiReplay::Time { window }, "{lines}");
    }
    let i = tells(
        &hmac(&format!("key 1 {KEY}\nactive_key 1\ntime_window 300\nmode receive-only")),
        &[],
    );
    let window = Duration::from_secs(300);
    assert_eq!(signing(&i).anti_replay, AntiReplay::Time { window });
    assert_eq!(signing(&i).mode, SigningMode::ReceiveOnly);
    let i = tells(&hmac(&format!("key 1 {KEY}\nactive_key 1\nanti_replay monotonic")), &[]);
    assert_eq!(signing(&i).anti_replay, AntiReplay::Monotonic);
}

/// The reference runs each of these without authentication.
#[test]
fn an_instance_without_a_key_to_sign_with_stays_in_fault() {
    let fault =
        "Error (V) auth_hmac has no active_key that can be used: the instance stays in FAULT";
    let hex = "0".repeat(64);
    for (lines, why) in [
        (String::new(), None),
        (format!("key 1 {KEY}"), None),
        ("active_key 1".to_owned(), None),
        (format!("key 1 {KEY}\nactive_key 2"), None),
        ("key 1 short\nactive_key 1".to_owned(), Some("it has 5 bytes, not 32 to 64")),
        (format!("key 1 {KEY}{KEY}\nactive_key 1"), Some("it has 80 bytes, not 32 to 64")),
        (format!("key 1 hex:{hex}0\nactive_key 1"), Some("hex: needs two digits for each byte")),
        (
            format!("key 1 hex:{hex}0x\nactive_key 1"),
            Some("something behind hex: is no hexadecimal digit"),
        ),
        (
            format!("key 1 hex:{}\nactive_key 1", "0".repeat(62)),
            Some("it has 31 bytes, not 32 to 64"),
        ),
        ("key 1 file:/etc/none\nactive_key 1".to_owned(), Some("/etc/none: no such file")),
        ("key 1 file:key\nactive_key 1".to_owned(), Some("the path of its file is not absolute")),
        (
            "key 1 file:/etc/short\nactive_key 1".to_owned(),
            Some("/etc/short: it has 1 bytes, not 32 to 64"),
        ),
    ] {
        let (i, told) = instance(&hmac(&lines));
        assert_eq!(i.authentication, Authentication::Unusable, "{lines}");
        assert_eq!(i.standing_fault, Some(StandingFault::NoKey), "{lines}");
        let why = why.map(|why| format!("Error (V) key 1 is not used: {why}"));
        let want: Vec<_> = why.into_iter().chain([fault.to_owned()]).collect();
        assert_eq!(told, want, "{lines}");
    }
}

#[test]
fn a_bad_key_that_is_not_active_is_left_out() {
    let i = tells(
        &hmac(&format!("key 1 {KEY}\nkey 2 short\nkey 1 {KEY}x\nactive_key 1")),
        &[
            "Error (V) key 2 is not used: it has 5 bytes, not 32 to 64",
            "Error (V) key 1 again: the first one counts",
        ],
    );
    assert_eq!(signing(&i).keys.len(), 1);
    assert_eq!(signing(&i).key(1), Some(&Secret::new(KEY.as_bytes())));
}

#[test]
fn a_file_that_others_may_read_is_insecure() {
    let i = tells(
        &hmac("key 1 file:/etc/open\nactive_key 1"),
        &["Insecure (V) key 1: not only its owner may use /etc/open | chmod 600 /etc/open"],
    );
    assert_eq!(signing(&i).key(1), Some(&Secret::new(KEY.as_bytes())));
}

#[test]
fn auth_hmac_replaces_authentication_and_strict_mode_enforces_it() {
    let both = format!(
        "authentication {{\nauth_type PASS\nauth_pass x\n}}\n{}",
        hmac(&format!("key 1 {KEY}\nactive_key 1"))
    );
    let i = tells(&both, &["Error (V) authentication is ignored with auth_hmac"]);
    assert_eq!(signing(&i).active, 1);
    let permissive = hmac(&format!("key 1 {KEY}\nactive_key 1\nmode permissive"));
    let i =
        tells(&format!("strict_mode\n{permissive}"), &["Error (V) mode in strict mode is enforce"]);
    assert_eq!(signing(&i).mode, SigningMode::Enforce);
}

#[test]
fn a_signature_takes_the_place_of_an_address() {
    let fitting = |lines: &str| {
        let addresses: Vec<String> = (1..200).map(|n| format!("fe80::{n}")).collect();
        let (config, _) = lowered(&format!(
            "vrrp_instance V {{\ninterface eth0\nvirtual_router_id 1\n{lines}\n\
             virtual_ipaddress {{\n{}\n}}\n}}",
            addresses.join("\n")
        ));
        config.instances[0].addresses.len()
    };
    assert_eq!(fitting(""), 89);
    assert_eq!(fitting(&hmac(&format!("key 1 {KEY}\nactive_key 1"))), 88);
}
