//! The life of a permission, after it was granted.
