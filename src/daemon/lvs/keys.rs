//! What the `SSL` block names, read from its files.

use crate::check::tls::{Material, Unusable};
use crate::model::check::Tls;

/// Reads the files. One that cannot be read is an error, as with keepalived; it is ours not to end
/// for it.
pub(super) fn read(files: &Tls) -> Result<Material, Unusable> {
    let material = Material {
        certificate: contents(files.certificate.as_ref()).map_err(Unusable::Certificate)?,
        key: contents(files.key.as_ref()).map_err(Unusable::Key)?,
        password: files.password.clone(),
    };
    if material.is_half() {
        let (given, missing) = match files.key {
            Some(_) => ("key", "certificate"),
            None => ("certificate", "key"),
        };
        log::warn!(
            "SSL: there is a '{given}' without a '{missing}': SSL_GET shows servers no certificate"
        );
    }
    Ok(material)
}

fn contents(path: Option<&String>) -> Result<Option<Vec<u8>>, String> {
    let read = |path| std::fs::read(path).map_err(|e| format!("cannot read {path}: {e}"));
    path.map(read).transpose()
}
