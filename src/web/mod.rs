//! What is served over HTTP, and written by `kactl metrics`: metrics, a status page, the status as
//! JSON, the health of the daemon. Pure.
//!
//! Everything comes from the [`status`](crate::status), an object at a time. A [`Document`] says
//! which objects it needs next, and what it makes of each.

mod document;
mod html;
mod json;
pub mod metrics;
mod page;
mod request;
mod response;
#[cfg(test)]
mod tests;

pub use document::{Document, Wanted};
pub use json::Json;
pub use metrics::Metrics;
pub use page::Page;
pub use request::{Method, Request};
pub use response::{health, Body, ContentType, Refusal};
