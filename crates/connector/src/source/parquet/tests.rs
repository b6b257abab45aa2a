//! Files of other writers, as `foreign/make.py` made them: the same five rows in each.

use std::{fs::File, path::Path, sync::Arc};

use dagr_model::schema::Schema;

use crate::{
    collect::{Collect, kept::Kept},
    feed::MapSpec,
};

const DEFINITION: &str = "name: x_set
key: Id
data_description: d
fields:
  - Id int : i
  - Small int : i
  - Big decimal : i
  - Name : n
  - Kind : k
  - Ok bool : o
  - Real decimal : r
  - Double decimal : r
  - Sum decimal : r
  - Little decimal : r
  - Day date : d
  - Local timestamp : t
  - Utc timestamp : t
  - Milli timestamp : t
  - Clock : c
  - Bytes : b
  - Fixed : b
  - Tags * : t
  - Where :
      comments: w
      fields:
        - Street : s
        - Number int : n
  - Pets * :
      comments: p
      fields:
        - Name : n
        - Toys * : t
";

fn read(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/source/parquet/foreign")
        .join(name);
    let schema = Arc::new(Schema::compile(Arc::new(DEFINITION.parse().unwrap()), None));
    let (spec, mut kept) = (MapSpec::default(), Kept::default());
    let mut rows = Collect::new(&schema, &spec, &mut kept);
    super::read(File::open(path).unwrap(), name, &mut rows).unwrap();
    rows.finish().unwrap();
    assert_eq!(kept.refused, [], "{name}");
    kept.records
}

#[test]
fn what_other_writers_wrote_is_read_as_it_is() {
    let expected = include_str!("foreign/rows.ndjson");
    for file in [
        "arrow_snappy_v1.parquet",
        "arrow_zstd_v2.parquet",
        "arrow_gzip_int96.parquet",
        "arrow_plain_delta.parquet",
        "duckdb.parquet",
        "polars.parquet",
    ] {
        assert_eq!(read(file).join("\n"), expected.trim_end(), "{file}");
    }
}
