use super::*;

fn three() -> String {
    ["A", "B", "C"]
        .iter()
        .enumerate()
        .map(|(i, name)| {
            format!(
                "vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id {}\n\
                 track_interface {{\neth1 weight 10\n}}\nvirtual_ipaddress {{\n192.0.2.{}\n}}\n}}\n",
                i + 1,
                i + 1
            )
        })
        .collect()
}

fn grouped(groups: &str) -> (Config, Vec<String>) {
    let (config, told) = lowered(&format!("{groups}\n{}", three()));
    (config, without_place(told))
}

#[test]
fn members_may_be_defined_later_and_stand_on_one_line() {
    let (config, told) =
        grouped("vrrp_sync_group G {\ngroup {\nA B\nC\n}\nsync_group_tracking_weight\n}");
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(config.groups[0].members, ["A", "B", "C"]);
    assert!(config.groups[0].tracking_weight);
    assert_eq!(config.instances[0].tracked_links[0].weight, 10);
}

#[test]
fn weights_of_members_are_dropped_and_those_of_the_group_count() {
    let (config, told) =
        grouped("vrrp_sync_group G {\ngroup {\nA\nB\n}\ntrack_interface {\ntun0 weight 5\n}\n}");
    let text = |whose: &str| {
        format!("Error (G) interface 'eth1' of '{whose}' has a weight: it is not tracked without sync_group_tracking_weight")
    };
    assert_eq!(told, [text("A"), text("B")]);
    assert!(config.instances[0].tracked_links.is_empty());
    assert_eq!(config.instances[2].tracked_links[0].weight, 10);
    assert_eq!(config.groups[0].tracked_links[0].weight, 5);
}

#[test]
fn an_interface_that_a_member_and_its_group_track_is_complained_of() {
    let (_, told) = grouped(
        "vrrp_sync_group G {\nsync_group_tracking_weight\ngroup {\nA\nB\n}\ntrack_interface {\neth0\neth1 weight 5\n}\n}",
    );
    let text = |link: &str, whose: &str| {
        format!("Error (G) interface '{link}' is tracked by '{whose}' and by its group: remove one of the two")
    };
    // The own interface of an instance is tracked by it, too.
    let both = |whose| [text("eth0", whose), text("eth1", whose)];
    let mut expected = [both("A"), both("B")].concat();
    expected.sort();
    let mut told = told;
    told.sort();
    assert_eq!(told, expected);
}

#[test]
fn weights_of_a_group_with_an_owner_are_cleared() {
    let text = "vrrp_sync_group G {\ngroup {\nA\nB\n}\ntrack_interface {\ntun0 weight 5\n}\n}\n";
    let owner = three().replacen("virtual_router_id 1", "virtual_router_id 1\npriority 255", 1);
    let (config, told) = lowered(&format!("{text}{owner}"));
    let line = "Error (G) interface 'tun0' has no weight, since a member has priority 255: down means FAULT";
    assert!(without_place(told).contains(&line.to_owned()));
    assert_eq!(config.groups[0].tracked_links[0].weight, 0);
}

#[test]
fn members_exist_and_are_in_one_group() {
    let (config, told) = grouped(
        "vrrp_sync_group G {\nsync_group_tracking_weight\ngroup {\nA\nB\nZ\nA\n}\n}\n\
         vrrp_sync_group H {\nglobal_tracking\ngroup {\nB\nC\n}\n}\n\
         vrrp_sync_group I {\ngroup {\nZ\n}\n}",
    );
    assert_eq!(
        told,
        [
            "Error (G) vrrp_instance 'Z' does not exist: it is no member",
            "Error (G) vrrp_instance 'A' is in a group already",
            "Error (H) 'global_tracking' is the old name of 'sync_group_tracking_weight'",
            "Error (H) vrrp_instance 'B' is in a group already",
            "Error (H) the group has only one member",
            "Error (I) vrrp_instance 'Z' does not exist: it is no member",
            "Error (I) the group has no members: it is left out",
        ]
    );
    assert_eq!(config.groups.len(), 2);
    assert_eq!(config.groups[1].members, ["C"]);
}

#[test]
fn a_second_list_of_members_does_not_count() {
    let (config, told) = grouped(
        "vrrp_sync_group G {\nsync_group_tracking_weight\ngroup {\nA\nB\n}\ngroup {\nC\n}\n}",
    );
    assert_eq!(told, ["Error (G) 'group' again: the first one counts"]);
    assert_eq!(config.groups[0].members, ["A", "B"]);
}

#[test]
fn an_instance_left_out_is_no_member() {
    let (_, told) = lowered(
        "vrrp_sync_group G {\ngroup {\nA\n}\n}\nvrrp_instance A {\ninterface eth0\n\
         virtual_ipaddress {\n192.0.2.1\n}\n}",
    );
    assert!(without_place(told)
        .contains(&"Error (G) vrrp_instance 'A' was left out: it is no member".to_owned()));
}
