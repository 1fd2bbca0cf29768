//! `authentication` and `auth_hmac` of an instance.
//!
//! An instance that asks for a key and has none never runs without: it stays in FAULT.

use std::time::Duration;

use zeroize::Zeroizing;

use super::strict::StrictFacts;
use super::Scene;
use crate::base::addr::Family;
use crate::base::diag::{Severity, Span};
use crate::config::document::Node;
use crate::config::keywords::{RawInstance, RawSigning};
use crate::config::table::Given;
use crate::model::secret::Secret;
use crate::model::signing::{AntiReplay, Signing, SigningKey, SigningMode};
use crate::model::vrrp::{Authentication, InitialState, Version};

/// Bytes of a key.
const LENGTHS: std::ops::RangeInclusive<usize> = 32..=64;
/// Bytes of a file with a key: hexadecimal digits, and a line end.
const FILE_LIMIT: u64 = 256;

pub(super) fn authentication(
    scene: &mut Scene<'_, '_>,
    raw: &RawInstance<'_>,
    facts: &StrictFacts,
    interval: Duration,
) -> Authentication {
    if let Some(raw_signing) = &raw.auth.signing {
        if let Some(block) = raw.auth.block {
            let text = "authentication is ignored with auth_hmac";
            scene.error("authentication", block, text);
        }
        return match signing(scene, raw_signing, facts.strict, interval) {
            Some(signing) => Authentication::Signed(Box::new(signing)),
            None => Authentication::Unusable,
        };
    }
    let Some(block) = raw.auth.block else { return Authentication::None };
    legacy(scene, raw, facts, block)
}

/// Version 2 alone.
fn legacy(
    scene: &mut Scene<'_, '_>,
    raw: &RawInstance<'_>,
    facts: &StrictFacts,
    block: Span,
) -> Authentication {
    let auth = &raw.auth;
    if facts.version == Version::V3 {
        let text = "version 3 has no authentication: it is ignored";
        scene.error("authentication", block, text);
        return Authentication::None;
    }
    if facts.strict {
        let text = "strict mode has no authentication: it is ignored";
        scene.error("authentication", block, text);
        return Authentication::None;
    }
    let Some(kind) = auth.kind else {
        scene.error("auth_type", block, "auth_type is missing: authentication is ignored");
        return Authentication::None;
    };
    let has_header = kind.value == "AH";
    if has_header && facts.family == Family::V6 {
        scene.error("auth_type", kind.span, "auth_type AH with IPv6 is ignored");
        return Authentication::None;
    }
    match auth.password {
        Some(word) if has_header => Authentication::Header(Secret::new(&*padded(word.text))),
        Some(word) => Authentication::Pass(*padded(word.text)),
        None if has_header => {
            let text = "auth_pass is missing: the instance stays in FAULT";
            scene.error("auth_pass", block, text);
            Authentication::Unusable
        }
        None => {
            scene.error("auth_pass", block, "auth_pass is missing: authentication is ignored");
            Authentication::None
        }
    }
}

/// `auth_type AH`: its sequence number is that of the master, so none begins as one.
pub(super) fn state(
    scene: &mut Scene<'_, '_>,
    raw: &RawInstance<'_>,
    state: InitialState,
) -> InitialState {
    if let (InitialState::Master, Some(given)) = (state, raw.state) {
        scene.error("state", given.span, "state MASTER with auth_type AH: BACKUP is used");
    }
    InitialState::Backup
}

/// Eight bytes; the table complained of more.
fn padded(text: &str) -> Zeroizing<[u8; 8]> {
    let mut password = Zeroizing::new([0; 8]);
    for (to, from) in password.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    password
}

/// `None`: there is no key to sign with, or none was chosen.
fn signing(
    scene: &mut Scene<'_, '_>,
    Given { value: raw, span }: &Given<RawSigning<'_>>,
    strict: bool,
    interval: Duration,
) -> Option<Signing> {
    let mut keys: Vec<SigningKey> = Vec::new();
    for &line in &raw.keys {
        keys.extend(key(scene, line, &keys));
    }
    let mut mode = raw.mode.map_or(SigningMode::Enforce, |given| given.value);
    if let Some(given) = raw.mode.filter(|given| strict && given.value != SigningMode::Enforce) {
        scene.error("mode", given.span, "mode in strict mode is enforce");
        mode = SigningMode::Enforce;
    }
    let anti_replay = if raw.monotonic {
        AntiReplay::Monotonic
    } else {
        let usual = (3 * interval.as_secs()).clamp(5, 300);
        AntiReplay::Time { window: Duration::from_secs(raw.window.unwrap_or(usual)) }
    };
    let active = raw.active.filter(|active| keys.iter().any(|key| key.id == active.value));
    let Some(active) = active else {
        let text = "auth_hmac has no active_key that can be used: the instance stays in FAULT";
        scene.error("active_key", raw.active.map_or(*span, |active| active.span), text);
        return None;
    };
    Some(Signing { keys, active: active.value, mode, anti_replay })
}

/// The key of a line, if it can be used.
fn key(scene: &mut Scene<'_, '_>, line: Node<'_>, keys: &[SigningKey]) -> Option<SigningKey> {
    let span = line.keyword().span;
    // The table has checked the number.
    let id = line.arg(0)?.text.parse().ok()?;
    if keys.iter().any(|key| key.id == id) {
        let text = format!("key {id} again: the first one counts");
        scene.error("key", span, text);
        return None;
    }
    match secret(scene, line.arg(1)?.text, id, span) {
        Ok(secret) => Some(SigningKey { id, secret }),
        Err(why) => {
            scene.error("key", span, format!("key {id} is not used: {why}"));
            None
        }
    }
}

/// `hex:DIGITS`, `file:PATH`, or the key itself.
fn secret(scene: &mut Scene<'_, '_>, text: &str, id: u8, span: Span) -> Result<Secret, String> {
    let Some(path) = text.strip_prefix("file:") else { return decoded(text.as_bytes()) };
    if !path.starts_with('/') {
        return Err("the path of its file is not absolute".to_owned());
    }
    let file = scene.host.key_file(path, FILE_LIMIT).map_err(|e| format!("{path}: {e}"))?;
    if file.is_open {
        let text = format!("key {id}: not only its owner may use {path}");
        scene.checker.out.report(Severity::Insecure, "key", Some(span), text);
        scene.checker.out.hint(format!("chmod 600 {path}"));
    }
    decoded(file.text.bytes().trim_ascii_end()).map_err(|why| format!("{path}: {why}"))
}

fn decoded(text: &[u8]) -> Result<Secret, String> {
    let Some(digits) = text.strip_prefix(b"hex:") else { return checked(text) };
    if digits.len() % 2 != 0 {
        return Err("hex: needs two digits for each byte".to_owned());
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() / 2));
    for pair in digits.chunks_exact(2) {
        let digit = |c: u8| char::from(c).to_digit(16).and_then(|n| u8::try_from(n).ok());
        let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else {
            return Err("something behind hex: is no hexadecimal digit".to_owned());
        };
        bytes.push(high << 4 | low);
    }
    checked(&bytes)
}

fn checked(bytes: &[u8]) -> Result<Secret, String> {
    let (len, least, most) = (bytes.len(), LENGTHS.start(), LENGTHS.end());
    if !LENGTHS.contains(&len) {
        return Err(format!("it has {len} bytes, not {least} to {most}"));
    }
    Ok(Secret::new(bytes))
}
