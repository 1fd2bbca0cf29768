//! To the byte what the reference sends, as long as it is ASCII; and never what a mail must not be.

use proptest::prelude::*;

use super::*;
use crate::base::time::Duration;
use crate::model::notify::MailServer;

fn mail(from: &str, to: &[&str]) -> Mail {
    Mail {
        server: MailServer::Name("mail".into()),
        port: 25,
        helo: "r1.example".into(),
        timeout: Duration::from_secs(30),
        from: from.into(),
        recipients: to.iter().map(|s| (*s).to_owned()).collect(),
        no_faults: false,
    }
}

fn letter(subject: &str, text: &str) -> Letter {
    Letter { subject: subject.into(), text: text.into(), about: Subject::Instance("A".into()) }
}

const STAMP: Stamp = Stamp { wall: WallTime(1_795_375_377_000_000), offset_minutes: 0 };

fn composed(letter: &Letter, mail: &Mail) -> String {
    String::from_utf8(compose(letter, mail, STAMP, 7).bytes).expect("seven bits")
}

#[test]
fn an_ascii_mail_is_what_the_reference_sends() {
    let mail = mail("keepalived@r1", &["a@b", "Second <c@d>"]);
    let letter = letter("[r1] VRRP Instance VI_1 - Entering MASTER state", "=> owning <=");
    let message = compose(&letter, &mail, STAMP, 7);
    assert_eq!(message.from, "keepalived@r1");
    assert_eq!(message.to, ["a@b", "c@d"]);
    assert_eq!(
        String::from_utf8(message.bytes).expect("ASCII"),
        "Date: Sun, 22 Nov 2026 19:22:57 +0000\r\n\
         From: keepalived@r1\r\n\
         Subject: [r1] VRRP Instance VI_1 - Entering MASTER state\r\n\
         X-Mailer: Keepalived\r\n\
         To: a@b,\r\n \
         Second <c@d>\r\n\
         Message-ID: <keepalived.1795375377000000.7@r1.example>\r\n\
         \r\n\
         => owning <=\r\n\
         \r\n"
    );
}

#[test]
fn dates_have_the_offset_of_the_zone() {
    let at =
        |wall, offset_minutes| date(Stamp { wall: WallTime(wall * 1_000_000), offset_minutes });
    assert_eq!(at(0, 0), "Thu, 01 Jan 1970 00:00:00 +0000");
    assert_eq!(at(951_782_400, 60), "Tue, 29 Feb 2000 01:00:00 +0100");
    assert_eq!(at(951_782_400, -210), "Mon, 28 Feb 2000 20:30:00 -0330");
    assert_eq!(at(1_704_067_199, 330), "Mon, 01 Jan 2024 05:29:59 +0530");
    assert_eq!(at(4_107_542_400, 0), "Mon, 01 Mar 2100 00:00:00 +0000");
    assert!(at(u64::MAX / 1_000_000, i32::MAX).contains("9999"));
}

#[test]
fn accents_go_as_encoded_words() {
    let mail = mail("Kärntner <k@lab>", &["\"Smith, John\" <s@lab>", "Q \"x\" <q@lab>"]);
    let text = composed(&letter("[lvs-älpha] up", "x"), &mail);
    assert!(text.contains("Subject: =?UTF-8?B?W2x2cy3DpGxwaGFdIHVw?=\r\n"), "{text}");
    assert!(text.contains("From: =?UTF-8?B?S8Okcm50bmVy?= <k@lab>\r\n"), "{text}");
    assert!(
        text.contains("To: \"Smith, John\" <s@lab>,\r\n \"Q \\\"x\\\"\" <q@lab>\r\n"),
        "{text}"
    );
    assert!(!text.contains("MIME-Version"), "the text is plain");
    let text = composed(&letter("s", "grün = = \u{20ac} \t"), &mail);
    assert!(text.contains("Content-Transfer-Encoding: quoted-printable\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\ngr=C3=BCn =3D =3D =E2=82=AC =09\r\n\r\n"), "{text}");
}

#[test]
fn nothing_in_a_name_adds_a_field_or_a_command() {
    let mail = mail("A\r\nBcc: x <a\r\n@b>", &["c@d>\r\nDATA", "<>", "e f@g"]);
    let message = compose(&letter("s\r\nBcc: y\r\n\r\nz", "t\r\n.\r\nQUIT"), &mail, STAMP, 1);
    assert_eq!(message.from, "a@b");
    assert_eq!(message.to, ["c@dDATA", "ef@g"]);
    let text = String::from_utf8(message.bytes).expect("ASCII");
    let (head, _) = text.split_once("\r\n\r\n").expect("a head");
    let names: Vec<_> = head.lines().map(|l| l.split(':').next().unwrap_or_default()).collect();
    assert_eq!(names, ["Date", "From", "Subject", "X-Mailer", "To", " ef@g", "Message-ID"]);
}

#[test]
fn base64_is_padded() {
    let all = ["", "f", "fo", "foo", "foob"].map(|s| base64(s.as_bytes()));
    assert_eq!(all, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
}

proptest! {
    #[test]
    fn any_mail_is_seven_bits_in_short_lines(
        subject in any::<String>(),
        text in any::<String>(),
        long in 0..3000_usize,
        from in any::<String>(),
        to in prop::collection::vec(any::<String>(), 1..4),
    ) {
        let to: Vec<_> = to.iter().map(String::as_str).collect();
        let mail = mail(&from, &to);
        let letter = letter(&(subject + &"x".repeat(long)), &(text + &"y".repeat(long)));
        let message = compose(&letter, &mail, STAMP, 1);
        let text = String::from_utf8(message.bytes).expect("composed of strings");
        prop_assert!(text.ends_with("\r\n"));
        for line in text.strip_suffix("\r\n").expect("just seen").split("\r\n") {
            prop_assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
            prop_assert!(line.len() <= 998 || line.starts_with("From") || line.contains('@'));
        }
        let subject = text.split("Subject: ").nth(1).expect("a subject");
        prop_assert!(subject.split("X-Mailer").next().expect("a part").is_ascii());
        let body = text.split_once("\r\n\r\n").expect("a head").1;
        prop_assert!(body.is_ascii());
        for address in message.to.iter().chain([&message.from]) {
            prop_assert!(!address.contains(['\r', '\n', '<', '>', ' ']));
        }
    }
}
