//! `authentication` and `auth_hmac`.

use super::text::{put, Printer};
use crate::model::signing::{AntiReplay, Signing};
use crate::model::vrrp::Authentication;

impl Printer {
    pub(super) fn authentication(&mut self, authentication: &Authentication) {
        put!(self, VRRP_INSTANCE { match authentication => {
            Authentication::None => {}
            Authentication::Pass(password) => { .password("PASS", password) }
            Authentication::Header(password) => { .password("AH", password.bytes()) }
            Authentication::Signed(signing) => { .signing(signing) }
            // Read again, it has no key either.
            Authentication::Unusable => { "auth_hmac" => |_| {} }
        } });
    }

    fn password(&mut self, kind: &'static str, password: &[u8]) {
        let end = password.iter().position(|&b| b == 0).unwrap_or(password.len());
        let password = self.secret(String::from_utf8_lossy(&password[..end]));
        put!(self, VRRP_INSTANCE { "authentication" => AUTHENTICATION {
            "auth_type": kind;
            "auth_pass": password;
        } });
    }

    fn signing(&mut self, signing: &Signing) {
        let hex = |byte: &u8| format!("{byte:02x}");
        let keys = signing.keys.iter().map(|key| {
            let digits = key.secret.bytes().iter().map(hex).collect::<String>();
            (key.id, self.secret(format!("hex:{digits}")))
        });
        let keys: Vec<_> = keys.collect();
        put!(self, VRRP_INSTANCE { "auth_hmac" => AUTH_HMAC {
            for (id, secret) in keys => { "key": id, secret };
            "active_key": signing.active;
            "mode": signing.mode.word();
            match signing.anti_replay => {
                AntiReplay::Monotonic => { "anti_replay": "monotonic" }
                AntiReplay::Time { window } => {
                    "anti_replay": "time";
                    "time_window": window.as_secs();
                }
            };
        } });
    }
}
