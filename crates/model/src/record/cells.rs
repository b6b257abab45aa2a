//! CSV cells → canonical record.

use smallvec::{SmallVec, smallvec};

use crate::{
    classifier::{Codes, UNJUDGED},
    definition::{CsvOptions, Type},
    fault::Fault,
    schema::{NodeId, Schema},
    value::{self, Refusal},
};

use super::{
    Canonical,
    object::Open,
    reader::{Got, Reader},
    scan::{Broken, Scan},
};

impl Schema {
    /// Reads one row. Each cell belongs to a top-level field or to a scalar inside single objects; an empty cell
    /// is no value. Text is taken as is, other types without surrounding space; lists, objects, `json`, `point`
    /// and `geometry` are JSON text.
    ///
    /// # Errors
    /// Every fault of the row, at most `MAX_FAULTS`.
    pub fn read_cells<T: AsRef<str>>(
        &self,
        cells: &[(NodeId, T)],
        csv: &CsvOptions,
    ) -> Result<Canonical, Vec<Fault>> {
        self.read_cells_by(&UNJUDGED, cells, csv)
    }

    /// The same; the record takes the place of the one before, in its buffers.
    ///
    /// # Errors
    /// The same. What `record` holds then is of no use.
    pub fn read_cells_into<T: AsRef<str>>(
        &self,
        cells: &[(NodeId, T)],
        csv: &CsvOptions,
        record: &mut Canonical,
    ) -> Result<(), Vec<Fault>> {
        let reader = Reader::reusing(self, &UNJUDGED, std::mem::take(record));
        *record = self.read_row(reader, cells, csv)?;
        Ok(())
    }

    /// The same; fields of `code(LIST)` are judged by the lists of `codes`.
    ///
    /// # Errors
    /// The same.
    pub fn read_cells_by<T: AsRef<str>>(
        &self,
        codes: &Codes,
        cells: &[(NodeId, T)],
        csv: &CsvOptions,
    ) -> Result<Canonical, Vec<Fault>> {
        self.read_row(Reader::new(self, codes), cells, csv)
    }

    fn read_row<T: AsRef<str>>(
        &self,
        reader: Reader<'_>,
        cells: &[(NodeId, T)],
        csv: &CsvOptions,
    ) -> Result<Canonical, Vec<Fault>> {
        let mut row = Row {
            reader,
            by_node: smallvec![None; self.nodes.len()],
            csv,
        };
        let length: usize = cells.iter().map(|(_, text)| text.as_ref().len() + 16).sum();
        row.reader.output.json.reserve(length);
        row.reader.output.spans.reserve(3 * cells.len());
        for (node, text) in cells {
            match row.by_node.get_mut(*node) {
                Some(slot @ None) => *slot = Some(text.as_ref()),
                Some(Some(_)) => {
                    row.reader.fault_text(
                        &self.nodes[*node].path,
                        "duplicate_member",
                        "the field is given twice",
                    );
                }
                None => {}
            }
        }
        if row.object(None) == Got::Nothing {
            row.reader.output.json.extend_from_slice(b"{}");
        }
        row.reader.finish()
    }
}

struct Row<'s, 'c> {
    reader: Reader<'s>,
    by_node: SmallVec<[Option<&'c str>; 32]>,
    csv: &'c CsvOptions,
}

impl Row<'_, '_> {
    fn object(&mut self, parent: Option<NodeId>) -> Got {
        let schema = self.reader.schema;
        let children = schema.children(parent);
        let mut open = self.reader.output.open(children.len());
        let faults = self.reader.faults.len();
        for (position, node) in children.iter().enumerate() {
            self.member(*node, &mut open, position);
        }
        self.reader.close(&open, parent, faults)
    }

    fn member(&mut self, node: NodeId, open: &mut Open, position: usize) {
        let schema = self.reader.schema;
        let spec = &schema.nodes[node];
        let inside = spec.is_object() && !spec.list && self.by_node[node].is_none();
        if !inside && self.by_node[node].is_none_or(str::is_empty) {
            return;
        }
        let before = self.reader.output.mark();
        let value = self.reader.output.begin_member(schema, node);
        let got = match self.by_node[node] {
            Some(text) => self.cell(node, text),
            None => self.object(Some(node)),
        };
        if got != Got::Nothing {
            open.give(position);
        }
        if got == Got::Value {
            self.reader.output.end_member(schema, node, open, position, value);
        } else {
            self.reader.output.back(before);
        }
    }

    /// A cell that is not empty.
    fn cell(&mut self, node: NodeId, text: &str) -> Got {
        let spec = &self.reader.schema.nodes[node];
        let json = spec.list || matches!(spec.ty, Type::Object | Type::Json | Type::Point | Type::Geometry);
        if json && value::without_space(text).is_empty() {
            return Got::Nothing;
        }
        if json {
            return self.json(node, text);
        }
        match spec.ty {
            Type::Code(_) if self.reader.is_unlisted(node, text) => return Got::Refused,
            Type::Text | Type::Code(_) => return self.reader.scalar(node, text),
            _ => {}
        }
        let text = value::without_space(text);
        match (&spec.ty, &self.csv.date_format) {
            _ if text.is_empty() => Got::Nothing,
            (Type::Decimal, _) if self.csv.decimal_comma => self.decimal_comma(node, text),
            (Type::Date, Some(format)) => match value::date_by_format(text, format) {
                Ok(date) => self.reader.scalar(node, &date.to_string()),
                Err(refusal) => self.reader.fault(&spec.path, refusal),
            },
            _ => self.reader.scalar(node, text),
        }
    }

    fn decimal_comma(&mut self, node: NodeId, text: &str) -> Got {
        // A point could be meant as a separator of thousands: guessing would change the number.
        if text.contains('.') {
            let refusal = Refusal::new("type", "expected a decimal number with a comma");
            return self.reader.fault(&self.reader.schema.nodes[node].path, refusal);
        }
        self.reader.scalar(node, &text.replacen(',', ".", 1))
    }

    fn json(&mut self, node: NodeId, text: &str) -> Got {
        let mut scan = Scan::new(text);
        match self
            .reader
            .value(&mut scan, node)
            .and_then(|got| scan.end().map(|()| got))
        {
            Ok(got) => got,
            Err(Broken(message)) => {
                let path = &self.reader.schema.nodes[node].path;
                self.reader
                    .fault_text(path, "json", format!("expected JSON in this cell: {message}"))
            }
        }
    }
}
