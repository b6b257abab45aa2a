//! Running a checked expression over records.

use std::sync::{Arc, LazyLock, OnceLock};

use cel::{
    Context, Env, ExecutionError, Value,
    common::{
        ast::IdedExpr,
        types::{CelBool, CelInt, CelNull, CelString, Type as CelType},
        value::{CowVal, StaticVal, Val},
    },
    context::VariableResolver,
};
use regex::Regex;
use smallvec::SmallVec;

use super::{
    calls,
    check::Slot,
    value::{self, Reading},
    walk,
};
use crate::schema::Schema;

/// The functions of CEL and ours; shared, as making one costs more than many evaluations.
pub static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    // The names are ours alone, so no declaration can clash.
    let _ = cel::add_overload!(env, fn moment: (CelString) -> CelString, name = calls::MOMENT, id = "dagr_moment");
    let _ = cel::add_overload!(env, fn order: (CelString, CelString) -> CelInt, name = calls::ORDER, id = "dagr_order");
    let _ = cel::add_overload!(env, fn matches: (CelString, Pattern) -> CelBool, name = calls::MATCHES, id = "dagr_matches");
    Arc::new(env)
});

static PATTERN: CelType = CelType::new_unspecified_type("pattern");

/// A pattern compiled once.
#[derive(Debug, Clone)]
pub struct Pattern(pub Regex);

impl Val for Pattern {
    fn get_type(&self) -> &CelType {
        &PATTERN
    }

    fn cel_type() -> &'static CelType {
        &PATTERN
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

impl StaticVal for Pattern {}

fn matches(text: &CelString<'_>, pattern: &Pattern) -> CelBool {
    CelBool::from(pattern.0.is_match(text.inner()))
}

/// What CEL's `timestamp` takes: a date is its midnight in UTC.
fn moment(text: &CelString<'_>) -> CelString<'static> {
    let text = text.inner();
    let midnight = if text.len() == "2000-01-01".len() {
        "T00:00:00Z"
    } else {
        ""
    };
    CelString::from(format!("{text}{midnight}"))
}

/// Canonical timestamps differ in length by their fraction; without the final `Z` the order of text is that of time.
fn order(a: &CelString<'_>, b: &CelString<'_>) -> CelInt {
    let [a, b] = [a, b].map(|text| text.inner().trim_end_matches('Z'));
    CelInt::from(match a.cmp(b) {
        std::cmp::Ordering::Less => -1,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    })
}

/// A checked expression, ready to run.
#[derive(Debug, Clone)]
pub struct Compiled {
    pub expr: IdedExpr,
    pub slots: Vec<Slot>,
    pub patterns: Vec<Pattern>,
}

impl Compiled {
    /// Runs over the canonical JSON of each record (`None` = null). Errors say what failed, never on what value.
    pub fn holds(&self, schema: &Schema, records: &[Option<&[u8]>]) -> Result<bool, String> {
        self.run(schema, records, |value| {
            value.downcast_ref::<CelBool>().map_or_else(
                || Err("gives neither true nor false: compare the value with something".to_owned()),
                |holds| Ok(*holds.inner()),
            )
        })
    }

    /// The same; `read` takes what comes out.
    pub fn run<T>(
        &self,
        schema: &Schema,
        records: &[Option<&[u8]>],
        read: impl FnOnce(&CowVal<'_, '_>) -> Result<T, String>,
    ) -> Result<T, String> {
        let reading = Reading::new(schema);
        let found = self.slots.iter().map(|_| OnceLock::new()).collect();
        let variables = Variables {
            compiled: self,
            reading: &reading,
            records,
            found,
        };
        let mut context = Context::with_env(Arc::clone(&ENV));
        context.set_variable_resolver(&variables);
        let result = Value::resolve_val(&self.expr, &context);
        if reading.exhausted() {
            return Err(format!(
                "reads more than {} MiB of the record",
                super::limits::MAX_READ_BYTES >> 20
            ));
        }
        match result {
            Ok(value) => read(&value),
            Err(error) => Err(describe(&error)),
        }
    }
}

struct Variables<'e> {
    compiled: &'e Compiled,
    reading: &'e Reading<'e>,
    records: &'e [Option<&'e [u8]>],
    /// Where each slot stands: found once, however often a loop asks. `None` = absent.
    found: SmallVec<[OnceLock<Option<&'e [u8]>>; 4]>,
}

impl<'e> Variables<'e> {
    fn find(&self, slot: &Slot) -> Option<&'e [u8]> {
        let mut json = self.records.get(slot.side).copied().flatten()?;
        for node in &slot.path {
            json = walk::member(json, &self.reading.schema.nodes.get(*node)?.label)?;
        }
        Some(json)
    }
}

impl VariableResolver for Variables<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        if let Some(at) = variable.strip_prefix('%') {
            let pattern = self.compiled.patterns.get(at.parse::<usize>().ok()?)?;
            return Some(CowVal::Borrowed(pattern));
        }
        let at = variable.strip_prefix('$')?.parse::<usize>().ok()?;
        if self.reading.exhausted() {
            return None;
        }
        let slot = self.compiled.slots.get(at)?;
        match (
            self.found.get(at)?.get_or_init(|| self.find(slot)),
            slot.path.last(),
        ) {
            (None, _) => self.reading.absent().then(|| CowVal::owned(CelNull)),
            (Some(json), None) => Some(CowVal::Owned(value::of_record(self.reading, json))),
            (Some(json), Some(node)) => value::of_node(self.reading, *node, json).map(CowVal::Owned),
        }
    }
}

/// What went wrong without the values at which it did.
fn describe(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchOverload(overload) => format!(
            "{} does not take {}: test for null first",
            overload.function().trim_start_matches('$'),
            overload.argument_types().join(" and ")
        ),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            "divides by zero".to_owned()
        }
        ExecutionError::Overflow(..) => "a calculation goes beyond 64 bits".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "asks for an element the list does not have".to_owned(),
        ExecutionError::UnsupportedBinaryOperator(operator, ..) => {
            format!("{operator} does not take these kinds of values: test for null first")
        }
        ExecutionError::ValuesNotComparable(..) => {
            "compares values of different kinds: test for null first".to_owned()
        }
        ExecutionError::FunctionError { function, .. } => {
            format!("{} failed on a value", function.trim_start_matches('$'))
        }
        ExecutionError::NoSuchKey(_) => "asks for a member that is not there".to_owned(),
        _ => "failed on a value: test for null and kind first".to_owned(),
    }
}
