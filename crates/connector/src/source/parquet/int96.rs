//! Moments as INT96, which older writers (Spark, Hive, Impala) use: nanoseconds of a day, and the day's Julian number. They
//! are read beside the rows, where the library gives them to the millisecond.

use std::fs::File;

use parquet::{
    basic::Type as Physical,
    column::reader::{ColumnReaderImpl, get_typed_column_reader},
    data_type::{Int96, Int96Type},
    errors::{ParquetError, Result},
    file::reader::{FileReader, SerializedFileReader},
};

use super::value::{clock, date};

/// The Julian number of the first of January 1970.
const EPOCH: i64 = 2_440_588;
/// Values read at once.
const BATCH: usize = 1_024;

pub struct Moments {
    file: SerializedFileReader<File>,
    columns: Vec<Column>,
    /// Columns of a row that hold some inside lists and groups.
    inside: Vec<(usize, String)>,
}

struct Column {
    /// Among the columns of a row.
    at: usize,
    leaf: usize,
    /// Of a value that is there.
    level: i16,
    /// The next one.
    group: usize,
    reader: Option<ColumnReaderImpl<Int96Type>>,
    read: Read,
}

#[derive(Default)]
struct Read {
    levels: Vec<i16>,
    values: Vec<Int96>,
    rows: usize,
    /// Of those the ones given.
    row: usize,
    value: usize,
}

impl Moments {
    /// Every column that holds them.
    pub fn of(file: SerializedFileReader<File>) -> Self {
        let schema = file.metadata().file_metadata().schema_descr_ptr();
        let (mut columns, mut inside) = (Vec::new(), Vec::new());
        for (leaf, column) in schema.columns().iter().enumerate() {
            if column.physical_type() != Physical::INT96 {
                continue;
            }
            if column.path().parts().len() > 1 || column.max_rep_level() > 0 {
                inside.push((schema.get_column_root_idx(leaf), column.path().string()));
                continue;
            }
            columns.push(Column {
                at: schema.get_column_root_idx(leaf),
                leaf,
                level: column.max_def_level(),
                group: 0,
                reader: None,
                read: Read::default(),
            });
        }
        Self {
            file,
            columns,
            inside,
        }
    }

    /// One that cannot be read so, though a field `reads` its column.
    pub fn lost(&self, reads: impl Fn(usize) -> bool) -> Option<String> {
        let (_, name) = self.inside.iter().find(|(at, _)| reads(*at))?;
        Some(format!(
            "column {name} holds moments as INT96 inside a list or a group, whose fractions of a second would be lost: let the writer use TIMESTAMP (of Spark: spark.sql.parquet.outputTimestampType = TIMESTAMP_MICROS), or drop the column"
        ))
    }

    pub fn any(&self) -> bool {
        !self.columns.is_empty()
    }

    /// Puts those of the next row in its cells.
    pub fn put(&mut self, cells: &mut [Option<String>]) -> Result<()> {
        for column in &mut self.columns {
            let moment = column.next(&self.file)?;
            if let Some(cell) = cells.get_mut(column.at) {
                *cell = moment.map(|moment| text(&moment));
            }
        }
        Ok(())
    }
}

impl Column {
    fn next(&mut self, file: &SerializedFileReader<File>) -> Result<Option<Int96>> {
        while self.read.row == self.read.rows {
            self.fill(file)?;
        }
        let read = &mut self.read;
        let is_there = read.levels.get(read.row).is_none_or(|level| *level == self.level);
        read.row += 1;
        if !is_there {
            return Ok(None);
        }
        read.value += 1;
        Ok(read.values.get(read.value - 1).copied())
    }

    fn fill(&mut self, file: &SerializedFileReader<File>) -> Result<()> {
        let reader = match &mut self.reader {
            Some(reader) => reader,
            None if self.group == file.num_row_groups() => {
                return Err(ParquetError::General("a column has too few values".to_owned()));
            }
            none => {
                let group = file.get_row_group(self.group)?;
                self.group += 1;
                none.insert(get_typed_column_reader(group.get_column_reader(self.leaf)?))
            }
        };
        let read = &mut self.read;
        *read = Read {
            levels: std::mem::take(&mut read.levels),
            values: std::mem::take(&mut read.values),
            ..Read::default()
        };
        read.levels.clear();
        read.values.clear();
        let levels = (self.level > 0).then_some(&mut read.levels);
        (read.rows, _, _) = reader.read_records(BATCH, levels, None, &mut read.values)?;
        if read.rows == 0 {
            self.reader = None;
        }
        Ok(())
    }
}

fn text(moment: &Int96) -> String {
    let [low, high, day] = *moment.data() else {
        return String::new();
    };
    let nanos = u64::from(high) << 32 | u64::from(low);
    let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
    format!(
        "{}T{}Z",
        date(i64::from(day) - EPOCH),
        clock(nanos, 1_000_000_000)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_all_its_digits() {
        let of = |nanos: u64, day: u32| text(&Int96::from(vec![nanos as u32, (nanos >> 32) as u32, day]));
        assert_eq!(of(0, 2_440_588), "1970-01-01T00:00:00Z");
        assert_eq!(
            of(86_399_999_999_999, 2_440_587),
            "1969-12-31T23:59:59.999999999Z"
        );
        assert_eq!(of(1_000, 5_373_484), "9999-12-31T00:00:00.000001Z");
        // What is none is for its field to refuse.
        assert!(of(u64::MAX, u32::MAX).starts_with("day "));
    }
}
