//! What leaves the daemon for people and their programs: notification, mail, lines.

pub(super) mod chatter;
pub(super) mod fifos;
pub(super) mod mailer;
pub(super) mod notices;
pub(super) mod report;
pub mod resolve;
pub(super) mod status;
