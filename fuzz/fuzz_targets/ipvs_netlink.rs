//! Parsing of any kernel reply must not panic, and emitting the parsed values must give the same
//! result.

#![no_main]

use keepalived::base::addr::Family;
use keepalived::wire::netlink::ipvs::{
    Daemon, Info, Request, SeenDestination, SeenService, Timeouts, FAMILY,
};
use keepalived::wire::netlink::{errno, genl, messages};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    for (_, body) in messages(data) {
        let _ = errno(body);
        let _ = genl::parse_family(body, FAMILY);
        if let Ok((_, list)) = genl::parse(body) {
            read(list);
        }
    }
    // Random input rarely has valid headers.
    read(data);
});

fn read(list: &[u8]) {
    let _ = (Timeouts::parse(list), Info::parse(list));
    if let Ok(seen) = SeenService::parse(list) {
        let again = written(&Request::AddService(seen.service), SeenService::parse);
        assert_eq!(again.service, seen.service);
        for family in [Family::V4, Family::V6] {
            let Ok(d) = SeenDestination::parse(list, family) else { continue };
            let request = Request::AddDestination(seen.service.key, d.destination);
            let again = written(&request, |list| SeenDestination::parse(list, family));
            assert_eq!(again.destination, d.destination);
        }
    }
    if let Ok(daemon) = Daemon::parse(list) {
        assert_eq!(written(&Request::StartDaemon(daemon), Daemon::parse), daemon);
    }
}

fn written<T, E: std::fmt::Debug>(request: &Request, parse: impl Fn(&[u8]) -> Result<T, E>) -> T {
    let mut out = Vec::new();
    request.emit(1, &mut out);
    let (_, body) = messages(&out).next().expect("a message");
    parse(genl::parse(body).expect("a command").1).expect("what was written")
}
