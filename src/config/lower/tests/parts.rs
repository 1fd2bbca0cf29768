//! Configurations for parts that a build does not have.

use crate::config::tests::lowered;

#[cfg(not(feature = "lvs"))]
#[test]
fn virtual_servers_are_an_error_and_the_rest_stays() {
    let (config, told) = lowered(
        "virtual_server_group G {\n192.0.2.1 80\n}\n\
         virtual_server group G {\nreal_server 192.0.2.10 80 {\nTCP_CHECK {\n}\n}\n}\n\
         static_ipaddress {\n192.0.2.9 dev eth0\n}",
    );
    assert_eq!(
        told,
        [
            "Error (Line 1) this build has no virtual servers: the virtual_server_group is removed",
            "Error (Line 4) this build has no virtual servers: the virtual_server is removed",
        ]
    );
    assert!(config.virtual_servers.is_empty() && config.address_groups.is_empty());
    assert_eq!(config.static_addresses.len(), 1);
}

#[cfg(not(feature = "bfd"))]
#[test]
fn sessions_are_an_error_and_so_is_what_tracks_them() {
    let (config, told) = lowered(
        "bfd_instance B {\nneighbor_ip 192.0.2.9\n}\n\
         vrrp_instance V {\ninterface eth0\nvirtual_router_id 1\n\
         track_bfd {\nB\n}\nvirtual_ipaddress {\n192.0.2.1\n}\n}",
    );
    assert_eq!(
        told,
        [
            "Error (Line 1) (B) this build has no BFD: the bfd_instance is removed",
            "Error (Line 8) (V) bfd_instance 'B' was removed: it is not tracked",
        ]
    );
    assert!(config.bfd.is_empty() && config.instances[0].tracked.is_empty());
}

#[cfg(all(feature = "lvs", not(feature = "tls")))]
#[test]
fn a_check_that_needs_tls_is_an_error() {
    let (config, told) = lowered(
        "virtual_server 192.0.2.1 443 {\nlvs_sched rr\nlvs_method NAT\nprotocol TCP\n\
         real_server 192.0.2.10 443 {\nSSL_GET {\nurl {\npath /\n}\n}\n}\n}",
    );
    let at = "(192.0.2.1 443, 192.0.2.10)";
    assert_eq!(
        told,
        [format!("Error (Line 6) {at} this build has no TLS: the check is suspended")]
    );
    assert_eq!(config.virtual_servers[0].servers[0].checks.len(), 1);
}
