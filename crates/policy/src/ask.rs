//! What a recipient asks, as far as a permission can judge it.

use dagr_model::{fault::Fault, permission::Way};
use jiff::civil::Date;

/// One call under one permission.
#[derive(Debug, Clone)]
pub struct Ask {
    pub way: Way,
    /// `fields=` as sent; `None` = everything granted.
    pub fields: Option<Vec<String>>,
    pub target: Target,
    /// The recipient's case number, where one was sent.
    pub case: Option<String>,
    /// Today in Europe/Riga.
    pub today: Date,
    /// Uses left under the quota; `None` = unlimited.
    pub left: Option<u64>,
}

/// What is asked for. Keys are in their order-preserving bytes; an `Err` is what could not be read as one.
#[derive(Debug, Clone)]
pub enum Target {
    /// Full keys, in the order asked.
    Keys(Vec<Result<Vec<u8>, Fault>>),
    /// A page of all records under a leading part of the key; `rule` of a fault as in `Page`.
    Leading(Result<Vec<u8>, Fault>),
    /// A page by index, of everything, or of a feed; `rule` of a fault is `key_invalid` or `cursor_invalid`.
    Page(Result<(), Fault>),
}

impl Target {
    /// Uses the call takes at least.
    pub fn uses(&self) -> u64 {
        match self {
            Self::Keys(keys) => (keys.len() as u64).max(1),
            Self::Leading(_) | Self::Page(_) => 1,
        }
    }

    pub fn is_page(&self) -> bool {
        !matches!(self, Self::Keys(_))
    }
}
