//! Good servers, picky ones, and hostile ones.

use proptest::prelude::*;

use super::super::input::Subject;
use super::*;

const TIMEOUT: Duration = Duration::from_secs(30);
const START: Instant = Instant::from_millis(5000);

fn message(to: &[&str], text: &str) -> Message {
    Message {
        from: "a@b".into(),
        to: to.iter().map(|s| (*s).to_owned()).collect(),
        bytes: format!("Subject: x\r\n\r\n{text}\r\n").into_bytes(),
        subject: "x".into(),
        about: Subject::Instance("A".into()),
    }
}

fn conversation() -> Conversation {
    Conversation::new("r1", TIMEOUT, START)
}

/// Takes in a reply; gives what happened and what is said to that.
fn hear(c: &mut Conversation, reply: &str) -> (Vec<SmtpEvent>, String) {
    let mut events = Vec::new();
    c.received(reply.as_bytes(), START, &mut events);
    (events, said(c))
}

fn said(c: &mut Conversation) -> String {
    let said = String::from_utf8(c.pending_output().to_vec()).expect("text");
    c.sent(said.len());
    said
}

/// Up to `Ready`, with a message given.
fn sending(to: &[&str], text: &str) -> Conversation {
    let mut c = conversation();
    assert_eq!(hear(&mut c, "220 mail ESMTP\r\n"), (vec![], "HELO r1\r\n".into()));
    assert_eq!(hear(&mut c, "250 hello\r\n"), (vec![SmtpEvent::Ready], String::new()));
    c.send(&message(to, text), START);
    assert_eq!(said(&mut c), "MAIL FROM:<a@b>\r\n");
    c
}

fn reply(text: &str) -> Reply {
    Reply { code: text[..3].parse().expect("a code"), text: text.into() }
}

fn refused(command: Command, address: Option<&str>, text: &str) -> SmtpEvent {
    SmtpEvent::Refused { command, address: address.map(Into::into), reply: reply(text) }
}

#[test]
fn one_mail_from_greeting_to_goodbye() {
    let mut c = sending(&["c@d", "e@f"], "t");
    assert_eq!(hear(&mut c, "250 ok\r\n"), (vec![], "RCPT TO:<c@d>\r\n".into()));
    assert_eq!(hear(&mut c, "250 ok\r\n"), (vec![], "RCPT TO:<e@f>\r\n".into()));
    assert_eq!(hear(&mut c, "251 will forward\r\n"), (vec![], "DATA\r\n".into()));
    let body = "Subject: x\r\n\r\nt\r\n.\r\n".to_owned();
    assert_eq!(hear(&mut c, "354 go on\r\n"), (vec![], body));
    let over = SmtpEvent::Over { taken: 2, retry: vec![] };
    assert_eq!(hear(&mut c, "250 queued\r\n"), (vec![over, SmtpEvent::Ready], String::new()));
    assert_eq!(c.next_deadline(), None);
    c.quit(START);
    assert_eq!(said(&mut c), "QUIT\r\n");
    let ended = SmtpEvent::Ended { at: Command::Quit, trouble: None };
    assert_eq!(hear(&mut c, "221 bye\r\n"), (vec![ended], String::new()));
}

#[test]
fn replies_of_several_lines_count_once() {
    let mut c = conversation();
    assert_eq!(hear(&mut c, "220-mail\r\n220-be nice\r\n"), (vec![], String::new()));
    assert_eq!(hear(&mut c, "220 here you are\r\n").1, "HELO r1\r\n");
    assert_eq!(hear(&mut c, "250-mail\n250 OK\n").0, [SmtpEvent::Ready]);
}

#[test]
fn one_refused_recipient_does_not_lose_the_others() {
    let mut c = sending(&["c@d", "e@f", "g@h"], "t");
    hear(&mut c, "250 ok\r\n");
    let event = refused(Command::RcptTo, Some("c@d"), "550 no such user");
    assert_eq!(hear(&mut c, "550 no such user\r\n"), (vec![event], "RCPT TO:<e@f>\r\n".into()));
    let event = refused(Command::RcptTo, Some("e@f"), "450 greylisted");
    assert_eq!(hear(&mut c, "450 greylisted\r\n"), (vec![event], "RCPT TO:<g@h>\r\n".into()));
    assert_eq!(hear(&mut c, "250 ok\r\n").1, "DATA\r\n");
    hear(&mut c, "354 go on\r\n");
    let over = SmtpEvent::Over { taken: 1, retry: vec!["e@f".into()] };
    assert_eq!(hear(&mut c, "250 ok\r\n").0, [over, SmtpEvent::Ready]);
}

#[test]
fn without_recipients_there_is_no_data() {
    let mut c = sending(&["c@d"], "t");
    hear(&mut c, "250 ok\r\n");
    let event = refused(Command::RcptTo, Some("c@d"), "553 no");
    let over = SmtpEvent::Over { taken: 0, retry: vec![] };
    assert_eq!(hear(&mut c, "553 no\r\n"), (vec![event, over], "RSET\r\n".into()));
    assert_eq!(hear(&mut c, "250 ok\r\n").0, [SmtpEvent::Ready]);
}

#[test]
fn a_refusal_for_now_is_tried_again_and_one_for_good_is_not() {
    for (text, retry) in [("452 disk full", vec!["c@d".to_owned()]), ("552 no", vec![])] {
        for replies in [0, 2, 3] {
            let mut c = sending(&["c@d"], "t");
            for reply in ["250 ok\r\n", "250 ok\r\n", "354 go\r\n"].iter().take(replies) {
                hear(&mut c, reply);
            }
            let (events, said) = hear(&mut c, &format!("{text}\r\n"));
            let over = SmtpEvent::Over { taken: 0, retry: retry.clone() };
            assert_eq!(events.last(), Some(&over), "after {replies} replies");
            assert_eq!(said, "RSET\r\n");
        }
    }
}

#[test]
fn a_line_with_a_dot_does_not_end_the_mail() {
    let mut c = sending(&["c@d"], ".\r\n..\r\n.x\r\ny.");
    for reply in ["250 ok\r\n", "250 ok\r\n"] {
        hear(&mut c, reply);
    }
    let body = hear(&mut c, "354 go\r\n").1;
    assert_eq!(body, "Subject: x\r\n\r\n..\r\n...\r\n..x\r\ny.\r\n.\r\n");
}

#[test]
fn every_step_has_its_time() {
    let mut c = conversation();
    let mut events = Vec::new();
    c.on_deadline(START + TIMEOUT - Duration::from_micros(1), &mut events);
    assert_eq!(events, []);
    c.received(b"220 hello\r\n", START + Duration::from_secs(20), &mut events);
    c.received(b"250-drip\r\n", START + Duration::from_secs(40), &mut events);
    assert_eq!(c.next_deadline(), Some(START + Duration::from_secs(50)), "lines gain no time");
    c.on_deadline(START + Duration::from_secs(50), &mut events);
    let trouble = Some(Trouble::TimedOut);
    assert_eq!(events, [SmtpEvent::Ended { at: Command::Helo, trouble }]);
}

#[test]
fn a_mail_under_way_comes_back_when_the_server_goes() {
    let mut c = sending(&["c@d", "e@f"], "t");
    hear(&mut c, "250 ok\r\n");
    hear(&mut c, "550 no\r\n");
    let mut events = Vec::new();
    c.closed(&mut events);
    let over = SmtpEvent::Over { taken: 0, retry: vec!["e@f".into()] };
    let ended = SmtpEvent::Ended { at: Command::RcptTo, trouble: Some(Trouble::Closed) };
    assert_eq!(events, [over, ended]);
    c.closed(&mut events);
    assert_eq!(events.len(), 2, "it ended once");
}

#[test]
fn a_server_may_interrupt_what_it_will_not_have() {
    let mut c = sending(&["c@d"], "t");
    for reply in ["250 ok\r\n", "250 ok\r\n"] {
        hear(&mut c, reply);
    }
    let mut events = Vec::new();
    c.received(b"354 go\r\n552 too long\r\n", START, &mut events);
    let over = SmtpEvent::Over { taken: 0, retry: vec![] };
    let trouble = Some(Trouble::Refused(reply("552 too long")));
    let ended = SmtpEvent::Ended { at: Command::Body, trouble };
    assert_eq!(events, [refused(Command::Body, None, "552 too long"), over, ended]);
}

#[test]
fn nonsense_ends_it() {
    let long = "2".repeat(5000);
    let endless = "220-x\r\n".repeat(200);
    for greeting in
        ["hello\r\n", "220 ok\r\n250 ok\r\n", "250-\u{0}\r\nxyz\r\n", "\r\n", &long, &endless]
    {
        let mut c = conversation();
        let (events, _) = hear(&mut c, greeting);
        let nonsense = Some(Trouble::Nonsense);
        assert!(
            matches!(&events[..], [SmtpEvent::Ended { trouble, .. }] if *trouble == nonsense),
            "{greeting:.20}: {events:?}"
        );
        assert_eq!(c.pending_output(), b"");
    }
}

#[test]
fn what_a_server_says_is_fit_for_the_log() {
    let mut c = conversation();
    let (events, _) = hear(&mut c, &format!("554 \u{1b}[2J{}\r\n", "\u{fc}".repeat(900)));
    let [SmtpEvent::Ended { trouble: Some(Trouble::Refused(reply)), .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(reply.text.chars().count(), 200);
    assert!(reply.text.starts_with("554 ?[2J\u{fc}"));
}

#[derive(Clone, Debug)]
enum Turn {
    Reply(u16, bool),
    Noise(Vec<u8>),
    /// The client's bytes go out.
    Sent(usize),
    Time(u64),
}

fn turn() -> impl Strategy<Value = Turn> {
    let code = prop_oneof![
        6 => Just(250_u16), 2 => Just(220_u16), 3 => Just(354_u16), 1 => Just(221_u16), 1 => 0..1000_u16
    ];
    prop_oneof![
        12 => (code, prop::bool::weighted(0.1)).prop_map(|(c, more)| Turn::Reply(c, more)),
        1 => prop::collection::vec(any::<u8>(), 0..50).prop_map(Turn::Noise),
        12 => (0..4000_usize).prop_map(Turn::Sent),
        1 => (0..20_000_u64).prop_map(Turn::Time),
    ]
}

proptest! {
    #[test]
    fn whatever_a_server_does_it_comes_to_an_end(turns in prop::collection::vec(turn(), 0..200)) {
        let mut c = conversation();
        let (mut now, mut given, mut over, mut ended) = (START, 0, 0, false);
        for turn in turns {
            let mut events = Vec::new();
            match turn {
                Turn::Reply(code, more) => {
                    let line = format!("{code:03}{}x\r\n", if more { '-' } else { ' ' });
                    c.received(line.as_bytes(), now, &mut events);
                }
                Turn::Noise(bytes) => c.received(&bytes, now, &mut events),
                Turn::Sent(n) => c.sent(n),
                Turn::Time(millis) => {
                    now += Duration::from_millis(millis);
                    c.on_deadline(now, &mut events);
                }
            }
            for event in events {
                prop_assert!(!ended, "nothing comes after the end");
                match event {
                    SmtpEvent::Ready => {
                        c.send(&message(&["c@d", "e@f"], "t"), now);
                        given += 1;
                    }
                    SmtpEvent::Over { taken, retry } => {
                        prop_assert!(taken + retry.len() <= 2);
                        over += 1;
                    }
                    SmtpEvent::Ended { .. } => ended = true,
                    SmtpEvent::Refused { .. } => {}
                }
            }
            prop_assert!(ended || c.next_deadline().is_some(), "it waits for ever");
        }
        let mut events = Vec::new();
        c.closed(&mut events);
        over += events.iter().filter(|e| matches!(e, SmtpEvent::Over { .. })).count();
        prop_assert_eq!(over, given, "every message is done with once");
    }
}
