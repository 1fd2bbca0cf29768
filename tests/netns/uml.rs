//! The User-Mode Linux runner, for tests that need features missing in the host's kernel.

use std::process::Command;

use crate::lab::{output_of, require_program, Outcome, Skip};

pub(crate) fn a_guest_has_features_missing_on_the_host() -> Outcome {
    for (program, package) in
        [("linux.uml", "user-mode-linux"), ("modprobe", "kmod"), ("busybox", "busybox-static")]
    {
        require_program(program, package)?;
    }
    if std::env::var_os("KEEPALIVED_LAB_USER_NAMESPACE").is_some() {
        return Err(Skip::new("the guest's init needs real root"));
    }
    let script = "ip link add dummy0 type dummy && ip link add eth0 type veth peer name eth1 && cat /proc/net/ip_vs && exit 7";
    let mut guest = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/lab/uml-run"));
    let (code, said) = output_of(guest.args(["-m", "256M", "-t", "60", "sh", "-c", script]));
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains("IP Virtual Server"), "{said}");
    Ok(())
}
