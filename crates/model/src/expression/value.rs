//! Canonical JSON as CEL values, converted only where an expression looks.

use std::sync::atomic::{AtomicUsize, Ordering};

use cel::{
    ExecutionError,
    common::{
        traits::Indexer,
        types::{CelBool, CelDouble, CelInt, CelList, CelNull, CelString, MAP_TYPE, Type as CelType},
        value::{CowVal, Val},
    },
};

use super::{limits::MAX_READ_BYTES, walk};
use crate::{
    definition::Type,
    schema::{NodeId, Schema},
};

/// What one evaluation looks at: the schema the bytes follow and how much may still be read.
#[derive(Debug)]
pub struct Reading<'v> {
    pub schema: &'v Schema,
    left: AtomicUsize,
}

impl<'v> Reading<'v> {
    pub fn new(schema: &'v Schema) -> Self {
        Self {
            schema,
            left: AtomicUsize::new(MAX_READ_BYTES),
        }
    }

    /// Counts one look at `bytes`; false when the evaluation has read its fill.
    fn spend(&self, bytes: usize) -> bool {
        let cost = bytes + 16;
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.saturating_sub(cost), Ordering::Relaxed);
        left > cost
    }

    /// Counts a look that found nothing.
    pub fn absent(&self) -> bool {
        // What was searched holds fields the expression does not read: it must not count.
        self.spend(0)
    }

    pub fn exhausted(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

/// The value at `node`, given its JSON. `None` when the evaluation has read too much.
pub fn of_node<'v>(reading: &'v Reading<'v>, node: NodeId, json: &'v [u8]) -> Option<Box<dyn Val + 'v>> {
    let described = reading.schema.nodes.get(node)?;
    if !reading.spend(json.len()) {
        return None;
    }
    if !described.list {
        return Some(element(reading, node, &described.ty, json));
    }
    let elements = walk::elements(json)
        .map(|json| element(reading, node, &described.ty, json))
        .collect::<Vec<_>>();
    Some(Box::new(CelList::from(elements)))
}

fn element<'v>(reading: &'v Reading<'v>, node: NodeId, ty: &Type, json: &'v [u8]) -> Box<dyn Val + 'v> {
    match ty {
        Type::Object => Box::new(Object {
            reading,
            node: Some(node),
            json,
        }),
        Type::Json | Type::Point | Type::Geometry => untyped(reading, json),
        Type::Decimal => number(json, true),
        _ => scalar(json),
    }
}

/// A whole record, for comparing with null.
pub fn of_record<'v>(reading: &'v Reading<'v>, json: &'v [u8]) -> Box<dyn Val + 'v> {
    Box::new(Object {
        reading,
        node: None,
        json,
    })
}

fn untyped<'v>(reading: &'v Reading<'v>, json: &'v [u8]) -> Box<dyn Val + 'v> {
    match json.first() {
        Some(b'{') => Box::new(Object {
            reading,
            node: None,
            json,
        }),
        Some(b'[') => Box::new(CelList::from(
            walk::elements(json)
                .map(|json| untyped(reading, json))
                .collect::<Vec<_>>(),
        )),
        _ => scalar(json),
    }
}

fn scalar<'v>(json: &'v [u8]) -> Box<dyn Val + 'v> {
    match json.first() {
        Some(b'"') => match text(json) {
            Some(text) => Box::new(text),
            None => Box::new(CelNull),
        },
        Some(b't') => Box::new(CelBool::from(true)),
        Some(b'f') => Box::new(CelBool::from(false)),
        Some(b'-' | b'0'..=b'9') => number(json, false),
        _ => Box::new(CelNull),
    }
}

/// Text borrowed from the record unless it holds an escape.
fn text(json: &[u8]) -> Option<CelString<'_>> {
    let inner = json.get(1..json.len().checked_sub(1)?)?;
    if inner.contains(&b'\\') {
        serde_json::from_slice::<String>(json).ok().map(CelString::from)
    } else {
        std::str::from_utf8(inner).ok().map(CelString::from)
    }
}

/// Whole numbers are always signed: CEL's unsigned would not add to them.
fn number<'v>(json: &[u8], decimal: bool) -> Box<dyn Val + 'v> {
    let Ok(digits) = std::str::from_utf8(json) else {
        return Box::new(CelNull);
    };
    if !decimal && let Ok(whole) = digits.parse::<i64>() {
        return Box::new(CelInt::from(whole));
    }
    digits.parse::<f64>().map_or_else(
        |_| Box::new(CelNull) as Box<dyn Val>,
        |number| Box::new(CelDouble::from(number)),
    )
}

/// An object of the record. Fields are found on access; an absent one is null.
#[derive(Clone, Copy)]
struct Object<'v> {
    reading: &'v Reading<'v>,
    /// `None`: free JSON or the record itself.
    node: Option<NodeId>,
    json: &'v [u8],
}

impl std::fmt::Debug for Object<'_> {
    /// Never the contents: errors of the interpreter print values.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("object")
    }
}

impl<'v> Object<'v> {
    /// `field` is a name or, below a structured field, a dotted path through objects.
    fn field(&self, field: &str) -> Option<Box<dyn Val + 'v>> {
        let Some(mut node) = self.node else {
            if !self.reading.spend(self.json.len()) {
                return None;
            }
            return Some(walk::member_named(self.json, field).map_or_else(
                || Box::new(CelNull) as Box<dyn Val + 'v>,
                |json| untyped(self.reading, json),
            ));
        };
        let mut json = self.json;
        for name in field.split('.') {
            let nodes = &self.reading.schema.nodes;
            node = *nodes
                .get(node)?
                .children
                .iter()
                .find(|child| nodes[**child].name == name)?;
            match walk::member(json, &nodes[node].label) {
                Some(found) => json = found,
                None => {
                    return self
                        .reading
                        .spend(0)
                        .then(|| Box::new(CelNull) as Box<dyn Val + 'v>);
                }
            }
        }
        of_node(self.reading, node, json)
    }
}

impl Val for Object<'_> {
    fn get_type(&self) -> &CelType {
        &MAP_TYPE
    }

    fn cel_type() -> &'static CelType {
        &MAP_TYPE
    }

    fn as_indexer<'b, 'w>(&'b self) -> Option<&'b (dyn Indexer + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }

    fn clone_as_boxed<'w>(&self) -> Box<dyn Val + 'w>
    where
        Self: 'w,
    {
        Box::new(*self)
    }
}

impl Indexer for Object<'_> {
    fn get<'b, 'w>(&'b self, key: &(dyn Val + '_)) -> Result<CowVal<'b, 'w>, ExecutionError>
    where
        Self: 'w,
    {
        let name = key
            .downcast_ref::<CelString>()
            .ok_or_else(ExecutionError::missing_argument_or_target)?;
        self.field(name.inner())
            .map(CowVal::Owned)
            .ok_or_else(|| ExecutionError::no_such_key("field"))
    }

    fn steal<'w>(self: Box<Self>, key: &(dyn Val + '_)) -> Result<Box<dyn Val + 'w>, ExecutionError>
    where
        Self: 'w,
    {
        let name = key
            .downcast_ref::<CelString>()
            .ok_or_else(ExecutionError::missing_argument_or_target)?;
        self.field(name.inner())
            .ok_or_else(|| ExecutionError::no_such_key("field"))
    }
}
