//! JSON → canonical record. One pass over the text, strictly typed, every fault of the record at once.

use std::borrow::Cow;

use crate::{
    classifier::{Codes, UNJUDGED},
    definition::Type,
    fault::{Fault, nearest},
    schema::{NodeId, Schema},
    value::{self, Refusal},
};

use super::{
    Canonical, MAX_FAULTS, MAX_RECORD,
    object::{Open, Output},
    scan::{Broken, Scan},
};

/// What reading one value gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Got {
    /// `null`, empty text, empty list, empty object.
    Nothing,
    Value,
    /// A fault is noted.
    Refused,
}

impl Schema {
    /// Reads one record given as a JSON object. Member names and types must be those of the definition.
    ///
    /// # Errors
    /// Every fault, at most `MAX_FAULTS`; text that is not JSON gives one `json` fault.
    pub fn read_json(&self, raw: &[u8]) -> Result<Canonical, Vec<Fault>> {
        self.read_json_by(&UNJUDGED, raw)
    }

    /// The same; fields of `code(LIST)` are judged by the lists of `codes`.
    ///
    /// # Errors
    /// The same.
    pub fn read_json_by(&self, codes: &Codes, raw: &[u8]) -> Result<Canonical, Vec<Fault>> {
        let text = simdutf8::basic::from_utf8(raw)
            .map_err(|_| vec![Fault::new("", "json", "the record is not valid UTF-8")])?;
        let mut reader = Reader::new(self, codes);
        reader.output.json.reserve(raw.len());
        reader.output.spans.reserve(raw.len() / 8);
        let mut scan = Scan::new(text);
        if let Err(Broken(message)) = reader.record(&mut scan) {
            reader.fault("", Refusal::new("json", message));
        }
        reader.finish()
    }

    /// Canonical JSON of one value of `node` given as JSON. `None` = no value.
    pub(crate) fn read_value(&self, node: NodeId, json: &str) -> Result<Option<Vec<u8>>, Vec<Fault>> {
        let mut reader = Reader::new(self, &UNJUDGED);
        let mut scan = Scan::new(json);
        let got = reader
            .value(&mut scan, node)
            .and_then(|got| scan.end().map(|()| got));
        if let Err(Broken(message)) = got {
            reader.fault(&self.nodes[node].path, Refusal::new("json", message));
        }
        if !reader.faults.is_empty() {
            return Err(reader.faults);
        }
        Ok((got == Ok(Got::Value)).then_some(reader.output.json))
    }
}

pub(super) struct Reader<'s> {
    pub(super) schema: &'s Schema,
    codes: &'s Codes,
    pub(super) output: Output,
    pub(super) faults: Vec<Fault>,
}

impl<'s> Reader<'s> {
    pub(super) fn new(schema: &'s Schema, codes: &'s Codes) -> Self {
        Self::reusing(schema, codes, Canonical::default())
    }

    /// Writes into the buffers of a record that is not needed any more.
    pub(super) fn reusing(schema: &'s Schema, codes: &'s Codes, before: Canonical) -> Self {
        Self {
            schema,
            codes,
            output: Output::reusing(before),
            faults: Vec::new(),
        }
    }

    pub(super) fn fault(&mut self, path: &str, refusal: Refusal) -> Got {
        self.fault_text(path, refusal.rule, refusal.message)
    }

    pub(super) fn fault_text(&mut self, path: &str, rule: &str, message: impl Into<String>) -> Got {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault::new(path, rule, message));
        }
        Got::Refused
    }

    pub(super) fn finish(mut self) -> Result<Canonical, Vec<Fault>> {
        if self.output.json.len() > MAX_RECORD {
            self.fault_text("", "record_size", "the record is larger than 1 MiB");
        }
        if self.faults.is_empty() {
            Ok(Canonical {
                json: self.output.json,
                spans: self.output.spans,
            })
        } else {
            Err(self.faults)
        }
    }

    fn record(&mut self, scan: &mut Scan<'_>) -> Result<(), Broken> {
        if scan.peek() != b'{' {
            return Err(Broken("expected one JSON object"));
        }
        if self.object(scan, None)? == Got::Nothing {
            self.output.json.extend_from_slice(b"{}");
        }
        scan.end()
    }

    /// An object of `parent` (`None` = the record). Its brace stands here.
    fn object(&mut self, scan: &mut Scan<'_>, parent: Option<NodeId>) -> Result<Got, Broken> {
        let schema = self.schema;
        let children = schema.children(parent);
        let mut open = self.output.open(children.len());
        let mut next = 0;
        let faults = self.faults.len();
        scan.at += 1;
        if !scan.eat(b'}') {
            loop {
                if let Some(position) = self.member_name(scan, parent, next)? {
                    next = position + 1;
                    self.member(scan, children[position], &mut open, position)?;
                }
                if scan.eat(b'}') {
                    break;
                }
                scan.expect(b',', "expected , or } after a member")?;
            }
        }
        Ok(self.close(&open, parent, faults))
    }

    /// Tells what is missing and closes the object.
    pub(super) fn close(&mut self, open: &Open, parent: Option<NodeId>, faults_before: usize) -> Got {
        let schema = self.schema;
        // An object without any value is no value: then nothing in it is missing, except in the record itself.
        if parent.is_none() || !open.is_empty() {
            for position in open.missing(&schema.shape(parent).required) {
                let path = &schema.nodes[schema.children(parent)[position]].path;
                self.fault_text(path, "required", "a value is required");
            }
        }
        let value = self.output.close(open);
        match (self.faults.len() > faults_before, value) {
            (true, _) => Got::Refused,
            (false, true) => Got::Value,
            (false, false) => Got::Nothing,
        }
    }

    /// Reads a member's name up to the colon. `None`: unknown, its value passed over.
    fn member_name(
        &mut self,
        scan: &mut Scan<'_>,
        parent: Option<NodeId>,
        next: usize,
    ) -> Result<Option<usize>, Broken> {
        if scan.peek() != b'"' {
            return Err(Broken("expected a member name in quotes"));
        }
        let schema = self.schema;
        if let Some(id) = schema.children(parent).get(next) {
            // Members mostly come in definition order and without space before the colon.
            let label = &schema.nodes[*id].label;
            if scan.bytes()[scan.at..].starts_with(label) {
                scan.at += label.len();
                return Ok(Some(next));
            }
        }
        let name = scan.string()?;
        scan.expect(b':', "expected : after a member name")?;
        if let Some(position) = schema.shape(parent).positions.get(name.as_ref()) {
            return Ok(Some(*position));
        }
        self.unknown(&name, parent);
        scan.skip()?;
        Ok(None)
    }

    fn unknown(&mut self, name: &str, parent: Option<NodeId>) {
        let schema = self.schema;
        let mut short: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        let known = schema
            .children(parent)
            .iter()
            .map(|id| schema.nodes[*id].name.as_str());
        let message = match nearest(&short, known) {
            Some(near) => format!("the definition has no such field; did you mean {near}?"),
            None => "the definition has no such field".to_owned(),
        };
        if let Some(parent) = parent {
            short.insert_str(0, &format!("{}.", schema.nodes[parent].path));
        }
        self.fault_text(&short, "unknown_field", message);
    }

    fn member(
        &mut self,
        scan: &mut Scan<'_>,
        node: NodeId,
        open: &mut Open,
        position: usize,
    ) -> Result<(), Broken> {
        let schema = self.schema;
        if !open.meet(position) {
            self.fault_text(
                &schema.nodes[node].path,
                "duplicate_member",
                "the field is given twice",
            );
            return scan.skip();
        }
        let before = self.output.mark();
        let value = self.output.begin_member(schema, node);
        match self.value(scan, node)? {
            Got::Value => {
                self.output.end_member(schema, node, open, position, value);
                open.give(position);
            }
            got => {
                self.output.back(before);
                if got == Got::Refused {
                    open.give(position);
                }
            }
        }
        Ok(())
    }

    /// One value of a field, lists included.
    pub(super) fn value(&mut self, scan: &mut Scan<'_>, node: NodeId) -> Result<Got, Broken> {
        if scan.nothing() {
            return Ok(Got::Nothing);
        }
        if !self.schema.nodes[node].list {
            return self.single(scan, node);
        }
        if scan.peek() != b'[' {
            return self.refuse(scan, node, Refusal::new("type", "expected a list"));
        }
        self.list(scan, node)
    }

    fn list(&mut self, scan: &mut Scan<'_>, node: NodeId) -> Result<Got, Broken> {
        let objects = self.schema.nodes[node].is_object();
        let start = self.output.mark();
        let at = self.output.json.len();
        let mut got = Got::Nothing;
        scan.at += 1;
        loop {
            let before = self.output.mark();
            if !scan.nothing() {
                self.output.json.push(b',');
                let element = self.output.mark();
                match self.single(scan, node)? {
                    Got::Value => {
                        if objects {
                            self.output.end_element(element);
                        }
                        if got == Got::Nothing {
                            got = Got::Value;
                        }
                    }
                    Got::Nothing => self.output.back(before),
                    Got::Refused => {
                        self.output.back(before);
                        got = Got::Refused;
                    }
                }
            }
            if scan.eat(b']') {
                break;
            }
            scan.expect(b',', "expected , or ] in a list")?;
        }
        if got == Got::Value {
            self.output.json[at] = b'[';
            self.output.json.push(b']');
        } else {
            self.output.back(start);
        }
        Ok(got)
    }

    /// One value, of a list one element. Not empty.
    fn single(&mut self, scan: &mut Scan<'_>, node: NodeId) -> Result<Got, Broken> {
        let schema = self.schema;
        let ty = &schema.nodes[node].ty;
        match ty {
            Type::Object => {
                if scan.peek() != b'{' {
                    return self.refuse(scan, node, Refusal::new("type", "expected an object"));
                }
                return self.object(scan, Some(node));
            }
            Type::Json | Type::Point | Type::Geometry => return self.free(scan, node),
            _ => {}
        }
        match scan.peek() {
            b'[' => self.refuse(
                scan,
                node,
                Refusal::new("type", "a list stands where one value is expected"),
            ),
            b'{' => self.refuse(
                scan,
                node,
                Refusal::new("type", "an object stands where a plain value is expected"),
            ),
            b'"' => {
                let text = scan.string()?;
                Ok(self.text(node, text))
            }
            b'-' | b'0'..=b'9' => {
                let number = scan.number()?;
                Ok(match ty {
                    Type::Int | Type::Decimal => self.scalar(node, number),
                    _ => self.mismatch(node),
                })
            }
            b't' if scan.word("true") => Ok(self.truth(node, "true")),
            b'f' if scan.word("false") => Ok(self.truth(node, "false")),
            _ => Err(Broken("expected a JSON value")),
        }
    }

    fn truth(&mut self, node: NodeId, word: &str) -> Got {
        if self.schema.nodes[node].ty == Type::Bool {
            self.scalar(node, word)
        } else {
            self.mismatch(node)
        }
    }

    fn text(&mut self, node: NodeId, text: Cow<'_, str>) -> Got {
        match &self.schema.nodes[node].ty {
            Type::Int | Type::Bool => self.mismatch(node),
            Type::Code(_) if self.is_unlisted(node, &text) => Got::Refused,
            Type::Text | Type::Code(_) => {
                match (&text, value::nfc(&text)) {
                    (Cow::Borrowed(plain), Cow::Borrowed(_)) => {
                        // Without escapes in the source there is nothing to escape.
                        self.output.json.push(b'"');
                        self.output.json.extend_from_slice(plain.as_bytes());
                        self.output.json.push(b'"');
                    }
                    (_, normal) => value::write_string(&normal, &mut self.output.json),
                }
                Got::Value
            }
            _ => self.scalar(node, &text),
        }
    }

    /// Notes a code that its list does not hold. The value is not repeated: it may be somebody's.
    pub(super) fn is_unlisted(&mut self, node: NodeId, code: &str) -> bool {
        let Some(list) = self.codes.list(node).filter(|list| !list.holds(code)) else {
            return false;
        };
        let message = format!(
            "not a code of the classifier {} (version {})",
            list.list, list.number
        );
        let path = &self.schema.nodes[node].path;
        self.fault_text(path, "code_unknown", message);
        true
    }

    /// A scalar given as text that is not empty.
    pub(super) fn scalar(&mut self, node: NodeId, text: &str) -> Got {
        let schema = self.schema;
        match value::write_scalar(&schema.nodes[node].ty, text, &schema.zone, &mut self.output.json) {
            Ok(()) => Got::Value,
            Err(refusal) => self.fault(&schema.nodes[node].path, refusal),
        }
    }

    fn mismatch(&mut self, node: NodeId) -> Got {
        let message = match &self.schema.nodes[node].ty {
            Type::Int => "expected a whole number",
            Type::Decimal => "expected a number",
            Type::Bool => "expected true or false",
            _ => "expected a text",
        };
        let path = &self.schema.nodes[node].path;
        self.fault_text(path, "type", message)
    }

    /// `json`, `point`, `geometry`.
    fn free(&mut self, scan: &mut Scan<'_>, node: NodeId) -> Result<Got, Broken> {
        let schema = self.schema;
        let tree = scan.tree()?;
        let checked = match schema.nodes[node].ty {
            Type::Point => tree.check_geometry(true),
            Type::Geometry => tree.check_geometry(false),
            _ => Ok(()),
        };
        Ok(match checked {
            Ok(()) => {
                tree.write(&mut self.output.json);
                Got::Value
            }
            Err(refusal) => self.fault(&schema.nodes[node].path, refusal),
        })
    }

    /// Notes the fault and passes over the value.
    fn refuse(&mut self, scan: &mut Scan<'_>, node: NodeId, refusal: Refusal) -> Result<Got, Broken> {
        let schema = self.schema;
        self.fault(&schema.nodes[node].path, refusal);
        scan.skip()?;
        Ok(Got::Refused)
    }
}
