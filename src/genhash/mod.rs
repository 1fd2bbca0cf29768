//! `genhash`: fetches a page as a check would, and prints the digest to put into the
//! configuration.
//!
//! Options ([`options`]) and output (`render`) are pure; `run` has the socket. The page comes from
//! the same code as that of `HTTP_GET` and `SSL_GET`, so the digest is the one a check will find.

pub mod options;
mod render;
mod run;

use std::ffi::OsString;

use crate::base::parts;
use crate::cli::exit::Status;

/// What a run prints, and how it ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    pub stdout: Vec<u8>,
    pub stderr: String,
    pub status: Status,
}

/// `arguments` without the name of the program.
pub fn run(arguments: &[OsString]) -> Outcome {
    if !parts::LVS {
        let stderr =
            "genhash is not part of this build, which has no checks of servers\n".to_owned();
        return Outcome { stdout: Vec::new(), stderr, status: Status::Failure };
    }
    match options::parse(arguments) {
        Ok(options) => run::fetch(&options),
        Err(complaint) => {
            let stderr = format!("{complaint}{}", options::usage());
            Outcome { stdout: Vec::new(), stderr, status: Status::Failure }
        }
    }
}

#[cfg(all(test, feature = "lvs"))]
mod tests;
