//! What a VMAC sends by itself while its router is a backup: nothing.

use crate::lab::{
    config_with, instance, ours_only, require_program, secs, stays, wait, Host, Outcome, Segment,
    SOON,
};

const GROUP: [u8; 4] = [224, 0, 0, 18];

/// The frames with a virtual address as their source, in hexadecimal digits.
fn from_vmacs(frames: &[Vec<u8>]) -> Vec<String> {
    let is_virtual = |frame: &&Vec<u8>| frame[6..].starts_with(&[0, 0, 0x5e, 0]);
    let shown = |frame: &Vec<u8>| frame.iter().map(|byte| format!("{byte:02x}")).collect();
    frames.iter().filter(is_virtual).map(shown).collect()
}

/// An IGMPv3 report that names the group of VRRP.
fn is_igmp_report(frame: &[u8]) -> bool {
    frame[12..].starts_with(&[8, 0]) && frame.get(23) == Some(&2) && frame.ends_with(&GROUP)
}

/// A report of MLDv2, behind a hop-by-hop header.
fn is_mld_report(frame: &[u8]) -> bool {
    frame[12..].starts_with(&[0x86, 0xdd])
        && frame.get(20) == Some(&0)
        && frame.get(62) == Some(&143)
}

/// Its neighbours learn only from its base that the group has a member: a switch would follow the
/// virtual MAC to the backup.
pub(crate) fn a_vmac_of_a_backup_sends_nothing_by_itself() -> Outcome {
    ours_only()?;
    require_program("nft", "nftables")?;
    require_program("iptables-restore", "iptables")?;
    for global in ["", "vrrp_iptables", "vrrp_iptables\nvrrp_ipsets"] {
        let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
        let all = |priority, line: &str| {
            let v4 = instance("VI_4").priority(priority).vip("10.7.1.1/16").line(line);
            let v6 = instance("VI_6").priority(priority).vrid(52).vip("fe80::7:1/64").line(line);
            config_with(global, &[v4, v6])
        };
        let master = b.start(&all(200, ""));
        master.wait_master("VI_4");
        master.wait_master("VI_6");
        let mut capture = segment.capture();
        let daemon = a.start(&all(100, "use_vmac"));
        let seen = |frames: &[crate::lab::Frame]| -> Vec<Vec<u8>> {
            frames.iter().map(|frame| frame.bytes.clone()).collect()
        };
        wait("the group has a member behind the base", SOON, || {
            let own = a.mac("eth0");
            let of_base: Vec<_> =
                seen(capture.frames()).into_iter().filter(|f| f[6..].starts_with(&own)).collect();
            of_base.iter().any(|f| is_igmp_report(f)) && of_base.iter().any(|f| is_mld_report(f))
        });
        // Router solicitations and repeated reports follow within some seconds.
        stays("it is a backup", secs(3), || is_backup(&a));
        assert_eq!(from_vmacs(&seen(capture.frames())), [""; 0], "{global}\n{:?}", daemon.log());
    }
    Ok(())
}

fn is_backup(host: &Host) -> bool {
    !host.holds("vrrp.51", "10.7.1.1")
}
