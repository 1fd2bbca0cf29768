//! What `genhash` prints, byte for byte what people and scripts know.

use std::time::Duration;

use super::options::Options;
use crate::check::http::fetch::Record;
use crate::check::verdict::Phase;
use crate::check::{Reason, Verdict};

/// Bytes in a line of a dump.
const LINE: usize = 16;

/// Standard output and standard error.
#[derive(Default)]
pub(super) struct Text {
    pub(super) out: Vec<u8>,
    pub(super) err: String,
}

impl Text {
    fn line(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'\n');
    }

    fn title(&mut self, text: &str) {
        self.line(&format!("-----------------------[{text}]-----------------------"));
    }

    /// Offset, bytes in two groups, and what of them can be read.
    fn dump(&mut self, bytes: &[u8]) {
        for (n, chunk) in bytes.chunks(LINE).enumerate() {
            let mut line = format!("{:04} ", n * LINE % 65_536);
            for at in 0..LINE {
                if at == LINE / 2 {
                    line.push_str(" -");
                }
                match chunk.get(at) {
                    Some(byte) => line.push_str(&format!(" {byte:02x}")),
                    None => line.push_str("   "),
                }
            }
            line.push_str("   ");
            for at in 0..LINE {
                let byte = chunk.get(at).copied().unwrap_or(b' ');
                let shown = byte.is_ascii_graphic() || byte == b' ';
                line.push(if shown { char::from(byte) } else { '.' });
            }
            self.line(&line);
        }
    }
}

/// How it went, from the first to the last byte.
pub(super) fn render(
    options: &Options,
    record: &Record,
    verdict: &Verdict,
    took: Duration,
) -> Text {
    let mut text = Text::default();
    if let Verdict::Down(reason) = verdict {
        if let Some(trouble) = trouble(reason) {
            text.line(trouble);
            return text;
        }
    }
    if options.verbose {
        received(&mut text, record);
    }
    if record.head.is_empty() {
        text.err.push_str("no data received from remote webserver\n");
    } else if let Verdict::Down(reason) = verdict {
        text.err.push_str(&format!("{reason}\n"));
    } else {
        text.line(&record.digest().to_string());
    }
    if options.verbose {
        let took = took.as_micros();
        text.line(&format!("\nGlobal response time for [{}] = {took} usecs", options.path));
    }
    text
}

/// The line that stands for a page when the connection is at fault.
fn trouble(reason: &Reason) -> Option<&'static str> {
    match reason {
        Reason::Tls(_) => Some("SSL handshake/communication error connecting to"),
        Reason::Failed(phase, _) | Reason::TimedOut(phase) | Reason::Closed(phase) => match phase {
            Phase::Connecting => Some("Connection failed"),
            Phase::Handshake => Some("SSL handshake/communication error connecting to"),
            _ if !matches!(reason, Reason::TimedOut(_)) => None,
            Phase::Request => Some("Timeout WEB write"),
            _ => Some("Timeout HTTP read"),
        },
        _ => None,
    }
}

fn received(text: &mut Text, record: &Record) {
    if record.is_answered {
        text.title("    HTTP Header Buffer    ");
    }
    if !record.head.is_empty() {
        text.dump(&record.head);
        text.title(" HTTP Header Ascii Buffer ");
        text.out.extend_from_slice(&record.head);
        text.line("");
    }
    let body = record.body.as_deref().unwrap_or_default();
    if !body.is_empty() {
        text.title("        HTML Buffer        ");
        text.dump(body);
    }
    text.line("");
    text.title("    HTML hash resulting    ");
    text.dump(&record.digest().0);
    text.title(" HTML hash final resulting ");
}
