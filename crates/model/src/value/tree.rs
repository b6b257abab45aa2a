//! Free JSON values (`json`, `point`, `geometry`) and their RFC 8785 form.

use super::{Refusal, write_string};

/// Levels a free JSON value may have.
pub(crate) const MAX_DEPTH: usize = 32;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    /// Finite.
    Number(f64),
    Text(String),
    List(Vec<Tree>),
    /// Names are distinct.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// RFC 8785: members by UTF-16 code units, numbers as ECMAScript writes them.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(true) => out.extend_from_slice(b"true"),
            Self::Bool(false) => out.extend_from_slice(b"false"),
            Self::Number(number) => {
                out.extend_from_slice(ryu_js::Buffer::new().format_finite(*number).as_bytes());
            }
            Self::Text(text) => write_string(text, out),
            Self::List(elements) => {
                out.push(b'[');
                for (at, element) in elements.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    element.write(out);
                }
                out.push(b']');
            }
            Self::Object(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
                out.push(b'{');
                for (at, (name, value)) in sorted.into_iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    write_string(name, out);
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }

    fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members
                .iter()
                .find(|(own, _)| own == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// RFC 7946 geometry: `type` and `coordinates` (or `geometries`) of the right nesting; further members,
    /// such as `crs`, are kept.
    pub(crate) fn check_geometry(&self, only_point: bool) -> Result<(), Refusal> {
        const POINT: Refusal = Refusal::new(
            "type",
            "expected a GeoJSON Point: {\"type\":\"Point\",\"coordinates\":[x,y]}",
        );
        const GEOMETRY: Refusal = Refusal::new(
            "type",
            "expected a GeoJSON geometry with \"type\" and \"coordinates\"",
        );
        if only_point {
            let point = matches!(self.member("type"), Some(Self::Text(kind)) if kind == "Point");
            return if point && self.is_geometry() {
                Ok(())
            } else {
                Err(POINT)
            };
        }
        if self.is_geometry() { Ok(()) } else { Err(GEOMETRY) }
    }

    fn is_geometry(&self) -> bool {
        let Some(Self::Text(kind)) = self.member("type") else {
            return false;
        };
        let depth = match kind.as_str() {
            "Point" => 0,
            "MultiPoint" | "LineString" => 1,
            "MultiLineString" | "Polygon" => 2,
            "MultiPolygon" => 3,
            "GeometryCollection" => {
                return matches!(self.member("geometries"), Some(Self::List(list)) if list.iter().all(Self::is_geometry));
            }
            _ => return false,
        };
        self.member("coordinates")
            .is_some_and(|coordinates| coordinates.is_positions(depth))
    }

    fn is_positions(&self, depth: usize) -> bool {
        let Self::List(list) = self else { return false };
        if depth > 0 {
            return list.iter().all(|inner| inner.is_positions(depth - 1));
        }
        (2..=4).contains(&list.len()) && list.iter().all(|number| matches!(number, Self::Number(_)))
    }
}
