//! What an expression's parts are, as far as the definition tells before any record is seen.

use crate::{
    definition::Type,
    schema::{NodeId, Schema},
};

#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A whole record, or null: only to be compared with null.
    Record,
    Object(NodeId),
    List(Box<Shape>),
    Text,
    Number,
    Bool,
    /// ISO text of a date.
    Date,
    /// Canonical text of a timestamp.
    Timestamp,
    /// A CEL timestamp.
    Instant,
    Duration,
    Null,
    /// Free JSON, or what only the record tells.
    Any,
}

impl Shape {
    pub fn of(schema: &Schema, node: NodeId) -> Self {
        let Some(described) = schema.nodes.get(node) else {
            return Self::Any;
        };
        let element = match described.ty {
            Type::Int | Type::Decimal => Self::Number,
            Type::Bool => Self::Bool,
            Type::Date => Self::Date,
            Type::Timestamp => Self::Timestamp,
            Type::Point | Type::Geometry | Type::Json => Self::Any,
            Type::Object => Self::Object(node),
            Type::Text | Type::Uuid | Type::PersonCode | Type::OrgCode | Type::Code(_) => Self::Text,
        };
        if described.list {
            Self::List(Box::new(element))
        } else {
            element
        }
    }

    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Date | Self::Timestamp)
    }

    /// Text that holds a moment.
    pub fn is_moment(&self) -> bool {
        matches!(self, Self::Date | Self::Timestamp)
    }

    pub fn may_be_bool(&self) -> bool {
        matches!(self, Self::Bool | Self::Any)
    }

    /// One value that can be written as text.
    pub fn may_be_scalar(&self) -> bool {
        matches!(
            self,
            Self::Text | Self::Number | Self::Bool | Self::Date | Self::Timestamp | Self::Null | Self::Any
        )
    }

    /// Whether the two can ever be equal or ordered.
    pub fn comparable(&self, other: &Self, ordering: bool) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Null, _) | (_, Self::Null) => !ordering,
            (Self::Record, _) | (_, Self::Record) => false,
            (Self::Instant, moment) | (moment, Self::Instant) => {
                moment.is_moment() || *moment == Self::Instant
            }
            (Self::Object(_) | Self::List(_), _) | (_, Self::Object(_) | Self::List(_)) => {
                !ordering && std::mem::discriminant(self) == std::mem::discriminant(other)
            }
            _ => self == other || (self.is_text() && other.is_text()),
        }
    }

    /// In a fault: what it is.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Record => "a whole record",
            Self::Object(_) => "a structured field",
            Self::List(_) => "a list",
            Self::Text => "text",
            Self::Number => "a number",
            Self::Bool => "a bool",
            Self::Date => "a date",
            Self::Timestamp => "a timestamp",
            Self::Instant => "timestamp(…)",
            Self::Duration => "duration(…)",
            Self::Null => "null",
            Self::Any => "a value",
        }
    }
}
