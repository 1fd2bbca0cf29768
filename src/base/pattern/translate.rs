//! Translation of PCRE2 syntax to that of the crate `regex`.
//!
//! Limited to constructs used to match pages: a `$` that ignores the last line break, literal
//! braces and brackets, escapes missing in the crate. A construct that would silently change its
//! meaning is an error.

use super::Options;

/// The end of the text, or the line break at its end: `$` and `\Z` of PCRE2.
const END: &str = r"(?:\n?\z)";

pub(super) fn translate(source: &str, options: &Options) -> Result<String, String> {
    let mut t = Translator {
        chars: source.chars().collect(),
        at: 0,
        out: String::with_capacity(source.len() + 16),
        end_for_dollar: !options.multiline && !options.dollar_endonly,
        extended: options.extended,
        empty_classes: options.allow_empty_class,
    };
    while let Some(c) = t.next() {
        t.outside(c)?;
    }
    Ok(t.out)
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    out: String,
    end_for_dollar: bool,
    extended: bool,
    empty_classes: bool,
}

impl Translator {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        Some(c)
    }

    /// Consumes `text` if it comes next.
    fn accepts(&mut self, text: &str) -> bool {
        let is_next = text.chars().enumerate().all(|(n, c)| self.peek(n) == Some(c));
        if is_next {
            self.at += text.chars().count();
        }
        is_next
    }

    fn outside(&mut self, c: char) -> Result<(), String> {
        match c {
            '\\' => self.escape(),
            '[' => self.class(),
            '(' => self.open(),
            '$' if self.end_for_dollar => {
                self.out.push_str(END);
                Ok(())
            }
            '*' | '+' | '?' => {
                self.out.push(c);
                self.after_quantifier()
            }
            '{' => self.brace(),
            '}' => {
                self.out.push_str(r"\}");
                Ok(())
            }
            '#' if self.extended => {
                while self.next().is_some_and(|c| c != '\n') {}
                Ok(())
            }
            _ => {
                self.out.push(c);
                Ok(())
            }
        }
    }

    fn after_quantifier(&mut self) -> Result<(), String> {
        if self.peek(0) == Some('+') {
            return Err("possessive quantifiers are not supported, leave out the '+'".to_owned());
        }
        if self.accepts("?") {
            self.out.push('?');
        }
        Ok(())
    }

    /// `{2,3}` is a repetition; any other brace is literal.
    fn brace(&mut self) -> Result<(), String> {
        let rest = &self.chars[self.at..];
        let close = rest.iter().position(|c| *c == '}');
        let inside: String = rest[..close.unwrap_or(0)].iter().collect();
        let (low, high) = inside.split_once(',').unwrap_or((&inside, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if low.is_empty() || !digits(low) || !digits(high) {
            self.out.push_str(r"\{");
            return Ok(());
        }
        self.at += inside.len() + 1;
        self.out.push('{');
        self.out.push_str(&inside);
        self.out.push('}');
        self.after_quantifier()
    }

    fn open(&mut self) -> Result<(), String> {
        if self.peek(0) == Some('*') {
            return Err("verbs are not supported, use regex_options".to_owned());
        }
        if self.accepts("?#") {
            while self.next().is_some_and(|c| c != ')') {}
            return Ok(());
        }
        self.out.push('(');
        if !self.accepts("?") {
            return Ok(());
        }
        self.out.push('?');
        match (self.peek(0), self.peek(1)) {
            (Some('=' | '!'), _) | (Some('<'), Some('=' | '!')) => {
                Err("look-around is not supported, match the text around it as well".to_owned())
            }
            (Some('>'), _) => Err("atomic groups are not supported, use (?:...)".to_owned()),
            (Some('(' | '|' | '&' | 'R' | '+' | '0'..='9'), _) => {
                Err("conditions and recursion are not supported".to_owned())
            }
            _ => {
                self.inline_flags();
                Ok(())
            }
        }
    }

    /// Reads the flags of `(?m)` or `(?x:` without consuming them. They apply to the end of the
    /// pattern, longer than in PCRE2, but patterns that mix `$` and blanks are rare.
    fn inline_flags(&mut self) {
        let flags = self.chars[self.at..].iter().take_while(|c| c.is_ascii_lowercase());
        for flag in flags {
            match flag {
                'm' => self.end_for_dollar = false,
                'x' => self.extended = true,
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(c) = self.next() else {
            self.out.push('\\');
            return Ok(());
        };
        match c {
            'Z' => self.out.push_str(END),
            'h' => self.out.push_str(r"[\t\x20]"),
            'H' => self.out.push_str(r"[^\t\x20]"),
            'v' => self.out.push_str(r"[\n\x0b\f\r]"),
            'V' => self.out.push_str(r"[^\n\x0b\f\r]"),
            'N' => self.out.push_str(r"[^\n]"),
            'R' => self.out.push_str(r"(?:\r\n|[\n\x0b\f\r])"),
            'Q' => self.quoted(),
            '1'..='9' | 'g' | 'k' => {
                return Err("back references are not supported".to_owned());
            }
            'p' | 'P' => {
                self.out.push('\\');
                self.out.push(c);
                self.braced();
            }
            _ => return self.plain_escape(c),
        }
        Ok(())
    }

    /// Escapes that stand for one character, or mean the same in a class.
    fn plain_escape(&mut self, c: char) -> Result<(), String> {
        match c {
            'E' => {}
            'e' => self.literal('\x1b'),
            '0' => {
                let mut value = 0;
                for _ in 0..2 {
                    let Some(digit) = self.peek(0).and_then(|c| c.to_digit(8)) else { break };
                    self.at += 1;
                    value = value * 8 + digit;
                }
                self.literal(char::from_u32(value).unwrap_or('\0'));
            }
            'c' => match self.next() {
                Some(letter) if letter.is_ascii_graphic() => {
                    self.literal(char::from(letter.to_ascii_uppercase() as u8 ^ 0x40));
                }
                _ => return Err(r"\c needs a character after it".to_owned()),
            },
            'x' => {
                self.out.push_str(r"\x");
                self.braced();
            }
            'K' | 'G' | 'C' | 'X' => return Err(format!(r"\{c} is not supported")),
            _ if c.is_ascii_alphanumeric() => {
                self.out.push('\\');
                self.out.push(c);
            }
            _ => self.literal(c),
        }
        Ok(())
    }

    /// Copies `{...}` unchanged, if it comes next.
    fn braced(&mut self) {
        if self.peek(0) == Some('{') {
            while let Some(c) = self.next() {
                self.out.push(c);
                if c == '}' {
                    break;
                }
            }
        }
    }

    /// `\Q...\E`.
    fn quoted(&mut self) {
        while !self.accepts(r"\E") {
            let Some(c) = self.next() else { break };
            self.literal(c);
        }
    }

    /// A literal character, in any context.
    fn literal(&mut self, c: char) {
        match c {
            '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$'
            | '#' | '&' | '-' | '~' => {
                self.out.push('\\');
                self.out.push(c);
            }
            ' ' | '\0'..='\x1f' => self.out.push_str(&format!(r"\x{:02x}", u32::from(c))),
            _ => self.out.push(c),
        }
    }

    fn class(&mut self) -> Result<(), String> {
        let negated = self.accepts("^");
        if self.peek(0) == Some(']') && self.empty_classes {
            self.at += 1;
            self.out.push_str(if negated { "(?s:.)" } else { "[a&&b]" });
            return Ok(());
        }
        self.out.push_str(if negated { "[^" } else { "[" });
        let mut first = true;
        while let Some(c) = self.next() {
            match c {
                ']' if !first => {
                    self.out.push(']');
                    return Ok(());
                }
                '[' if self.peek(0) == Some(':') => self.named_class(),
                '\\' => self.escape_in_class()?,
                '-' => self.out.push('-'),
                _ => self.literal(c),
            }
            first = false;
        }
        Err("a [ is not closed".to_owned())
    }

    /// `[:alpha:]`; otherwise the bracket is literal.
    fn named_class(&mut self) {
        let rest: String = self.chars[self.at..].iter().take(16).collect();
        match rest.find(":]") {
            Some(end) if rest[1..end].bytes().all(|b| b.is_ascii_alphabetic() || b == b'^') => {
                self.at += end + 2;
                self.out.push('[');
                self.out.push_str(&rest[..end + 2]);
            }
            _ => self.literal('['),
        }
    }

    fn escape_in_class(&mut self) -> Result<(), String> {
        let Some(c) = self.next() else { return Ok(()) };
        match c {
            'b' => self.literal('\x08'),
            'h' => self.out.push_str(r"\t\x20"),
            'v' => self.out.push_str(r"\n\x0b\f\r"),
            'Q' => self.quoted(),
            '1'..='7' => {
                self.at -= 1;
                return self.plain_escape('0');
            }
            'H' | 'V' | 'N' | 'R' | 'B' | '8' | '9' => {
                return Err(format!(r"\{c} in [ ] is not supported"));
            }
            'p' | 'P' => {
                self.out.push('\\');
                self.out.push(c);
                self.braced();
            }
            _ => return self.plain_escape(c),
        }
        Ok(())
    }
}
