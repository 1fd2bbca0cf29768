//! Every kind of input in every state: the state afterwards, and the kinds of actions.

use std::net::IpAddr;
use std::rc::Rc;

use crate::base::ids::InstanceId;
use crate::base::time::{Duration, Instant, WallTime};
use crate::model::track::{Object, Tracked};
use crate::model::vrrp::{tests::instance, Instance};
use crate::vrrp::receive::Received;
use crate::vrrp::state::State;
use crate::vrrp::{advert, Action, Domain, Input, LinkState, Order, TrackState};
use crate::wire::ip::V4_HEADER_LEN;

/// The states of an instance, one for each of `State`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum In {
    Init,
    Waiting,
    Backup,
    Master,
    Fault,
}

const STATES: [In; 5] = [In::Init, In::Waiting, In::Backup, In::Master, In::Fault];

const fn state_of(state: &State) -> In {
    match state {
        State::Init => In::Init,
        State::Waiting => In::Waiting,
        State::Backup(_) => In::Backup,
        State::Master(_) => In::Master,
        State::Fault => In::Fault,
    }
}

macro_rules! kinds {
    ($($kind:ident),* $(,)?) => {
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        enum Kind { $($kind),* }
        const KINDS: &[Kind] = &[$(Kind::$kind),*];
    };
}

kinds! {
    Add, AdjustPriority, AdjustAddresses, AdjustToOwner, Remove, Groups, Start,
    LinkDown, LinkUp, OtherLink, ScriptFails, ScriptSucceeds, SourceGone, SourceNew, SocketError, SocketOpen, Refused, Accepted,
    LowerPriority, LowerAddress, HigherAddress, HigherPriority, PriorityZero, Unacceptable,
    Held, Ordered, Recall, Failover, Maintenance, NoMaintenance, EarlyDeadline, DueDeadline, Stop,
}

/// Which kinds stand for an input. A new input has none, and does not compile before it has.
const fn kinds_of(input: &Input<'_>) -> &'static [Kind] {
    use Kind::*;
    match input {
        Input::Add { .. } => &[Add],
        Input::Adjust { .. } => &[AdjustPriority, AdjustAddresses, AdjustToOwner],
        Input::Remove { .. } => &[Remove],
        Input::Groups(_) => &[Groups],
        Input::Start => &[Start],
        Input::Link { .. } => &[LinkDown, LinkUp, OtherLink],
        Input::Tracked { .. } => &[ScriptFails, ScriptSucceeds],
        Input::Source { .. } => &[SourceGone, SourceNew],
        Input::Socket { .. } => &[SocketError, SocketOpen],
        Input::Addresses { .. } => &[Refused, Accepted],
        Input::Packet { .. } => &[
            LowerPriority,
            LowerAddress,
            HigherAddress,
            HigherPriority,
            PriorityZero,
            Unacceptable,
        ],
        Input::Held { .. } => &[Held],
        Input::Priority { .. } => &[Ordered],
        Input::Recall { .. } => &[Recall],
        Input::Order(_) => &[Failover, Maintenance, NoMaintenance],
        Input::Deadline | Input::DeadlineAmid(_) => &[EarlyDeadline, DueDeadline],
        Input::Stop => &[Stop],
    }
}

/// The table. WAITING for the first result of a script; in FAULT the interface is down; as MASTER the addresses are held. (To add an instance
/// under an id that is taken is an error of the caller: the other one is forgotten.)
const fn expected(state: In, kind: Kind) -> (In, &'static str) {
    use In::*;
    use Kind::*;
    match (state, kind) {
        (Init, Add) => (Init, ""),
        (Init, AdjustPriority) => (Init, ""),
        (Init, AdjustAddresses) => (Init, ""),
        (Init, AdjustToOwner) => (Init, ""),
        (Init, Remove) => (Init, "changed"),
        (Init, Groups) => (Init, ""),
        (Init, Start) => (Backup, "changed"),
        (Init, LinkDown) => (Init, ""),
        (Init, LinkUp) => (Init, ""),
        (Init, OtherLink) => (Init, ""),
        (Init, ScriptFails) => (Init, ""),
        (Init, ScriptSucceeds) => (Init, ""),
        (Init, SourceGone) => (Init, ""),
        (Init, SourceNew) => (Init, ""),
        (Init, SocketError) => (Init, ""),
        (Init, Refused) => (Init, ""),
        (Init, SocketOpen) => (Init, ""),
        (Init, Accepted) => (Init, ""),
        (Init, LowerPriority) => (Init, ""),
        (Init, LowerAddress) => (Init, ""),
        (Init, HigherAddress) => (Init, ""),
        (Init, HigherPriority) => (Init, ""),
        (Init, PriorityZero) => (Init, ""),
        (Init, Unacceptable) => (Init, ""),
        (Init, Held) => (Init, ""),
        (Init, Ordered) => (Init, ""),
        (Init, Recall) => (Init, ""),
        (Init, Failover) => (Init, "ordered"),
        (Init, Maintenance) => (Init, ""),
        (Init, NoMaintenance) => (Init, ""),
        (Init, EarlyDeadline) => (Init, ""),
        (Init, DueDeadline) => (Init, ""),
        (Init, Stop) => (Init, "changed"),

        (Waiting, Add) => (Init, ""),
        (Waiting, AdjustPriority) => (Waiting, "priority"),
        (Waiting, AdjustAddresses) => (Waiting, ""),
        (Waiting, AdjustToOwner) => (Waiting, "priority"),
        (Waiting, Remove) => (Init, "changed"),
        (Waiting, Groups) => (Waiting, ""),
        (Waiting, Start) => (Waiting, ""),
        (Waiting, LinkDown) => (Fault, "changed"),
        (Waiting, LinkUp) => (Waiting, ""),
        (Waiting, OtherLink) => (Waiting, ""),
        (Waiting, ScriptFails) => (Fault, "changed"),
        (Waiting, ScriptSucceeds) => (Backup, "changed"),
        (Waiting, SourceGone) => (Fault, "changed"),
        (Waiting, SourceNew) => (Waiting, ""),
        (Waiting, SocketError) => (Fault, "changed"),
        (Waiting, Refused) => (Fault, "changed"),
        (Waiting, SocketOpen) => (Waiting, ""),
        (Waiting, Accepted) => (Waiting, ""),
        (Waiting, LowerPriority) => (Waiting, ""),
        (Waiting, LowerAddress) => (Waiting, ""),
        (Waiting, HigherAddress) => (Waiting, ""),
        (Waiting, HigherPriority) => (Waiting, ""),
        (Waiting, PriorityZero) => (Waiting, ""),
        (Waiting, Unacceptable) => (Waiting, ""),
        (Waiting, Held) => (Waiting, ""),
        (Waiting, Ordered) => (Waiting, "priority"),
        (Waiting, Recall) => (Waiting, ""),
        (Waiting, Failover) => (Waiting, "priority ordered priority"),
        (Waiting, Maintenance) => (Waiting, "priority"),
        (Waiting, NoMaintenance) => (Waiting, ""),
        (Waiting, EarlyDeadline) => (Waiting, ""),
        (Waiting, DueDeadline) => (Waiting, ""),
        (Waiting, Stop) => (Init, "changed"),

        (Backup, Add) => (Init, ""),
        (Backup, AdjustPriority) => (Backup, "priority"),
        (Backup, AdjustAddresses) => (Backup, ""),
        (Backup, AdjustToOwner) => (Master, "priority send changed want"),
        (Backup, Remove) => (Init, "changed"),
        (Backup, Groups) => (Backup, ""),
        (Backup, Start) => (Backup, ""),
        (Backup, LinkDown) => (Fault, "changed"),
        (Backup, LinkUp) => (Backup, ""),
        (Backup, OtherLink) => (Backup, ""),
        (Backup, ScriptFails) => (Fault, "changed"),
        (Backup, ScriptSucceeds) => (Backup, ""),
        (Backup, SourceGone) => (Fault, "changed"),
        (Backup, SourceNew) => (Backup, ""),
        (Backup, SocketError) => (Fault, "changed"),
        (Backup, Refused) => (Fault, "changed"),
        (Backup, SocketOpen) => (Backup, ""),
        (Backup, Accepted) => (Backup, ""),
        (Backup, LowerPriority) => (Backup, "noted"),
        (Backup, LowerAddress) => (Backup, "noted"),
        (Backup, HigherAddress) => (Backup, "noted"),
        (Backup, HigherPriority) => (Backup, "noted"),
        (Backup, PriorityZero) => (Backup, "noted"),
        (Backup, Unacceptable) => (Backup, "noted"),
        (Backup, Held) => (Backup, ""),
        (Backup, Ordered) => (Backup, "priority"),
        (Backup, Recall) => (Backup, ""),
        (Backup, Failover) => (Backup, "priority"),
        (Backup, Maintenance) => (Backup, "priority"),
        (Backup, NoMaintenance) => (Backup, ""),
        (Backup, EarlyDeadline) => (Backup, ""),
        (Backup, DueDeadline) => (Master, "noted send changed want"),
        (Backup, Stop) => (Init, "changed"),

        (Master, Add) => (Init, ""),
        (Master, AdjustPriority) => (Master, "priority"),
        (Master, AdjustAddresses) => (Master, "want"),
        (Master, AdjustToOwner) => (Master, "priority"),
        (Master, Remove) => (Init, "goodbye release changed"),
        (Master, Groups) => (Master, ""),
        (Master, Start) => (Master, ""),
        (Master, LinkDown) => (Fault, "goodbye release changed"),
        (Master, LinkUp) => (Master, ""),
        (Master, OtherLink) => (Master, ""),
        (Master, ScriptFails) => (Fault, "goodbye release changed"),
        (Master, ScriptSucceeds) => (Master, ""),
        (Master, SourceGone) => (Fault, "goodbye release changed"),
        (Master, SourceNew) => (Master, ""),
        (Master, SocketError) => (Fault, "goodbye release changed"),
        (Master, Refused) => (Fault, "goodbye release changed"),
        (Master, SocketOpen) => (Master, ""),
        (Master, Accepted) => (Master, ""),
        (Master, LowerPriority) => (Master, "noted lower send announce"),
        (Master, LowerAddress) => (Master, "noted lower send announce"),
        (Master, HigherAddress) => (Backup, "release changed"),
        (Master, HigherPriority) => (Backup, "release changed"),
        (Master, PriorityZero) => (Master, "send"),
        (Master, Unacceptable) => (Master, "noted"),
        (Master, Held) => (Master, "announce"),
        (Master, Ordered) => (Master, "priority"),
        (Master, Recall) => (Master, ""),
        (Master, Failover) => (Master, "priority send"),
        (Master, Maintenance) => (Master, "priority send"),
        (Master, NoMaintenance) => (Master, ""),
        (Master, EarlyDeadline) => (Master, ""),
        (Master, DueDeadline) => (Master, "send"),
        (Master, Stop) => (Init, "goodbye release changed"),

        (Fault, Add) => (Init, ""),
        (Fault, AdjustPriority) => (Fault, "priority"),
        (Fault, AdjustAddresses) => (Fault, ""),
        (Fault, AdjustToOwner) => (Fault, "priority"),
        (Fault, Remove) => (Init, "changed"),
        (Fault, Groups) => (Fault, ""),
        (Fault, Start) => (Fault, ""),
        (Fault, LinkDown) => (Fault, ""),
        (Fault, LinkUp) => (Backup, "changed"),
        (Fault, OtherLink) => (Fault, ""),
        (Fault, ScriptFails) => (Fault, ""),
        (Fault, ScriptSucceeds) => (Fault, ""),
        (Fault, SourceGone) => (Fault, ""),
        (Fault, SourceNew) => (Fault, ""),
        (Fault, SocketError) => (Fault, ""),
        (Fault, Refused) => (Fault, ""),
        (Fault, SocketOpen) => (Fault, ""),
        (Fault, Accepted) => (Fault, ""),
        (Fault, LowerPriority) => (Fault, ""),
        (Fault, LowerAddress) => (Fault, ""),
        (Fault, HigherAddress) => (Fault, ""),
        (Fault, HigherPriority) => (Fault, ""),
        (Fault, PriorityZero) => (Fault, ""),
        (Fault, Unacceptable) => (Fault, ""),
        (Fault, Held) => (Fault, ""),
        (Fault, Ordered) => (Fault, "priority"),
        (Fault, Recall) => (Fault, ""),
        (Fault, Failover) => (Fault, "priority"),
        (Fault, Maintenance) => (Fault, "priority"),
        (Fault, NoMaintenance) => (Fault, ""),
        (Fault, EarlyDeadline) => (Fault, ""),
        (Fault, DueDeadline) => (Fault, ""),
        (Fault, Stop) => (Init, "changed"),
    }
}

const fn kind_of_action(action: &Action) -> &'static str {
    match action {
        Action::SendAdvert { priority: 0, .. } => "goodbye",
        Action::SendAdvert { .. } => "send",
        Action::Want(_) => "want",
        Action::Release(_) => "release",
        Action::Announce { .. } => "announce",
        Action::AnnounceElsewhere { .. } => "announce-elsewhere",
        Action::AnnounceSource { .. } => "announce-source",
        Action::Changed { .. } => "changed",
        Action::GroupChanged { .. } => "group",
        Action::PriorityChanged { .. } => "priority",
        Action::Ordered { .. } => "ordered",
        Action::LowerPriority { .. } => "lower",
        Action::Noted { .. } => "noted",
    }
}

const ID: InstanceId = InstanceId(0);

const fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// An instance that depends on a script.
fn config() -> Instance {
    let tracked = vec![Tracked { object: script(), weight: 0, reverse: false }];
    Instance { tracked: tracked.into(), ..instance("A", 51) }
}

fn script() -> Object {
    Object::Script("s".into())
}

/// An instance in this state, about which everything is known; at 5.000 nothing is overdue.
fn domain_in(state: In) -> Domain {
    let mut domain = Domain::default();
    let mut feed = |input: Input<'_>, now| domain.handle(input, now, &mut Vec::new());
    feed(Input::Add { id: ID, config: Rc::new(config()) }, at(0));
    if state != In::Waiting {
        feed(Input::Tracked { object: &script(), state: TrackState::exit(0) }, at(0));
    }
    let link = if state == In::Fault { LinkState::Down } else { LinkState::Up };
    feed(Input::Link { name: "eth0", state: link }, at(0));
    feed(Input::Source { id: ID, source: Some(ip("10.0.0.2")) }, at(0));
    if state == In::Init {
        return domain;
    }
    feed(Input::Start, if state == In::Master { at(500) } else { at(4000) });
    if state == In::Master {
        feed(Input::Deadline, at(4500));
        feed(Input::Held { id: ID }, at(4500));
    }
    domain
}

/// Feeds one input of a kind; false if that is not one of the kinds that stand for it.
fn feed(domain: &mut Domain, kind: Kind, out: &mut Vec<Action>) -> bool {
    let mut now = at(5000);
    let with = |change: &dyn Fn(&mut Instance)| {
        let mut config = config();
        change(&mut config);
        Rc::new(config)
    };
    let (mut source, mut priority, mut ttl) = ("10.0.0.3", 100, 255);
    let (mut pdu, script) = (Vec::new(), script());
    let input = match kind {
        Kind::Add => Input::Add { id: ID, config: with(&|_| {}) },
        Kind::AdjustPriority => Input::Adjust { id: ID, config: with(&|c| c.priority = 150) },
        Kind::AdjustAddresses => {
            let address = advert::tests::address("10.0.0.9");
            Input::Adjust { id: ID, config: with(&|c| c.addresses.push(address.clone().into())) }
        }
        Kind::AdjustToOwner => Input::Adjust { id: ID, config: with(&|c| c.priority = 255) },
        Kind::Remove => Input::Remove { id: ID },
        Kind::Groups => Input::Groups(&[]),
        Kind::Start => Input::Start,
        Kind::LinkDown => Input::Link { name: "eth0", state: LinkState::Down },
        Kind::LinkUp => Input::Link { name: "eth0", state: LinkState::Up },
        Kind::OtherLink => Input::Link { name: "eth1", state: LinkState::Down },
        Kind::ScriptFails => Input::Tracked { object: &script, state: TrackState::exit(1) },
        Kind::ScriptSucceeds => Input::Tracked { object: &script, state: TrackState::exit(0) },
        Kind::SourceGone => Input::Source { id: ID, source: None },
        Kind::SourceNew => Input::Source { id: ID, source: Some(ip("10.0.0.9")) },
        Kind::SocketError => Input::Socket { id: ID, error: Some("no".into()) },
        Kind::SocketOpen => Input::Socket { id: ID, error: None },
        Kind::Refused => Input::Addresses { id: ID, refusal: Some("no".into()) },
        Kind::Accepted => Input::Addresses { id: ID, refusal: None },
        Kind::Held => Input::Held { id: ID },
        Kind::Ordered => Input::Priority { id: ID, base: Some(150) },
        Kind::Recall => {
            let second = Duration::from_secs(1);
            Input::Recall { id: ID, silent: Some(second), interval: second }
        }
        Kind::Failover => Input::Order(Order::Failover {
            number: 1,
            id: ID,
            to: None,
            span: Duration::from_secs(600),
        }),
        Kind::Maintenance => Input::Order(Order::Maintenance { number: 1, span: None }),
        Kind::NoMaintenance => Input::Order(Order::EndMaintenance),
        Kind::EarlyDeadline => Input::Deadline,
        Kind::DueDeadline => {
            now = domain.next_deadline().unwrap_or(now);
            Input::Deadline
        }
        Kind::Stop => Input::Stop,
        Kind::LowerPriority
        | Kind::LowerAddress
        | Kind::HigherAddress
        | Kind::HigherPriority
        | Kind::PriorityZero
        | Kind::Unacceptable => {
            match kind {
                Kind::LowerPriority => priority = 99,
                Kind::LowerAddress => source = "10.0.0.1",
                Kind::HigherPriority => priority = 101,
                Kind::PriorityZero => priority = 0,
                Kind::Unacceptable => ttl = 64,
                _ => {}
            }
            let group = ip("224.0.0.18");
            advert::emit(&instance("B", 51), priority, ip(source), group, &mut pdu);
            let (source, destination, ttl) = (ip(source), Some(group), Some(ttl));
            let packet = Received {
                source,
                destination,
                ttl,
                arrived: now,
                wall: WallTime(0),
                header: None,
                pdu: &pdu[V4_HEADER_LEN..],
            };
            Input::Packet { id: ID, packet }
        }
    };
    let is_listed = kinds_of(&input).contains(&kind);
    domain.handle(input, now, out);
    is_listed
}

#[test]
fn every_input_in_every_state_does_what_the_table_says() {
    for state in STATES {
        for &kind in KINDS {
            let mut domain = domain_in(state);
            let before = state_of(domain.instance(ID).unwrap().state.get());
            assert_eq!(before, state, "cannot be brought about");
            let mut out = Vec::new();
            assert!(feed(&mut domain, kind, &mut out), "{kind:?} is in no list of kinds");
            let after = state_of(domain.instance(ID).unwrap().state.get());
            let actions: Vec<_> = out.iter().map(kind_of_action).collect();
            let actions = actions.join(" ");
            assert_eq!((after, actions.as_str()), expected(state, kind), "{kind:?} in {state:?}");
        }
    }
}
