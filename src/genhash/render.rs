//! What `genhash` prints, byte for byte what people and scripts know.

use std::time::Duration;

use super::options::Options;
use crate::check::http::fetch::Record;
use crate::check::Verdict;

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

/// How it went, from the first to the last byte. What could not be fetched has nothing on standard
/// output that could be taken for a digest.
pub(super) fn render(
    options: &Options,
    record: &Record,
    verdict: &Verdict,
    took: Duration,
) -> Text {
    let mut text = Text::default();
    if options.verbose && !record.head.is_empty() {
        received(&mut text, record);
    }
    match verdict {
        Verdict::Up(_) => {
            if options.verbose {
                text.title("    HTML hash resulting    ");
                text.dump(&record.digest().0);
                text.title(" HTML hash final resulting ");
            }
            text.line(&record.digest().to_string());
        }
        Verdict::Down(reason) => {
            let Options { path, server, port, .. } = options;
            text.err = format!("cannot fetch {path} from {server} port {port}: {reason}\n");
        }
    }
    if options.verbose && !text.out.is_empty() {
        let took = took.as_micros();
        text.line(&format!("\nGlobal response time for [{}] = {took} usecs", options.path));
    }
    text
}

fn received(text: &mut Text, record: &Record) {
    text.title("    HTTP Header Buffer    ");
    text.dump(&record.head);
    text.title(" HTTP Header Ascii Buffer ");
    text.out.extend_from_slice(&record.head);
    text.line("");
    let body = record.body.as_deref().unwrap_or_default();
    if !body.is_empty() {
        text.title("        HTML Buffer        ");
        text.dump(body);
    }
    text.line("");
}
