//! The conversation with a mail server, as a client has it (RFC 5321). Bytes in, bytes out.
//!
//! HELO, as the reference has it. One message after the other may go through one conversation. A
//! recipient that is refused does not lose the others theirs.

use std::fmt;

use super::mail::Message;
use crate::base::time::{Duration, Instant};
use crate::wire::smtp::Lines;

/// Lines of one reply; no honest server needs a tenth of it.
const REPLY_LINES: u32 = 100;
/// So much of a reply is shown.
const SHOWN: usize = 200;

/// What the server was asked, as the log calls it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    Connect,
    Helo,
    MailFrom,
    RcptTo,
    Data,
    Body,
    Reset,
    Quit,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "CONNECT",
            Self::Helo => "HELO",
            Self::MailFrom => "MAIL FROM",
            Self::RcptTo => "RCPT TO",
            Self::Data => "DATA",
            Self::Body => "BODY",
            Self::Reset => "RSET",
            Self::Quit => "QUIT",
        })
    }
}

/// The last line of a reply, fit to be shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    pub code: u16,
    pub text: String,
}

impl Reply {
    /// To be tried again later (RFC 5321 §4.2.1: 4yz).
    pub const fn is_transient(&self) -> bool {
        self.code / 100 == 4
    }
}

/// Why a conversation ended before its time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    Refused(Reply),
    TimedOut,
    Closed,
    /// What came is no reply, or came when nothing was asked.
    Nonsense,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reply) => f.write_str(&reply.text),
            Self::TimedOut => f.write_str("no reply in time"),
            Self::Closed => f.write_str("the connection was closed"),
            Self::Nonsense => f.write_str("what it says is not SMTP"),
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SmtpEvent {
    /// The next message can be given, or none: `send` or `quit`.
    Ready,
    /// The server will not have this recipient, or the message.
    Refused { command: Command, address: Option<String>, reply: Reply },
    /// The message is done with: for so many recipients it was taken, for those it is to be tried
    /// again. For the rest, `Refused` has come.
    Over { taken: usize, retry: Vec<String> },
    /// Close the connection. A message under way is `Over` before that, and has reached no recipient as
    /// far as we know.
    Ended { at: Command, trouble: Option<Trouble> },
}

/// Where we are: the reply to this is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Waiting(Command),
    /// `Ready` was said.
    Idle,
    Ended,
}

#[derive(Debug)]
pub struct Conversation {
    helo: String,
    timeout: Duration,
    step: Step,
    deadline: Option<Instant>,
    lines: Lines,
    reply_lines: u32,
    output: Vec<u8>,
    letter: Option<Letter>,
}

/// The message under way.
#[derive(Debug)]
struct Letter {
    /// In the order of the RCPT commands.
    to: Vec<String>,
    /// How many of them were asked for.
    asked: usize,
    accepted: Vec<String>,
    retry: Vec<String>,
    /// For good.
    refused: Vec<String>,
    body: Vec<u8>,
}

impl Conversation {
    /// The connection stands; the server speaks first. Every step may take as long as `timeout`.
    pub fn new(helo: &str, timeout: Duration, now: Instant) -> Self {
        Self {
            helo: helo.chars().filter(|c| !c.is_control() && *c != ' ').collect(),
            timeout,
            step: Step::Waiting(Command::Connect),
            deadline: Some(now + timeout),
            lines: Lines::default(),
            reply_lines: 0,
            output: Vec::new(),
            letter: None,
        }
    }

    pub fn pending_output(&self) -> &[u8] {
        &self.output
    }

    pub fn sent(&mut self, n: usize) {
        self.output.drain(..n.min(self.output.len()));
    }

    pub const fn next_deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Gives the next message. Only after `Ready`.
    pub fn send(&mut self, message: &Message, now: Instant) {
        debug_assert_eq!(self.step, Step::Idle, "a message only after Ready");
        self.letter = Some(Letter {
            to: message.to.clone(),
            asked: 0,
            accepted: Vec::new(),
            retry: Vec::new(),
            refused: Vec::new(),
            body: stuffed(&message.bytes),
        });
        self.say(Command::MailFrom, &format!("MAIL FROM:<{}>", message.from), now);
    }

    /// Says goodbye. Only after `Ready`.
    pub fn quit(&mut self, now: Instant) {
        self.say(Command::Quit, "QUIT", now);
    }

    pub fn received(&mut self, mut bytes: &[u8], now: Instant, out: &mut Vec<SmtpEvent>) {
        while !bytes.is_empty() && self.step != Step::Ended {
            let Ok((taken, complete)) = self.lines.take(bytes) else {
                return self.end(Some(Trouble::Nonsense), out);
            };
            bytes = &bytes[taken..];
            if complete {
                self.on_line(now, out);
                self.lines.clear();
            }
        }
    }

    /// The server closed the connection, or it broke.
    pub fn closed(&mut self, out: &mut Vec<SmtpEvent>) {
        // Whether a server answers QUIT or just goes is the same to us.
        let expected = matches!(self.step, Step::Waiting(Command::Quit));
        self.end((!expected).then_some(Trouble::Closed), out);
    }

    pub fn on_deadline(&mut self, now: Instant, out: &mut Vec<SmtpEvent>) {
        if self.deadline.is_some_and(|d| d <= now) {
            let quitting = matches!(self.step, Step::Waiting(Command::Quit));
            self.end((!quitting).then_some(Trouble::TimedOut), out);
        }
    }

    fn on_line(&mut self, now: Instant, out: &mut Vec<SmtpEvent>) {
        let line = self.lines.line();
        self.reply_lines += 1;
        if line.is_continued() && self.reply_lines < REPLY_LINES {
            return;
        }
        self.reply_lines = 0;
        let Ok(code) = line.status() else {
            return self.end(Some(Trouble::Nonsense), out);
        };
        let text = shown(line.text());
        let Step::Waiting(command) = self.step else {
            // 421 may come at any time (RFC 5321 §3.8); so may nothing else.
            let trouble = if code == 421 { Trouble::Closed } else { Trouble::Nonsense };
            return self.end(Some(trouble), out);
        };
        let reply = Reply { code, text };
        let heard_out = self.output.is_empty() || command == Command::Quit;
        if heard_out && code != 421 {
            return self.on_reply(command, reply, now, out);
        }
        if code < 400 {
            return self.end(Some(Trouble::Nonsense), out);
        }
        // A message too long, perhaps. We are out of step now.
        if code / 100 == 5 && self.letter.take().is_some() {
            out.push(SmtpEvent::Refused { command, address: None, reply: reply.clone() });
            out.push(SmtpEvent::Over { taken: 0, retry: Vec::new() });
        }
        self.end(Some(Trouble::Refused(reply)), out);
    }

    fn on_reply(&mut self, command: Command, reply: Reply, now: Instant, out: &mut Vec<SmtpEvent>) {
        let good = match command {
            Command::Connect => reply.code == 220,
            Command::Data => reply.code == 354,
            // Whatever it says to that, we are going.
            Command::Quit => return self.end(None, out),
            _ => reply.code / 100 == 2,
        };
        match (command, good) {
            (Command::Connect, true) => {
                let hello = format!("HELO {}", self.helo);
                self.say(Command::Helo, &hello, now);
            }
            (Command::Connect | Command::Helo | Command::Reset, false) => {
                self.end(Some(Trouble::Refused(reply)), out);
            }
            (Command::Helo | Command::Reset, true) => self.become_ready(out),
            (Command::MailFrom, true) => self.next_recipient(now, out),
            (Command::RcptTo, good) => {
                self.on_recipient((!good).then_some(reply), out);
                self.next_recipient(now, out);
            }
            (Command::Data, true) => {
                let body = self.letter.as_mut().map(|l| std::mem::take(&mut l.body));
                self.output.extend(body.unwrap_or_default());
                self.wait_for(Command::Body, now);
            }
            (Command::Body, true) => {
                self.conclude(out);
                self.become_ready(out);
            }
            (Command::MailFrom | Command::Data | Command::Body, false) => {
                self.on_refused(command, reply, now, out);
            }
            (Command::Quit, _) => {}
        }
    }

    /// The server's word on the recipient that was asked for last.
    fn on_recipient(&mut self, refusal: Option<Reply>, out: &mut Vec<SmtpEvent>) {
        let Some(letter) = &mut self.letter else { return };
        let Some(address) = letter.asked.checked_sub(1).and_then(|n| letter.to.get(n)).cloned()
        else {
            return;
        };
        let Some(reply) = refusal else { return letter.accepted.push(address) };
        let list = if reply.is_transient() { &mut letter.retry } else { &mut letter.refused };
        list.push(address.clone());
        let command = Command::RcptTo;
        out.push(SmtpEvent::Refused { command, address: Some(address), reply });
    }

    fn next_recipient(&mut self, now: Instant, out: &mut Vec<SmtpEvent>) {
        let Some(letter) = &mut self.letter else { return };
        if let Some(address) = letter.to.get(letter.asked) {
            let line = format!("RCPT TO:<{address}>");
            letter.asked += 1;
            self.say(Command::RcptTo, &line, now);
        } else if letter.accepted.is_empty() {
            self.conclude(out);
            self.say(Command::Reset, "RSET", now);
        } else {
            self.say(Command::Data, "DATA", now);
        }
    }

    /// The server will not have the message as such.
    fn on_refused(
        &mut self,
        command: Command,
        reply: Reply,
        now: Instant,
        out: &mut Vec<SmtpEvent>,
    ) {
        if let Some(letter) = &mut self.letter {
            let accepted = std::mem::take(&mut letter.accepted);
            if reply.is_transient() {
                letter.retry.extend(accepted);
                letter.retry.extend(letter.to.drain(letter.asked..));
            }
        }
        out.push(SmtpEvent::Refused { command, address: None, reply });
        self.conclude(out);
        self.say(Command::Reset, "RSET", now);
    }

    fn conclude(&mut self, out: &mut Vec<SmtpEvent>) {
        if let Some(letter) = self.letter.take() {
            out.push(SmtpEvent::Over { taken: letter.accepted.len(), retry: letter.retry });
        }
    }

    fn become_ready(&mut self, out: &mut Vec<SmtpEvent>) {
        self.step = Step::Idle;
        self.deadline = None;
        out.push(SmtpEvent::Ready);
    }

    fn say(&mut self, command: Command, line: &str, now: Instant) {
        debug_assert!(!line.contains(['\r', '\n']), "one line is one command");
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
        self.wait_for(command, now);
    }

    fn wait_for(&mut self, command: Command, now: Instant) {
        self.step = Step::Waiting(command);
        self.deadline = Some(now + self.timeout);
    }

    fn end(&mut self, trouble: Option<Trouble>, out: &mut Vec<SmtpEvent>) {
        let at = match self.step {
            Step::Waiting(command) => command,
            Step::Idle => Command::Quit,
            Step::Ended => return,
        };
        self.step = Step::Ended;
        self.deadline = None;
        self.output.clear();
        if let Some(letter) = self.letter.take() {
            let again = |address: &String| !letter.refused.contains(address);
            let retry = letter.to.iter().filter(|a| again(a)).cloned().collect();
            out.push(SmtpEvent::Over { taken: 0, retry });
        }
        out.push(SmtpEvent::Ended { at, trouble });
    }
}

/// A message as it goes after DATA: no line of it is the end (RFC 5321 §4.5.2), the last one is.
fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 16);
    for line in message.split_inclusive(|b| *b == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// A server may say anything; the log gets so much of it as is printable.
fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * SHOWN)]);
    text.chars().map(|c| if c.is_control() { '?' } else { c }).take(SHOWN).collect()
}

#[cfg(test)]
mod tests;
