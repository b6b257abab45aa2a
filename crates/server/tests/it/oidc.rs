//! Signing people in by OpenID Connect: a real provider, and a false one that breaks one rule at a time.

mod browser;
mod false_answers;
mod false_provider;
mod real;
mod real_provider;
