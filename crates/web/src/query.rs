//! Query words, read strictly: what is not known is refused, never passed over.

use dagr_app::problem::Problem;

/// Words of one query, in the order sent. Each may be taken once.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

/// Words one query may have.
const MAX_WORDS: usize = 64;

impl Query {
    pub fn parse(text: Option<&str>) -> Result<Self, Problem> {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(text.unwrap_or_default().as_bytes())
            .map(|(word, value)| (word.into_owned(), value.into_owned()))
            .take(MAX_WORDS + 1)
            .collect();
        if pairs.len() > MAX_WORDS {
            return Err(Problem::query_invalid(
                "query",
                format!("at most {MAX_WORDS} words"),
            ));
        }
        Ok(Self(pairs))
    }

    /// Takes a word out; given twice it is refused.
    pub fn take(&mut self, word: &str) -> Result<Option<String>, Problem> {
        let mut found = None;
        let mut twice = false;
        self.0.retain_mut(|(name, value)| {
            if name != word {
                return true;
            }
            twice |= found.is_some();
            found = Some(std::mem::take(value));
            false
        });
        if twice {
            Err(Problem::query_invalid(word, "given twice"))
        } else {
            Ok(found)
        }
    }

    pub fn take_number(&mut self, word: &str) -> Result<Option<u64>, Problem> {
        let number = |text: String| {
            // `+5`, ` 5` and `5.0` are not whole numbers as we write them.
            let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let parsed = if plain { text.parse().ok() } else { None };
            parsed.ok_or_else(|| Problem::query_invalid(word, "a whole number is wanted"))
        };
        self.take(word)?.map(number).transpose()
    }

    pub fn take_bool(&mut self, word: &str) -> Result<bool, Problem> {
        match self.take(word)?.as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::query_invalid(word, "write true or false")),
        }
    }

    pub fn take_list(&mut self, word: &str) -> Result<Option<Vec<String>>, Problem> {
        Ok(self
            .take(word)?
            .map(|text| text.split(',').map(str::to_owned).collect()))
    }

    pub fn take_time(&mut self, word: &str) -> Result<Option<jiff::Timestamp>, Problem> {
        let parse = |text: String| {
            text.parse()
                .map_err(|_| Problem::query_invalid(word, "an RFC 3339 time is wanted: 2026-05-12T14:05:00Z"))
        };
        self.take(word)?.map(parse).transpose()
    }

    /// The words that are left, for whoever knows what else may stand here.
    pub fn rest(self) -> Vec<(String, String)> {
        self.0
    }

    /// Refuses whatever is left.
    pub fn end(self) -> Result<(), Problem> {
        match self.0.first() {
            None => Ok(()),
            Some((word, _)) => {
                let shown: String = word.chars().take(40).collect();
                Err(Problem::query_invalid(
                    "query",
                    format!("unknown query word {shown:?}"),
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_refused() {
        let mut query = Query::parse(Some("limit=5&fields=A,B.C&Vards=%C4%80rija")).unwrap();
        assert_eq!(query.take_number("limit").unwrap(), Some(5));
        assert_eq!(
            query.take_list("fields").unwrap(),
            Some(vec!["A".to_owned(), "B.C".to_owned()])
        );
        assert_eq!(query.rest(), [("Vards".to_owned(), "Ārija".to_owned())]);
        assert_eq!(
            Query::parse(Some("x=1")).unwrap().end().unwrap_err().code,
            "query_invalid"
        );
        for wrong in [
            "limit=",
            "limit=+5",
            "limit=1.0",
            "limit=a",
            "limit=5&limit=6",
            "limit=99999999999999999999",
        ] {
            let mut query = Query::parse(Some(wrong)).unwrap();
            assert_eq!(
                query.take_number("limit").unwrap_err().code,
                "query_invalid",
                "{wrong}"
            );
        }
    }
}
