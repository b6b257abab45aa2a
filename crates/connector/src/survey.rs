//! What the rows of a file look like: which types all values of a column have, where lists and objects are, what is in every
//! row, and which columns tell one row from another.

mod looks;
mod telling;

use std::collections::{BTreeSet, HashMap};

use dagr_model::value::without_space;
use serde_json::Value;

use self::telling::Telling;
pub use self::{
    looks::{DOTTED, Looks, Written},
    telling::ROWS,
};
use crate::{
    collect::Members,
    error::{Error, Result},
    map::{Origin, shape},
};

/// Columns or members that are looked at.
const FIELDS: usize = 400;
/// Members of an object that are fields; one of more is a map.
const MEMBERS: usize = 60;
/// Levels of objects in objects: a definition has one more.
const DEPTH: usize = 7;

#[derive(Default)]
pub struct Survey {
    pub rows: u64,
    /// Rows that could not be taken apart.
    pub torn: u64,
    pub fields: Fields,
    /// Elements that come more than once in a record.
    pub repeated: BTreeSet<String>,
    /// Elements that are known to.
    pub lists: BTreeSet<String>,
    telling: Telling,
    has_header: bool,
    pub is_csv: bool,
}

/// Columns of a table, members of an object.
#[derive(Default)]
pub struct Fields {
    pub all: Vec<Field>,
    places: HashMap<String, usize>,
    /// Were there more than are looked at?
    pub is_cut: bool,
}

#[derive(Default)]
pub struct Field {
    pub name: String,
    /// Records that have a value.
    pub values: u64,
    pub looks: Looks,
    /// Members of its objects.
    pub inside: Fields,
    /// What the file itself says it is, and whether it is in every row.
    pub declared: Option<(&'static str, bool)>,
    lists: bool,
    /// Was there a value outside a list?
    alone: bool,
    objects: bool,
    /// Lists in lists, objects too deep: no field's.
    tangled: bool,
    /// Did it come as cells? What is no JSON there is a text beside what is.
    cells: bool,
}

/// What a field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Scalar,
    Object,
    /// GeoJSON. RFC 7946, 3.1.
    Geometry,
    /// Nothing else holds all of its values.
    Json,
}

impl Survey {
    /// These elements come more than once.
    pub fn with_lists(lists: BTreeSet<String>) -> Self {
        Self {
            lists,
            ..Self::default()
        }
    }

    /// Looks for two columns that tell the rows apart together, where no single one does.
    pub fn for_pairs(self) -> Self {
        Self {
            telling: Telling::pairs(),
            lists: self.lists,
            ..Self::default()
        }
    }

    pub fn knows_columns(&self) -> bool {
        self.has_header
    }

    pub fn columns(&mut self, columns: &[String], origin: Origin) -> Result<()> {
        self.has_header = true;
        self.is_csv = origin == Origin::Csv;
        let mut seen = BTreeSet::new();
        let mut named = columns.iter().filter(|column| !column.trim().is_empty());
        if let Some(twice) = named.find(|column| !seen.insert(*column)) {
            // Where the header is missing it is a value.
            return Err(Error::Source(format!(
                "two columns of one name, which looks like {:?}",
                shape(twice)
            )));
        }
        for column in columns {
            self.fields.column(column);
        }
        Ok(())
    }

    /// What the file says of a column.
    pub fn declare(&mut self, column: &str, ty: &'static str, required: bool) {
        if let Some(field) = self.fields.of(column) {
            field.declared = Some((ty, required));
        }
    }

    /// A row of the columns, in their order.
    pub fn cells(&mut self, cells: &[Option<&str>]) {
        self.rows += 1;
        let texts: Vec<Option<&str>> = cells
            .iter()
            .map(|cell| cell.filter(|text| !without_space(text).is_empty()))
            .collect();
        for (field, text) in self.fields.all.iter_mut().zip(&texts) {
            if let Some(text) = text {
                field.cell(text);
            }
        }
        self.telling.row(&texts);
    }

    /// A record.
    pub fn json(&mut self, raw: &[u8]) {
        let Some(record) = members(raw) else {
            self.torn += 1;
            return;
        };
        self.rows += 1;
        self.fields
            .object(record.iter().map(|(name, value)| (name, value)), DEPTH);
        let record: HashMap<&String, &Value> = record.iter().map(|(name, value)| (name, value)).collect();
        let scalar = |field: &Field| match record.get(&field.name)? {
            Value::Null | Value::Array(_) | Value::Object(_) => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let texts: Vec<Option<String>> = self.fields.all.iter().map(scalar).collect();
        let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
        self.telling.row(&texts);
    }

    /// Columns that together tell the rows apart, and how many rows they do not tell.
    pub fn key(&self) -> Option<(Vec<&Field>, u64)> {
        self.telling.found().into_iter().find_map(|(places, faults)| {
            let fields = places.iter().map(|place| self.fields.all.get(*place));
            let fields = fields.collect::<Option<Vec<&Field>>>()?;
            fields
                .iter()
                .all(|field| field.may_be_key())
                .then_some((fields, faults))
        })
    }
}

/// The members of a record in their order.
fn members(raw: &[u8]) -> Option<Vec<(String, Value)>> {
    let Members(members) = serde_json::from_slice(raw).ok()?;
    members
        .into_iter()
        .map(|(name, value)| Some((name, serde_json::from_str(value.get()).ok()?)))
        .collect()
}

impl Fields {
    fn are_geometry(&self) -> bool {
        let holds = |name: &str| self.all.iter().any(|field| field.name == name);
        self.all.len() == 2 && holds("type") && holds("coordinates")
    }

    /// One more column; there may be several without a name.
    fn column(&mut self, name: &str) {
        if name.trim().is_empty() {
            self.places.remove(name);
        }
        self.of(name);
    }

    fn of(&mut self, name: &str) -> Option<&mut Field> {
        let at = match self.places.get(name) {
            Some(at) => *at,
            None if self.all.len() == FIELDS => {
                self.is_cut = true;
                return None;
            }
            None => {
                self.places.insert(name.to_owned(), self.all.len());
                self.all.push(Field {
                    name: name.to_owned(),
                    ..Field::default()
                });
                self.all.len() - 1
            }
        };
        self.all.get_mut(at)
    }

    fn object<'v>(&mut self, members: impl Iterator<Item = (&'v String, &'v Value)>, depth: usize) {
        for (name, value) in members {
            if let Some(field) = self.of(name)
                && !value.is_null()
            {
                field.values += 1;
                field.value(value, depth);
            }
        }
    }
}

impl Field {
    pub fn is_list(&self) -> bool {
        self.lists && !self.alone && !self.tangled && !self.is_text()
    }

    pub fn shape(&self) -> Shape {
        if self.is_text() {
            return Shape::Scalar;
        }
        let is_map = self.inside.is_cut || self.inside.all.len() > MEMBERS;
        let is_bare = self.objects && self.inside.all.is_empty();
        if self.is_mixed() || self.tangled || is_map || is_bare || self.looks.is_mixed() {
            Shape::Json
        } else if self.objects && self.inside.are_geometry() {
            Shape::Geometry
        } else if self.objects {
            Shape::Object
        } else {
            Shape::Scalar
        }
    }

    pub fn is_scalar(&self) -> bool {
        self.shape() == Shape::Scalar && !self.is_list()
    }

    fn is_mixed(&self) -> bool {
        self.lists && self.alone || self.objects && self.looks.any()
    }

    /// Whatever its values look like: the file says so, or some of its cells are no JSON.
    fn is_text(&self) -> bool {
        self.declared.is_some() || self.cells && self.is_mixed()
    }

    /// The word of its type, were it a scalar.
    pub fn ty(&self) -> &'static str {
        match self.declared {
            // No number, or one of too many digits.
            Some(("decimal", _)) if self.looks.any() && self.looks.written().is_none() => "text",
            Some((ty, _)) => ty,
            None if self.is_text() => "text",
            None => self.looks.ty(),
        }
    }

    /// How its values are written, where they are of one type by their looks.
    pub fn written(&self) -> Option<Written> {
        self.looks.written().filter(|_| !self.is_text())
    }

    /// A number with a fraction, a moment or a truth says which one a record is by chance only.
    fn may_be_key(&self) -> bool {
        let is_by_chance = match self.ty() {
            "decimal" => self.looks.written() != Some(Written::Int),
            ty => matches!(ty, "bool" | "json" | "timestamp"),
        };
        self.is_scalar() && !is_by_chance && !self.name.trim().is_empty()
    }

    fn cell(&mut self, text: &str) {
        self.values += 1;
        self.cells = true;
        // What a file keeps in a group or a list stands in its cell as JSON.
        match text.as_bytes().first() {
            Some(b'[' | b'{') => match serde_json::from_str::<Value>(text) {
                Ok(value) => self.value(&value, DEPTH),
                Err(_) => self.scalar(|looks| looks.text(text)),
            },
            _ => self.scalar(|looks| looks.text(text)),
        }
    }

    fn scalar(&mut self, see: impl FnOnce(&mut Looks)) {
        self.alone = true;
        see(&mut self.looks);
    }

    fn value(&mut self, value: &Value, depth: usize) {
        if let Value::Array(items) = value {
            self.lists = true;
            for item in items {
                self.item(item, depth);
            }
        } else {
            self.alone = true;
            self.item(value, depth);
        }
    }

    fn item(&mut self, value: &Value, depth: usize) {
        match value {
            Value::Array(_) => self.tangled = true,
            Value::Object(_) if depth == 0 => self.tangled = true,
            Value::Object(members) => {
                self.objects = true;
                self.inside.object(members.iter(), depth - 1);
            }
            scalar => self.looks.json(scalar),
        }
    }
}

#[cfg(test)]
mod tests;
