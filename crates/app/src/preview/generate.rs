//! One record from a definition and a seed. Values look like those of the field's name and type; none is anybody's:
//! personal codes are of the form that no birth date stands in, in a range that is not issued (39…).

use dagr_model::{
    classifier::Codes,
    definition::Type,
    schema::{NodeId, Schema},
};
use serde_json::{Map, Value, json};

const GIVEN: [&str; 10] = [
    "Anna",
    "Jānis",
    "Līga",
    "Andris",
    "Ilze",
    "Mārtiņš",
    "Zane",
    "Pēteris",
    "Kristīne",
    "Edgars",
];
const SURNAMES: [&str; 10] = [
    "Paraugs",
    "Piemērs",
    "Bērziņš",
    "Kalniņa",
    "Ozols",
    "Liepiņa",
    "Krūmiņš",
    "Eglīte",
    "Zariņš",
    "Vītola",
];
const TOWNS: [&str; 8] = [
    "Rīga",
    "Liepāja",
    "Daugavpils",
    "Jelgava",
    "Valmiera",
    "Ventspils",
    "Cēsis",
    "Kuldīga",
];
const STREETS: [&str; 6] = [
    "Brīvības iela",
    "Skolas iela",
    "Parka iela",
    "Dzirnavu iela",
    "Meža iela",
    "Liepu aleja",
];
/// Elements of a generated list, at most.
const MOST_ELEMENTS: u64 = 2;

/// Every field has a value, so that a preview shows what could be given.
pub fn record(schema: &Schema, codes: &Codes, seed: u64) -> Value {
    let mut dice = Dice(seed ^ 0x5eed_da6a_0000_0001);
    object(schema, codes, &schema.roots, &mut dice)
}

fn object(schema: &Schema, codes: &Codes, nodes: &[NodeId], dice: &mut Dice) -> Value {
    let member = |id: &NodeId| {
        let node = &schema.nodes[*id];
        let comments = comments(schema, &node.path);
        let one = |dice: &mut Dice| {
            if node.is_object() {
                object(schema, codes, &node.children, dice)
            } else if let Some(list) = codes.list(*id).filter(|list| !list.first.is_empty()) {
                Value::String(dice.one_of(&list.first).to_string())
            } else {
                scalar(&node.ty, &node.name, comments, dice)
            }
        };
        let value = if node.list {
            let count = 1 + dice.below(MOST_ELEMENTS);
            (0..count).map(|_| one(dice)).collect()
        } else {
            one(dice)
        };
        (node.name.clone(), value)
    };
    nodes.iter().map(member).collect::<Map<_, _>>().into()
}

/// What the definition says about a field.
fn comments<'a>(schema: &'a Schema, path: &str) -> &'a str {
    let mut fields = schema.definition.fields.as_slice();
    let mut found = "";
    for name in path.split('.') {
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            return found;
        };
        found = &field.comments;
        fields = &field.fields;
    }
    found
}

fn scalar(ty: &Type, name: &str, comments: &str, dice: &mut Dice) -> Value {
    match ty {
        Type::Text => text(name, comments, dice),
        Type::Int => int(name, dice),
        Type::Decimal => exact(&format!("{}.{:02}", dice.below(1_000), dice.below(100))),
        Type::Bool => Value::Bool(dice.below(2) == 1),
        Type::Date => Value::String(date(dice)),
        Type::Timestamp => Value::String(format!(
            "{}T{:02}:{:02}:00Z",
            date(dice),
            dice.below(24),
            dice.below(60)
        )),
        Type::Uuid => Value::String(uuid(dice)),
        Type::PersonCode => Value::String(format!("39{:09}", dice.below(1_000_000_000))),
        Type::OrgCode => Value::String(format!("4000{:07}", dice.below(10_000_000))),
        Type::Code(list) => Value::String(format!("{}-{}", short(list), 1 + dice.below(9))),
        Type::Point => json!({ "type": "Point", "coordinates": [
            exact(&format!("24.{:04}", 1 + dice.below(9_999))), exact(&format!("56.{:04}", 1 + dice.below(9_999))),
        ] }),
        Type::Geometry => json!({ "type": "Point", "coordinates": [exact("24.1"), exact("56.95")] }),
        Type::Json => json!({ "paraugs": true }),
        // Has members of its own and is never asked for here.
        Type::Object => Value::Null,
    }
}

fn text(name: &str, comments: &str, dice: &mut Dice) -> Value {
    let words = format!("{} {}", name.to_lowercase(), comments.to_lowercase());
    let has = |hints: &[&str]| hints.iter().any(|hint| words.contains(hint));
    let made = if has(&["surname", "uzvārd", "lastname"]) {
        dice.one_of(&SURNAMES).to_owned()
    } else if has(&["mail", "e-past"]) {
        format!("paraugs{}@example.lv", dice.below(1_000))
    } else if has(&["phone", "tālrun"]) {
        format!("+371 2000{:04}", dice.below(10_000))
    } else if has(&["address", "adres", "street", "iela"]) {
        format!(
            "{} {}, {}",
            dice.one_of(&STREETS),
            1 + dice.below(99),
            dice.one_of(&TOWNS)
        )
    } else if has(&["town", "city", "pilsēt", "novad", "municip", "place", "viet"]) {
        dice.one_of(&TOWNS).to_owned()
    } else if has(&["postcode", "zip", "pasta indeks"]) {
        format!("LV-{:04}", 1_001 + dice.below(4_000))
    } else if has(&["name", "vārd"]) {
        dice.one_of(&GIVEN).to_owned()
    } else if has(&["number", "numur", "id", "code", "kods", "mark", "zīm"]) {
        format!("PAR-{:05}", dice.below(100_000))
    } else {
        format!("paraugs {}", 1 + dice.below(99))
    };
    Value::String(made)
}

fn int(name: &str, dice: &mut Dice) -> Value {
    let name = name.to_lowercase();
    if name.contains("year") || name.contains("gad") {
        return Value::from(2_015 + dice.below(10));
    }
    if name.contains("age") || name.contains("vecum") {
        return Value::from(1 + dice.below(90));
    }
    Value::from(1 + dice.below(500))
}

fn date(dice: &mut Dice) -> String {
    format!(
        "20{:02}-{:02}-{:02}",
        dice.below(25),
        1 + dice.below(12),
        1 + dice.below(28)
    )
}

fn uuid(dice: &mut Dice) -> String {
    let (high, low) = (dice.next(), dice.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

/// A number as it is written: not by way of a float.
fn exact(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or(Value::Null)
}

fn short(list: &str) -> String {
    list.chars().filter(char::is_ascii_alphanumeric).take(4).collect()
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same seed throws the same.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// `words` has one at least.
    fn one_of<'a, W: AsRef<str>>(&mut self, words: &'a [W]) -> &'a str {
        let at = self.below(words.len() as u64) as usize;
        words.get(at).map_or("", AsRef::as_ref)
    }
}
