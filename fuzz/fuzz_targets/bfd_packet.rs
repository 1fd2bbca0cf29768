//! Any datagrams, in any order and with any time between them: no panic, deadlines lie ahead, and
//! what is sent is a valid packet that another session could accept.
#![no_main]

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use keepalived::base::ids::SessionId;
use keepalived::base::time::Instant;
use keepalived::bfd::{Action, Domain, Input, Received, SessionState};
use keepalived::model::bfd::{BfdAuth, BfdAuthKind, BfdInstance};
use keepalived::model::secret::Secret;
use keepalived::wire::bfd::{Packet, Signature};
use libfuzzer_sys::fuzz_target;

const ID: SessionId = SessionId(0);
const KEY: &[u8] = b"key";

fuzz_target!(|data: &[u8]| {
    let Some((&choice, mut rest)) = data.split_first() else { return };
    let config = configured(choice);
    let mut domain = Domain::new([choice; 16]);
    let (mut now, mut out) = (Instant::from_millis(1), Vec::new());
    domain.handle(Input::Add { id: ID, config: Rc::new(config.clone()) }, now, &mut out);
    // Time since the last datagram, its length and flags, the datagram.
    while let Some((&[wait, len, flags], bytes)) = rest.split_first_chunk::<3>() {
        let (datagram, after) = bytes.split_at(bytes.len().min(usize::from(len & 63)));
        rest = after;
        now += Duration::from_millis(u64::from(wait) * u64::from(wait));
        serve(&mut domain, now, flags & 1 > 0, &mut out);
        let payload = completed(&domain, &config, datagram, flags);
        let received = Received {
            source: config.neighbor,
            interface: None,
            destination: Some(IpAddr::from([10, 0, 0, 1])),
            ttl: Some(if flags & 2 > 0 { flags } else { 255 }),
            multihop: false,
            arrived: now - Duration::from_millis(u64::from(flags & 4) * 100),
            payload: &payload,
        };
        domain.handle(Input::Packet(received), now, &mut out);
        check(&config, &out);
        out.clear();
    }
    domain.handle(Input::Stop, now, &mut out);
    check(&config, &out);
    for _ in 0..8 {
        let Some(next) = domain.next_deadline() else { break };
        domain.handle(Input::Deadline, next.max(now), &mut out);
    }
    assert_eq!(domain.next_deadline(), None, "a session never ends");
});

/// Serves the deadlines that are due; none stays due.
fn serve(domain: &mut Domain, now: Instant, amid: bool, out: &mut Vec<Action>) {
    if amid {
        domain.handle(Input::DeadlineAmid { read_to: now - Duration::from_millis(5) }, now, out);
        assert!(domain.next_owed().is_none_or(|next| next > now));
    }
    domain.handle(Input::Deadline, now, out);
    assert!(domain.next_deadline().is_none_or(|next| next > now));
    let session = domain.session(ID).expect("it lives until the end");
    assert!(session.state() != SessionState::Up || session.neighbor().is_some());
}

/// Random input rarely has our discriminator, and never a signature.
fn completed(domain: &Domain, config: &BfdInstance, datagram: &[u8], flags: u8) -> Vec<u8> {
    let mut bytes = datagram.to_vec();
    let Ok(packet) = Packet::parse(datagram) else { return bytes };
    let mut control = packet.control();
    if flags & 8 > 0 {
        let session = domain.session(ID).expect("it lives until the end");
        control.your_discriminator = session.discriminator();
    }
    if flags & 16 > 0 {
        let sequence = u32::from(flags >> 5);
        let signature = Signature { kind: 4, key_id: 1, sequence, key: KEY };
        bytes = control.emit(config.auth.is_some().then_some(&signature)).to_vec();
    }
    bytes
}

fn check(config: &BfdInstance, actions: &[Action]) {
    for action in actions {
        match action {
            Action::Send { packet, .. } => {
                let packet = Packet::parse(packet).expect("a packet");
                let control = packet.control();
                assert!(packet.version() == 1 && packet.is_length_valid());
                assert!(control.multiplier > 0 && control.my_discriminator != 0);
                assert!(!(control.poll && control.final_));
                assert!(control.state == SessionState::Up || control.min_tx >= 1_000_000);
                assert_eq!(packet.sha1().is_some(), config.auth.is_some());
                assert!(packet.sha1().is_none_or(|section| section.is_signed_with(KEY)));
            }
            Action::Changed { from, to, cause, .. } => {
                assert!(from != to && !cause.to_string().is_empty());
            }
            Action::Negotiated { now, before, .. } => assert_ne!(now, before),
            Action::Refused { reason, .. } => assert!(!reason.to_string().is_empty()),
            Action::Noted { .. } => {}
            Action::Gone(id) => assert_eq!(*id, ID),
        }
    }
}

fn configured(choice: u8) -> BfdInstance {
    let is = |bit: u8| choice >> bit & 1 == 1;
    let auth = BfdAuth { kind: BfdAuthKind::Sha1, key_id: 1, key: Secret::new(KEY) };
    BfdInstance {
        min_rx: Duration::from_millis(if is(0) { 10 } else { 300 }),
        min_tx: Duration::from_millis(if is(1) { 10 } else { 1300 }),
        multiplier: if is(2) { 1 } else { 3 },
        passive: is(3),
        max_hops: is(4).then_some(0),
        auth: is(5).then_some(auth),
        ..BfdInstance::new("b", [10, 0, 0, 2].into())
    }
}
