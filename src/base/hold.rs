//! Claims of a virtual router on its addresses.

/// What a virtual router requests of the holdings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hold {
    Want,
    Release,
    /// It may want its addresses later.
    Expect,
    /// Another router has them, or it cannot have them.
    Rival,
}
