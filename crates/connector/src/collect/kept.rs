//! For tests: whatever rows became, kept; and the `[map]` of a feed of some file.

use std::path::Path;

use super::{Refused, Take};
use crate::{
    error::Result,
    feed::{Feed, MapSpec},
};

#[derive(Default)]
pub struct Kept {
    /// Of each record, from which row it came.
    pub rows: Vec<u64>,
    pub records: Vec<String>,
    pub refused: Vec<Refused>,
    pub keys: Vec<Option<Vec<u8>>>,
    pub unread: usize,
}

impl Take for Kept {
    fn record(&mut self, row: u64, _: &[u8], _: &[u8; 32], json: &[u8]) -> Result<()> {
        self.rows.push(row);
        self.records.push(String::from_utf8(json.to_vec()).unwrap());
        Ok(())
    }

    fn refused(&mut self, refused: Vec<Refused>, key: Option<Vec<u8>>) -> Result<()> {
        self.refused.extend(refused);
        self.keys.push(key);
        Ok(())
    }

    fn unread(&mut self, refused: Vec<Refused>) -> Result<()> {
        self.unread += 1;
        self.refused(refused, None)
    }
}

pub fn map(map: &str) -> MapSpec {
    let text = format!(
        "dataset = 'x_set'\n[server]\nurl = 'http://x'\nclient_id = 'c'\nkey = {{ file = 'k' }}\n[source]\nkind = 'files'\npath = 'x.csv'\n[map]\n{map}"
    );
    Feed::parse(&text, Path::new(".")).unwrap().map
}
