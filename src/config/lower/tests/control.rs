use super::*;
use crate::model::control::{ControlGroup, ControlSocket, MetricsListen};
use crate::model::Global;

fn global(lines: &str) -> (Global, Vec<String>) {
    let (config, told) = with(lines, "");
    (config.global, told)
}

#[test]
fn the_socket_is_a_path_or_off() {
    let (global_defs, told) = global("control_socket /run/k.sock\ncontrol_read_group ops");
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(global_defs.control_socket, Some(ControlSocket::At("/run/k.sock".to_owned())));
    let group = ControlGroup { name: "ops".to_owned(), gid: 100 };
    assert_eq!(global_defs.control_read_group, Some(group));
    assert_eq!(global("control_socket off").0.control_socket, Some(ControlSocket::Off));
    assert_eq!(global("").0.control_socket, None);
}

#[test]
fn a_relative_path_and_an_unknown_group_are_errors() {
    let (global_defs, told) = global("control_socket k.sock\ncontrol_read_group moon");
    assert_eq!((global_defs.control_socket, global_defs.control_read_group), (None, None));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("neither a path that begins with / nor off"), "{told:?}");
    assert!(told[1].contains("group 'moon' does not exist"), "{told:?}");
}

#[test]
fn metrics_are_off_unless_an_address_is_given() {
    assert_eq!(global("").0.metrics_listen, None);
    let (global_defs, told) = global("metrics_listen 9650");
    let address = "127.0.0.1:9650".parse().expect("an address");
    assert_eq!(global_defs.metrics_listen, Some(MetricsListen::Network(address)));
    assert!(told.is_empty(), "{told:?}");
    for wrong in ["localhost:9650", "unix:k.http", "10.0.0.1"] {
        let (global_defs, told) = global(&format!("metrics_listen {wrong}"));
        assert_eq!(global_defs.metrics_listen, None);
        assert!(told.len() == 1 && told[0].contains("unix:/PATH or off"), "{told:?}");
    }
}
