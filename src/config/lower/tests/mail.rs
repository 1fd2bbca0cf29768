use super::*;
use crate::model::notify::{Mail, MailServer};

/// The mail settings, and their diagnostics.
fn mail(lines: &str) -> (Option<Mail>, Vec<String>) {
    let host = machine().named("router.example");
    let (config, told) = lowered_on(&host, &format!("global_defs {{\n{lines}\n}}"));
    (config.global.mail, without_place(told))
}

const TO: &str = "notification_email {\nroot@localhost\n}\n";

#[test]
fn mail_has_defaults() {
    let (mail, told) = mail(&format!("{TO}smtp_server 192.0.2.25"));
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(
        mail.unwrap(),
        Mail {
            server: MailServer::Address("192.0.2.25".parse().unwrap()),
            port: 25,
            helo: "router.example".into(),
            timeout: Duration::from_secs(30),
            from: "root@router.example".into(),
            recipients: vec!["root@localhost".into()],
            no_faults: false,
        }
    );
}

#[test]
fn mail_takes_every_setting() {
    let (mail, told) = mail(
        "smtp_server mail.example 587\nsmtp_helo_name me\nsmtp_connect_timeout 5\n\
         notification_email_from a@b\nno_email_faults\n\
         notification_email {\n\"Ops <ops@x>\" one@x\ntwo@x\n}",
    );
    assert!(told.is_empty(), "{told:?}");
    let mail = mail.unwrap();
    assert_eq!((mail.server, mail.port), (MailServer::Name("mail.example".into()), 587));
    assert_eq!((mail.helo.as_str(), mail.from.as_str()), ("me", "a@b"));
    assert_eq!(mail.timeout, Duration::from_secs(5));
    assert_eq!(mail.recipients, ["Ops <ops@x>", "one@x", "two@x"]);
    assert!(mail.no_faults);
}

#[test]
fn words_behind_the_sender_are_an_error_and_ignored() {
    let (mail, told) = mail(&format!(
        "{TO}smtp_server 192.0.2.25\nnotification_email_from a@b The daemon\nsmtp_helo_name me too"
    ));
    assert_eq!(
        told,
        [
            "Error 'The daemon' after 'notification_email_from a@b' is ignored",
            "Warning 'too' after 'smtp_helo_name me' is ignored",
        ]
    );
    assert_eq!(mail.unwrap().from, "a@b");
}

#[test]
fn a_file_takes_the_place_of_the_server() {
    let (mail, told) =
        mail(&format!("{TO}smtp_alert_file /var/log/mail\nsmtp_server 192.0.2.25 587"));
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(mail.unwrap().server, MailServer::File("/var/log/mail".into()));
}

#[test]
fn a_bad_port_means_no_server_and_a_bad_timeout_the_default() {
    let (none, told) = mail(&format!("{TO}smtp_server 192.0.2.25 99999"));
    assert_eq!(none, None);
    assert_eq!(told.len(), 1, "{told:?}");
    let (mail, _) = mail(&format!("{TO}smtp_server 192.0.2.25\nsmtp_connect_timeout 0"));
    assert_eq!(mail.unwrap().timeout, Duration::from_secs(1));
}

#[test]
fn without_recipients_no_mail_is_sent() {
    let (none, told) = mail("smtp_server 192.0.2.25");
    assert_eq!(none, None);
    assert_eq!(told, ["Note no notification_email is given: no mail is sent"]);
}

#[test]
fn an_alert_that_nothing_sends_is_told_once() {
    let (_, told) = with("", "smtp_alert");
    let want = "Warning smtp_alert: no mail is sent without smtp_server and notification_email in global_defs";
    assert_eq!(told, [want]);
    let (_, told) = with(&format!("{TO}smtp_server 192.0.2.25"), "smtp_alert");
    assert!(told.is_empty(), "{told:?}");
}
