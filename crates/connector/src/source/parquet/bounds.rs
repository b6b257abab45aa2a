//! What a file says of itself, looked through first: the library reserves as much memory and goes as deep as it says.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
};

use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

use super::{
    COLUMNS,
    thrift::{Kind, Shape, Thrift, damaged, unknown},
};

/// Columns inside one another.
const DEPTH: usize = 64;
/// Bytes of a footer, which is held whole.
const FOOTER: u64 = 256 << 20;
/// Bytes of a page, packed or not; it is held whole.
const PAGE: u64 = 256 << 20;

fn too_much(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The schema at the beginning of the footer.
pub fn schema(file: &mut File) -> io::Result<()> {
    let mut end = [0; 8];
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.checked_sub(8).ok_or_else(damaged)?))?;
    file.read_exact(&mut end)?;
    let [a, b, c, d, magic @ ..] = end;
    let footer = u64::from(u32::from_le_bytes([a, b, c, d]));
    if &magic != b"PAR1" {
        return Err(too_much(
            "it does not end as Parquet does, or is encrypted".to_owned(),
        ));
    }
    if footer > FOOTER {
        return Err(too_much(format!(
            "its footer is larger than {} MiB",
            FOOTER >> 20
        )));
    }
    let start = (length - 8).checked_sub(footer).ok_or_else(damaged)?;
    file.seek(SeekFrom::Start(start))?;
    let mut thrift = Thrift::new(BufReader::new((&mut *file).take(footer)));
    // As every writer does: the version, then the schema.
    thrift.number(0, 1)?;
    let elements = thrift.structs(1, 2)?;
    if elements > COLUMNS as u64 + 1 {
        return Err(too_much(format!(
            "it has more than {COLUMNS} columns, with those inside others"
        )));
    }
    // How many children are yet to come, of each group that is open.
    let mut open = vec![1_u32];
    for _ in 0..elements {
        while open.pop_if(|left| *left == 0).is_some() {}
        *open.last_mut().ok_or_else(damaged)? -= 1;
        let mut children = 0;
        thrift.structure(element, &mut |id, number| {
            if id == 5 {
                children = number;
            }
        })?;
        open.push(u32::try_from(children).map_err(|_| damaged())?);
        if open.len() > DEPTH + 2 {
            return Err(too_much(format!("its columns lie more than {DEPTH} deep")));
        }
    }
    if open.iter().any(|left| *left > 0) {
        return Err(damaged());
    }
    file.rewind()
}

/// The headers of all pages.
pub fn pages(file: &mut File, metadata: &ParquetMetaData) -> io::Result<()> {
    let groups = metadata.row_groups().iter();
    for column in groups.flat_map(RowGroupMetaData::columns) {
        let start = column
            .dictionary_page_offset()
            .unwrap_or_else(|| column.data_page_offset());
        let mut at = u64::try_from(start).map_err(|_| damaged())?;
        let mut left = u64::try_from(column.compressed_size()).map_err(|_| damaged())?;
        while left > 0 {
            file.seek(SeekFrom::Start(at))?;
            let mut thrift = Thrift::new(BufReader::with_capacity(256, (&mut *file).take(left)));
            let (mut plain, mut packed) = (0, -1);
            thrift.structure(page, &mut |id, number| match id {
                2 => plain = number,
                3 => packed = number,
                _ => {}
            })?;
            let [plain, packed] = [plain, packed].map(u64::try_from);
            let (plain, packed) = plain
                .and_then(|plain| Ok((plain, packed?)))
                .map_err(|_| damaged())?;
            if plain.max(packed) > PAGE {
                return Err(too_much(format!("it has a page larger than {} MiB", PAGE >> 20)));
            }
            let whole = thrift.taken + packed;
            left = left.checked_sub(whole).ok_or_else(damaged)?;
            at += whole;
        }
    }
    file.rewind()
}

/// `SchemaElement`
fn element(id: i16) -> Kind {
    match id {
        1..=3 | 5..=9 => Kind::Number,
        4 => Kind::Binary,
        10 => Kind::Struct(logical_type),
        _ => Kind::Unknown,
    }
}

fn logical_type(id: i16) -> Kind {
    let shape: Shape = match id {
        5 => |id| numbers(id, 2),
        7 | 8 => |id| match id {
            1 => Kind::Bool,
            2 => Kind::Struct(|_| Kind::Struct(unknown)),
            _ => Kind::Unknown,
        },
        10 => |id| match id {
            1 => Kind::Byte,
            2 => Kind::Bool,
            _ => Kind::Unknown,
        },
        16 => |id| if id == 1 { Kind::Byte } else { Kind::Unknown },
        17 | 18 => |id| match id {
            1 => Kind::Binary,
            2 => Kind::Number,
            _ => Kind::Unknown,
        },
        _ => unknown,
    };
    Kind::Struct(shape)
}

/// Fields up to `last` are sizes, counts and the like.
fn sizes(id: i16, last: i16) -> Kind {
    if (1..=last).contains(&id) {
        Kind::Size
    } else {
        Kind::Unknown
    }
}

/// Fields up to `last` are numbers.
fn numbers(id: i16, last: i16) -> Kind {
    if (1..=last).contains(&id) {
        Kind::Number
    } else {
        Kind::Unknown
    }
}

/// `PageHeader`
fn page(id: i16) -> Kind {
    match id {
        5 => Kind::Struct(|id| {
            if id == 5 {
                Kind::Struct(statistics)
            } else {
                sizes(id, 4)
            }
        }),
        6 => Kind::Struct(unknown),
        7 => Kind::Struct(|id| if id == 3 { Kind::Bool } else { sizes(id, 2) }),
        8 => Kind::Struct(|id| match id {
            7 => Kind::Bool,
            8 => Kind::Struct(statistics),
            _ => sizes(id, 6),
        }),
        // A checksum.
        4 => Kind::Number,
        _ => sizes(id, 3),
    }
}

fn statistics(id: i16) -> Kind {
    match id {
        1 | 2 | 5 | 6 => Kind::Binary,
        3 | 4 | 9 => Kind::Long,
        7 | 8 => Kind::Bool,
        _ => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, sync::Arc};

    use parquet::{
        basic,
        file::metadata::{ColumnChunkMetaData, FileMetaData},
        schema::types::{SchemaDescriptor, Type},
    };

    use super::*;

    /// A file whose footer has these elements: name and children.
    fn told(children: &[i32]) -> String {
        let mut footer = vec![0x15, 2, 0x19, 0xFC];
        number(children.len() as u64, &mut footer);
        for own in children {
            footer.extend([0x48, 1, b'a', 0x15]);
            number(u64::from(own.cast_unsigned()) << 1, &mut footer);
            footer.push(0);
        }
        of_footer(&footer)
    }

    fn of_footer(footer: &[u8]) -> String {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"PAR1").unwrap();
        file.write_all(footer).unwrap();
        file.write_all(&(footer.len() as u32).to_le_bytes()).unwrap();
        file.write_all(b"PAR1").unwrap();
        schema(&mut file).map_or_else(|error| error.to_string(), |()| String::new())
    }

    fn number(mut number: u64, out: &mut Vec<u8>) {
        while number > 0x7F {
            out.push(number as u8 | 0x80);
            number >>= 7;
        }
        out.push(number as u8);
    }

    #[test]
    fn a_schema_promises_no_more_than_it_holds() {
        assert_eq!(told(&[2, 0, 1, 0]), "");
        assert_eq!(told(&[i32::MAX, 0]), "it is damaged");
        assert_eq!(told(&[1, 0, 0]), "it is damaged");
        assert_eq!(told(&[1, -1]), "it is damaged");
        // A length of a value that is beyond 32 bits.
        let mut wide = vec![0x15, 2, 0x19, 0x1C, 0x25];
        signed(1 << 32, &mut wide);
        wide.push(0);
        assert_eq!(of_footer(&wide), "it is damaged");
        assert_eq!(
            told(&[vec![1; 65], vec![0]].concat()),
            "its columns lie more than 64 deep"
        );
        assert_eq!(told(&[vec![1; 64], vec![0]].concat()), "");
        assert!(told(&vec![0; 20_000]).contains("more than 10000 columns"));
        // A name that is declared to be a number.
        let hidden = [0x15, 2, 0x19, 0x1C, 0x45, 1, b'a', 0];
        assert_eq!(of_footer(&hidden), "it is damaged");
        assert!(!of_footer(b"").is_empty());
    }

    /// One page whose header tells these sizes, and bytes after it.
    fn told_of_page(plain: i64, packed: i64, bytes: usize) -> String {
        told_of_values(plain, packed, 1, bytes)
    }

    fn signed(given: i64, out: &mut Vec<u8>) {
        number(((given << 1) ^ (given >> 63)).cast_unsigned(), out);
    }

    fn told_of_values(plain: i64, packed: i64, values: i64, bytes: usize) -> String {
        let mut header = vec![0x15, 0, 0x15];
        signed(plain, &mut header);
        header.push(0x15);
        signed(packed, &mut header);
        header.extend([0x2C, 0x15]);
        signed(values, &mut header);
        header.extend([0x15, 0, 0x15, 0, 0x15, 0, 0, 0]);
        header.extend(vec![0; bytes]);
        let column = Type::primitive_type_builder("a", basic::Type::INT32)
            .build()
            .unwrap();
        let root = Type::group_type_builder("root")
            .with_fields(vec![Arc::new(column)])
            .build()
            .unwrap();
        let schema = Arc::new(SchemaDescriptor::new(Arc::new(root)));
        let chunk = ColumnChunkMetaData::builder(schema.column(0))
            .set_data_page_offset(0)
            .set_total_compressed_size(header.len() as i64)
            .build()
            .unwrap();
        let group = RowGroupMetaData::builder(Arc::clone(&schema))
            .set_column_metadata(vec![chunk])
            .build()
            .unwrap();
        let metadata = ParquetMetaData::new(FileMetaData::new(2, 1, None, None, schema, None), vec![group]);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&header).unwrap();
        pages(&mut file, &metadata).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn a_page_is_as_large_as_memory_holds() {
        assert_eq!(told_of_page(1 << 20, 100, 100), "");
        assert_eq!(
            told_of_page(1 << 30, 100, 100),
            "it has a page larger than 256 MiB"
        );
        // The library would read these as numbers of 32 bits, the first as 2147483647.
        for wrong in [-2_147_483_649, -1, 1 << 31, 1 << 32] {
            assert_eq!(told_of_page(wrong, 100, 100), "it is damaged");
            assert_eq!(told_of_page(1, wrong, 100), "it is damaged");
            assert_eq!(told_of_values(1, 100, wrong, 100), "it is damaged");
        }
        assert_eq!(told_of_page(1, 101, 100), "it is damaged");
        assert!(!told_of_page(1, 99, 100).is_empty());
    }
}
