//! Values of indexes, encoded like key columns.

use crate::{
    fault::Fault,
    record::RecordRef,
    schema::{NodeId, Schema},
};

use super::{MAX_INDEX_VALUE, column};

/// Most values of one record in one index of several fields. Definitions allow only single values there.
const MAX_COMBINATIONS: usize = 4_096;

impl Schema {
    /// Index entries of a record: sorted, each once, cut at `MAX_INDEX_VALUE`. A field without a value: none.
    /// An index of one field may run through lists and then has several.
    pub fn index_values(&self, nodes: &[NodeId], record: RecordRef<'_>) -> Vec<Vec<u8>> {
        let mut values = self.whole_index_values(nodes, record);
        for value in &mut values {
            value.truncate(MAX_INDEX_VALUE);
        }
        values.sort_unstable();
        values.dedup();
        values
    }

    /// The entry that query texts ask for, cut like the stored ones. Texts are read like key parts.
    pub fn index_value_from_texts(&self, nodes: &[NodeId], values: &[&str]) -> Result<Vec<u8>, Fault> {
        let mut value = self.whole_from_texts(nodes, values)?;
        value.truncate(MAX_INDEX_VALUE);
        Ok(value)
    }

    /// Does the record really have these values? Entries are cut, so a hit must be asked again.
    pub fn index_matches(&self, nodes: &[NodeId], record: RecordRef<'_>, values: &[&str]) -> bool {
        self.whole_from_texts(nodes, values)
            .is_ok_and(|asked| self.whole_index_values(nodes, record).contains(&asked))
    }

    fn whole_from_texts(&self, nodes: &[NodeId], values: &[&str]) -> Result<Vec<u8>, Fault> {
        if nodes.len() != values.len() {
            return Err(Fault::new(
                "index",
                "key_invalid",
                "give one value for each field of the index",
            ));
        }
        let mut whole = Vec::new();
        for (node, text) in nodes.iter().zip(values) {
            if text.is_empty() {
                return Err(self.key_fault(*node, "key_invalid", "the index needs a value here"));
            }
            let json = self.json_from_text(*node, text)?;
            column::encode(&self.nodes[*node].ty, &json, &mut whole).ok_or_else(|| {
                self.key_fault(*node, "key_invalid", "the value is not of the field's type")
            })?;
        }
        Ok(whole)
    }

    fn whole_index_values(&self, nodes: &[NodeId], record: RecordRef<'_>) -> Vec<Vec<u8>> {
        let mut combinations: Vec<Vec<u8>> = vec![Vec::new()];
        for node in nodes {
            let mut next = Vec::new();
            for json in self.values(record, *node) {
                for head in &combinations {
                    let mut value = head.clone();
                    if column::encode(&self.nodes[*node].ty, json, &mut value).is_some() {
                        next.push(value);
                    }
                }
                if nodes.len() > 1 && next.len() >= MAX_COMBINATIONS {
                    break;
                }
            }
            combinations = next;
        }
        combinations
    }
}
