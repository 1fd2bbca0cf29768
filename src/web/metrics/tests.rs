use super::*;
use crate::base::sorted::SortedSet;
use crate::web::tests::{everything, instance, made};
use crate::web::Document;

fn written() -> String {
    made(Document::Metrics(Metrics::default()), &everything())
}

/// The name and the labels of a sample, and its value. Fails on what is not of the format.
fn sample(line: &str) -> (&str, &str, f64) {
    let (series, value) = line.rsplit_once(' ').expect(line);
    let value = value.parse().expect(line);
    let Some((name, labels)) = series.split_once('{') else { return (series, "", value) };
    let mut rest = labels.strip_suffix('}').expect(line);
    while !rest.is_empty() {
        let (name, quoted) = rest.split_once("=\"").expect(line);
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{line}");
        let mut at = 0;
        while !quoted[at..].starts_with('"') {
            let len = if quoted[at..].starts_with('\\') { 2 } else { 1 };
            assert!(len == 1 || ["\\\\", "\\\"", "\\n"].contains(&&quoted[at..at + 2]), "{line}");
            at += quoted[at + len - 1..].chars().next().expect(line).len_utf8() + len - 1;
        }
        rest = quoted[at + 1..].trim_start_matches(',');
    }
    (name, labels, value)
}

#[test]
fn families_stand_together_and_no_sample_stands_twice() {
    let text = written();
    let (mut families, mut series) = (SortedSet::new(), SortedSet::new());
    let mut lines = text.lines().peekable();
    while let Some(head) = lines.next() {
        let name =
            head.strip_prefix("# HELP ").and_then(|rest| rest.split(' ').next()).expect(head);
        assert!(families.insert(name), "{name} stands twice");
        let kind = lines.next().and_then(|line| line.strip_prefix("# TYPE ")).expect(head);
        let kind = kind.strip_prefix(name).expect(kind).trim();
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let (of, _, value) = sample(line);
            let of = match kind {
                "histogram" => of.trim_end_matches("_bucket").trim_end_matches("_sum"),
                _ => of,
            };
            assert!(of == name || of.strip_suffix("_count") == Some(name), "{line} of {name}");
            assert!(kind != "counter" || value >= 0.0, "{line}");
            assert!(series.insert(line.rsplit_once(' ').map(|(series, _)| series)), "{line}");
        }
    }
    let missing: Vec<_> = names().filter(|(name, _)| !families.contains(name)).collect();
    assert!(missing.is_empty(), "no sample of {missing:?}");
    assert_eq!(names().count(), families.len());
}

#[test]
fn names_are_escaped() {
    let text = written();
    let line = "keepalived_vrrp_priority{iname=\"x\\\"><script>alert('\\\\1')</script>\\n&amp;\",\
                intf=\"eth0\",vrid=\"51\"} 110\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn samples_of_an_instance() {
    let text =
        made(Document::Metrics(Metrics::default()), &[Reply::Instance(Box::new(instance("VI_1")))]);
    for line in [
        "keepalived_vrrp_instance_state{iname=\"VI_1\",intf=\"eth0\",vrid=\"51\"} 2",
        "keepalived_vrrp_last_transition_time_seconds{iname=\"VI_1\",intf=\"eth0\",vrid=\"51\"} \
         1795386400.0",
        "keepalived_vrrp_transitions_total{iname=\"VI_1\",intf=\"eth0\",vrid=\"51\",\
         cause=\"silence\"} 2",
        // Tracked twice, by the instance and by its group.
        "keepalived_vrrp_priority_part{iname=\"VI_1\",intf=\"eth0\",vrid=\"51\",kind=\"script\",\
         name=\"chk\"} 7",
        "keepalived_vrrp_priority_part{iname=\"VI_1\",intf=\"eth0\",vrid=\"51\",kind=\"bfd\",\
         name=\"peer\"} 3",
        "keepalived_vrrp_state{iname=\"VI_1\",intf=\"eth0\",vrid=\"51\",\
         ip_address=\"10.1.0.100/24\"} 2",
        "keepalived_become_master_total{iname=\"VI_1\",intf=\"eth0\",vrid=\"51\",\
         state=\"MASTER\"} 0",
    ] {
        assert_eq!(text.lines().filter(|l| *l == line).count(), 1, "{line} in {text}");
    }
}

#[test]
fn what_is_not_in_ipvs_has_no_traffic() {
    let text = written();
    let of = |name: &str| {
        let lines = text.lines().filter(|line| line.starts_with(&format!("{name}{{")));
        lines.map(|line| line.rsplit_once('{').expect(line).1.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        of("keepalived_real_server_connections_total"),
        ["virtual_server=\"[192.0.2.1]:tcp:80\",real_server=\"10.0.0.1\"} 5"]
    );
    assert_eq!(
        of("keepalived_virtual_server_incoming_bytes_total"),
        ["virtual_server=\"[192.0.2.1]:tcp:80\"} 18446744073709551615"]
    );
}

#[test]
fn a_histogram_is_cumulative() {
    let text = written();
    let own: Vec<_> = text.lines().filter(|l| l.starts_with("keepalived_check_duration")).collect();
    assert_eq!(
        own,
        [
            "keepalived_check_duration_seconds_bucket{type=\"HTTP_GET\",le=\"0.001\"} 3",
            "keepalived_check_duration_seconds_bucket{type=\"HTTP_GET\",le=\"0.01\"} 4",
            "keepalived_check_duration_seconds_bucket{type=\"HTTP_GET\",le=\"+Inf\"} 5",
            "keepalived_check_duration_seconds_sum{type=\"HTTP_GET\"} 1.25",
            "keepalived_check_duration_seconds_count{type=\"HTTP_GET\"} 5",
        ]
    );
}

/// What dashboards and alerts of keepalived-exporter look for.
#[test]
fn the_names_of_the_exporter_are_there() {
    for name in [
        "keepalived_up",
        "keepalived_vrrp_state",
        "keepalived_gratuitous_arp_delay_total",
        "keepalived_advertisements_received_total",
        "keepalived_advertisements_sent_total",
        "keepalived_become_master_total",
        "keepalived_release_master_total",
        "keepalived_packet_length_errors_total",
        "keepalived_advertisements_interval_errors_total",
        "keepalived_ip_ttl_errors_total",
        "keepalived_invalid_type_received_total",
        "keepalived_address_list_errors_total",
        "keepalived_authentication_invalid_total",
        "keepalived_authentication_mismatch_total",
        "keepalived_authentication_failure_total",
        "keepalived_priority_zero_received_total",
        "keepalived_priority_zero_sent_total",
        "keepalived_script_status",
        "keepalived_script_state",
    ] {
        assert!(names().any(|(own, _)| own == name), "{name}");
    }
}
