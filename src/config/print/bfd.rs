//! `bfd_instance`.

use super::text::{put, Printer};
use crate::model::bfd::{BfdAuth, BfdAuthKind, BfdInstance};

impl Printer {
    pub(super) fn session(&mut self, s: &BfdInstance) {
        let hops = s.max_hops.map(|hops| s.ttl.saturating_sub(u8::MAX - hops));
        put!(self, BFD_INSTANCE {
            "neighbor_ip": s.neighbor;
            "interface": &s.interface;
            "source_ip": s.source;
            "min_rx": s.min_rx;
            "min_tx": s.min_tx;
            "idle_tx": s.idle_tx;
            "multiplier": s.multiplier;
            "passive" if s.passive;
            "ttl": s.ttl;
            "max_hops": hops.map_or(-1, i16::from);
            "multihop" if s.multihop;
            "weight": s.weight, s.reverse.then_some("reverse");
            "vrrp" if s.for_vrrp && !s.for_checks;
            "checker" if s.for_checks && !s.for_vrrp;
            for auth in s.auth.iter() => { "auth" => BFD_AUTH { .session_auth(auth) } };
        });
    }

    fn session_auth(&mut self, auth: &BfdAuth) {
        let key = self.secret(String::from_utf8_lossy(auth.key.bytes()));
        put!(self, BFD_AUTH {
            match auth.kind => {
                BfdAuthKind::Sha1 => { "type": "sha1" }
                BfdAuthKind::MeticulousSha1 => { "type": "meticulous_sha1" }
            };
            "key": auth.key_id, key;
        });
    }
}
