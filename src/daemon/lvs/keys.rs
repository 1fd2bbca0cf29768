//! Key material from the files of the `SSL` block.

use std::path::Path;

use crate::check::tls::{KeyError, Material};
use crate::model::check::Tls;
use crate::sys::open;

/// Size limit of a file. The longest chains of certificates have some ten thousand bytes.
const LIMIT: u64 = 1 << 20;

/// Reads the files. An unreadable one is an error, as in keepalived, but does not end the daemon.
pub(super) fn read(files: &Tls) -> Result<Material, KeyError> {
    let material = Material {
        certificate: contents(files.certificate.as_ref()).map_err(KeyError::Certificate)?,
        key: contents(files.key.as_ref()).map_err(KeyError::Key)?,
        password: files.password.clone(),
    };
    if material.is_half() {
        let (given, missing) = match files.key {
            Some(_) => ("key", "certificate"),
            None => ("certificate", "key"),
        };
        log::warn!(
            "SSL: '{given}' is configured without '{missing}': SSL_GET presents no certificate"
        );
    }
    Ok(material)
}

fn contents(path: Option<&String>) -> Result<Option<Vec<u8>>, String> {
    let read = |path: &String| {
        open::read(Path::new(path), LIMIT).map_err(|e| format!("cannot read {path}: {e}"))
    };
    path.map(read).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_no_key() {
        for (path, why) in [
            ("/dev/zero", "it is a device: name a regular file"),
            ("/proc/self/nosuch", "No such file or directory"),
        ] {
            let files = Tls { key: Some(path.into()), ..Tls::default() };
            let Err(KeyError::Key(told)) = read(&files) else { panic!("{path} is a key") };
            assert_eq!(told, format!("cannot read {path}: {why}"));
        }
    }
}
