//! Composition: the only code that sees cores and `sys` together.
//!
//! `startup` builds the `runtime`, `turn` is one round of the loop, `dispatch` brings facts to
//! the cores, `execute` carries out what they decide.

mod announcer;
mod ask_reload;
mod beginning;
mod capabilities;
mod chatter;
mod checks;
pub mod children;
mod defect;
mod director;
mod dispatch;
mod dump;
mod endpoints;
mod execute;
#[cfg(debug_assertions)]
mod fault;
pub mod fifos;
mod host;
mod lateness;
mod life;
mod lvs;
pub mod mailer;
mod notices;
mod outcome;
mod privileges;
mod processes;
mod reading;
mod reload;
mod report;
pub mod resolve;
mod retries;
mod runtime;
mod shutdown;
mod startup;
mod status;
mod tracking;
mod turn;

pub use startup::run;
