//! `~SEQ`, `~SEQx` and `~LST`: one line that stands for many.

use crate::config::lex;

/// Which generator a line starts with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::config) enum SequenceKind {
    Decimal,
    Hex,
    List,
}

impl SequenceKind {
    pub(in crate::config) fn of(text: &str) -> Option<Self> {
        let (kind, rest) = [("~SEQx", Self::Hex), ("~SEQ", Self::Decimal), ("~LST", Self::List)]
            .into_iter()
            .find_map(|(word, kind)| Some((kind, text.strip_prefix(word)?)))?;
        let ends = |&b: &u8| lex::is_blank(b) || b == b'(';
        rest.as_bytes().first().is_none_or(ends).then_some(kind)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Decimal => "~SEQ",
            Self::Hex => "~SEQx",
            Self::List => "~LST",
        }
    }
}

/// Where the arguments of a generator lie, and where the line goes on.
pub(in crate::config) struct Head {
    pub(in crate::config) kind: SequenceKind,
    pub(in crate::config) arguments: (usize, usize),
    pub(in crate::config) rest: usize,
}

impl Head {
    pub(in crate::config) fn read(kind: SequenceKind, text: &str) -> Result<Self, String> {
        let word = kind.word();
        let bytes = text.as_bytes();
        let mut open = word.len();
        while bytes.get(open).is_some_and(|&b| lex::is_blank(b)) {
            open += 1;
        }
        if bytes.get(open) != Some(&b'(') {
            return Err(format!("'{word}' lacks its '('"));
        }
        match text[open..].find(')') {
            Some(len) => Ok(Self { kind, arguments: (open + 1, open + len), rest: open + len + 1 }),
            None => Err(format!("'{word}' lacks its ')'")),
        }
    }
}

/// Values of the variables of a generator, turn by turn.
#[derive(PartialEq, Eq, Debug)]
pub(in crate::config) enum Generator<'a> {
    Numbers { name: &'a str, start: i64, step: i64, turns: u64, hex: bool },
    Lists { names: Vec<&'a str>, sets: Vec<Vec<&'a str>> },
}

impl<'a> Generator<'a> {
    pub(in crate::config) fn read(kind: SequenceKind, arguments: &'a str) -> Result<Self, String> {
        match kind {
            SequenceKind::Decimal => numbers(arguments, false),
            SequenceKind::Hex => numbers(arguments, true),
            SequenceKind::List => lists(arguments),
        }
    }

    pub(in crate::config) fn turns(&self) -> u64 {
        match self {
            Self::Numbers { turns, .. } => *turns,
            Self::Lists { sets, .. } => sets.len() as u64,
        }
    }

    /// The names and their values in one turn.
    pub(in crate::config) fn turn(&self, n: u64) -> Vec<(&'a str, String)> {
        match self {
            Self::Numbers { name, start, step, hex, .. } => {
                // Cannot overflow: the last turn is within the bounds, which are an i64.
                let value = i128::from(*start) + i128::from(*step) * i128::from(n);
                let text = if *hex { format!("{value:x}") } else { value.to_string() };
                vec![(name, text)]
            }
            Self::Lists { names, sets } => {
                let set = usize::try_from(n).ok().and_then(|n| sets.get(n));
                let value = |k: usize| set.and_then(|s| s.get(k)).copied().unwrap_or("").to_owned();
                names.iter().enumerate().map(|(k, name)| (*name, value(k))).collect()
            }
        }
    }
}

/// `(v, end)`, `(v, start, end)` or `(v, start, step, end)`.
fn numbers(arguments: &str, hex: bool) -> Result<Generator<'_>, String> {
    let word = if hex { "~SEQx" } else { "~SEQ" };
    let parts: Vec<&str> = arguments.split(',').map(|p| lex::trim(p).1).collect();
    let name = variable(parts[0], word)?;
    let numbers =
        parts[1..].iter().map(|p| number(p, word)).collect::<Result<Vec<i64>, String>>()?;
    let (start, step, end) = match numbers[..] {
        [end] => (if end < 0 { -1 } else { 1 }, None, end),
        [start, end] => (start, None, end),
        [start, step, end] => (start, Some(step), end),
        _ => return Err(format!("'{word}' takes a name and one to three numbers")),
    };
    let step = step.unwrap_or(if end < start { -1 } else { 1 });
    if step == 0 || (end > start && step < 0) || (end < start && step > 0) {
        return Err(format!("'{word}': steps of {step} do not lead from {start} to {end}"));
    }
    if hex && (start < 0 || end < 0) {
        return Err(format!("'{word}' counts no negative numbers"));
    }
    let span = i128::from(end) - i128::from(start);
    let turns = u64::try_from(span / i128::from(step) + 1).unwrap_or(u64::MAX);
    Ok(Generator::Numbers { name, start, step, turns, hex })
}

fn variable<'a>(text: &'a str, word: &str) -> Result<&'a str, String> {
    if super::is_name(text) {
        Ok(text)
    } else {
        Err(format!("'{word}': '{text}' is not the name of a variable"))
    }
}

/// Decimal, `0x` hexadecimal or, after a leading zero, octal.
fn number(text: &str, word: &str) -> Result<i64, String> {
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) if text.starts_with('-') => ("-", digits),
        Some(digits) => ("", digits),
        None => ("", text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    let value = match digits.bytes().next() {
        Some(b) if b.is_ascii_hexdigit() => {
            i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
        }
        _ => None,
    };
    match value {
        Some(value) => Ok(value),
        None if text.is_empty() => Err(format!("'{word}' lacks a number")),
        None => Err(format!("'{word}': '{text}' is not a number")),
    }
}

/// `(v, a, b)` or `({x, y}, {a, 1}, {b, 2})`.
fn lists(arguments: &str) -> Result<Generator<'_>, String> {
    let mut sets = split_sets(arguments)?;
    let names = sets.remove(0);
    for name in &names {
        variable(name, "~LST")?;
    }
    if sets.is_empty() {
        return Err("'~LST' lacks a value".to_owned());
    }
    for set in &sets {
        if set.len() > names.len() {
            return Err(format!("'~LST' has {} values for {} names", set.len(), names.len()));
        }
        if let Some(value) = set.iter().find(|v| v.bytes().any(lex::is_blank)) {
            return Err(format!("'~LST': the value '{value}' contains a blank"));
        }
    }
    Ok(Generator::Lists { names, sets })
}

/// The arguments at their commas, each a set; a bare one is a set of one.
fn split_sets(arguments: &str) -> Result<Vec<Vec<&str>>, String> {
    let mut sets = Vec::new();
    let mut rest = lex::trim(arguments).1;
    loop {
        let after = if let Some(inner) = rest.strip_prefix('{') {
            let Some(len) = inner.find('}') else {
                return Err("'~LST' lacks a '}'".to_owned());
            };
            sets.push(inner[..len].split(',').map(|v| lex::trim(v).1).collect());
            lex::trim(&inner[len + 1..]).1
        } else {
            let len = rest.find(',').unwrap_or(rest.len());
            sets.push(vec![lex::trim(&rest[..len]).1]);
            &rest[len..]
        };
        match after.strip_prefix(',') {
            Some(next) => rest = lex::trim(next).1,
            None if after.is_empty() => return Ok(sets),
            None => return Err(format!("'~LST' lacks a ',' before '{after}'")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(kind: SequenceKind, arguments: &str) -> Vec<String> {
        let generator = Generator::read(kind, arguments).unwrap();
        let join = |turn: Vec<(&str, String)>| {
            turn.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(" ")
        };
        (0..generator.turns()).map(|n| join(generator.turn(n))).collect()
    }

    fn seq(arguments: &str) -> String {
        values(SequenceKind::Decimal, arguments).join(" ").replace("v=", "")
    }

    fn error(kind: SequenceKind, arguments: &str) -> String {
        Generator::read(kind, arguments).unwrap_err()
    }

    #[test]
    fn one_number_is_the_end() {
        assert_eq!(seq("v, 3"), "1 2 3");
        assert_eq!(seq("v,0"), "1 0");
        assert_eq!(seq("v, -2"), "-1 -2");
    }

    #[test]
    fn the_step_is_in_the_middle() {
        assert_eq!(seq("v, 4, 6"), "4 5 6");
        assert_eq!(seq("v, 6, 4"), "6 5 4");
        assert_eq!(seq("v, 1, 3, 8"), "1 4 7");
        assert_eq!(seq("v, 8, -3, 1"), "8 5 2");
        assert_eq!(seq("v, 5, 2, 5"), "5");
    }

    #[test]
    fn numbers_may_be_octal_or_hexadecimal() {
        assert_eq!(seq("v, 0x0a, 013"), "10 11");
        assert_eq!(seq("v, -0x2, 0"), "-2 -1 0");
        assert_eq!(values(SequenceKind::Hex, "v, 254, 256"), ["v=fe", "v=ff", "v=100"]);
    }

    #[test]
    fn sequences_that_lead_nowhere_are_errors() {
        assert_eq!(
            error(SequenceKind::Decimal, "v, 1, 0, 5"),
            "'~SEQ': steps of 0 do not lead from 1 to 5"
        );
        assert_eq!(
            error(SequenceKind::Decimal, "v, 1, -1, 5"),
            "'~SEQ': steps of -1 do not lead from 1 to 5"
        );
        assert_eq!(
            error(SequenceKind::Decimal, "v"),
            "'~SEQ' takes a name and one to three numbers"
        );
        assert_eq!(error(SequenceKind::Decimal, "v, 1,"), "'~SEQ' lacks a number");
        assert_eq!(error(SequenceKind::Decimal, "v, 1x"), "'~SEQ': '1x' is not a number");
        assert_eq!(error(SequenceKind::Decimal, "v, +-1"), "'~SEQ': '+-1' is not a number");
        assert_eq!(
            error(SequenceKind::Decimal, "9, 1"),
            "'~SEQ': '9' is not the name of a variable"
        );
        assert_eq!(error(SequenceKind::Hex, "v, -1"), "'~SEQx' counts no negative numbers");
    }

    #[test]
    fn the_widest_sequence_does_not_overflow() {
        let generator =
            Generator::read(SequenceKind::Decimal, "v, -9223372036854775808, 9223372036854775807")
                .unwrap();
        assert_eq!(generator.turns(), u64::MAX);
        let last =
            Generator::read(SequenceKind::Decimal, "v, 9223372036854775806, 9223372036854775807");
        assert_eq!(last.unwrap().turn(1), [("v", "9223372036854775807".to_owned())]);
    }

    #[test]
    fn lists_set_one_name_or_several() {
        assert_eq!(values(SequenceKind::List, "v, a, b"), ["v=a", "v=b"]);
        assert_eq!(values(SequenceKind::List, "{x, y}, {a, 1}, {b,2}"), ["x=a y=1", "x=b y=2"]);
        assert_eq!(values(SequenceKind::List, "{x, y}, {a}, b"), ["x=a y=", "x=b y="]);
        assert_eq!(values(SequenceKind::List, "v, a, , $L"), ["v=a", "v=", "v=$L"]);
    }

    #[test]
    fn malformed_lists_are_errors() {
        assert_eq!(error(SequenceKind::List, "v"), "'~LST' lacks a value");
        assert_eq!(error(SequenceKind::List, "v, {a, b}"), "'~LST' has 2 values for 1 names");
        assert_eq!(error(SequenceKind::List, "v, a b"), "'~LST': the value 'a b' contains a blank");
        assert_eq!(error(SequenceKind::List, "{x, y}, {a"), "'~LST' lacks a '}'");
        assert_eq!(error(SequenceKind::List, "{x} y, a"), "'~LST' lacks a ',' before 'y, a'");
        assert_eq!(error(SequenceKind::List, ""), "'~LST': '' is not the name of a variable");
    }

    #[test]
    fn other_words_with_a_tilde_are_no_generators() {
        assert_eq!(SequenceKind::of("~SEQ(a,1)"), Some(SequenceKind::Decimal));
        assert_eq!(SequenceKind::of("~SEQx (a,1)"), Some(SequenceKind::Hex));
        assert_eq!(SequenceKind::of("~LST"), Some(SequenceKind::List));
        assert_eq!(SequenceKind::of("~SEQy(a,1)"), None);
        assert_eq!(SequenceKind::of("~foo"), None);
    }
}
