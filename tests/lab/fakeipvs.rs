//! A stand-in for IPVS, which few kernels of build machines have: a library that answers the daemon's
//! requests.

use std::process::Command;

use super::{output_of, require_program, Program, Skip, Workshop};

/// Builds the library in the workshop; returns its path.
fn library(shop: &Workshop) -> Result<String, Skip> {
    require_program("cc", "gcc")?;
    let path = shop.path("fakeipvs.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/fakeipvs.c");
    let mut cc = Command::new("cc");
    cc.args(["-Wall", "-shared", "-fPIC", "-o", &path, source]);
    let (code, said) = output_of(&mut cc);
    assert_eq!(code, Some(0), "{said}");
    Ok(path)
}

/// The program with the stand-in, which logs what is asked of it in `log`. `options` are added to
/// those of the daemon.
pub(crate) fn with_fake_ipvs(
    real: &Program,
    shop: &Workshop,
    options: &str,
) -> Result<Program, Skip> {
    let library =
        if shop.exists("fakeipvs.so") { shop.path("fakeipvs.so") } else { library(shop)? };
    let script = shop.script(
        if real.ours { "ours" } else { "theirs" },
        &format!(
            "export LD_PRELOAD={library} FAKEIPVS_LOG=$HERE/log\nexec {} \"$@\" {options}",
            real.path.display()
        ),
    );
    Ok(Program { path: script.into(), ours: real.ours })
}
