//! How long a definition keeps records.

use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};

use crate::{
    definition::Type,
    record::RecordRef,
    schema::{NodeId, Schema},
};

/// Records dated before this are past their retention.
#[derive(Debug)]
pub struct Cutoff {
    node: NodeId,
    before: Before,
}

#[derive(Debug)]
enum Before {
    Date(Date),
    Instant(Timestamp),
}

impl Cutoff {
    /// `None` = the definition keeps records for good (or longer than there are dates).
    pub fn of(schema: &Schema, now: Timestamp) -> Option<Self> {
        let retention = schema.definition.retention.as_ref()?;
        let zone = TimeZone::get(&schema.definition.timezone).unwrap_or(TimeZone::UTC);
        let keep = Span::new()
            .try_months(retention.keep_months)
            .and_then(|span| span.try_days(retention.keep_days))
            .ok()?;
        let then = now.to_zoned_datetime(zone).checked_sub(keep).ok()?;
        let node = schema.node(&retention.field)?;
        let before = match schema.nodes[node].ty {
            Type::Date => Before::Date(then.date()),
            _ => Before::Instant(then.timestamp()),
        };
        Some(Self { node, before })
    }

    /// A record without the date stays.
    pub fn is_past(&self, schema: &Schema, record: RecordRef<'_>) -> bool {
        let Some(text) = schema.leaf_text(record, self.node) else {
            return false;
        };
        match &self.before {
            Before::Date(before) => text.parse::<Date>().is_ok_and(|date| date < *before),
            Before::Instant(before) => text.parse::<Timestamp>().is_ok_and(|at| at < *before),
        }
    }
}
