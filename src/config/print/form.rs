//! Forms of words: what kind of value the word of a keyword or of an option is printed from.
//!
//! Keywords and options are looked up in their tables when the program is compiled: a name that a
//! table does not have does not compile, nor do words or braces that the keyword does not take.

use crate::config::keyword::{Args, Block, Body, Entry, Standing, Unit, ValueKind};
use crate::config::table::{is_before, LineTable, Table, Written};

/// Argument of [`Fits`](super::fits::Fits): one of these, or that of `line`.
pub(super) type Form = u64;

/// No word, or no block.
const NONE: Form = 0;

/// The forms of the kinds of words, and others.
macro_rules! forms {
    ($($other:ident),+; $($kind:pat => $form:ident,)+) => {
        $(pub(super) const $form: Form = hash(NONE, stringify!($form));)+
        $(pub(super) const $other: Form = hash(NONE, stringify!($other));)+

        const fn form(kind: ValueKind) -> Form {
            match kind {
                $($kind => $form,)+
            }
        }
    };
}
forms! {
    // A script is a command with its user.
    PATTERN, SERVICE, COMMAND, SCRIPT;
    ValueKind::Text | ValueKind::Short(_) | ValueKind::Link | ValueKind::Known(_)
        // Only routes and rules have them, which are printed as a whole.
        | ValueKind::Destination | ValueKind::Target | ValueKind::RouteTime | ValueKind::Span { .. }
        | ValueKind::Ports | ValueKind::Masked => TEXT,
    ValueKind::Secret(_) | ValueKind::Hidden => SECRET,
    ValueKind::OneOf(_) | ValueKind::OneOfAnyCase(_) => CHOICE,
    ValueKind::Int { .. } | ValueKind::AnyBase { .. } | ValueKind::Wide => NUMBER,
    ValueKind::Time { unit: Unit::Seconds | Unit::CoarseSeconds, .. } => SECONDS,
    ValueKind::Time { unit: Unit::Millis, .. } => MILLIS,
    ValueKind::Bool => SWITCH,
    ValueKind::Address | ValueKind::Group | ValueKind::Group4 | ValueKind::Group6 => ADDRESS,
    ValueKind::Prefix => PREFIX,
    ValueKind::Range => RANGE,
    ValueKind::Hex { .. } | ValueKind::Digest => HEX,
    ValueKind::Status => STATUS,
}

/// Form of the lines with this grammar.
pub(super) const fn line(entry: &Entry) -> Form {
    hash(hash(NONE, entry.name), if entry.options.is_empty() { "" } else { entry.options[0].name })
}

/// Form of the statements of a block.
const fn block(block: &Block) -> Form {
    hash(NONE, block.name)
}

/// FNV-1a of `sum` and `text`.
const fn hash(sum: u64, text: &str) -> u64 {
    let mut sum = sum ^ 0xcbf2_9ce4_8422_2325;
    let mut i = 0;
    while i < text.len() {
        sum = (sum ^ text.as_bytes()[i] as u64).wrapping_mul(0x100_0000_01b3);
        i += 1;
    }
    sum
}

/// A keyword or an option, the forms of its words, and the form of what is between its braces.
#[derive(Clone, Copy)]
pub(super) struct Named {
    pub(super) name: &'static str,
    pub(super) forms: [Form; 3],
    pub(super) inner: Form,
    /// It is a part of a line.
    pub(super) is_option: bool,
}

impl Named {
    /// Refuses another block.
    pub(super) const fn opens(&self, other: &Block) {
        assert!(self.inner == block(other), "the keyword has another block");
    }
}

impl<W: Written> Table<W> {
    /// A keyword of the block that is printed with so many words.
    pub(super) const fn named(&self, name: &str, words: usize, braces: bool) -> Named {
        let mut i = 0;
        while !is_same(self.block.keywords[i].name, name) {
            i += 1;
            // A name that the block does not have.
            assert!(i < self.block.keywords.len(), "{}", name);
        }
        let keyword = &self.block.keywords[i];
        let is_old = matches!(keyword.standing, Standing::Alias { .. });
        assert!(!is_old, "the keyword is an old name of another one");
        let (required, forms) = match keyword.args {
            Args::Row { required, kinds } => (required, forms(kinds, NONE)),
            Args::Many { required, kind } => (required, forms(&[], form(kind))),
            Args::Options(entry) => (1, [line(entry), NONE, NONE]),
            Args::Script { required, user: true } => (required as usize, [SCRIPT, NONE, NONE]),
            Args::Script { required, user: false } => (required as usize, [COMMAND, NONE, NONE]),
            Args::Pattern => (1, [PATTERN, NONE, NONE]),
            Args::Service => (1, [SERVICE, NONE, NONE]),
        };
        assert!(words >= required, "the keyword needs more words");
        let inner = match keyword.body {
            Body::None => NONE,
            Body::Keywords(inner) => block(inner),
            Body::Entries(entry) => line(entry),
            Body::Names(kind) => form(kind),
        };
        assert!(braces || inner == NONE, "the keyword needs a block");
        assert!(!braces || inner != NONE, "the keyword takes no block");
        Named { name: keyword.name, forms, inner, is_option: false }
    }
}

impl<W: Written> LineTable<W> {
    /// An option of the line that is printed with so many words; without a name, the other words.
    pub(super) const fn named(&self, name: &str, words: usize, _: bool) -> Named {
        let Entry { options, head, free, .. } = self.entry;
        let (inner, is_option) = (NONE, true);
        if name.is_empty() {
            return Named { name: "", forms: forms(head, optional(free)), inner, is_option };
        }
        let mut i = 0;
        while !is_same(options[i].name, name) {
            i += 1;
            // A name that the line does not have.
            assert!(i < options.len(), "{}", name);
        }
        let value = optional(options[i].value);
        assert!(words > 0 || value == NONE, "the option needs a value");
        let after = if options[i].after.is_empty() { NONE } else { CHOICE };
        Named { name: options[i].name, forms: [value, after, NONE], inner, is_option }
    }
}

const fn optional(kind: Option<ValueKind>) -> Form {
    match kind {
        Some(kind) => form(kind),
        None => NONE,
    }
}

/// Forms of the first words of a line, and that of all others.
const fn forms(kinds: &[ValueKind], rest: Form) -> [Form; 3] {
    let mut forms = [rest; 3];
    let mut i = 0;
    while i < kinds.len() && i < forms.len() {
        forms[i] = form(kinds[i]);
        i += 1;
    }
    forms
}

/// What is the same in several tables.
pub(super) const fn common(tables: &[Named]) -> Named {
    let mut i = 3;
    while i < tables.len() * 3 {
        let (one, other) = (tables[0].forms[i % 3], tables[i / 3].forms[i % 3]);
        assert!(one == other, "the words of the keyword differ between the tables");
        assert!(tables[0].inner == tables[i / 3].inner, "its blocks differ between the tables");
        i += 1;
    }
    tables[0]
}

const fn is_same(a: &str, b: &str) -> bool {
    !is_before(a, b) && !is_before(b, a)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keywords::{LVS_SYNC_DAEMON, UNICAST_PEER, VIRTUAL_SERVER};

    #[test]
    fn a_word_has_the_form_of_its_kind() {
        let forms = |name, words| VIRTUAL_SERVER.named(name, words, false).forms;
        assert_eq!(forms("quorum", 1), [NUMBER, NONE, NONE]);
        assert_eq!(forms("delay_loop", 1), [SECONDS, NONE, NONE]);
        assert_eq!(forms("sorry_server", 2), [ADDRESS, NUMBER, NONE]);
        assert_eq!(forms("ops", 0), [NONE; 3]);
        assert_eq!(LVS_SYNC_DAEMON.named("group", 1, false).forms, [ADDRESS, NONE, NONE]);
        assert_eq!(LVS_SYNC_DAEMON.named("", 1, false).forms, [TEXT; 3]);
    }

    /// In a constant, as `put` has them, these do not compile.
    #[test]
    fn what_no_table_has_is_refused() {
        for (name, words, braces) in [
            ("quorums", 1, false),
            ("lb_algo", 1, false),
            ("quorum", 0, false),
            ("quorum", 1, true),
            ("real_server", 1, false),
        ] {
            let look = || VIRTUAL_SERVER.named(name, words, braces);
            assert!(std::panic::catch_unwind(look).is_err(), "{name}");
        }
        for (name, words) in [("ttl", 1), ("min_ttl", 0)] {
            let look = || UNICAST_PEER.named(name, words, false);
            assert!(std::panic::catch_unwind(look).is_err(), "{name}");
        }
    }
}
