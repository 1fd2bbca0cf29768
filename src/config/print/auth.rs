//! `authentication` and `auth_hmac`.

use std::fmt;

use super::{line, quoted, Printer, Secrets};
use crate::model::signing::{AntiReplay, Signing, SigningKey};
use crate::model::vrrp::Authentication;

impl Printer {
    pub(super) fn authentication(&mut self, authentication: &Authentication) -> fmt::Result {
        let (kind, password) = match authentication {
            Authentication::Pass(password) => ("PASS", password.as_slice()),
            Authentication::Header(password) => ("AH", password.bytes()),
            Authentication::Signed(signing) => return self.signing(signing),
            Authentication::None => return Ok(()),
            // Read again, it has no key either.
            Authentication::Unusable => return self.block(format_args!("auth_hmac"), |_| Ok(())),
        };
        let end = password.iter().position(|&b| b == 0).unwrap_or(password.len());
        let shown = match self.secrets {
            Secrets::Shown => String::from_utf8_lossy(&password[..end]).into_owned(),
            Secrets::Hidden => "********".to_owned(),
        };
        self.block(format_args!("authentication"), |out| {
            line!(out, "auth_type {kind}")?;
            line!(out, "auth_pass {}", quoted(&shown))
        })
    }

    fn signing(&mut self, signing: &Signing) -> fmt::Result {
        let Signing { keys, active, mode, anti_replay } = signing;
        self.block(format_args!("auth_hmac"), |out| {
            for SigningKey { id, secret } in keys {
                match out.secrets {
                    Secrets::Shown => {
                        let digits = secret.bytes().iter().map(|byte| format!("{byte:02x}"));
                        line!(out, "key {id} hex:{}", digits.collect::<String>())?;
                    }
                    Secrets::Hidden => line!(out, "key {id} ********")?,
                }
            }
            line!(out, "active_key {active}")?;
            line!(out, "mode {}", mode.word())?;
            match anti_replay {
                AntiReplay::Time { window } => {
                    line!(out, "anti_replay time")?;
                    line!(out, "time_window {}", window.as_secs())
                }
                AntiReplay::Monotonic => line!(out, "anti_replay monotonic"),
            }
        })
    }
}
