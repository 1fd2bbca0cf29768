//! What a keyword is: its arguments, its block, its default, and whether it has an effect yet.
//!
//! The tables themselves are in [`keywords`](super::keywords). What they say is enough to check any
//! statement (`statement`) and to suggest a better word for one that is not known; what a statement
//! *means* is decided in [`lower`](super::lower).

/// What one word has to be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
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
    /// `ADDRESS`, `ADDRESS-END` or `ADDRESS/LENGTH`; or the port behind it.
    Range,
    /// An interface name: at most 15 bytes.
    Link,
    /// `LOW-HIGH`
    Span {
        max: i64,
    },
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

impl Kind {
    /// The word is not for everybody.
    pub(super) const fn is_secret(self) -> bool {
        matches!(self, Self::Secret(_) | Self::Hidden)
    }
}

/// The unit of a [`Kind::Time`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Up to six decimals.
    Seconds,
    /// Up to three decimals.
    CoarseSeconds,
    /// Up to three decimals.
    Millis,
}

/// What stands on the line of a keyword.
#[derive(Clone, Copy, Debug)]
pub enum Args {
    /// These, in this order; the first `required` of them must be there.
    Row { required: usize, kinds: &'static [Kind] },
    /// Any number of one kind, at least `required`.
    Many { required: usize, kind: Kind },
    /// Options by name, in any order.
    Options(&'static Entry),
    /// A command, then perhaps a user and a group. Has quoting rules of its own.
    Script { required: bool, user: bool },
    /// A regular expression: one word, or one quoted text. Has the quoting rules of a command.
    Pattern,
    /// The head of a virtual server.
    Service,
}

/// What stands between its braces.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    None,
    Keywords(&'static Block),
    /// One entry per line.
    Entries(&'static Entry),
    /// Names: all words of all lines.
    Names(Kind),
}

/// What is used in place of a value that is no good.
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
    /// What the keyword means without a value.
    Bare,
    /// As much of the word as is allowed.
    Cut,
}

/// What happens if a keyword comes twice in one block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeat {
    /// The last one counts, or all do.
    Fine,
    /// A complaint; the first one counts.
    FirstCounts,
    /// A complaint; the last one counts.
    LastCounts,
    /// May come again with another name: two blocks of one name are a complaint.
    ByName,
}

/// How welcome a keyword is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    Current,
    /// Another name of a keyword.
    Alias {
        of: &'static str,
        told: Told,
    },
    /// Outdated, and what came in its place is not the same thing.
    Replaced {
        by: &'static str,
        told: Told,
    },
}

/// How the use of an old name is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    Never,
    Note,
    Error,
}

/// One keyword of one block.
#[derive(Clone, Copy, Debug)]
pub struct Keyword {
    pub name: &'static str,
    pub args: Args,
    pub body: Body,
    /// In words, for people.
    pub default: &'static str,
    /// False: accepted and checked, without effect in this version.
    pub in_effect: bool,
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
        let at = self.keywords.binary_search_by(|k| k.name.cmp(name)).ok()?;
        Some(&self.keywords[at])
    }
}

/// The grammar of one line of a list, or of a keyword with named options.
#[derive(Debug)]
pub struct Entry {
    /// What one line is, for messages.
    pub name: &'static str,
    /// The words a line begins with; the first `required` must be there.
    pub head: &'static [Kind],
    pub required: usize,
    pub options: &'static [Opt],
    /// What a word that is no option may be.
    pub free: Option<Kind>,
    pub unknown: Unknown,
}

/// What happens to a line with a word that nobody knows.
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
    pub value: Option<Kind>,
    /// Words that may stand after its value: `weight 10 reverse`.
    pub after: &'static [&'static str],
    /// Options that may follow, for as long as the words are known to it.
    pub nested: Option<&'static Entry>,
    /// A bad value takes the whole line with it.
    pub vital: bool,
}

impl Entry {
    pub fn find(&self, name: &str) -> Option<&'static Opt> {
        self.options.iter().find(|o| o.name == name)
    }
}

// The words the tables are written in.

pub(super) const fn keyword(name: &'static str, args: Args, body: Body) -> Keyword {
    Keyword {
        name,
        args,
        body,
        default: "",
        in_effect: true,
        bad: Bad::Ignore,
        repeat: Repeat::Fine,
        standing: Standing::Current,
    }
}

const fn line(name: &'static str, required: usize, kinds: &'static [Kind]) -> Keyword {
    keyword(name, Args::Row { required, kinds }, Body::None)
}

/// A keyword without arguments.
pub(super) const fn flag(name: &'static str) -> Keyword {
    line(name, 0, &[]).default("off")
}

/// `[on|off]`; bare means on.
pub(super) const fn boolean(name: &'static str) -> Keyword {
    line(name, 0, &[Kind::Bool]).default("off")
}

/// One argument.
pub(super) const fn one(name: &'static str, kinds: &'static [Kind; 1]) -> Keyword {
    line(name, 1, kinds)
}

/// One argument or none.
pub(super) const fn maybe(name: &'static str, kinds: &'static [Kind; 1]) -> Keyword {
    line(name, 0, kinds)
}

/// Several arguments, of which the first `required` must be there.
pub(super) const fn row(name: &'static str, required: usize, kinds: &'static [Kind]) -> Keyword {
    line(name, required, kinds)
}

/// At least one argument of one kind.
pub(super) const fn many(name: &'static str, kind: Kind) -> Keyword {
    keyword(name, Args::Many { required: 1, kind }, Body::None)
}

/// Any number of arguments of one kind.
pub(super) const fn any(name: &'static str, kind: Kind) -> Keyword {
    keyword(name, Args::Many { required: 0, kind }, Body::None)
}

pub(super) const fn text(name: &'static str) -> Keyword {
    line(name, 1, &[Kind::Text])
}

pub(super) const fn address(name: &'static str) -> Keyword {
    line(name, 1, &[Kind::Address])
}

pub(super) const fn link(name: &'static str) -> Keyword {
    line(name, 1, &[Kind::Link])
}

pub(super) const fn options(name: &'static str, entry: &'static Entry) -> Keyword {
    keyword(name, Args::Options(entry), Body::None)
}

/// A command with an optional user and group; the first one counts.
pub(super) const fn script(name: &'static str) -> Keyword {
    keyword(name, Args::Script { required: true, user: true }, Body::None)
        .repeat(Repeat::FirstCounts)
        .default("none")
}

pub(super) const fn block(name: &'static str, block: &'static Block) -> Keyword {
    keyword(name, Args::Row { required: 0, kinds: &[] }, Body::Keywords(block))
}

pub(super) const fn named_block(name: &'static str, block: &'static Block) -> Keyword {
    keyword(name, Args::Row { required: 1, kinds: &[Kind::Text] }, Body::Keywords(block))
}

pub(super) const fn entries(name: &'static str, entry: &'static Entry) -> Keyword {
    keyword(name, Args::Row { required: 0, kinds: &[] }, Body::Entries(entry))
}

pub(super) const fn names(name: &'static str, kind: Kind) -> Keyword {
    keyword(name, Args::Row { required: 0, kinds: &[] }, Body::Names(kind))
}

/// A number that is used even if other characters follow it.
pub(super) const fn int(min: i64, max: i64) -> Kind {
    Kind::Int { min, max, lenient: true }
}

/// A number and nothing else.
pub(super) const fn strict(min: i64, max: i64) -> Kind {
    Kind::Int { min, max, lenient: false }
}

/// Seconds with up to six decimals; limits in microseconds.
pub(super) const fn seconds(min: u64, max: u64) -> Kind {
    Kind::Time { unit: Unit::Seconds, min, max }
}

pub(super) const fn opt(name: &'static str) -> Opt {
    Opt { name, before: &[], value: None, after: &[], nested: None, vital: true }
}

impl Opt {
    pub(super) const fn value(mut self, kind: Kind) -> Self {
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

impl Keyword {
    pub(super) const fn default(mut self, text: &'static str) -> Self {
        self.default = text;
        self
    }

    /// Accepted, not in effect in this version.
    pub(super) const fn later(mut self) -> Self {
        self.in_effect = false;
        self
    }

    pub(super) const fn bad(mut self, bad: Bad) -> Self {
        self.bad = bad;
        self
    }

    pub(super) const fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    /// Another name of `of`; nobody minds.
    pub(super) const fn alias(mut self, of: &'static str) -> Self {
        self.standing = Standing::Alias { of, told: Told::Never };
        self
    }

    /// The old name of `of`, worth a note.
    pub(super) const fn noted(mut self, of: &'static str) -> Self {
        self.standing = Standing::Alias { of, told: Told::Note };
        self
    }

    /// The old name of `of`, worth a complaint.
    pub(super) const fn outdated(mut self, of: &'static str) -> Self {
        self.standing = Standing::Alias { of, told: Told::Error };
        self
    }

    pub(super) const fn replaced(mut self, by: &'static str, told: Told) -> Self {
        self.standing = Standing::Replaced { by, told };
        self
    }
}

/// Puts a table into the order [`Block::find`] needs, so that it can be written in the order of
/// the manual page.
pub(super) const fn sorted<const N: usize>(mut table: [Keyword; N]) -> [Keyword; N] {
    let mut i = 1;
    while i < N {
        let mut j = i;
        while j > 0 && is_before(table[j].name, table[j - 1].name) {
            let swap = table[j];
            table[j] = table[j - 1];
            table[j - 1] = swap;
            j -= 1;
        }
        i += 1;
    }
    table
}

/// One table after the other.
pub(super) const fn joined<T: Copy, const A: usize, const B: usize, const N: usize>(
    a: [T; A],
    b: [T; B],
) -> [T; N] {
    assert!(A + B == N && A > 0);
    let mut all = [a[0]; N];
    let mut i = 0;
    while i < A {
        all[i] = a[i];
        i += 1;
    }
    while i < N {
        all[i] = b[i - A];
        i += 1;
    }
    all
}

const fn is_before(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut i = 0;
    while i < a.len() && i < b.len() {
        if a[i] != b[i] {
            return a[i] < b[i];
        }
        i += 1;
    }
    a.len() < b.len()
}
