//! The checks of a real server, kind by kind. Web pages are in [`page`].

use super::page;
use super::probe::Around;
use super::script::named_user;
use super::Scene;
use crate::config::document::Node;
use crate::config::keywords::{CheckKind, RawCheck};
use crate::model::check::{
    Check, Connect, Dns, File, Kind, Misc, Smtp, Udp, UdpReply, HELO_NAME_DEFAULT,
    UDP_PAYLOAD_DEFAULT,
};
use crate::model::script::Script;

/// Makes a check of a parsed block: several with `host` blocks, none after an error.
pub(super) fn checks(
    scene: &mut Scene<'_, '_>,
    raw: &RawCheck<'_>,
    around: &Around<'_>,
) -> Vec<Check> {
    let check = match raw.kind {
        CheckKind::Tcp => connected(scene, raw, around, Kind::Tcp),
        CheckKind::Ping => ping(scene, raw, around),
        CheckKind::Smtp => return smtp(scene, raw, around),
        CheckKind::Dns => {
            let name = raw.domain.unwrap_or_default().to_owned();
            let dns = Dns { record: raw.record, name };
            connected(scene, raw, around, |c| Kind::Dns(c, dns))
        }
        CheckKind::Udp => udp(scene, raw, around),
        CheckKind::Misc => misc(scene, raw, around),
        CheckKind::File => file(scene, raw, around),
        CheckKind::Bfd => session(scene, raw, around),
        CheckKind::Http | CheckKind::Ssl => page::check(scene, raw, around),
    };
    check.into_iter().collect()
}

fn connected(
    scene: &mut Scene<'_, '_>,
    raw: &RawCheck<'_>,
    around: &Around<'_>,
    kind: impl FnOnce(Connect) -> Kind,
) -> Option<Check> {
    let connect = raw.connect(scene, around)?;
    Some(raw.finish(scene, around, kind(connect)))
}

fn ping(scene: &mut Scene<'_, '_>, raw: &RawCheck<'_>, around: &Around<'_>) -> Option<Check> {
    let ports = [("connect_port", raw.connect.port), ("bind_port", raw.connect.bind_port)];
    for (name, port) in ports {
        let Some(given) = port else { continue };
        let text = format!("{name} has no effect: an echo request has no port");
        scene.checker.out.warn(name, given.span, text);
    }
    connected(scene, raw, around, Kind::Ping)
}

/// Each `host` block is one more destination.
fn smtp(scene: &mut Scene<'_, '_>, raw: &RawCheck<'_>, around: &Around<'_>) -> Vec<Check> {
    let smtp = Smtp { helo_name: raw.helo_name.unwrap_or(HELO_NAME_DEFAULT).to_owned() };
    let mut checks = Vec::new();
    checks.extend(connected(scene, raw, around, |c| Kind::Smtp(c, smtp.clone())));
    for host in &raw.hosts {
        let more = RawCheck {
            word: host.word,
            inherited: host.inherited.or(raw.inherited),
            log_all_failures: host.log_all_failures.or(raw.log_all_failures),
            connect: host.connect,
            ..RawCheck::default()
        };
        checks.extend(connected(scene, &more, around, |c| Kind::Smtp(c, smtp.clone())));
    }
    checks
}

fn udp(scene: &mut Scene<'_, '_>, raw: &RawCheck<'_>, around: &Around<'_>) -> Option<Check> {
    let given = &raw.udp;
    let (min_len, max_len) = (given.min_len.unwrap_or(0), given.max_len.unwrap_or(255));
    if let Some(word) = given.limited {
        if min_len > max_len {
            let text = format!("no answer has between {min_len} and {max_len} bytes");
            scene.error("min_reply_length", word.span, text);
        } else if given.reply.is_none() {
            let text = format!("{} has no effect without require_reply", word.text);
            scene.checker.out.warn(word.text, word.span, text);
        }
    }
    let payload = match &given.payload {
        None => UDP_PAYLOAD_DEFAULT.to_vec(),
        Some(bytes) => bytes.iter().map(|byte| byte.value).collect(),
    };
    let reply = given.reply.clone().map(|pattern| UdpReply { pattern, min_len, max_len });
    connected(scene, raw, around, |c| Kind::Udp(c, Udp { payload, reply }))
}

fn misc(scene: &mut Scene<'_, '_>, raw: &RawCheck<'_>, around: &Around<'_>) -> Option<Check> {
    let Some(path) = raw.misc.path else {
        let text = "misc_path is missing: the check is left out";
        scene.error("MISC_CHECK", raw.word.span, text);
        return None;
    };
    let script = misc_script(scene, path, raw.misc.user)?;
    let timeout = Some(raw.misc.timeout).filter(|timeout| !timeout.is_zero());
    let timeout = timeout.unwrap_or(around.delay_loop);
    let kind = Kind::Misc(Misc { script, timeout, dynamic: raw.misc.dynamic });
    Some(raw.finish(scene, around, kind))
}

/// `misc_path`, run as `user`. An invalid one invalidates the check.
fn misc_script(
    scene: &mut Scene<'_, '_>,
    path: Node<'_>,
    user: Option<Node<'_>>,
) -> Option<Script> {
    let mut own = None;
    if let Some(node) = user {
        match named_user(scene.host, node.arg(0), node.arg(1)) {
            Ok(user) => own = Some(user),
            Err(why) => {
                let text = format!("{why}: the check is left out");
                scene.error("user", node.keyword().span, text);
                return None;
            }
        }
    }
    let argv = scene.plain_command(path)?;
    scene.check_script(argv, own, path.keyword().span)
}

fn file(scene: &mut Scene<'_, '_>, raw: &RawCheck<'_>, around: &Around<'_>) -> Option<Check> {
    const NAME: &str = "track_file";
    let Some(name) = raw.track_file else {
        let text = format!("{NAME} is missing: the check is left out");
        scene.error(raw.word.text, raw.word.span, text);
        return None;
    };
    let Some(file) = around.files.get(name.text) else {
        let text = format!("{NAME} '{}' does not exist: the check is left out", name.text);
        scene.error(NAME, name.span, text);
        return None;
    };
    let kind = Kind::File(File {
        name: file.name.clone(),
        weight: raw.weight.unwrap_or_else(|| file.weight.into()),
        reverse: raw.reverse.unwrap_or(file.reverse),
    });
    Some(raw.finish(scene, around, kind))
}

fn session(scene: &mut Scene<'_, '_>, raw: &RawCheck<'_>, around: &Around<'_>) -> Option<Check> {
    let Some(name) = raw.session else {
        let text = "name is missing: the check is left out";
        scene.error(raw.word.text, raw.word.span, text);
        return None;
    };
    let why = match around.sessions.get(name.text) {
        None => "does not exist",
        Some(session) if !session.for_checks => "is for vrrp only (add 'checker' to it)",
        Some(_) => return Some(raw.finish(scene, around, Kind::Bfd(name.text.to_owned()))),
    };
    let text = format!("bfd_instance '{}' {why}: the check is left out", name.text);
    scene.error(raw.word.text, name.span, text);
    None
}
