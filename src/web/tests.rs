//! Objects with hostile names, and documents made of them.

use super::{Document, Json, Metrics, Page, Wanted};
use crate::base::time::WallTime;
use crate::control::{Reply, Topic};
use crate::status::{
    Address, Change, CheckResults, Daemon, Event, Group, Heard, Instance, ObjectKind, Part,
    Priority, Refusal, Server, Service, Session, Spans, State, Tally, Time, Track, Traffic,
    Weighed,
};

pub(super) const HOSTILE: &str = "x\"><script>alert('\\1')</script>\n&amp;";
const NOW: u64 = 1_795_386_600_000_000;

pub(super) fn ago(seconds: u64) -> Time {
    Time(WallTime(NOW - seconds * 1_000_000))
}

pub(super) fn instance(name: &str) -> Instance {
    let part = |kind, name: &str, weight| Part {
        kind,
        name: name.to_owned(),
        reason: format!("{kind} {name} up"),
        weight,
    };
    Instance {
        name: name.to_owned(),
        state: State::Master,
        since: ago(200),
        why: Some("no advertisement in 3.609 s".to_owned()),
        wanted: State::Master,
        interface: Some("eth0".to_owned()),
        vrid: 51,
        priority: Priority {
            effective: 110,
            base: 100,
            configured: 90,
            commanded: true,
            parts: vec![
                part(ObjectKind::Script, "chk", 5),
                part(ObjectKind::Script, "chk", 2),
                part(ObjectKind::Bfd, "peer", 3),
            ],
        },
        master: Some(Heard { priority: 90, at: ago(210), ..Heard::default() }),
        addresses: vec![
            Address { address: "10.1.0.100/24 dev eth0 scope global".to_owned(), present: true },
            Address { address: "10.1.0.100/24 dev eth0 scope global".to_owned(), present: false },
        ],
        transitions: [("silence".to_owned(), 2)].into(),
        refused: vec![Refusal { count: 7, reason: HOSTILE.to_owned(), ..Refusal::default() }],
        ..Instance::default()
    }
}

pub(super) fn server(name: &str, up: bool) -> Server {
    Server {
        service: "[192.0.2.1]:tcp:80".to_owned(),
        name: name.to_owned(),
        up,
        since: ago(60),
        why: (!up).then(|| "timeout while connecting".to_owned()),
        held_weight: up.then_some(1),
        effective_weight: 1,
        traffic: up.then(|| Traffic { connections: 5, ..Traffic::default() }),
        ..Server::default()
    }
}

/// One or two objects of each kind, the second with a name that is not meant well.
pub(super) fn everything() -> Vec<Reply> {
    let spans = Spans { up_to: vec![(0.001, 3), (0.01, 4)], count: 5, sum: 1.25 };
    let checks = CheckResults { kind: "HTTP_GET".to_owned(), up: 4, down: 1, spans, unmade: 0 };
    let daemon = Daemon {
        version: "Keepalived v0.1.0".to_owned(),
        instance_name: Some(HOSTILE.to_owned()),
        now: Time(WallTime(NOW)),
        started: ago(3_600),
        checks: vec![checks],
        last_event: 2,
        ..Daemon::default()
    };
    let service = Service {
        name: "[192.0.2.1]:tcp:80".to_owned(),
        tally: Tally { servers: 2, up: 1, weight: 1, quorum: 2, hysteresis: 0 },
        why: Some(HOSTILE.to_owned()),
        sorry_server: Some("10.0.0.9".to_owned()),
        sorry_in_use: true,
        since: ago(60),
        traffic: Some(Traffic { incoming_bytes: u64::MAX, ..Traffic::default() }),
        ..Service::default()
    };
    let track = Track {
        kind: ObjectKind::Script,
        name: "chk".to_owned(),
        state: "up".to_owned(),
        running: true,
        instances: 2,
        tracked_by: vec![Weighed { instance: HOSTILE.to_owned(), weight: 5, reverse: false }],
        ..Track::default()
    };
    let event = |number, name: &str| Event {
        number,
        at: ago(200),
        kind: ObjectKind::Instance,
        name: name.to_owned(),
        change: Change::State { from: Some("BACKUP".to_owned()), to: "MASTER".to_owned() },
        why: Some(HOSTILE.to_owned()),
        ..Event::default()
    };
    vec![
        Reply::Daemon(Box::new(daemon)),
        Reply::Instance(Box::new(instance("VI_1"))),
        Reply::Instance(Box::new(Instance { state: State::Fault, ..instance(HOSTILE) })),
        Reply::Group(Group { name: HOSTILE.to_owned(), ..Group::default() }),
        Reply::Track(track),
        Reply::Session(Session {
            name: HOSTILE.to_owned(),
            state: "Up".to_owned(),
            ..Session::default()
        }),
        Reply::Service(Box::new(service)),
        Reply::Server(Box::new(server("10.0.0.1", true))),
        Reply::Server(Box::new(server(HOSTILE, false))),
        Reply::Event(event(2, HOSTILE)),
        Reply::Event(event(1, "VI_1")),
    ]
}

/// Makes a document as the daemon does.
pub(super) fn made(mut document: Document, objects: &[Reply]) -> String {
    let mut out = String::new();
    while let Some(wanted) = document.wants() {
        for object in objects.iter().filter(|object| is_wanted(wanted, object)) {
            document.add(object, &mut out);
        }
        document.go_on(&mut out);
    }
    out
}

fn is_wanted(wanted: Wanted, object: &Reply) -> bool {
    match wanted {
        Wanted::Events(_) => matches!(object, Reply::Event(_)),
        Wanted::All(topic) | Wanted::Figures(topic) | Wanted::Traffic(topic) => match topic {
            Topic::Daemon => matches!(object, Reply::Daemon(_)),
            Topic::Instance => matches!(object, Reply::Instance(_)),
            Topic::Group => matches!(object, Reply::Group(_)),
            Topic::Track => matches!(object, Reply::Track(_) | Reply::Session(_)),
            Topic::Service => matches!(object, Reply::Service(_)),
            Topic::Server => matches!(object, Reply::Server(_)),
            Topic::Holdings | Topic::Any => panic!("{topic:?} is not for documents"),
        },
    }
}

#[test]
fn json_is_one_document_whatever_is_missing() {
    let all = everything();
    for n in 0..=all.len() {
        let text = made(Document::Json(Json::default()), &all[..n]);
        let value: serde_json::Value = serde_json::from_str(&text).expect(&text);
        let count = |list: &str| value[list].as_array().map_or(0, Vec::len);
        if n == all.len() {
            assert_eq!(value["instances"][1]["name"], HOSTILE);
            assert_eq!((count("servers"), count("sessions"), count("tracks")), (2, 1, 1));
        } else {
            assert!(count("servers") < 2 || n > 8);
        }
    }
}

#[test]
fn a_document_of_nothing_is_complete() {
    assert_eq!(made(Document::Metrics(Metrics::default()), &[]), "");
    assert_eq!(made(Document::Json(Json::default()), &[]), "{}\n");
    assert!(made(Document::Page(Page::new(|_| String::new())), &[]).ends_with("</html>\n"));
}
