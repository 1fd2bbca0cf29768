//! To which session a packet belongs.

use super::*;

fn two() -> Bench {
    let mut bench = Bench::new(config()).0;
    let (neighbor, source) = ([10, 0, 0, 3].into(), Some([10, 0, 0, 1].into()));
    let other = BfdInstance { neighbor, source, ..config() };
    bench.hand(Input::Add { id: SessionId(1), config: Rc::new(other) });
    bench
}

fn state_of(bench: &Bench, id: u32) -> SessionState {
    bench.domain.session(SessionId(id)).expect("there is one").state()
}

#[test]
fn a_first_packet_is_matched_by_its_addresses() {
    let mut bench = two();
    let packet = ControlPacket { your_discriminator: 0, ..bench.packet(SessionState::Down) };
    let bytes = packet.emit(None);
    let from = |bytes, source: [u8; 4], destination: [u8; 4], multihop| {
        let (source, destination) = (source.into(), Some(destination.into()));
        Input::Packet(Received { source, destination, multihop, ..received(bytes) })
    };
    for input in [
        from(&bytes, [10, 0, 0, 4], [10, 0, 0, 1], false),
        from(&bytes, [10, 0, 0, 2], [10, 0, 0, 1], true),
        from(&bytes, [10, 0, 0, 3], [10, 0, 0, 9], false),
    ] {
        let out = bench.hand(input);
        assert!(!out.iter().any(|a| !matches!(a, Action::Refused { id: None, .. })), "{out:?}");
    }
    assert_eq!(bench.domain.strangers(), 3);
    bench.hand(from(&bytes, [10, 0, 0, 3], [10, 0, 0, 1], false));
    assert_eq!(
        (state_of(&bench, 0), state_of(&bench, 1)),
        (SessionState::Down, SessionState::Init)
    );
    bench.hand(from(&bytes, [10, 0, 0, 2], [10, 0, 0, 9], false));
    assert_eq!(state_of(&bench, 0), SessionState::Init);
}

#[test]
fn a_discriminator_is_worth_nothing_to_others() {
    let mut bench = two();
    let packet = bench.packet(SessionState::Init);
    let number = packet.your_discriminator;
    let bytes = packet.emit(None);
    let foreign = [
        Received { source: [10, 0, 0, 3].into(), ..received(&bytes) },
        Received { multihop: true, ..received(&bytes) },
    ];
    for (received, reason) in foreign.map(|r| (r, Refusal::ForeignDiscriminator(number))) {
        let out = bench.hand(Input::Packet(received));
        assert!(refusals(&out).iter().all(|r| *r == reason), "{out:?}");
        assert_eq!(state_of(&bench, 0), SessionState::Down);
    }
    let unknown = ControlPacket { your_discriminator: number ^ 1, ..packet };
    let out = bench.hear(&unknown);
    assert_eq!(refusals(&out), [Refusal::UnknownDiscriminator(number ^ 1)]);
    let out = bench.hand(Input::Packet(Received { ttl: Some(254), ..received(&bytes) }));
    assert_eq!(refusals(&out), [Refusal::Ttl { ttl: 254, least: 255 }]);
    let out = bench.hand(Input::Packet(Received { ttl: None, ..received(&bytes) }));
    assert_eq!(refusals(&out), [], "one line per reason and sender");
    assert_eq!(bench.session().counts().refused, 2);
    bench.hear(&packet);
    assert_eq!(state_of(&bench, 0), SessionState::Up);
}

#[test]
fn a_link_local_neighbour_is_known_by_its_interface() {
    let source: IpAddr = [0xfe80, 0, 0, 0, 0, 0, 0, 1].into();
    let near = |name: &str| {
        let interface = Some(name.to_owned());
        BfdInstance { neighbor: source, interface, ..config() }
    };
    let mut bench = Bench::new(near("eth0")).0;
    bench.hand(Input::Add { id: SessionId(1), config: Rc::new(near("eth1")) });
    let first = ControlPacket { your_discriminator: 0, ..bench.packet(SessionState::Down) };
    let bytes = first.emit(None);
    let on = |bytes, interface| Input::Packet(Received { source, interface, ..received(bytes) });
    for elsewhere in [None, Some("eth2")] {
        let out = bench.hand(on(&bytes, elsewhere));
        assert!(!changes(&out).iter().any(|(to, _)| *to == SessionState::Init), "{out:?}");
    }
    bench.hand(on(&bytes, Some("eth1")));
    let states = |bench: &Bench| [0, 1].map(|id| state_of(bench, id));
    assert_eq!(states(&bench), [SessionState::Down, SessionState::Init]);
    // So it is by our discriminator.
    let bytes = bench.packet(SessionState::Init).emit(None);
    bench.hand(on(&bytes, Some("eth1")));
    assert_eq!(states(&bench), [SessionState::Down, SessionState::Init]);
    bench.hand(on(&bytes, Some("eth0")));
    assert_eq!(states(&bench), [SessionState::Up, SessionState::Init]);
}

#[test]
fn as_many_hops_as_configured() {
    for (max_hops, ttl, is_heard) in
        [(Some(3), 252, true), (Some(3), 251, false), (None, 1, true), (Some(255), 0, true)]
    {
        let mut bench = Bench::new(BfdInstance { max_hops, ..config() }).0;
        let bytes = bench.packet(SessionState::Down).emit(None);
        bench.hand(Input::Packet(Received { ttl: Some(ttl), ..received(&bytes) }));
        let expected = if is_heard { SessionState::Init } else { SessionState::Down };
        assert_eq!(bench.state(), expected, "{max_hops:?} {ttl}");
    }
}

#[test]
fn discriminators_differ_from_session_to_session_and_from_run_to_run() {
    let numbers = |secret| {
        let mut domain = Domain::new(secret);
        let mut out = Vec::new();
        for n in 0..1000_u32 {
            let neighbor = IpAddr::from((0x0a00_0000 + n).to_be_bytes());
            let config = Rc::new(BfdInstance { neighbor, ..config() });
            let id = domain.vacant_id();
            domain.handle(Input::Add { id, config }, Instant::ZERO, &mut out);
        }
        let all: Vec<_> = domain.sessions().map(|(_, s)| s.discriminator()).collect();
        let distinct = domain.by_discriminator.len();
        assert_eq!((all.len(), distinct), (1000, 1000));
        all
    };
    let (a, b) = (numbers([1; 16]), numbers([2; 16]));
    assert!(a.iter().zip(&b).all(|(a, b)| a != b));
}
