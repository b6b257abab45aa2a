//! CEL over records: scope predicates and change lists.
//!
//! The `cel` crate parses and evaluates. Around it stands what a text typed by a person and run on every record
//! needs: limits before parsing, names and kinds checked against the definition, absent fields as null, the leaves
//! an expression reads, and errors without values. An expression is compiled for one `Schema` and must be run with it.

mod calls;
mod check;
mod evaluate;
mod formula;
pub mod limits;
mod paths;
mod shape;
#[cfg(test)]
mod test_schema;
#[cfg(test)]
mod tests;
mod value;
mod walk;

use cel::{
    common::ast::{IdedExpr, SourceInfo},
    parser::ParseErrors,
};

pub use self::formula::Formula;

use self::{
    check::Checker,
    evaluate::{Compiled, ENV, Pattern},
};
use crate::{fault::Fault, leaves::LeafSet, record::RecordRef, schema::Schema};

/// A condition on one record: which records a permission shows.
///
/// The record is `record`; its fields may also be named alone.
#[derive(Debug, Clone)]
pub struct Predicate {
    text: String,
    reads: LeafSet,
    compiled: Compiled,
}

impl Predicate {
    /// Every fault at once; `place` is line and column in `text`.
    pub fn compile(text: &str, schema: &Schema) -> Result<Self, Vec<Fault>> {
        let (compiled, reads) = compile(text, schema, &["record"], true)?;
        Ok(Self {
            text: text.to_owned(),
            reads,
            compiled,
        })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Leaves and alignments the result can depend on.
    pub fn reads(&self) -> &LeafSet {
        &self.reads
    }

    /// Whether the record is in scope. An error means it is not; its text never holds a value.
    pub fn holds(&self, schema: &Schema, record: RecordRef<'_>) -> Result<bool, String> {
        self.compiled.holds(schema, &[Some(record.json)])
    }
}

/// A condition on a change: which changes a named list tells. `old` is null on insert, `new` on delete; their
/// fields then read null.
#[derive(Debug, Clone)]
pub struct Transition {
    text: String,
    reads: LeafSet,
    compiled: Compiled,
}

impl Transition {
    /// Every fault at once; `place` is line and column in `text`.
    pub fn compile(text: &str, schema: &Schema) -> Result<Self, Vec<Fault>> {
        let (compiled, reads) = compile(text, schema, &["old", "new"], false)?;
        Ok(Self {
            text: text.to_owned(),
            reads,
            compiled,
        })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Leaves and alignments, of either record, the result can depend on besides the records' existence.
    pub fn reads(&self) -> &LeafSet {
        &self.reads
    }

    /// Whether the change belongs in the list. An error means it does not; its text never holds a value.
    pub fn holds(
        &self,
        schema: &Schema,
        old: Option<RecordRef<'_>>,
        new: Option<RecordRef<'_>>,
    ) -> Result<bool, String> {
        self.compiled
            .holds(schema, &[old.map(|old| old.json), new.map(|new| new.json)])
    }
}

fn compile(
    text: &str,
    schema: &Schema,
    records: &[&'static str],
    bare: bool,
) -> Result<(Compiled, LeafSet), Vec<Fault>> {
    compile_as(text, schema, records, bare, |checker, expr| {
        checker.condition(expr)
    })
}

/// `check` says what the whole must be.
fn compile_as(
    text: &str,
    schema: &Schema,
    records: &[&'static str],
    bare: bool,
    check: impl FnOnce(&mut Checker<'_>, IdedExpr) -> IdedExpr,
) -> Result<(Compiled, LeafSet), Vec<Fault>> {
    let (expr, source) = parse(text)?;
    let mut checker = Checker::new(schema, text, &source, records, bare);
    let expr = check(&mut checker, expr);
    if !checker.faults.is_empty() {
        return Err(checker.faults);
    }
    // A structured field is read as a whole, so also how its leaves stand to each other.
    let read = checker.slots.iter().filter_map(|slot| slot.path.last());
    let paths: Vec<String> = read.map(|node| schema.nodes[*node].path.clone()).collect();
    let reads = schema.mask(&paths).leaves;
    let patterns = checker.patterns.into_iter().map(Pattern).collect();
    Ok((
        Compiled {
            expr,
            slots: checker.slots,
            patterns,
        },
        reads,
    ))
}

fn parse(text: &str) -> Result<(IdedExpr, SourceInfo), Vec<Fault>> {
    limits::check(text).map_err(|fault| vec![fault])?;
    let parser = ENV.parser().enable_ident_escape_syntax(true);
    parser.parse_with_source_info(text).map_err(parse_faults)
}

fn parse_faults(errors: ParseErrors) -> Vec<Fault> {
    let fault = |error: &cel::ParseError| {
        let (line, column) = (error.pos.0.max(1), error.pos.1.max(1));
        let said: String = error.msg.chars().take(200).collect();
        Fault::new(
            format!("line {line}, column {column}"),
            "expression",
            format!(
                "not a CEL expression ({said}): write for example record.Status == 'A' && record.Year >= 2020"
            ),
        )
    };
    errors.errors.iter().take(20).map(fault).collect()
}
