//! Any query name and any datagram as the response: no panic, and only the response to the query
//! counts.
#![no_main]

use keepalived::check::dns::Dns;
use keepalived::model::check::Record;
use keepalived::wire::dns::Query;
use libfuzzer_sys::fuzz_target;

const ID: u16 = 0x4b41;

fuzz_target!(|data: &[u8]| {
    let name = String::from_utf8_lossy(data);
    if let Ok(query) = (Query { id: ID, name: &name, record: 1 }).emit() {
        assert!(query.len() <= 12 + 255 + 4);
    }
    let dns = Dns::new(&keepalived::model::check::Dns { record: Record::A, name: name.into() }, ID);
    assert_eq!(dns.received(dns.request()), None, "our own query");
    if let Some(verdict) = dns.received(data) {
        assert!(data.len() >= 12 && data[..2] == ID.to_be_bytes(), "{verdict:?}");
        assert_eq!(verdict.is_up(), data[3] & 0x0f == 0);
    }
});
