use super::*;

const SECURE: &str = "enable_script_security\nscript_user root\n";

fn notified(global: &str, lines: &str) -> (Config, Vec<String>) {
    let (config, told) = with(&format!("{SECURE}{global}"), lines);
    (config, without_place(told))
}

#[test]
fn every_event_has_its_script() {
    let names = [
        "notify_master",
        "notify_backup",
        "notify_fault",
        "notify_stop",
        "notify_deleted",
        "notify",
        "notify_master_rx_lower_pri",
    ];
    let lines: Vec<_> =
        names.iter().map(|name| format!("{name} \"/usr/bin/notify {name}\"")).collect();
    let (config, told) = notified("", &lines.join("\n"));
    assert!(told.is_empty(), "{told:?}");
    let n = &config.instances[0].notify;
    let given =
        [&n.master, &n.backup, &n.fault, &n.stop, &n.deleted, &n.any, &n.master_rx_lower_pri];
    let last: Vec<_> = given.iter().map(|s| s.as_ref().unwrap().argv[1].as_str()).collect();
    assert_eq!(last, names);
    assert!(n.says_deleted && !n.mail && !n.priority_changes);
}

#[test]
fn deleted_may_be_told_without_a_script() {
    let (config, told) = notified("", "notify_deleted");
    assert!(told.is_empty(), "{told:?}");
    let n = &config.instances[0].notify;
    assert!(n.says_deleted && n.deleted.is_none());
}

#[test]
fn the_first_script_of_an_event_counts() {
    let (config, told) = notified("", "notify /usr/bin/notify\nnotify /usr/bin/check");
    assert_eq!(told, ["Error (V) 'notify' again: the first one counts"]);
    assert_eq!(config.instances[0].notify.any.as_ref().unwrap().path, "/usr/bin/notify");
}

#[test]
fn mail_follows_the_most_special_setting() {
    let mail = |global: &str, lines: &str| notified(global, lines).0.instances[0].notify.mail;
    assert!(!mail("", ""));
    assert!(mail("smtp_alert", ""));
    assert!(!mail("smtp_alert\nsmtp_alert_vrrp off", ""));
    assert!(mail("smtp_alert off\nsmtp_alert_vrrp", ""));
    assert!(mail("smtp_alert_vrrp off", "smtp_alert"));
    assert!(!mail("smtp_alert", "smtp_alert off"));
}

#[test]
fn priority_changes_are_told_as_the_instance_its_group_or_all_say() {
    let told = |global: &str, group: &str, lines: &str| {
        let (config, _) = lowered(&format!(
            "global_defs {{\n{global}\n}}\nvrrp_sync_group G {{\ngroup {{\nV\n}}\n{group}\n}}\n\
             vrrp_instance V {{\ninterface eth0\nvirtual_router_id 1\n{lines}\n\
             virtual_ipaddress {{\n192.0.2.1\n}}\n}}"
        ));
        assert!(!config.groups[0].notify.priority_changes);
        config.instances[0].notify.priority_changes
    };
    let (all, on, off) =
        ("vrrp_notify_priority_changes", "notify_priority_changes", "notify_priority_changes off");
    assert!(told(all, "", ""));
    assert!(!told(all, off, ""));
    assert!(told("", on, ""));
    assert!(!told("", on, off));
    assert!(told(all, off, on));
}

#[test]
fn a_group_has_scripts_of_its_own() {
    let (config, told) = lowered(&format!(
        "global_defs {{\n{SECURE}}}\nvrrp_sync_group G {{\ngroup {{\nV\n}}\n\
         notify_master /usr/bin/notify\n}}\nvrrp_instance V {{\ninterface eth0\n\
         virtual_router_id 1\nvirtual_ipaddress {{\n192.0.2.1\n}}\n}}"
    ));
    assert_eq!(without_place(told), ["Error (G) the group has only one member"]);
    let n = &config.groups[0].notify;
    assert!(n.master.is_some() && n.any.is_none());
    assert!(config.instances[0].notify.master.is_none());
}
