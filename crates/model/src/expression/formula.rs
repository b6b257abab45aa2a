//! A value made of a row's columns.

use std::{collections::BTreeSet, sync::Arc};

use cel::common::{
    ast::{Expr, IdedExpr},
    types::{CelBool, CelDouble, CelInt, CelNull, CelString, CelUInt},
    value::CowVal,
};

use super::{compile_as, evaluate::Compiled, parse};
use crate::{fault::Fault, schema::Schema};

/// Columns an expression may name; of a wider row the first.
const MAX_COLUMNS: usize = 500;
/// The row's own name.
const ROW: &str = "row";

/// An expression over a row of texts. The row is `row`; its columns may also be named alone. An empty column is null.
///
/// Columns whose names are no identifiers cannot be named.
#[derive(Debug)]
pub struct Formula {
    schema: Schema,
    compiled: Compiled,
    /// Columns that are read: place in the row, and its label in JSON.
    columns: Vec<(usize, String)>,
}

impl Formula {
    /// Every fault at once; `place` is line and column in `text`.
    pub fn compile(text: &str, columns: &[String]) -> Result<Self, Vec<Fault>> {
        let schema = schema_of(columns)?;
        let (compiled, _) = compile_as(text, &schema, &[ROW], true, |checker, expr| {
            let id = expr.id;
            let (expr, shape) = checker.value(expr);
            if !shape.may_be_scalar() {
                checker.fault(
                    id,
                    format!(
                        "gives {}: a text, a number or a truth value is wanted",
                        shape.name()
                    ),
                );
            }
            expr
        })?;
        let read = |name: &String| {
            let node = schema.node(name)?;
            let mut read = compiled.slots.iter().filter_map(|slot| slot.path.first());
            read.any(|read| *read == node).then(|| format!("\"{name}\":"))
        };
        let columns = columns
            .iter()
            .enumerate()
            .filter_map(|(at, name)| Some((at, read(name)?)))
            .collect();
        Ok(Self {
            schema,
            compiled,
            columns,
        })
    }

    /// Columns that an expression reads, where a row has them all; none of what is no expression.
    pub fn names(text: &str) -> Vec<String> {
        let Ok((expr, _)) = parse(text) else {
            return Vec::new();
        };
        let mut named = BTreeSet::new();
        collect(&expr, &mut named);
        let named: Vec<String> = named.into_iter().map(str::to_owned).collect();
        match Self::compile(text, &named) {
            // Not the variables of its loops.
            Ok(formula) => formula.columns().map(|at| named[at].clone()).collect(),
            Err(_) => named,
        }
    }

    /// Places in the row that are read.
    pub fn columns(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().map(|(at, _)| *at)
    }

    /// The value for a row, as text; `None` = none. Errors say what failed, never on what value.
    pub fn value(&self, cells: &[Option<&str>]) -> Result<Option<String>, String> {
        let mut json = vec![b'{'];
        for (at, label) in &self.columns {
            let Some(text) = cells.get(*at).copied().flatten().filter(|text| !text.is_empty()) else {
                continue;
            };
            if json.len() > 1 {
                json.push(b',');
            }
            json.extend_from_slice(label.as_bytes());
            serde_json::to_writer(&mut json, text).map_err(|_| "cannot be read".to_owned())?;
        }
        json.push(b'}');
        self.compiled.run(&self.schema, &[Some(&json)], text)
    }
}

/// Names that may be columns.
fn collect<'e>(expr: &'e IdedExpr, named: &mut BTreeSet<&'e str>) {
    let mut all = |parts: &[&'e IdedExpr]| parts.iter().for_each(|part| collect(part, named));
    match &expr.expr {
        Expr::Call(call) => {
            call.target.iter().for_each(|target| all(&[target]));
            call.args.iter().for_each(|argument| all(&[argument]));
        }
        Expr::Comprehension(each) => all(&[
            &each.iter_range,
            &each.accu_init,
            &each.loop_cond,
            &each.loop_step,
            &each.result,
        ]),
        Expr::List(list) => list.elements.iter().for_each(|element| all(&[element])),
        Expr::Select(select) => match &select.operand.expr {
            Expr::Ident(name) if name == ROW => {
                named.insert(&select.field);
            }
            _ => all(&[&select.operand]),
        },
        Expr::Ident(name) if name != ROW && is_identifier(name) => {
            named.insert(name);
        }
        _ => {}
    }
}

fn text(value: &CowVal<'_, '_>) -> Result<Option<String>, String> {
    if value.downcast_ref::<CelNull>().is_some() {
        return Ok(None);
    }
    let string = value
        .downcast_ref::<CelString>()
        .map(|text| text.inner().to_owned());
    let number = || {
        value
            .downcast_ref::<CelInt>()
            .map(|number| number.inner().to_string())
    };
    let unsigned = || {
        value
            .downcast_ref::<CelUInt>()
            .map(|number| number.inner().to_string())
    };
    let double = || {
        value
            .downcast_ref::<CelDouble>()
            .map(|number| number.inner().to_string())
    };
    let truth = || {
        value
            .downcast_ref::<CelBool>()
            .map(|truth| truth.inner().to_string())
    };
    string
        .or_else(number)
        .or_else(unsigned)
        .or_else(double)
        .or_else(truth)
        .map(Some)
        .ok_or_else(|| "gives neither a text, a number nor a truth value".to_owned())
}

/// A definition whose fields are the columns, all of them texts.
fn schema_of(columns: &[String]) -> Result<Schema, Vec<Fault>> {
    let named: Vec<&String> = columns
        .iter()
        .filter(|name| is_identifier(name))
        .take(MAX_COLUMNS)
        .collect();
    let Some(first) = named.first() else {
        let message = "no column has a name that an expression can use";
        return Err(vec![Fault::new("row", "expression", message)]);
    };
    let mut text = format!("name: x_row\nkey: {first}\ndata_description: columns\nfields:\n");
    for name in named {
        text.push_str(&format!("  - {name} : column\n"));
    }
    Ok(Schema::compile(Arc::new(text.parse()?), None))
}

fn is_identifier(name: &str) -> bool {
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_that_an_expression_reads_are_known_without_a_row() {
        for (text, names) in [
            ("org == null ? first + ' ' + last : org", "first last org"),
            ("row.first + row.last", "first last"),
            (
                "has(row.mass) && int(year) + 1 > 2 ? code.startsWith('LV') : false",
                "code mass year",
            ),
            ("['a', b].exists(item, item == code)", "b code"),
            ("'constant'", ""),
            ("first +", ""),
        ] {
            assert_eq!(Formula::names(text).join(" "), names, "{text}");
        }
    }
}
