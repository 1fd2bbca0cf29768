//! The words the tables are written in: arguments of keywords and their treatment.
//!
//! Where a value has a type, a table with words of another one does not compile.

use std::marker::PhantomData;

use super::{
    Bare, Chars, Inet, MaybeChars, MaybeNumber, Number, Period, Row, Setter, Switch, Unset, Written,
};
use crate::config::keyword::{
    Args, Bad, Block, Body, Entry, Keyword, OldName, Repeat, Standing, ValueKind,
};

const fn keyword<S>(name: &'static str, args: Args, body: Body) -> Unset<S> {
    let keyword = Keyword {
        name,
        args,
        body,
        #[cfg(debug_assertions)]
        default: "",
        in_effect: true,
        is_set: true,
        bad: Bad::Ignore,
        repeat: Repeat::Fine,
        standing: Standing::Current,
    };
    Unset { keyword, shape: PhantomData }
}

const fn line<S>(name: &'static str, required: usize, kinds: &'static [ValueKind]) -> Unset<S> {
    keyword(name, Args::Row { required, kinds }, Body::None)
}

/// A keyword without arguments.
pub(in crate::config) const fn flag(name: &'static str) -> Unset<Bare> {
    line(name, 0, &[]).default("off")
}

/// `[on|off]`; bare means on.
pub(in crate::config) const fn switch(name: &'static str) -> Unset<Switch> {
    line(name, 0, &[ValueKind::Bool]).default("off")
}

/// A number, and perhaps words after it that the setter reads.
pub(in crate::config) const fn number(
    name: &'static str,
    kinds: &'static [ValueKind],
) -> Unset<Number> {
    assert!(matches!(kinds[0], ValueKind::Int { .. }));
    line(name, 1, kinds)
}

pub(in crate::config) const fn time(
    name: &'static str,
    kinds: &'static [ValueKind; 1],
) -> Unset<Period> {
    assert!(matches!(kinds[0], ValueKind::Time { .. }));
    line(name, 1, kinds)
}

/// A word of one of the kinds whose value is the word, and perhaps others after it.
pub(in crate::config) const fn word(
    name: &'static str,
    kinds: &'static [ValueKind],
) -> Unset<Chars> {
    assert!(is_text(kinds[0]));
    line(name, 1, kinds)
}

pub(in crate::config) const fn text(name: &'static str) -> Unset<Chars> {
    word(name, &[ValueKind::Text])
}

pub(in crate::config) const fn link(name: &'static str) -> Unset<Chars> {
    word(name, &[ValueKind::Link])
}

/// An address of one of the kinds, and perhaps words after it.
pub(in crate::config) const fn address(
    name: &'static str,
    kinds: &'static [ValueKind],
) -> Unset<Inet> {
    assert!(matches!(
        kinds[0],
        ValueKind::Address | ValueKind::Group | ValueKind::Group4 | ValueKind::Group6
    ));
    line(name, 1, kinds)
}

/// A number or nothing.
pub(in crate::config) const fn maybe_number(
    name: &'static str,
    kind: &'static [ValueKind; 1],
) -> Unset<MaybeNumber> {
    assert!(matches!(kind[0], ValueKind::Int { .. }));
    line(name, 0, kind)
}

/// A word or nothing.
pub(in crate::config) const fn maybe_word(
    name: &'static str,
    kind: &'static [ValueKind; 1],
) -> Unset<MaybeChars> {
    assert!(is_text(kind[0]));
    line(name, 0, kind)
}

const fn is_text(kind: ValueKind) -> bool {
    matches!(
        kind,
        ValueKind::Text
            | ValueKind::Short(_)
            | ValueKind::Secret(_)
            | ValueKind::Hidden
            | ValueKind::OneOf(_)
            | ValueKind::OneOfAnyCase(_)
            | ValueKind::Link
            | ValueKind::Digest
    )
}

/// Several arguments, of which the first `required` must be there.
pub(in crate::config) const fn row(
    name: &'static str,
    required: usize,
    kinds: &'static [ValueKind],
) -> Unset<Bare> {
    line(name, required, kinds)
}

/// At least one argument of one kind.
pub(in crate::config) const fn many(name: &'static str, kind: ValueKind) -> Unset<Bare> {
    keyword(name, Args::Many { required: 1, kind }, Body::None)
}

/// Any number of arguments of one kind.
pub(in crate::config) const fn any(name: &'static str, kind: ValueKind) -> Unset<Bare> {
    keyword(name, Args::Many { required: 0, kind }, Body::None)
}

/// The words of a regular expression.
pub(in crate::config) const fn pattern(name: &'static str) -> Unset<Bare> {
    keyword(name, Args::Pattern, Body::None)
}

pub(in crate::config) const fn options(name: &'static str, entry: &'static Entry) -> Unset<Bare> {
    keyword(name, Args::Options(entry), Body::None)
}

/// A command, perhaps with a user and a group.
pub(in crate::config) const fn command(
    name: &'static str,
    required: bool,
    user: bool,
) -> Unset<Bare> {
    keyword(name, Args::Script { required, user }, Body::None)
}

/// A command with an optional user and group; the first one counts.
pub(in crate::config) const fn script(name: &'static str) -> Unset<Bare> {
    command(name, true, true).repeat(Repeat::FirstCounts).default("none")
}

pub(in crate::config) const fn block(name: &'static str, block: &'static Block) -> Unset<Bare> {
    keyword(name, Args::Row { required: 0, kinds: &[] }, Body::Keywords(block))
}

pub(in crate::config) const fn named_block(
    name: &'static str,
    block: &'static Block,
) -> Unset<Bare> {
    keyword(name, Args::Row { required: 1, kinds: &[ValueKind::Text] }, Body::Keywords(block))
}

pub(in crate::config) const fn entries(name: &'static str, entry: &'static Entry) -> Unset<Bare> {
    keyword(name, Args::Row { required: 0, kinds: &[] }, Body::Entries(entry))
}

pub(in crate::config) const fn names(name: &'static str, kind: ValueKind) -> Unset<Bare> {
    keyword(name, Args::Row { required: 0, kinds: &[] }, Body::Names(kind))
}

impl<S: Copy> Unset<S> {
    /// What holds without the keyword, for the manual page.
    #[cfg(debug_assertions)]
    pub(in crate::config) const fn default(mut self, text: &'static str) -> Self {
        self.keyword.default = text;
        self
    }

    #[cfg(not(debug_assertions))]
    pub(in crate::config) const fn default(self, _: &'static str) -> Self {
        self
    }

    pub(in crate::config) const fn bad(mut self, bad: Bad) -> Self {
        self.keyword.bad = bad;
        self
    }

    pub(in crate::config) const fn repeat(mut self, repeat: Repeat) -> Self {
        self.keyword.repeat = repeat;
        self
    }

    pub(in crate::config) const fn body(mut self, body: Body) -> Self {
        self.keyword.body = body;
        self
    }

    pub(in crate::config) const fn args(mut self, args: Args) -> Self {
        self.keyword.args = args;
        self
    }

    /// Outdated, without an equivalent replacement.
    pub(in crate::config) const fn replaced(mut self, by: &'static str, report: OldName) -> Self {
        self.keyword.standing = Standing::Replaced { by, report };
        self
    }

    /// Accepted, not in effect in this version.
    pub(in crate::config) const fn later<W: Written>(mut self) -> Row<W> {
        (self.keyword.in_effect, self.keyword.is_set) = (false, false);
        Row { keyword: self.keyword, setter: Setter::Nothing }
    }

    const fn old_name<W: Written>(mut self, of: &'static str, report: OldName) -> Row<W> {
        self.keyword.standing = Standing::Alias { of, report };
        Row { keyword: self.keyword, setter: Setter::Nothing }
    }

    /// An equivalent name of `of`.
    pub(in crate::config) const fn alias<W: Written>(self, of: &'static str) -> Row<W> {
        self.old_name(of, OldName::Accepted)
    }

    /// The old name of `of`, reported as a note.
    pub(in crate::config) const fn noted<W: Written>(self, of: &'static str) -> Row<W> {
        self.old_name(of, OldName::Noted)
    }

    /// The old name of `of`, reported as an error.
    pub(in crate::config) const fn outdated<W: Written>(self, of: &'static str) -> Row<W> {
        self.old_name(of, OldName::Wrong)
    }
}

impl<W: Written> Row<W> {
    /// An old name of a keyword without effect in this version.
    pub(in crate::config) const fn later(mut self) -> Self {
        (self.keyword.in_effect, self.keyword.is_set) = (false, false);
        self
    }
}
