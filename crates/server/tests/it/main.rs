//! Tests of the real binary: one program, a module a subject.

mod command_line;
mod operations;
mod server;
