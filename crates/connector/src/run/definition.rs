//! The definition a feed works by.

use std::{fs::File, io::Write, sync::Arc};

use dagr_model::{definition::Definition, fault::Fault, schema::Schema};

use crate::{
    client::Client,
    error::{Error, Result},
    feed::Feed,
    state::State,
};

/// The definition a feed last worked by; of use when the server is away.
pub(super) const DEFINITION: &str = "definition.yaml";

pub(super) async fn definition(feed: &Feed, client: &Client) -> Result<String> {
    if let Some(path) = &feed.definition {
        return std::fs::read_to_string(path).map_err(|error| Error::file(path, &error));
    }
    let request = client
        .request(reqwest::Method::GET, &format!("{}/definition", feed.intake()))
        .await?;
    Ok(client.send(request).await?.text())
}

pub(super) fn compile(feed: &Feed, text: &str) -> Result<Schema> {
    let definition: Definition = text.parse().map_err(|faults| Error::Faults {
        what: "the definition cannot be read".to_owned(),
        faults,
    })?;
    if definition.name.as_str() != feed.dataset {
        let message = format!("the definition is of {}", definition.name);
        return Err(Error::Faults {
            what: "feed and definition do not fit together".to_owned(),
            faults: vec![Fault::new("dataset", "name", message)],
        });
    }
    Ok(Schema::compile(Arc::new(definition), None))
}

/// All of it or what was there before: a feed whose server is away begins with what lies there.
pub(super) fn keep_definition(state: &State, text: &str) -> Result<()> {
    let (path, beside) = (
        state.dir().join(DEFINITION),
        state.dir().join("definition.yaml.part"),
    );
    if std::fs::read_to_string(&path).is_ok_and(|known| known != text) {
        state.forget_refused_records()?;
    }
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)?;
        File::open(state.dir())?.sync_all()
    };
    write().map_err(|error| Error::file(&path, &error))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_known_definition_is_whole_at_every_moment() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path()).unwrap();
        keep_definition(&state, "name: before").unwrap();
        let mut reading = File::open(dir.path().join(DEFINITION)).unwrap();
        keep_definition(&state, "x").unwrap();
        let mut text = String::new();
        reading.read_to_string(&mut text).unwrap();
        assert_eq!(text, "name: before");
        let now = std::fs::read_to_string(dir.path().join(DEFINITION)).unwrap();
        assert_eq!(now, "x");
    }
}
