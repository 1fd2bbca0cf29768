//! Stories from the inputs of the cores to the sentences of `kactl explain`.
//!
//! `UPDATE=1` rewrites the texts in `tests/explain/`.

#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use std::net::IpAddr;
use std::path::Path;
use std::rc::Rc;

use super::{event, instance, service, track};
use crate::base::addr::{Family, Prefix};
use crate::base::ids::{InstanceId, ServiceId};
use crate::base::link::{KernelEvent, Link};
use crate::base::sorted::SortedMap;
use crate::base::time::{Duration, Instant, WallTime};
use crate::base::tracked::TrackState;
use crate::base::verdict::{ProbeStep, Reason, Verdict};
use crate::check::{pool, Pool};
use crate::daemon::journal::{Journal, Subject};
use crate::daemon::lateness::Lateness;
use crate::daemon::view::{Details, View};
use crate::holdings;
use crate::lvs;
use crate::model::check::{Check, Connect, Kind as CheckKind, Schedule};
use crate::model::lvs::tests::{real_server, virtual_server};
use crate::model::track::{Object, Tracked};
use crate::model::vrrp as model;
use crate::model::vrrp::tests::instance as plain;
use crate::model::vrrp::{Authentication, Delivery, TrackedLink, Version, VirtualAddress};
use crate::model::Config;
use crate::status::explain::{explain, Story};
use crate::status::{ObjectKind, State, Time};
use crate::vrrp::receive::Received;
use crate::vrrp::{self, Action, Input, LinkState, Order};

/// A daemon without sockets and kernel, with a journal.
struct Stage {
    config: Config,
    ids: Vec<InstanceId>,
    vrrp: vrrp::Domain,
    lvs: lvs::Domain,
    pool: Pool,
    track: crate::track::Domain,
    holdings: holdings::Domain,
    lateness: Lateness,
    journal: Journal,
    now: Instant,
    links: SortedMap<&'static str, LinkState>,
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// VI_1 of priority 100 on e0, of version 2 with a password, tracking a script and e1 by weight.
fn router() -> model::Instance {
    let prefix = Prefix { addr: ip("10.1.0.100"), len: 24 };
    let script = Object::Script("chk_web".to_owned());
    model::Instance {
        interface: Some("e0".into()),
        version: Version::V2,
        authentication: Authentication::Pass(*b"tellno1\0"),
        addresses: vec![Rc::new(VirtualAddress::plain(prefix, "e0".into()))],
        tracked: vec![Tracked { object: script, weight: -20, reverse: false }].into(),
        tracked_links: vec![TrackedLink { interface: "e1".into(), weight: 10, reverse: false }]
            .into(),
        ..plain("VI_1", 51)
    }
}

impl Stage {
    fn new(config: Config) -> Self {
        let mut stage = Self {
            ids: Vec::new(),
            vrrp: vrrp::Domain::new(Duration::ZERO),
            lvs: lvs::Domain::default(),
            pool: Pool::new(10, 1),
            track: crate::track::Domain::default(),
            holdings: holdings::Domain::default(),
            lateness: Lateness::default(),
            journal: Journal::default(),
            now: Instant::from_millis(100),
            links: SortedMap::new(),
            config,
        };
        for (index, name) in [(1, "e0"), (2, "e1")] {
            let link = Link { up: true, ..Link::plain(index, name) };
            let input = holdings::Input::Kernel(KernelEvent::Link(link));
            stage.holdings.handle(input, stage.now, &mut Vec::new());
            stage.link(name, LinkState::Up);
        }
        for config in stage.config.instances.clone() {
            let id = stage.vrrp.vacant_id();
            stage.vrrp(Input::Add { id, config });
            stage.vrrp(Input::Source { id, source: Some(ip("10.1.0.1")) });
            stage.ids.push(id);
        }
        let groups = stage.config.groups.clone();
        stage.vrrp(Input::Groups(&groups));
        stage.tracked("chk_web", TrackState::exit(0));
        stage.vrrp(Input::Start);
        stage
    }

    fn with_router() -> Self {
        Self::new(Config { instances: vec![Rc::new(router())], ..Config::default() })
    }

    fn vrrp(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.vrrp.handle(input, self.now, &mut out);
        for action in &out {
            self.journal.vrrp(action, &self.vrrp, self.now);
        }
        for action in out {
            match action {
                Action::Want(id) => self.hold(id),
                Action::Release(id) => {
                    let input = holdings::Input::Release { owner: id.into() };
                    self.holdings.handle(input, self.now, &mut Vec::new());
                }
                _ => {}
            }
        }
    }

    /// The kernel takes all addresses.
    fn hold(&mut self, id: InstanceId) {
        let config = Rc::clone(self.vrrp.instance(id).expect("it is there").config());
        let objects: Vec<_> = config.all_addresses().map(holdings::KernelObject::from).collect();
        let want = holdings::Input::Want { owner: id.into(), objects: &objects };
        let mut out = Vec::new();
        self.holdings.handle(want, self.now, &mut out);
        for action in out {
            let holdings::Action::Ask(request) = action else { continue };
            let input = holdings::Input::Answer { request: request.id, answer: 0.into() };
            self.holdings.handle(input, self.now, &mut Vec::new());
        }
        self.vrrp(Input::Held { id });
    }

    fn link(&mut self, name: &'static str, state: LinkState) {
        if let Some(before) = self.links.insert(name, state) {
            self.journal.link(name, before, state, self.now);
        }
        self.vrrp(Input::Link { name, state });
    }

    fn tracked(&mut self, name: &str, state: TrackState) {
        let object = Object::Script(name.to_owned());
        self.journal.tracked(&object, self.vrrp.tracked(&object), &state, self.now);
        self.vrrp(Input::Tracked { object: &object, state });
    }

    fn at(&mut self, seconds: f64) -> &mut Self {
        self.now = Instant::ZERO + Duration::from_secs_f64(seconds);
        self
    }

    /// Serves deadlines until then.
    fn pass(&mut self, seconds: f64) {
        let until = Instant::ZERO + Duration::from_secs_f64(seconds);
        while let Some(due) = self.vrrp.next_deadline().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.vrrp(Input::Deadline);
        }
        self.now = until;
    }

    /// An advertisement from 10.1.0.2.
    fn advert(&mut self, priority: u8, password: &[u8; 8]) {
        self.advert_to(0, priority, password);
    }

    /// The same for one of the instances.
    fn advert_to(&mut self, n: usize, priority: u8, password: &[u8; 8]) {
        let source = ip("10.1.0.2");
        let authentication = Authentication::Pass(*password);
        let own = (*self.config.instances[n]).clone();
        let peer = model::Instance { priority, authentication, ..own };
        let mut pdu = Vec::new();
        vrrp::advert::emit(&peer, priority, source, ip("224.0.0.18"), &mut pdu);
        let pdu = pdu.split_off(crate::wire::ip::V4_HEADER_LEN);
        let packet = Received {
            source,
            destination: Some(ip("224.0.0.18")),
            ttl: Some(255),
            arrived: self.now,
            wall: WallTime(0),
            header: None,
            pdu: &pdu,
        };
        self.vrrp(Input::Packet { id: self.ids[n], packet });
    }

    fn lvs(&mut self, input: lvs::Input) {
        let mut out = Vec::new();
        self.lvs.handle(input, self.now, &mut out);
        for action in out {
            self.journal.lvs(&action, self.now);
            if let lvs::Action::CheckAdded { check, config, up, suspended, recalled, .. } = action {
                let input = pool::Input::Add { check, config, up, suspended, recalled };
                self.pool.handle(input, self.now, &mut Vec::new());
            }
        }
    }

    fn view(&self) -> View<'_> {
        View {
            config: &self.config,
            ids: &self.ids,
            vrrp: &self.vrrp,
            track: &self.track,
            holdings: &self.holdings,
            links: self.holdings.links(),
            details: Details::default(),
            has_ipvs: true,
            lateness: &self.lateness,
            now: self.now,
            wall: WallTime(1_795_386_500_000_000 + self.now.micros()),
            calendar: crate::sys::clock::local,
        }
    }

    /// The text of `kactl explain` must be that of the file.
    #[track_caller]
    fn explains(&self, name: &str, file: &str) {
        let view = self.view();
        let named = |i: &vrrp::Instance| i.config().name == *name;
        let mut story = Story::default();
        for (id, _) in view.instances().filter(|(_, i)| named(i)) {
            story.instances.extend(instance::instance(&view, &self.journal, id));
        }
        for (_, group) in self.vrrp.groups().filter(|(_, g)| *g.name() == *name) {
            story.groups.push(instance::group(&view, &self.journal, group));
        }
        for (link, state) in self.links.iter().filter(|(link, _)| **link == name) {
            story.tracks.push(track::interface(&view, &self.journal, link, *state));
        }
        for (_, s) in self.lvs.services() {
            let shown = service::service(&view, &self.journal, s);
            if shown.name == name {
                for n in 0..shown.tally.servers {
                    let server = service::server(&view, &self.journal, &self.pool, s, n);
                    story.servers.extend(server);
                }
                story.services.push(shown);
            }
        }
        let mut last = 0;
        while let Some((number, entry, _)) = self.journal.after(last) {
            last = number;
            let of = entry.subject.of.as_deref();
            if entry.subject.name == *name || of == Some(name) {
                story.events.push(event::event(&view, number, entry));
            }
        }
        let since = |at: Time| at.0 .0 - 1_795_386_500_000_000;
        let stamp = |at| format!("[{:7.3}]", Duration::from_micros(since(at)).as_secs_f64());
        let text = explain(&story, Time(view.wall), stamp);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain").join(file);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &text).expect("writable");
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(text, expected, "{file}");
    }
}

#[test]
fn a_backup_takes_over_from_a_silent_master() {
    let mut stage = Stage::with_router();
    for second in 1..=5 {
        stage.at(f64::from(second)).advert(200, b"tellno1\0");
    }
    stage.pass(20.0);
    stage.explains("VI_1", "silent-master.txt");
}

#[test]
fn a_router_with_another_password_is_named() {
    let mut stage = Stage::with_router();
    for second in 1..=60 {
        stage.pass(f64::from(second));
        stage.advert(200, b"other\0\0\0");
    }
    stage.explains("VI_1", "wrong-password.txt");
}

#[test]
fn a_failed_script_costs_the_mastership() {
    let mut stage = Stage::with_router();
    stage.pass(10.0);
    stage.tracked("chk_web", TrackState::exit(1));
    stage.at(10.2).advert(95, b"tellno1\0");
    stage.at(11.2).advert(95, b"tellno1\0");
    stage.explains("VI_1", "failed-script.txt");
}

#[test]
fn an_interface_goes_down_and_comes_back() {
    let mut stage = Stage::with_router();
    stage.pass(10.0);
    stage.link("e0", LinkState::Down);
    stage.pass(15.0);
    stage.explains("VI_1", "interface-down.txt");
    stage.link("e0", LinkState::Up);
    stage.pass(30.0);
    stage.explains("VI_1", "interface-back.txt");
    stage.explains("e0", "interface-itself.txt");
}

fn failover(to: Option<IpAddr>) -> Input<'static> {
    let (id, span) = (InstanceId(0), Duration::from_secs(600));
    Input::Order(Order::Failover { number: 1, id, to, span })
}

#[test]
fn a_failover_is_explained_from_the_order_to_its_end() {
    let mut stage = Stage::with_router();
    stage.pass(10.0);
    stage.advert(90, b"tellno1\0");
    stage.pass(20.0);
    stage.vrrp(failover(None));
    stage.explains("VI_1", "failover-begins.txt");
    stage.pass(23.0);
    stage.advert(90, b"tellno1\0");
    stage.pass(25.5);
    stage.explains("VI_1", "failover.txt");
    // The other router is gone.
    stage.pass(40.0);
    stage.explains("VI_1", "failover-is-over.txt");
    stage.vrrp(failover(None));
    stage.pass(60.0);
    stage.explains("VI_1", "failover-that-failed.txt");
}

#[test]
fn maintenance_is_explained() {
    let mut stage = Stage::with_router();
    stage.pass(10.0);
    stage.vrrp(Input::Order(Order::Maintenance { number: 1, span: None }));
    stage.pass(11.0);
    stage.advert(90, b"tellno1\0");
    stage.pass(12.0);
    stage.explains("VI_1", "maintenance.txt");
}

/// VI_1, and VI_2 on e1, in the group G.
fn group_of_two() -> Stage {
    let other = model::Instance {
        interface: Some("e1".into()),
        tracked: Vec::new().into(),
        tracked_links: Vec::new().into(),
        ..model::Instance { name: "VI_2".into(), vrid: 52, ..router() }
    };
    let group = model::SyncGroup {
        name: "G".into(),
        members: vec!["VI_1".into(), "VI_2".into()],
        tracked_links: Vec::new(),
        tracked: Vec::new(),
        notify: crate::model::notify::Notify::default(),
        tracking_weight: true,
    };
    Stage::new(Config {
        instances: vec![Rc::new(router()), Rc::new(other)],
        groups: vec![group],
        ..Config::default()
    })
}

#[test]
fn a_member_that_waits_for_its_group_follows_no_master() {
    let mut stage = group_of_two();
    for second in 1..7 {
        stage.pass(f64::from(second));
        // The other router has less for VI_1 from the third second on.
        stage.advert_to(0, if second < 3 { 150 } else { 90 }, b"tellno1\0");
        stage.advert_to(1, 150, b"tellno1\0");
    }
    stage.explains("VI_1", "waits-for-group.txt");
}

#[test]
fn a_sync_group_follows_its_member() {
    let mut stage = group_of_two();
    stage.pass(10.0);
    stage.link("e1", LinkState::Down);
    stage.pass(12.0);
    stage.explains("VI_1", "group-member.txt");
    stage.explains("G", "group.txt");
}

/// A virtual server with two real servers, both of which it needs.
fn stage_with_servers() -> (Stage, ServiceId) {
    let mut vs = virtual_server([192, 0, 2, 1], 80);
    vs.servers = vec![real_server([10, 3, 0, 1], 80), real_server([10, 3, 0, 2], 80)];
    for server in &mut vs.servers {
        let kind = CheckKind::Tcp(Connect::to(server.addr, server.port));
        let schedule = Schedule::default();
        let check = Check { kind, schedule, alpha: false, log_all_failures: false };
        server.checks = vec![Rc::new(check)];
    }
    vs.quorum = 2;
    let mut stage = Stage::new(Config::default());
    let id = stage.lvs.vacant_id();
    stage.lvs(lvs::Input::Add {
        id,
        config: Rc::new(vs),
        recalled: crate::base::recalled::RecalledService::default(),
    });
    stage.lvs(lvs::Input::Start { init_notifies: false });
    (stage, id)
}

#[test]
fn a_server_that_is_drained_and_disabled_by_command_says_so() {
    let (mut stage, id) = stage_with_servers();
    let order = |order| lvs::Input::Order { id, index: 0, order };
    stage.at(30.0).lvs(order(Some(lvs::ServerOrder::Drain)));
    stage.at(45.0);
    stage.explains("[192.0.2.1]:tcp:80", "drained-server.txt");
    stage.at(50.0).lvs(order(Some(lvs::ServerOrder::Disable)));
    stage.at(60.0).lvs(order(None));
    stage.at(65.0);
    stage.explains("[192.0.2.1]:tcp:80", "enabled-server.txt");
}

#[test]
fn a_virtual_server_loses_its_quorum() {
    let (mut stage, id) = stage_with_servers();
    let checks: Vec<_> = stage.lvs.service(id).expect("it is there").servers().collect();
    let check = checks[0].1.checks()[0].id();
    stage.at(30.0);
    let verdict = Verdict::Down(Reason::TimedOut(ProbeStep::Connecting));
    stage.lvs(lvs::Input::Verdict { check, page: 0, verdict });
    stage.at(45.0);
    stage.explains("[192.0.2.1]:tcp:80", "lost-quorum.txt");
}

#[test]
fn nothing_is_said_of_a_password() {
    let mut stage = Stage::with_router();
    stage.pass(5.0);
    stage.advert(200, b"other\0\0\0");
    let view = stage.view();
    let shown = instance::instance(&view, &stage.journal, stage.ids[0]).expect("it is there");
    let text = serde_json::to_string(&shown).expect("plain data");
    assert!(text.contains("wrong password"), "{text}");
    assert!(!text.contains("tellno1") && !text.contains("other\\u0000"), "{text}");
}

#[test]
fn an_instance_that_only_started_has_a_state_and_a_reason_but_no_entry() {
    let stage = Stage::with_router();
    let shown =
        instance::instance(&stage.view(), &stage.journal, stage.ids[0]).expect("it is there");
    assert_eq!((shown.state, shown.why.as_deref()), (State::Backup, Some("started")));
    assert_eq!(shown.priority.effective, 110);
    let subject = Subject::new(ObjectKind::Instance, "VI_1");
    assert_eq!((stage.journal.of(&subject).count(), stage.journal.last()), (0, 0));
}

#[test]
fn transitions_are_counted_by_cause_until_the_instance_goes() {
    let mut stage = Stage::with_router();
    let id = stage.ids[0];
    let shown =
        |stage: &Stage| instance::instance(&stage.view(), &stage.journal, id).expect("it is there");
    assert!(shown(&stage).transitions.is_empty(), "the start is none");
    stage.pass(10.0);
    stage.link("e0", LinkState::Down);
    stage.pass(15.0);
    stage.link("e0", LinkState::Up);
    stage.pass(30.0);
    let counts: Vec<_> = shown(&stage).transitions.into_iter().collect();
    let expected = [("fault", 1), ("recovered", 1), ("silence", 2)];
    assert_eq!(counts, expected.map(|(cause, count)| (cause.to_owned(), count)));
    let parts = shown(&stage).priority.parts;
    let parts: Vec<_> = parts.iter().map(|p| (p.kind, p.name.as_str(), p.weight)).collect();
    assert_eq!(parts, [(ObjectKind::Interface, "e1", 10), (ObjectKind::Script, "chk_web", 0)]);
    stage.vrrp(Input::Remove { id });
    assert!(stage.journal.totals.transitions(&"VI_1".into()).is_empty());
}

#[test]
fn family_and_delivery_are_those_of_the_packets_above() {
    let router = router();
    assert_eq!(router.family, Family::V4);
    assert!(matches!(router.delivery, Delivery::Multicast { .. }));
}
