//! What stands for `$1`: the two kinds of columns there are. A null keeps its kind, for PostgreSQL asks.

use std::borrow::Cow;

#[derive(Debug, Clone)]
pub(crate) enum Value<'q> {
    Text(Option<Cow<'q, str>>),
    Number(Option<i64>),
}

macro_rules! from {
    ($($from:ty => |$value:ident| $to:expr;)*) => {$(
        impl<'q> From<$from> for Value<'q> {
            fn from($value: $from) -> Self {
                $to
            }
        }
    )*};
}

from! {
    i64 => |number| Self::Number(Some(number));
    Option<i64> => |number| Self::Number(number);
    String => |text| Self::Text(Some(text.into()));
    Option<String> => |text| Self::Text(text.map(Cow::from));
    &'q str => |text| Self::Text(Some(text.into()));
    &'q &str => |text| Self::Text(Some((*text).into()));
    &'q String => |text| Self::Text(Some(text.into()));
    Option<&'q str> => |text| Self::Text(text.map(Cow::from));
    Option<&'q String> => |text| Self::Text(text.map(Cow::from));
    &'q Option<String> => |text| Self::Text(text.as_ref().map(Cow::from));
}
