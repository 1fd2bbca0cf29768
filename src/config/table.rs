//! Tables of keywords with their setters.
//!
//! A row is the grammar of a keyword ([`Keyword`]) and a setter: a function that stores the value
//! in the struct of the block. The value has the type that the words of the keyword have, and a
//! keyword in effect without a setter does not compile.

mod words;

use std::marker::PhantomData;
use std::net::IpAddr;
use std::time::Duration;

use super::document::{Children, Node, Word};
use super::entry::{Cursor, Item, LineUse};
use super::keyword::{Block, Body, Entry, Keyword, Opt};
use super::statement::{Checker, Statement};
use super::value::Value;
use crate::base::diag::Span;
pub(super) use words::{
    address, any, block, command, entries, flag, link, many, maybe_number, maybe_word, named_block,
    names, number, options, pattern, row, script, switch, text, time, word,
};

/// Type for the contents of a block, for any lifetime of the document.
pub(super) trait Written {
    type In<'d>;
}

/// A type that copies values from the document.
macro_rules! owned {
    ($($name:ty),*) => {
        $(impl $crate::config::table::Written for $name {
            type In<'d> = Self;
        })*
    };
}
/// A type that borrows words of the document.
macro_rules! borrowed {
    ($($name:ident),*) => {
        $(impl $crate::config::table::Written for $name<'static> {
            type In<'d> = $name<'d>;
        })*
    };
}
pub(super) use {borrowed, owned};

/// A setting and its position.
#[derive(Clone, Copy)]
pub(super) struct Given<T> {
    pub value: T,
    pub span: Span,
}

/// Keywords that are all without effect set nothing.
impl Written for () {
    type In<'d> = ();
}

/// One statement, as passed to a setter.
pub(super) struct Setting<'c, 'a, 'd, V> {
    pub value: V,
    pub statement: Statement<'d>,
    pub checker: &'c mut Checker<'a>,
}

impl<'d, V> Setting<'_, '_, 'd, V> {
    pub(super) const fn node(&self) -> Node<'d> {
        self.statement.node
    }

    /// Position of the keyword.
    pub(super) fn span(&self) -> Span {
        self.node().keyword().span
    }

    /// The first word after the keyword, or else the keyword.
    pub(super) fn word(&self) -> Word<'d> {
        self.node().arg(0).unwrap_or_else(|| self.node().keyword())
    }

    /// A value with the place of the keyword.
    pub(super) fn here<T>(&self, value: T) -> Given<T> {
        Given { value, span: self.span() }
    }

    /// Reports an error in this statement.
    pub(super) fn error(&mut self, text: impl AsRef<str>) {
        let span = self.span();
        self.checker.out.error(self.statement.keyword.name, span, text);
    }

    /// Reads the block of the statement.
    pub(super) fn block<W: Written>(&mut self, table: &'static Table<W>) -> W::In<'d>
    where
        W::In<'d>: Default,
    {
        let mut raw = W::In::default();
        self.checker.fill(self.node().children(), table, &mut raw);
        raw
    }

    /// Reads the options on the line of the keyword.
    pub(super) fn options<W: Written>(
        &mut self,
        table: &'static LineTable<W>,
        raw: &mut W::In<'d>,
    ) -> LineUse {
        let mut words = Cursor::args(self.node());
        let set = &mut |checker: &mut Checker<'_>, item| table.set(raw, checker, item);
        let line = self.checker.entry_words(&mut words, &table.entry, set);
        if line != LineUse::Useless {
            self.checker.braces(self.node(), self.statement.keyword);
        }
        line
    }

    /// Adds what `read` makes of the lines of the block.
    pub(super) fn lines<T>(
        &mut self,
        to: &mut Vec<T>,
        read: fn(&mut Checker<'_>, Node<'d>) -> Option<T>,
    ) {
        // Thousands of instances have a single line each.
        to.reserve_exact(self.node().children().count());
        to.extend(self.node().children().filter_map(|line| read(self.checker, line)));
    }

    /// Reads a block that consists of names.
    pub(super) fn names(&mut self, names: &mut Vec<Word<'d>>) {
        let Body::Names(kind) = self.statement.keyword.body else { return };
        let node = self.node();
        self.checker.names(node, self.statement.keyword, kind, &mut |_, word| names.push(word));
    }
}

impl Setting<'_, '_, '_, i64> {
    /// The number as the type that the limits of the keyword were chosen for.
    pub(super) fn number<T: TryFrom<i64> + Default>(&self) -> T {
        narrowed(self.value)
    }
}

impl Setting<'_, '_, '_, Option<i64>> {
    /// The number, or the meaning of the keyword without one.
    pub(super) fn number_or<T: TryFrom<i64> + Default>(&self, bare: T) -> T {
        self.value.map_or(bare, narrowed)
    }
}

/// A number within the limits of its keyword.
pub(super) fn narrowed<T: TryFrom<i64> + Default>(n: i64) -> T {
    T::try_from(n).unwrap_or_default()
}

/// A keyword whose value has the shape `S`, and which is not yet said to do anything.
#[derive(Clone, Copy)]
pub(super) struct Unset<S> {
    keyword: Keyword,
    shape: PhantomData<S>,
}

/// A keyword with its setter for `W`.
pub(super) struct Row<W: Written> {
    pub keyword: Keyword,
    pub setter: Setter<W>,
}

// Derived, these would ask the same of `W`.
impl<W: Written> Clone for Row<W> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<W: Written> Copy for Row<W> {}
impl<W: Written> Clone for Setter<W> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<W: Written> Copy for Setter<W> {}

/// The keywords of a block, and the setter of each at the same index.
pub(super) struct Table<W: Written + 'static> {
    pub block: Block,
    pub setters: &'static [Setter<W>],
}

/// For each shape of values: its name, and the type of the value that a setter gets.
macro_rules! shapes {
    ($($shape:ident: $value:ty),* $(,)?) => {
        $(
            #[derive(Clone, Copy)]
            pub(super) struct $shape;

            impl Unset<$shape> {
                pub(super) const fn sets<W: Written>(
                    self,
                    set: for<'c, 'a, 'd> fn(&mut W::In<'d>, Setting<'c, 'a, 'd, $value>),
                ) -> Row<W> {
                    Row { keyword: self.keyword, setter: Setter::$shape(set) }
                }
            }
        )*

        /// Treatment of a value.
        pub(super) enum Setter<W: Written> {
            /// The keyword has no effect of its own.
            Nothing,
            $($shape(for<'c, 'a, 'd> fn(&mut W::In<'d>, Setting<'c, 'a, 'd, $value>)),)*
        }
    };
}

shapes! {
    // The keyword alone, or with words or a block that its setter looks at.
    Bare: (),
    Switch: bool,
    Number: i64,
    Period: Duration,
    Chars: &'d str,
    Inet: IpAddr,
    MaybeNumber: Option<i64>,
    MaybeChars: Option<&'d str>,
}

impl<W: Written> Table<W> {
    /// Stores the value of a statement of this block.
    pub(super) fn set<'d>(
        &self,
        raw: &mut W::In<'d>,
        checker: &mut Checker<'_>,
        statement: Statement<'d>,
    ) {
        macro_rules! call {
            ($set:ident, $value:expr) => {
                $set(raw, Setting { value: $value, statement, checker })
            };
        }
        match (self.setters[statement.index], statement.value) {
            (Setter::Bare(set), _) => call!(set, ()),
            (Setter::Switch(set), value) => call!(set, value != Value::Bool(false)),
            (Setter::Number(set), Value::Int(n)) => call!(set, n),
            (Setter::Period(set), Value::Micros(n)) => call!(set, Duration::from_micros(n)),
            (Setter::Chars(set), Value::Text(text)) => call!(set, text),
            (Setter::Inet(set), Value::Addr(addr)) => call!(set, addr),
            (Setter::MaybeNumber(set), Value::Int(n)) => call!(set, Some(n)),
            (Setter::MaybeNumber(set), Value::Nothing) => call!(set, None),
            (Setter::MaybeChars(set), Value::Text(text)) => call!(set, Some(text)),
            (Setter::MaybeChars(set), Value::Nothing) => call!(set, None),
            (_, value) => {
                debug_assert!(false, "'{}' is {value:?}", statement.keyword.name);
            }
        }
    }
}

impl Checker<'_> {
    /// Reads the statements of a block, in order, into `raw`.
    pub(super) fn fill<'d, W: Written>(
        &mut self,
        statements: Children<'d>,
        table: &'static Table<W>,
        raw: &mut W::In<'d>,
    ) {
        self.block(statements, &table.block, &mut |checker, s| table.set(raw, checker, s));
    }

    /// Reads one line of a list into `raw`.
    pub(super) fn fill_line<'d, W: Written>(
        &mut self,
        line: Node<'d>,
        table: &'static LineTable<W>,
        raw: &mut W::In<'d>,
    ) -> LineUse {
        self.entry(line, &table.entry, &mut |checker, item| table.set(raw, checker, item))
    }
}

/// Treatment of an item of a line.
type ItemSetter<W> = for<'c, 'a, 'd> fn(&mut <W as Written>::In<'d>, Item<'d>, &'c mut Checker<'a>);

/// The setter of an option, and the table of the options nested in it.
pub(super) type OptSetter<W> = (ItemSetter<W>, Option<&'static LineTable<W>>);

/// An option of a line with its setter for `W`, and the rows of the options nested in it.
pub(super) struct OptRow<W: Written + 'static> {
    pub option: Opt,
    pub set: ItemSetter<W>,
    pub nested: Option<&'static LineTable<W>>,
}

impl<W: Written> OptRow<W> {
    /// An option that others may follow.
    pub(super) const fn nesting(
        option: Opt,
        nested: &'static LineTable<W>,
        set: ItemSetter<W>,
    ) -> Self {
        Self { option: option.nested(&nested.entry), set, nested: Some(nested) }
    }
}

impl<W: Written> Clone for OptRow<W> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<W: Written> Copy for OptRow<W> {}

/// The grammar of a line, with a setter for the words it begins with and for free ones, and one for
/// each option at the same index.
pub(super) struct LineTable<W: Written + 'static> {
    pub entry: Entry,
    pub plain: ItemSetter<W>,
    /// What each option sets, and the options that may follow it.
    pub setters: &'static [OptSetter<W>],
}

impl<W: Written> LineTable<W> {
    fn set<'d>(&self, raw: &mut W::In<'d>, checker: &mut Checker<'_>, item: Item<'d>) {
        let mut table = self;
        for outer in item.within.into_iter().flatten() {
            let Some(nested) = table.setters[outer].1 else { return };
            table = nested;
        }
        let set = item.index.map_or(table.plain, |index| table.setters[index].0);
        set(raw, item, checker);
    }
}

/// An array of what an expression takes from each row of a constant list.
macro_rules! column {
    ($rows:ident, $row:ident => $of:expr) => {{
        let $row = $rows[0];
        let mut column = [$of; $rows.len()];
        let mut i = 1;
        while i < $rows.len() {
            let $row = $rows[i];
            column[i] = $of;
            i += 1;
        }
        column
    }};
}
pub(super) use column;

/// Rows of options: `OPTION => SETTER`, or `OPTION; NESTED => SETTER` for one that options of
/// another table may follow.
macro_rules! opt_rows {
    ($raw:ty: $($option:expr $(; $nested:expr)? => $set:expr),* $(,)?) => {
        [$($crate::config::table::opt_rows!(@ $raw, $option, $set $(, $nested)?)),*]
    };
    (@ $raw:ty, $option:expr, $set:expr) => {
        $crate::config::table::OptRow::<$raw> { option: $option, set: $set, nested: None }
    };
    (@ $raw:ty, $option:expr, $set:expr, $nested:expr) => {
        $crate::config::table::OptRow::<$raw>::nesting($option, $nested, $set)
    };
}
/// A table of a line: the grammar without its options, the setter of plain words, and an array of
/// rows.
macro_rules! line_table {
    ($raw:ty, $entry:expr, $plain:expr, [$($rows:tt)*]) => {
        $crate::config::table::line_table!(
            $raw, $entry, $plain; $crate::config::table::opt_rows![$raw: $($rows)*]
        )
    };
    ($raw:ty, $entry:expr, $plain:expr; $rows:expr) => {{
        const ROWS: &[$crate::config::table::OptRow<$raw>] = &$rows;
        const OPTIONS: &[$crate::config::keyword::Opt] =
            &$crate::config::table::column!(ROWS, row => row.option);
        const SETTERS: &[$crate::config::table::OptSetter<$raw>] =
            &$crate::config::table::column!(ROWS, row => (row.set, row.nested));
        $crate::config::table::LineTable {
            entry: $crate::config::keyword::Entry { options: OPTIONS, ..$entry },
            plain: $plain,
            setters: SETTERS,
        }
    }};
}
pub(super) use {line_table, opt_rows};

/// Rows as tables have them: `KEYWORD => SETTER`, or a keyword that has no effect of its own.
macro_rules! rows {
    ($raw:ty: $($row:expr $(=> $set:expr)?),* $(,)?) => {
        [$($crate::config::table::rows!(@ $raw, $row $(, $set)?)),*]
    };
    (@ $raw:ty, $row:expr) => { $row };
    (@ $raw:ty, $row:expr, $set:expr) => { $row.sets::<$raw>($set) };
}
/// A table of rows, or of an array of rows after a `;`.
macro_rules! table {
    ($raw:ty, $name:literal, [$($rows:tt)*]) => {
        $crate::config::table::table!($raw, $name; $crate::config::table::rows![$raw: $($rows)*])
    };
    ($raw:ty, $name:literal; $rows:expr) => {{
        const ROWS: &[$crate::config::table::Row<$raw>] = &$crate::config::table::sorted($rows);
        const KEYWORDS: &[$crate::config::keyword::Keyword] =
            &$crate::config::table::column!(ROWS, row => row.keyword);
        const SETTERS: &[$crate::config::table::Setter<$raw>] =
            &$crate::config::table::column!(ROWS, row => row.setter);
        $crate::config::table::Table {
            block: $crate::config::keyword::Block { name: $name, keywords: KEYWORDS },
            setters: SETTERS,
        }
    }};
}
pub(super) use {rows, table};

/// Puts rows into the order [`Block::position`] needs, so that they can be written in the order of
/// the manual page.
pub(super) const fn sorted<W: Written, const N: usize>(mut rows: [Row<W>; N]) -> [Row<W>; N] {
    let mut i = 1;
    while i < N {
        let mut j = i;
        while j > 0 && is_before(rows[j].keyword.name, rows[j - 1].keyword.name) {
            let swap = rows[j];
            rows[j] = rows[j - 1];
            rows[j - 1] = swap;
            j -= 1;
        }
        i += 1;
    }
    rows
}

pub(super) const fn is_before(a: &str, b: &str) -> bool {
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

/// One list of rows after the other.
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
