//! Values that few of thousands of owners have.

use std::fmt;
use std::ops::Deref;

/// A value that takes the room of a pointer as long as it is the default.
pub struct Seldom<T>(Option<Box<T>>);

/// The default, in a place of its own.
pub trait Blank: Default + PartialEq + 'static {
    const BLANK: &'static Self;
}

impl<T: Blank> Seldom<T> {
    /// Takes another value, and returns the one before.
    pub fn replace(&mut self, value: T) -> T {
        let before = self.take();
        *self = value.into();
        before
    }

    /// The value, in whose place the default remains.
    pub fn take(&mut self) -> T {
        self.0.take().map(|value| *value).unwrap_or_default()
    }

    /// Changes the value.
    pub fn edit<R>(&mut self, change: impl FnOnce(&mut T) -> R) -> R {
        let mut value = self.take();
        let result = change(&mut value);
        *self = value.into();
        result
    }
}

impl<T: Blank> From<T> for Seldom<T> {
    fn from(value: T) -> Self {
        Self((value != *T::BLANK).then(|| Box::new(value)))
    }
}

impl<T> Default for Seldom<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Blank> Deref for Seldom<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::BLANK)
    }
}

impl<T: PartialEq> PartialEq for Seldom<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T: Blank + fmt::Debug> fmt::Debug for Seldom<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Clone> Clone for Seldom<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Eq> Eq for Seldom<T> {}

impl Blank for Option<String> {
    const BLANK: &'static Self = &None;
}

impl<T: PartialEq + 'static> Blank for Vec<T> {
    const BLANK: &'static Self = &Self::new();
}

impl<T: PartialEq + 'static> FromIterator<T> for Seldom<Vec<T>> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        values.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'a, T: PartialEq + 'static> IntoIterator for &'a Seldom<Vec<T>> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: PartialEq + 'static, const N: usize> PartialEq<[T; N]> for Seldom<Vec<T>> {
    fn eq(&self, other: &[T; N]) -> bool {
        **self == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_the_default_takes_memory() {
        let mut seldom = Seldom::<Option<String>>::default();
        assert_eq!(size_of_val(&seldom), size_of::<usize>());
        assert_eq!(*seldom, None);
        assert_eq!(seldom.replace(Some("a".to_owned())), None);
        seldom.edit(|text| text.get_or_insert_default().push('b'));
        assert_eq!(seldom.as_deref(), Some("ab"));
        seldom.edit(|text| *text = None);
        assert!(seldom.0.is_none() && seldom.take().is_none());
    }
}
