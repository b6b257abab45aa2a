//! Columns with their levels → a Parquet file, a group of rows at a time.

use std::{io::Write, sync::Arc};

use parquet::{
    basic::{Compression, ZstdLevel},
    data_type::{
        BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType, Int32Type,
        Int64Type,
    },
    errors::Result,
    file::{
        properties::WriterProperties,
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::TypePtr,
};

/// The values of one column, and which of its rows and lists they stand in.
#[derive(Debug)]
pub struct Column {
    pub values: Values,
    pub definitions: Vec<i16>,
    pub repetitions: Vec<i16>,
}

#[derive(Debug)]
pub enum Values {
    Bool(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Bytes(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
}

impl Values {
    /// The same kind, without values.
    pub fn emptied(&self) -> Self {
        match self {
            Self::Bool(_) => Self::Bool(Vec::new()),
            Self::Int32(_) => Self::Int32(Vec::new()),
            Self::Int64(_) => Self::Int64(Vec::new()),
            Self::Bytes(_) => Self::Bytes(Vec::new()),
            Self::Fixed(_) => Self::Fixed(Vec::new()),
        }
    }
}

pub struct File<W: Write + Send> {
    writer: SerializedFileWriter<W>,
}

impl<W: Write + Send> File<W> {
    pub fn begin(out: W, schema: TypePtr) -> Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by("dagr".to_owned())
            .build();
        let writer = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
        Ok(Self { writer })
    }

    /// One group of rows; of none there is no group.
    pub fn group(&mut self, columns: Vec<Column>) -> Result<()> {
        if columns.iter().all(|column| column.definitions.is_empty()) {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for column in &columns {
            if let Some(writer) = group.next_column()? {
                write(writer, column)?;
            }
        }
        group.close().map(|_| ())
    }

    pub fn end(self) -> Result<W> {
        self.writer.into_inner()
    }
}

fn write(mut writer: SerializedColumnWriter<'_>, column: &Column) -> Result<()> {
    match &column.values {
        Values::Bool(values) => batch::<BoolType>(&mut writer, values, column)?,
        Values::Int32(values) => batch::<Int32Type>(&mut writer, values, column)?,
        Values::Int64(values) => batch::<Int64Type>(&mut writer, values, column)?,
        Values::Bytes(values) => batch::<ByteArrayType>(&mut writer, values, column)?,
        Values::Fixed(values) => batch::<FixedLenByteArrayType>(&mut writer, values, column)?,
    }
    writer.close()
}

fn batch<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    values: &[T::T],
    column: &Column,
) -> Result<()> {
    let (definitions, repetitions) = (&column.definitions, &column.repetitions);
    writer
        .typed::<T>()
        .write_batch(values, Some(definitions), Some(repetitions))
        .map(|_| ())
}
