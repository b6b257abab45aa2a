//! Operators and functions an expression may use, and what they take.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators};

use super::{
    check::{Checked, Checker, call as make, null},
    shape::Shape,
};
use crate::fault::nearest;

/// Functions by the name written; `matches` and `has` besides.
const FUNCTIONS: [&str; 22] = [
    "size",
    "startsWith",
    "endsWith",
    "contains",
    "matches",
    "timestamp",
    "duration",
    "int",
    "double",
    "string",
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getHours",
    "getMinutes",
    "getSeconds",
    "has",
    "exists",
    "all",
];

/// Text of a date or timestamp → text that `timestamp` takes.
pub const MOMENT: &str = "$moment";
/// Order of two timestamps as text: −1, 0, 1.
pub const ORDER: &str = "$order";
/// Text against a compiled pattern.
pub const MATCHES: &str = "$matches";

pub fn call(checker: &mut Checker<'_>, id: u64, call: CallExpr) -> Checked {
    let CallExpr {
        func_name: name,
        target,
        args,
    } = call;
    if target.is_some() {
        return function(checker, id, &name, target, args);
    }
    let count = args.len();
    match (name.as_str(), count) {
        (operators::LOGICAL_AND | operators::LOGICAL_OR | operators::LOGICAL_NOT, _)
        | ("@not_strictly_false", 1) => {
            let args = args.into_iter().map(|arg| checker.condition(arg)).collect();
            (make(id, &name, args), Shape::Bool)
        }
        (operators::EQUALS | operators::NOT_EQUALS, 2) => comparison(checker, id, &name, args, false),
        (operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS, 2) => {
            comparison(checker, id, &name, args, true)
        }
        (operators::CONDITIONAL, 3) => conditional(checker, id, args),
        (operators::IN, 2) => membership(checker, id, args),
        (operators::INDEX, 2) => index(checker, id, args),
        (operators::NEGATE, 1)
        | (
            operators::ADD
            | operators::SUBSTRACT
            | operators::MULTIPLY
            | operators::DIVIDE
            | operators::MODULO,
            2,
        ) => arithmetic(checker, id, &name, args),
        _ => function(checker, id, &name, None, args),
    }
}

fn conditional(checker: &mut Checker<'_>, id: u64, args: Vec<IdedExpr>) -> Checked {
    let mut args = args.into_iter();
    let condition = args.next().map(|arg| checker.condition(arg));
    let branches: Vec<Checked> = args.map(|arg| checker.value(arg)).collect();
    // Of a filter's step, the branch that adds tells the shape.
    let shape = match &branches[..] {
        [(_, first), (_, second)] if first == second => first.clone(),
        [(_, list @ Shape::List(_)), (_, Shape::Any)] => list.clone(),
        _ => Shape::Any,
    };
    let args = condition
        .into_iter()
        .chain(branches.into_iter().map(|(branch, _)| branch))
        .collect();
    (make(id, operators::CONDITIONAL, args), shape)
}

fn comparison(
    checker: &mut Checker<'_>,
    id: u64,
    name: &str,
    args: Vec<IdedExpr>,
    ordering: bool,
) -> Checked {
    let mut checked: Vec<Checked> = args.into_iter().map(|arg| checker.any(arg)).collect();
    let (Some((right, right_shape)), Some((left, left_shape))) = (checked.pop(), checked.pop()) else {
        return (null(id), Shape::Bool);
    };
    let with_null = matches!(
        (&left_shape, &right_shape),
        (Shape::Record, Shape::Null) | (Shape::Null, Shape::Record)
    );
    let may_be = (with_null && !ordering) || left_shape.comparable(&right_shape, ordering);
    if !may_be {
        let message = if right_shape == Shape::Record || left_shape == Shape::Record {
            "a whole record can only be compared with null: name a field".to_owned()
        } else {
            format!(
                "{} cannot be compared with {}",
                left_shape.name(),
                right_shape.name()
            )
        };
        checker.fault(id, message);
        return (null(id), Shape::Bool);
    }
    let (mut left, mut right) = (left, right);
    if left_shape == Shape::Instant && right_shape.is_moment() {
        right = instant(right);
    } else if right_shape == Shape::Instant && left_shape.is_moment() {
        left = instant(left);
    } else if left_shape.is_text()
        && right_shape.is_text()
        && (left_shape.is_moment() || right_shape.is_moment())
    {
        let timestamps = left_shape == Shape::Timestamp || right_shape == Shape::Timestamp;
        left = moment_text(checker, left, timestamps);
        right = moment_text(checker, right, timestamps);
        if ordering && timestamps {
            let order = make(id, ORDER, vec![left, right]);
            let zero = IdedExpr {
                id,
                expr: Expr::Literal(LiteralValue::Int(0.into())),
            };
            return (make(id, name, vec![order, zero]), Shape::Bool);
        }
    }
    (make(id, name, vec![left, right]), Shape::Bool)
}

/// A text written beside a date or timestamp: checked, and brought to the form records have.
fn moment_text(checker: &mut Checker<'_>, expr: IdedExpr, timestamp: bool) -> IdedExpr {
    let Expr::Literal(LiteralValue::String(text)) = &expr.expr else {
        return expr;
    };
    let text = text.inner();
    if timestamp && let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return literal(expr.id, moment.to_string());
    }
    let iso = text.starts_with(|first: char| first.is_ascii_digit())
        && text
            .chars()
            .all(|character| character.is_ascii_digit() || "-:T.Z".contains(character));
    if !iso {
        checker.fault(
            expr.id,
            "not a date: write it as '2024-01-31', a timestamp as '2024-01-31T12:00:00Z'",
        );
    }
    expr
}

/// ISO text → CEL timestamp.
fn instant(text: IdedExpr) -> IdedExpr {
    let id = text.id;
    make(id, "timestamp", vec![make(id, MOMENT, vec![text])])
}

fn literal(id: u64, text: String) -> IdedExpr {
    IdedExpr {
        id,
        expr: Expr::Literal(LiteralValue::String(text.into())),
    }
}

fn membership(checker: &mut Checker<'_>, id: u64, args: Vec<IdedExpr>) -> Checked {
    let mut checked: Vec<Checked> = args.into_iter().map(|arg| checker.value(arg)).collect();
    if let [(_, item), (list_expr, list)] = &checked[..] {
        let message = match list {
            Shape::Any => None,
            Shape::List(element) if item.comparable(element, false) => None,
            Shape::List(element) => Some(format!(
                "{} is never in a list of {}",
                item.name(),
                element.name()
            )),
            other => Some(format!(
                "{} is not a list: write [a, b, c] or a list field after in",
                other.name()
            )),
        };
        if let Some(message) = message {
            checker.fault(list_expr.id, message);
        }
    }
    let args = checked.drain(..).map(|(expr, _)| expr).collect();
    (make(id, operators::IN, args), Shape::Bool)
}

fn index(checker: &mut Checker<'_>, id: u64, args: Vec<IdedExpr>) -> Checked {
    let mut checked: Vec<Checked> = args.into_iter().map(|arg| checker.value(arg)).collect();
    let shape = match checked.first().map(|(_, shape)| shape.clone()) {
        Some(Shape::List(element)) => *element,
        Some(Shape::Any) => Shape::Any,
        Some(Shape::Object(_)) => checker.fault(id, "fields are named after a point: record.Field"),
        Some(other) => checker.fault(id, format!("{} has no elements", other.name())),
        None => Shape::Any,
    };
    let args = checked.drain(..).map(|(expr, _)| expr).collect();
    (make(id, operators::INDEX, args), shape)
}

fn arithmetic(checker: &mut Checker<'_>, id: u64, name: &str, args: Vec<IdedExpr>) -> Checked {
    let checked: Vec<Checked> = args.into_iter().map(|arg| checker.value(arg)).collect();
    let shapes: Vec<Shape> = checked.iter().map(|(_, shape)| shape.clone()).collect();
    let adds = name == operators::ADD;
    let shape = match &shapes[..] {
        [Shape::Any, list @ Shape::List(_)] if adds => list.clone(),
        [a, b] if adds && a.is_text() && b.is_text() => Shape::Text,
        [Shape::List(_), Shape::List(_)] if adds => shapes[0].clone(),
        [Shape::Instant, Shape::Duration] => Shape::Instant,
        [Shape::Duration, Shape::Instant] if adds => Shape::Instant,
        [Shape::Instant, Shape::Instant] if !adds => Shape::Duration,
        _ if shapes
            .iter()
            .all(|shape| matches!(shape, Shape::Number | Shape::Any)) =>
        {
            if shapes.contains(&Shape::Number) {
                Shape::Number
            } else {
                Shape::Any
            }
        }
        _ if shapes.iter().all(|shape| *shape == Shape::Duration) => Shape::Duration,
        _ => {
            let kinds = shapes.iter().map(Shape::name).collect::<Vec<_>>().join(" and ");
            checker.fault(id, format!("cannot calculate with {kinds}"))
        }
    };
    (
        make(id, name, checked.into_iter().map(|(expr, _)| expr).collect()),
        shape,
    )
}

fn function(
    checker: &mut Checker<'_>,
    id: u64,
    name: &str,
    target: Option<Box<IdedExpr>>,
    args: Vec<IdedExpr>,
) -> Checked {
    let member = target.is_some();
    let all: Vec<IdedExpr> = target.into_iter().map(|target| *target).chain(args).collect();
    if !FUNCTIONS.contains(&name) {
        let near = nearest(name, FUNCTIONS).map_or_else(
            || format!("known are {}", FUNCTIONS.join(", ")),
            |near| format!("did you mean {near}?"),
        );
        return (
            null(id),
            checker.fault(id, format!("unknown function {name}: {near}")),
        );
    }
    if name == "matches" {
        return matches(checker, id, all);
    }
    let mut checked: Vec<Checked> = all.into_iter().map(|arg| checker.value(arg)).collect();
    let dates = name.starts_with("get");
    let (arguments, shape) = match name {
        "startsWith" | "endsWith" | "contains" => (2, Shape::Bool),
        "size" | "int" | "double" => (1, Shape::Number),
        "string" => (1, Shape::Text),
        "timestamp" => (1, Shape::Instant),
        "duration" => (1, Shape::Duration),
        _ if dates => (1, Shape::Number),
        _ => (usize::MAX, Shape::Any),
    };
    let conversion = matches!(name, "int" | "double" | "string" | "timestamp" | "duration");
    if checked.len() != arguments || (!member && name != "size" && !conversion) || (member && conversion) {
        let form = match name {
            "exists" | "all" => format!("list.{name}(x, condition)"),
            "has" => "has(record.Field)".to_owned(),
            "startsWith" | "endsWith" | "contains" => format!("text.{name}('…')"),
            _ if dates => format!("date.{name}()"),
            _ => format!("{name}(value)"),
        };
        return (
            null(id),
            checker.fault(id, format!("{name} is not used like this: write {form}")),
        );
    }
    let fits = |shape: &Shape| match name {
        "size" => shape.is_text() || matches!(shape, Shape::List(_) | Shape::Any),
        "startsWith" | "endsWith" | "contains" => shape.is_text() || *shape == Shape::Any,
        "timestamp" => shape.is_text() || matches!(shape, Shape::Instant | Shape::Any),
        "duration" => matches!(shape, Shape::Text | Shape::Any | Shape::Duration),
        _ if dates => shape.is_moment() || matches!(shape, Shape::Instant | Shape::Any | Shape::Duration),
        _ => !matches!(shape, Shape::List(_) | Shape::Object(_)),
    };
    if let Some((expr, shape)) = checked.iter().find(|(_, shape)| !fits(shape)) {
        let (id, message) = (expr.id, format!("{name} does not take {}", shape.name()));
        checker.fault(id, message);
    }
    if let Some((first, of)) = checked.first_mut() {
        if name == "timestamp" && of.is_text() {
            let text = std::mem::take(first);
            let text = moment_text(checker, text, true);
            return (instant(text), Shape::Instant);
        }
        if dates && of.is_moment() {
            *first = instant(std::mem::take(first));
        }
    }
    let mut exprs = checked.into_iter().map(|(expr, _)| expr);
    let target = if member { exprs.next().map(Box::new) } else { None };
    let call = CallExpr {
        func_name: name.to_owned(),
        target,
        args: exprs.collect(),
    };
    (
        IdedExpr {
            id,
            expr: Expr::Call(call),
        },
        shape,
    )
}

fn matches(checker: &mut Checker<'_>, id: u64, args: Vec<IdedExpr>) -> Checked {
    let Ok([text, pattern]) = <[IdedExpr; 2]>::try_from(args) else {
        return (
            null(id),
            checker.fault(id, "matches is not used like this: write text.matches('pattern')"),
        );
    };
    let (text, shape) = checker.value(text);
    if !(shape.is_text() || shape == Shape::Any) {
        checker.fault(text.id, format!("matches does not take {}", shape.name()));
    }
    match checker.pattern(&pattern) {
        Some(pattern) => (make(id, MATCHES, vec![text, pattern]), Shape::Bool),
        None => (null(id), Shape::Bool),
    }
}
