//! `SMTP_CHECK`: greeting, HELO, QUIT.

use crate::base::verdict::{ProbeStep, Reason, Verdict};
use crate::model;
use crate::wire::smtp::Lines;

/// A conversation with a mail server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Smtp {
    helo_name: String,
    step: ProbeStep,
    lines: Lines,
    output: Vec<u8>,
    verdict: Option<Verdict>,
}

impl Smtp {
    pub fn new(smtp: &model::check::Smtp) -> Self {
        Self {
            helo_name: smtp.helo_name.clone(),
            step: ProbeStep::Connecting,
            lines: Lines::default(),
            output: Vec::new(),
            verdict: None,
        }
    }

    pub fn start(&mut self) {
        self.step = ProbeStep::Greeting;
    }

    pub fn pending_output(&self) -> &[u8] {
        &self.output
    }

    pub fn sent(&mut self, n: usize) {
        self.output.drain(..n.min(self.output.len()));
    }

    pub fn received(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.verdict.is_none() {
            match self.lines.take(bytes) {
                Err(_) => self.verdict = Some(Verdict::Down(Reason::TooLong(self.step))),
                Ok((taken, is_complete)) => {
                    bytes = &bytes[taken..];
                    if is_complete {
                        self.on_line();
                    }
                }
            }
        }
    }

    /// One line per step, as keepalived has it: a greeting of several lines is a failure.
    fn on_line(&mut self) {
        let (expected, command, next) = match self.step {
            ProbeStep::Greeting => (220, format!("HELO {}\r\n", self.helo_name), ProbeStep::Helo),
            ProbeStep::Helo => (250, "QUIT\r\n".to_owned(), ProbeStep::Quit),
            // Whatever it says to QUIT, it works.
            _ => {
                self.verdict = Some(Verdict::UP);
                return;
            }
        };
        if self.accepts(expected) {
            self.output.extend_from_slice(command.as_bytes());
            self.step = next;
        }
        self.lines.clear();
    }

    fn accepts(&mut self, expected: u16) -> bool {
        let line = self.lines.line();
        if line.status() == Ok(expected) {
            return true;
        }
        let found = line.text().to_vec();
        let reason = Reason::Answer { step: self.step, found, expected };
        self.verdict = Some(Verdict::Down(reason));
        false
    }

    pub fn closed(&mut self) {
        if self.verdict.is_none() {
            self.verdict = Some(Verdict::Down(Reason::Closed(self.step)));
        }
    }

    pub fn step(&self) -> ProbeStep {
        self.step
    }

    pub fn outcome(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smtp() -> Smtp {
        let mut smtp = Smtp::new(&model::check::Smtp { helo_name: "me.example".into() });
        smtp.start();
        smtp
    }

    fn output(smtp: &mut Smtp) -> String {
        let text = String::from_utf8_lossy(smtp.pending_output()).into_owned();
        smtp.sent(text.len());
        text
    }

    #[test]
    fn a_server_that_greets_and_answers_is_up() {
        let mut smtp = smtp();
        assert_eq!(output(&mut smtp), "");
        smtp.received(b"220 mail ");
        assert_eq!(output(&mut smtp), "");
        smtp.received(b"ready\r\n");
        assert_eq!(output(&mut smtp), "HELO me.example\r\n");
        smtp.received(b"250\n");
        assert_eq!(output(&mut smtp), "QUIT\r\n");
        assert_eq!(smtp.outcome(), None);
        smtp.received(b"whatever\r\n");
        assert_eq!(smtp.outcome(), Some(&Verdict::UP));
        smtp.closed();
        assert_eq!(smtp.outcome(), Some(&Verdict::UP));
    }

    #[test]
    fn wrong_answers_are_named() {
        for (replies, text, step) in [
            (&["421 busy\r\n"][..], "answer '421 busy', expected 220", ProbeStep::Greeting),
            (&["220-a\r\n"], "answer '220-a', expected 220", ProbeStep::Greeting),
            (&["\r\n"], "answer '', expected 220", ProbeStep::Greeting),
            (&["220 a\r\n", "500 what\r\n"], "answer '500 what', expected 250", ProbeStep::Helo),
        ] {
            let mut smtp = smtp();
            replies.iter().for_each(|reply| smtp.received(reply.as_bytes()));
            let Some(Verdict::Down(reason)) = smtp.outcome() else { panic!("{replies:?}") };
            assert_eq!(reason.to_string(), text);
            assert!(matches!(reason, Reason::Answer { step: at, .. } if *at == step), "{reason:?}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_not_waited_for() {
        let mut smtp = smtp();
        for _ in 0..10_000 {
            smtp.received(b"220");
        }
        assert_eq!(smtp.outcome(), Some(&Verdict::Down(Reason::TooLong(ProbeStep::Greeting))));
    }

    #[test]
    fn a_server_may_say_everything_at_once_or_in_single_bytes() {
        let all = b"220 a\r\n250 b\r\n221 c\r\n";
        for piece in [1, all.len()] {
            let mut smtp = smtp();
            all.chunks(piece).for_each(|bytes| smtp.received(bytes));
            assert_eq!(smtp.outcome(), Some(&Verdict::UP));
        }
        let mut smtp = smtp();
        smtp.received(b"220 a\r\n250 b\r\n");
        smtp.closed();
        assert_eq!(smtp.outcome(), Some(&Verdict::Down(Reason::Closed(ProbeStep::Quit))));
    }

    proptest::proptest! {
        #[test]
        fn the_verdict_does_not_depend_on_how_the_bytes_are_cut(
            replies in "(220 ?|250 |221|[a-z0-9 -]{0,6}|\\PC{0,4}|\r\n|\n){0,12}",
            piece in 1_usize..9,
        ) {
            let outcomes = [piece, usize::MAX].map(|piece| {
                let mut smtp = smtp();
                replies.as_bytes().chunks(piece).for_each(|bytes| smtp.received(bytes));
                smtp.closed();
                (smtp.verdict, smtp.output)
            });
            assert!(outcomes[0].0.is_some());
            assert_eq!(outcomes[0], outcomes[1]);
        }
    }
}
