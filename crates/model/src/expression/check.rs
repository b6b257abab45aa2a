//! Checks a parsed expression against the definition and rewrites it for evaluation: every path from a record
//! becomes a numbered variable, every pattern a compiled one.
//!
//! CEL itself looks names up only when a record is there, and then fails on an absent field; here an unknown
//! name is a fault when the text is saved, and an absent field reads null.

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, ListExpr, LiteralValue, SourceInfo};
use regex::{Regex, RegexBuilder};

use super::{calls, limits, shape::Shape};
use crate::{
    fault::Fault,
    schema::{NodeId, Schema},
};

/// Which record a path starts from: index into the names an expression knows (`record`, or `old` and `new`).
pub type Side = usize;

/// A path read from a record; its variable is `$` and its place in the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    pub side: Side,
    /// Nodes from the top level down; empty = the record itself.
    pub path: Vec<NodeId>,
}

/// Everything found while checking.
pub struct Checker<'a> {
    pub schema: &'a Schema,
    pub text: &'a str,
    pub source: &'a SourceInfo,
    /// Names of the records, and whether a bare field name means the first of them.
    pub records: &'a [&'static str],
    pub bare: bool,
    pub slots: Vec<Slot>,
    pub patterns: Vec<Regex>,
    pub faults: Vec<Fault>,
    /// Variables of the loops around, innermost last.
    pub scope: Vec<(String, Shape)>,
    pub loops: usize,
    depth: usize,
}

/// A checked part: what to evaluate and what it is.
pub type Checked = (IdedExpr, Shape);

impl<'a> Checker<'a> {
    pub fn new(
        schema: &'a Schema,
        text: &'a str,
        source: &'a SourceInfo,
        records: &'a [&'static str],
        bare: bool,
    ) -> Self {
        Self {
            schema,
            text,
            source,
            records,
            bare,
            slots: Vec::new(),
            patterns: Vec::new(),
            faults: Vec::new(),
            scope: Vec::new(),
            loops: 0,
            depth: 0,
        }
    }

    pub fn fault(&mut self, id: u64, message: impl Into<String>) -> Shape {
        let offset = self.source.offset_for(id).map_or(0, |(start, _)| start as usize);
        if self.faults.len() < 50 {
            self.faults.push(Fault::new(
                limits::place(self.text, offset),
                "expression",
                message,
            ));
        }
        Shape::Any
    }

    /// A part that is used as a value: anything but a whole record.
    pub fn value(&mut self, expr: IdedExpr) -> Checked {
        let id = expr.id;
        let (expr, shape) = self.any(expr);
        if shape == Shape::Record {
            let names = self.records.join(" or ");
            self.fault(
                id,
                format!("a whole record can only be compared with null: name a field after {names}"),
            );
            return (expr, Shape::Any);
        }
        (expr, shape)
    }

    /// A part that must be true or false.
    pub fn condition(&mut self, expr: IdedExpr) -> IdedExpr {
        let id = expr.id;
        let (expr, shape) = self.value(expr);
        if !shape.may_be_bool() {
            self.fault(
                id,
                format!(
                    "{} is neither true nor false: compare it with something",
                    shape.name()
                ),
            );
        }
        expr
    }

    /// Any part, whole records included.
    pub fn any(&mut self, expr: IdedExpr) -> Checked {
        let IdedExpr { id, expr } = expr;
        if self.depth >= limits::MAX_DEPTH {
            let shape = self.fault(
                id,
                format!("nested deeper than {}: flatten the condition", limits::MAX_DEPTH),
            );
            return (null(id), shape);
        }
        self.depth += 1;
        let checked = match expr {
            Expr::Ident(_) | Expr::Select(_) => self.path(IdedExpr { id, expr }),
            Expr::Literal(literal) => self.literal(id, literal),
            Expr::Call(call) => calls::call(self, id, call),
            Expr::Comprehension(comprehension) => self.comprehension(id, *comprehension),
            Expr::List(list) => self.list(id, list),
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                let shape = self.fault(id, "objects cannot be written here: compare single fields");
                (null(id), shape)
            }
        };
        self.depth -= 1;
        checked
    }

    fn literal(&mut self, id: u64, literal: LiteralValue) -> Checked {
        let (literal, shape) = match literal {
            LiteralValue::Bytes(_) => {
                let shape = self.fault(id, "bytes are not a type of fields: write a text");
                (LiteralValue::Null, shape)
            }
            // Whole numbers of records are signed; so that arithmetic fits, all are.
            LiteralValue::UInt(number) => match i64::try_from(*number.inner()) {
                Ok(number) => (LiteralValue::Int(number.into()), Shape::Number),
                Err(_) => (LiteralValue::Null, self.fault(id, "the number is beyond 64 bits")),
            },
            LiteralValue::Int(_) | LiteralValue::Double(_) => (literal, Shape::Number),
            LiteralValue::Boolean(_) => (literal, Shape::Bool),
            LiteralValue::String(_) => (literal, Shape::Text),
            LiteralValue::Null => (literal, Shape::Null),
        };
        (
            IdedExpr {
                id,
                expr: Expr::Literal(literal),
            },
            shape,
        )
    }

    fn list(&mut self, id: u64, list: ListExpr) -> Checked {
        let mut shape = None;
        let mut elements = Vec::with_capacity(list.elements.len());
        for element in list.elements {
            let (element, of) = self.value(element);
            elements.push(element);
            shape = Some(match shape {
                None => of,
                Some(known) if known == of => known,
                Some(_) => Shape::Any,
            });
        }
        let shape = Shape::List(Box::new(shape.unwrap_or(Shape::Any)));
        (
            IdedExpr {
                id,
                expr: Expr::List(ListExpr::new(elements)),
            },
            shape,
        )
    }

    /// What `exists`, `all`, `exists_one`, `filter` and `map` were expanded to.
    fn comprehension(&mut self, id: u64, loop_: ComprehensionExpr) -> Checked {
        let (range, shape) = self.value(loop_.iter_range);
        let element = match shape {
            Shape::List(element) => *element,
            Shape::Any => Shape::Any,
            other => self.fault(range.id, format!("{} is not a list", other.name())),
        };
        if self.loops > 0 {
            let message =
                "exists, all, filter and map cannot stand inside one another: ask one list at a time";
            return (null(id), self.fault(id, message));
        }
        let lists = matches!(loop_.accu_init.expr, Expr::List(_));
        self.scope.push((loop_.iter_var.clone(), element));
        self.scope.push((loop_.accu_var.clone(), Shape::Any));
        self.loops += 1;
        let accu_init = self.value(loop_.accu_init).0;
        let loop_cond = self.value(loop_.loop_cond).0;
        let (loop_step, step) = self.value(loop_.loop_step);
        let result = self.value(loop_.result).0;
        self.loops -= 1;
        self.scope.truncate(self.scope.len() - 2);
        let shape = match step {
            step @ Shape::List(_) if lists => step,
            _ if lists => Shape::List(Box::new(Shape::Any)),
            _ => Shape::Bool,
        };
        let checked = ComprehensionExpr {
            iter_range: range,
            iter_var: loop_.iter_var,
            iter_var2: loop_.iter_var2,
            accu_var: loop_.accu_var,
            accu_init,
            loop_cond,
            loop_step,
            result,
        };
        (
            IdedExpr {
                id,
                expr: Expr::Comprehension(Box::new(checked)),
            },
            shape,
        )
    }

    /// Compiles a literal pattern; its variable is `%` and its place in the list.
    pub fn pattern(&mut self, expr: &IdedExpr) -> Option<IdedExpr> {
        let Expr::Literal(LiteralValue::String(pattern)) = &expr.expr else {
            self.fault(expr.id, "the pattern of matches must be written out as a text");
            return None;
        };
        match RegexBuilder::new(pattern.inner()).size_limit(1 << 20).build() {
            Ok(pattern) => {
                self.patterns.push(pattern);
                let name = format!("%{}", self.patterns.len() - 1);
                Some(IdedExpr {
                    id: expr.id,
                    expr: Expr::Ident(name),
                })
            }
            Err(regex::Error::CompiledTooBig(_)) => {
                self.fault(expr.id, "the pattern is too big: use smaller repetitions");
                None
            }
            Err(_) => {
                let message =
                    "not a pattern: only linear-time patterns are known (no look-around, no back references)";
                self.fault(expr.id, message);
                None
            }
        }
    }
}

pub fn null(id: u64) -> IdedExpr {
    IdedExpr {
        id,
        expr: Expr::Literal(LiteralValue::Null),
    }
}

pub fn call(id: u64, name: &str, args: Vec<IdedExpr>) -> IdedExpr {
    IdedExpr {
        id,
        expr: Expr::Call(CallExpr {
            func_name: name.to_owned(),
            target: None,
            args,
        }),
    }
}
