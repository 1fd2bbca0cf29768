//! Properties of a keyword: its arguments, its block, its default, and whether it has an effect
//! yet.
//!
//! The tables themselves are in [`keywords`](super::keywords). They are sufficient to check any
//! statement (`statement`) and to suggest a replacement for an unknown word;
//! [`lower`](mod@super::lower) interprets statements.

/// Kind of a word.
#[derive(Clone, Copy, Debug)]
pub enum ValueKind {
    /// Any word.
    Text,
    /// A word of at most so many bytes.
    Short(usize),
    /// A password, of which only so many bytes count. Complaints do not show it.
    Secret(usize),
    /// Any word, which complaints do not show.
    Hidden,
    /// `on`, `off` and their synonyms.
    Bool,
    /// A decimal number. Lenient: where other characters follow, the digits are used (with a
    /// complaint).
    Int {
        min: i64,
        max: i64,
        lenient: bool,
    },
    /// A number in decimal, octal (`0..`) or hexadecimal (`0x..`), as `strtoul` reads it.
    AnyBase {
        min: i64,
        max: i64,
    },
    /// Seconds or milliseconds with decimals; limits in microseconds.
    Time {
        unit: Unit,
        min: u64,
        max: u64,
    },
    OneOf(&'static [&'static str]),
    /// One of these; any other was always ignored without a word.
    Known(&'static [&'static str]),
    /// As `OneOf`, in any mixture of case.
    OneOfAnyCase(&'static [&'static str]),
    /// An IPv4 or IPv6 address. Text from the first `-` or `/` on does not count.
    Address,
    Group,
    Group4,
    Group6,
    /// `ADDRESS[/LENGTH]`
    Prefix,
    /// `Prefix`, or one of `default`, `any`, `all`.
    Destination,
    /// `Destination`, or the number of a type of routes.
    Target,
    /// `ADDRESS`, `ADDRESS-END` or `ADDRESS/LENGTH`; or the port behind it.
    Range,
    /// An interface name: at most 15 bytes.
    Link,
    /// `LOW-HIGH`
    Span {
        max: i64,
    },
    /// `PORT` or `LOW-HIGH`
    Ports,
    /// A decimal number of 64 bits.
    Wide,
    /// `NUMBER[/MASK]` in any base.
    Masked,
    /// Pairs of hexadecimal digits; with `x` as any digit where that is allowed.
    Hex {
        wild: bool,
    },
    /// 32 hexadecimal digits.
    Digest,
    /// A HTTP status code or a range of them.
    Status,
    /// A number with `s` or `ms`, as routes have it.
    RouteTime,
}

impl ValueKind {
    /// The word is a secret.
    pub(super) const fn is_secret(self) -> bool {
        matches!(self, Self::Secret(_) | Self::Hidden)
    }
}

/// The unit of a [`ValueKind::Time`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Up to six decimals.
    Seconds,
    /// Up to three decimals.
    CoarseSeconds,
    /// Up to three decimals.
    Millis,
}

/// Arguments on the line of a keyword.
#[derive(Clone, Copy, Debug)]
pub enum Args {
    /// These, in this order; the first `required` of them must be there.
    Row { required: usize, kinds: &'static [ValueKind] },
    /// Any number of one kind, at least `required`.
    Many { required: usize, kind: ValueKind },
    /// Options by name, in any order.
    Options(&'static Entry),
    /// A command, then perhaps a user and a group. Has quoting rules of its own.
    Script { required: bool, user: bool },
    /// A regular expression: one word, or one quoted text. Has the quoting rules of a command.
    Pattern,
    /// The head of a virtual server.
    Service,
}

/// Contents of its braces.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    None,
    Keywords(&'static Block),
    /// One entry per line.
    Entries(&'static Entry),
    /// Names: all words of all lines.
    Names(ValueKind),
}

/// Replacement of an invalid value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bad {
    /// Nothing: the statement is ignored.
    Ignore,
    Use(i64),
    /// As `Use`, for a word out of several.
    UseWord(&'static str),
    /// The lower limit for what is below it; what is above is ignored.
    Raise,
    /// The limit that was exceeded.
    Clamp,
    /// Meaning of the keyword without a value.
    Bare,
    /// As much of the word as is allowed.
    Cut,
}

/// Treatment of a repeated keyword in one block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeat {
    /// The last one applies, or all do.
    Fine,
    /// Reported; the first one applies.
    FirstCounts,
    /// Reported; the last one applies.
    LastCounts,
    /// May come again with another name: two blocks of one name are a complaint.
    ByName,
}

/// Status of a keyword.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    Current,
    /// Another name of a keyword.
    Alias {
        of: &'static str,
        report: OldName,
    },
    /// Outdated, and what came in its place is not the same thing.
    Replaced {
        by: &'static str,
        report: OldName,
    },
}

/// Diagnostic for an old name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OldName {
    Accepted,
    Noted,
    Wrong,
}

/// One keyword of one block.
#[derive(Clone, Copy, Debug)]
pub struct Keyword {
    pub name: &'static str,
    pub args: Args,
    pub body: Body,
    /// What holds without it, for the manual page. Nothing in a release build asks for it.
    #[cfg(debug_assertions)]
    pub default: &'static str,
    /// False: accepted and checked, without effect in this version.
    pub in_effect: bool,
    /// It sets something. Without effect, what it sets is not used in this version.
    pub is_set: bool,
    pub bad: Bad,
    pub repeat: Repeat,
    pub standing: Standing,
}

/// The keywords that may stand between one pair of braces.
#[derive(Debug)]
pub struct Block {
    pub name: &'static str,
    /// In alphabetical order: see `sorted`.
    pub keywords: &'static [Keyword],
}

impl Block {
    pub fn find(&self, name: &str) -> Option<&'static Keyword> {
        self.position(name).map(|at| &self.keywords[at])
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.keywords.binary_search_by(|k| k.name.cmp(name)).ok()
    }
}

/// The grammar of one line of a list, or of a keyword with named options.
#[derive(Debug)]
pub struct Entry {
    /// Description of a line, for messages.
    pub name: &'static str,
    /// The words a line begins with; the first `required` must be there.
    pub head: &'static [ValueKind],
    pub required: usize,
    pub options: &'static [Opt],
    /// Kind of free words.
    pub free: Option<ValueKind>,
    pub unknown: Unknown,
}

/// Treatment of a line with an unknown word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unknown {
    SkipEntry,
    IgnoreRest,
}

/// One option of an [`Entry`].
#[derive(Clone, Copy, Debug)]
pub struct Opt {
    pub name: &'static str,
    /// Words that may stand before its value: `via inet6 ADDRESS`.
    pub before: &'static [&'static str],
    pub value: Option<ValueKind>,
    /// Words that may stand after its value: `weight 10 reverse`.
    pub after: &'static [&'static str],
    /// Options that may follow, for as long as the words are known to it.
    pub nested: Option<&'static Entry>,
    /// A bad value invalidates the whole line.
    pub vital: bool,
}

impl Entry {
    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.options.iter().position(|o| o.name == name)
    }
}

// The words the tables are written in.

/// A number that is used even if other characters follow it.
pub(super) const fn int(min: i64, max: i64) -> ValueKind {
    ValueKind::Int { min, max, lenient: true }
}

/// A number and nothing else.
pub(super) const fn strict(min: i64, max: i64) -> ValueKind {
    ValueKind::Int { min, max, lenient: false }
}

/// Seconds with up to six decimals; limits in microseconds.
pub(super) const fn seconds(min: u64, max: u64) -> ValueKind {
    ValueKind::Time { unit: Unit::Seconds, min, max }
}

pub(super) const fn opt(name: &'static str) -> Opt {
    Opt { name, before: &[], value: None, after: &[], nested: None, vital: true }
}

impl Opt {
    pub(super) const fn value(mut self, kind: ValueKind) -> Self {
        self.value = Some(kind);
        self
    }

    pub(super) const fn before(mut self, words: &'static [&'static str]) -> Self {
        self.before = words;
        self
    }

    pub(super) const fn after(mut self, words: &'static [&'static str]) -> Self {
        self.after = words;
        self
    }

    pub(super) const fn nested(mut self, entry: &'static Entry) -> Self {
        self.nested = Some(entry);
        self
    }

    /// A bad value is left out, the rest of the line is used.
    pub(super) const fn minor(mut self) -> Self {
        self.vital = false;
        self
    }
}
