//! From claims to a person: a personal code and a name.

use std::fmt;

use dagr_model::value::person_code;
use serde_json::{Map, Value};

use crate::failure::Failure;

const MAX_NAME_CHARS: usize = 200;

/// Which claims say who somebody is.
#[derive(Debug, Clone)]
pub struct ClaimNames {
    pub code: String,
    /// Stands before the code and must stand there: `PNOLV-` (ETSI EN 319 412-1) lets in Latvian codes only.
    pub code_prefix: String,
    /// Put together in this order, with spaces; where one is missing, `name` is taken.
    pub name: Vec<String>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// 11 digits.
    pub code: String,
    pub name: String,
}

/// Neither code nor name: it may end up in a log.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl ClaimNames {
    /// Is it worth asking the provider for more?
    pub fn lacking(&self, claims: &Map<String, Value>) -> bool {
        !claims.contains_key(&self.code) || self.full_name(claims).is_none()
    }

    pub fn identity(&self, claims: &Map<String, Value>) -> Result<Identity, Failure> {
        let claim = &self.code;
        let unnamed = |what: &str| Failure::Unnamed(what.to_owned());
        let text = text(claims, claim).ok_or_else(|| unnamed(&format!("the claim {claim} is missing")))?;
        let digits = text.strip_prefix(self.code_prefix.as_str()).ok_or_else(|| {
            unnamed(&format!(
                "the claim {claim} does not begin with {}",
                self.code_prefix
            ))
        })?;
        let code = person_code(digits)
            .map_err(|_| unnamed(&format!("the claim {claim} holds no Latvian personal code")))?;
        let name = self.full_name(claims).ok_or_else(|| {
            unnamed(&format!(
                "neither the claims {} nor name are there",
                self.name.join(", ")
            ))
        })?;
        Ok(Identity {
            code: code.iter().map(|digit| char::from(*digit)).collect(),
            name,
        })
    }

    fn full_name(&self, claims: &Map<String, Value>) -> Option<String> {
        let parts: Option<Vec<_>> = self.name.iter().map(|claim| text(claims, claim)).collect();
        let parts = parts
            .filter(|parts| !parts.is_empty())
            .map(|parts| parts.join(" "));
        let name = parts.or_else(|| text(claims, "name").map(str::to_owned))?;
        let readable = name.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS);
        Some(readable.collect::<String>().trim().to_owned()).filter(|name| !name.is_empty())
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let text = claims.get(name)?.as_str()?.trim();
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(prefix: &str) -> ClaimNames {
        ClaimNames {
            code: "personal_code".to_owned(),
            code_prefix: prefix.to_owned(),
            name: vec!["given_name".to_owned(), "family_name".to_owned()],
        }
    }

    fn identity(prefix: &str, claims: &Value) -> Result<Identity, Failure> {
        names(prefix).identity(claims.as_object().unwrap())
    }

    #[test]
    fn claims_become_a_person() {
        let claims =
            json!({ "personal_code": "PNOLV-320000-00001", "given_name": "Anna", "family_name": "Ozola" });
        let found = identity("PNOLV-", &claims).unwrap();
        assert_eq!(
            (found.code.as_str(), found.name.as_str()),
            ("32000000001", "Anna Ozola")
        );
        assert!(!format!("{found:?}").contains("3200"));
        let whole = json!({ "personal_code": "32000000001", "given_name": "Anna", "name": " Anna\u{7} O. " });
        assert_eq!(identity("", &whole).unwrap().name, "Anna O.");
    }

    #[test]
    fn whoever_has_no_latvian_code_or_no_name_is_not_guessed() {
        for (prefix, claims) in [
            ("", json!({ "name": "A" })),
            ("", json!({ "personal_code": 32000000001_u64, "name": "A" })),
            ("", json!({ "personal_code": "PNOLV-32000000001", "name": "A" })),
            ("PNOLV-", json!({ "personal_code": "32000000001", "name": "A" })),
            (
                "PNOLV-",
                json!({ "personal_code": "PNOEE-32000000001", "name": "A" }),
            ),
            ("", json!({ "personal_code": "32000000001" })),
            ("", json!({ "personal_code": "32000000001", "name": " \n" })),
            ("", json!({ "personal_code": "3200000000", "name": "A" })),
        ] {
            let failure = identity(prefix, &claims).unwrap_err();
            assert_eq!(failure.word(), "unnamed", "{claims}");
            assert!(!failure.cause().contains("3200"), "{failure:?}");
        }
    }
}
