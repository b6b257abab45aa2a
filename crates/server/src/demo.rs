//! The demo: a synthetic nation and its story.

pub mod nation;
