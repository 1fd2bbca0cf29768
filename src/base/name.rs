//! Names that many parts of the daemon keep: of instances, interfaces, virtual servers.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use crate::base::sorted::SortedSet;

/// A text in one place of memory, however many keep it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SharedName(Rc<str>);

impl SharedName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for SharedName {
    fn default() -> Self {
        Self::from("")
    }
}

impl Deref for SharedName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for SharedName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<T: Into<Rc<str>>> From<T> for SharedName {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl PartialEq<str> for SharedName {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for SharedName {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl PartialEq<String> for SharedName {
    fn eq(&self, other: &String) -> bool {
        *self.0 == **other
    }
}

impl PartialEq<SharedName> for String {
    fn eq(&self, other: &SharedName) -> bool {
        **self == *other.0
    }
}

impl fmt::Display for SharedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for SharedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The names seen so far, so that equal ones are shared.
#[derive(Debug, Default)]
pub struct SharedNames(RefCell<SortedSet<SharedName>>);

impl SharedNames {
    pub fn of(&self, text: &str) -> SharedName {
        let mut known = self.0.borrow_mut();
        if let Some(name) = known.get(text) {
            return name.clone();
        }
        let name = SharedName::from(text);
        known.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_one() {
        let names = SharedNames::default();
        let (a, b, c) = (names.of("eth0"), names.of("eth0"), names.of("eth1"));
        assert!(Rc::ptr_eq(&a.0, &b.0) && a != c);
    }
}
