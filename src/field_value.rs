//! What the constructors of rejections take for the value of a header field.

use http::{HeaderValue, Method, Uri};

/// A value, or a list of values, for a header field.
///
/// Implemented for strings, [`HeaderValue`] and [`Uri`], and for arrays, slices and vectors of
/// strings and methods, which become a comma-separated list.
pub trait IntoFieldValue: sealed::Sealed {
    /// The value; `None` if it holds characters that a field cannot have.
    #[doc(hidden)]
    fn into_field_value(self) -> Option<HeaderValue>;
}

mod sealed {
    #[allow(
        unnameable_types,
        reason = "nobody else is to implement `IntoFieldValue`"
    )]
    pub trait Sealed {}
}

macro_rules! single {
    ($($type:ty: $self:ident => $value:expr;)+) => {$(
        impl sealed::Sealed for $type {}
        impl IntoFieldValue for $type {
            fn into_field_value($self) -> Option<HeaderValue> {
                $value
            }
        }
    )+};
}

single! {
    HeaderValue: self => Some(self);
    &HeaderValue: self => Some(self.clone());
    &str: self => HeaderValue::from_str(self).ok();
    String: self => HeaderValue::try_from(self).ok();
    &String: self => HeaderValue::from_str(self).ok();
    Uri: self => HeaderValue::try_from(self.to_string()).ok();
    &Uri: self => HeaderValue::try_from(self.to_string()).ok();
}

fn list<T: AsRef<str>>(members: &[T]) -> Option<HeaderValue> {
    let members: Vec<&str> = members.iter().map(AsRef::as_ref).collect();
    HeaderValue::try_from(members.join(", ")).ok()
}

macro_rules! lists {
    ($($member:ty),+) => {$(
        impl<const N: usize> sealed::Sealed for [$member; N] {}
        impl<const N: usize> IntoFieldValue for [$member; N] {
            fn into_field_value(self) -> Option<HeaderValue> {
                list(&self)
            }
        }
        impl<const N: usize> sealed::Sealed for &[$member; N] {}
        impl<const N: usize> IntoFieldValue for &[$member; N] {
            fn into_field_value(self) -> Option<HeaderValue> {
                list(self)
            }
        }
        impl sealed::Sealed for &[$member] {}
        impl IntoFieldValue for &[$member] {
            fn into_field_value(self) -> Option<HeaderValue> {
                list(self)
            }
        }
        impl sealed::Sealed for Vec<$member> {}
        impl IntoFieldValue for Vec<$member> {
            fn into_field_value(self) -> Option<HeaderValue> {
                list(&self)
            }
        }
        impl sealed::Sealed for &Vec<$member> {}
        impl IntoFieldValue for &Vec<$member> {
            fn into_field_value(self) -> Option<HeaderValue> {
                list(self)
            }
        }
    )+};
}

lists!(&str, String, Method);
