//! What a column says of itself.

use parquet::{
    basic::{ConvertedType, LogicalType, Repetition, Type as Physical},
    schema::types::Type,
};

/// The word of its type in a definition, and whether it is in every row. `None`: groups and lists, whose values tell.
pub fn declared(column: &Type) -> Option<(&'static str, bool)> {
    let info = column.get_basic_info();
    if column.is_group() || info.has_repetition() && info.repetition() == Repetition::REPEATED {
        return None;
    }
    let required = info.has_repetition() && info.repetition() == Repetition::REQUIRED;
    let ty = match (info.logical_type_ref(), info.converted_type()) {
        (Some(LogicalType::Decimal(_)), _) | (_, ConvertedType::DECIMAL | ConvertedType::UINT_64) => {
            "decimal"
        }
        (Some(LogicalType::Date), _) | (_, ConvertedType::DATE) => "date",
        (Some(LogicalType::Timestamp(_)), _)
        | (_, ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS) => "timestamp",
        (Some(LogicalType::Uuid), _) => "uuid",
        (Some(LogicalType::Json), _) | (_, ConvertedType::JSON) => "json",
        (Some(LogicalType::Time(_)), _) | (_, ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS) => {
            "text"
        }
        _ => match column.get_physical_type() {
            Physical::BOOLEAN => "bool",
            Physical::INT32 | Physical::INT64 => "int",
            Physical::INT96 => "timestamp",
            Physical::FLOAT | Physical::DOUBLE => "decimal",
            Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY => "text",
        },
    };
    Some((ty, required))
}
