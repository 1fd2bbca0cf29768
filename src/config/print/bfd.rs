//! `bfd_instance`.

use std::fmt;
use std::time::Duration;

use super::{line, quoted, Printer, Secrets};
use crate::model::bfd::{BfdAuth, BfdAuthKind, BfdInstance};

impl Printer {
    pub(super) fn session(&mut self, s: &BfdInstance) -> fmt::Result {
        line!(self, "neighbor_ip {}", s.neighbor)?;
        self.option("interface", s.interface.as_deref())?;
        self.option("source_ip", s.source)?;
        line!(self, "min_rx {}", millis(s.min_rx))?;
        line!(self, "min_tx {}", millis(s.min_tx))?;
        line!(self, "idle_tx {}", millis(s.idle_tx))?;
        line!(self, "multiplier {}", s.multiplier)?;
        self.flag(s.passive, "passive")?;
        line!(self, "ttl {}", s.ttl)?;
        let hops = s.max_hops.map(|hops| s.ttl.saturating_sub(u8::MAX - hops));
        line!(self, "max_hops {}", hops.map_or(-1, i16::from))?;
        self.flag(s.multihop, "multihop")?;
        self.weight(s.weight, s.reverse)?;
        self.flag(s.for_vrrp && !s.for_checks, "vrrp")?;
        self.flag(s.for_checks && !s.for_vrrp, "checker")?;
        let Some(auth) = &s.auth else { return Ok(()) };
        self.block(format_args!("auth"), |out| out.session_auth(auth))
    }

    fn session_auth(&mut self, auth: &BfdAuth) -> fmt::Result {
        line!(self, "type {}", auth_name(auth.kind))?;
        let key = match self.secrets {
            Secrets::Shown => String::from_utf8_lossy(auth.key.bytes()),
            Secrets::Hidden => "********".into(),
        };
        line!(self, "key {} {}", auth.key_id, quoted(&key))
    }
}

const fn auth_name(kind: BfdAuthKind) -> &'static str {
    match kind {
        BfdAuthKind::Sha1 => "sha1",
        BfdAuthKind::MeticulousSha1 => "meticulous_sha1",
    }
}

/// Milliseconds with the decimals that they need.
fn millis(d: Duration) -> String {
    let micros = d.as_micros();
    let text = format!("{}.{:03}", micros / 1000, micros % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
