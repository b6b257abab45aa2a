//! A definition and a feed proposed from a file: the feed works as it is proposed, once it knows the server.

use std::{fs, path::Path, process::Output};

use serde_json::{Value, json};

use crate::{
    connector::formats::{ndjson, records, xml, zip},
    server::{Party, Server, dagr},
};

fn init(file: &Path, out: &Path, words: &[&str]) -> Output {
    dagr()
        .args(["connector", "init", "--prefix", "ta", "--json", "--out"])
        .args([out, file])
        .args(words)
        .output()
        .unwrap()
}

/// What is proposed for a file.
pub struct Proposed {
    dir: tempfile::TempDir,
    pub view: Value,
}

impl Proposed {
    /// `words`: more of the command line.
    pub fn of(name: &str, body: &[u8], words: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, body).unwrap();
        Self::at(dir, name, words)
    }

    fn at(dir: tempfile::TempDir, name: &str, words: &[&str]) -> Self {
        let output = init(&dir.path().join(name), dir.path(), words);
        // What is wrong comes after the answer.
        let mut values = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
        let view: Value = values.next().unwrap().unwrap();
        let is_proposed = view["proposed"].as_array().is_some_and(|names| !names.is_empty());
        assert_eq!(output.status.success(), is_proposed, "{output:?}");
        Self { dir, view }
    }

    fn name(&self) -> &str {
        self.view["proposed"][0]
            .as_str()
            .unwrap_or_else(|| panic!("{:#}", self.view))
    }

    fn text(&self, end: &str) -> String {
        fs::read_to_string(self.dir.path().join(format!("{}.{end}", self.name()))).unwrap()
    }

    pub fn definition(&self) -> String {
        self.text("yaml")
    }

    /// The definition is published as it is, and the feed runs: nothing is told to it but where the server is and who it is.
    pub async fn works(&self, server: &Server, provider: &Party) -> Value {
        server.publish(provider, self.name(), &self.definition()).await;
        fs::write(self.dir.path().join("key.pem"), &provider.key_pem).unwrap();
        let feed = self
            .text("toml")
            .replace("https://dagr.example.lv", &server.data)
            .replace(
                "client_id = \"…\"",
                &format!("client_id = \"{}\"", provider.client_id),
            )
            .replace("kind = \"files\"", "kind = \"files\"\nsettle = \"1ms\"");
        let path = self.dir.path().join("feed.toml");
        fs::write(&path, feed).unwrap();
        let output = dagr()
            .args(["connector", "once", "--reconcile", "--json"])
            .arg(&path)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// What the feed sends of it.
async fn sent(proposed: &Proposed) -> (u64, u64) {
    let server = Server::start();
    let provider = server.producer().await;
    let done = proposed.works(&server, &provider).await;
    assert_eq!(done["reconciled"]["differing"], 0, "{done:#}");
    (
        done["upserts"].as_u64().unwrap(),
        done["refused"].as_u64().unwrap(),
    )
}

#[tokio::test]
async fn a_csv_as_latvian_programs_write_it() {
    let mut text = "\u{feff}Nr;Reģ. numurs;Masa, t;Izgatavots;Īpašnieks;Derīgs;limit;;Piezīme;\n".to_owned();
    for n in 0..40 {
        text.push_str(&format!(
            "{};AB-{n:04};{n},5;{:02}.12.2020;120180-10513;{};00{n};{n};;\n",
            n % 7,
            1 + n % 31,
            n % 2 == 0
        ));
    }
    let proposed = Proposed::of("auto 2026.csv", text.as_bytes(), &[]);
    assert_eq!(
        proposed.definition(),
        "name: ta_auto_2026\nkey: Reģ_numurs\ndata_description: \"auto 2026\"\nfields:\n  - Nr int : Nr\n  - Reģ_numurs : \"Reģ. numurs\"\n  \
         - Masa_t decimal : \"Masa, t\"\n  - Izgatavots date : Izgatavots\n  - Īpašnieks person_code : Īpašnieks\n  - Derīgs bool : Derīgs\n  \
         - limit_7 : \"limit\"\n  - Piezīme : Piezīme\ncsv: {decimal: comma}\n"
    );
    let feed = proposed.text("toml");
    assert!(
        feed.contains("\nIzgatavots = { column = \"Izgatavots\", format = \"%d.%m.%Y\" }\n")
            && feed.contains("\ndrop = [\"\"]"),
        "{feed}"
    );
    assert_eq!(sent(&proposed).await, (40, 0));
}

#[tokio::test]
async fn records_of_json_and_xml() {
    let fields = "  - Id int : Id\n  - Make : Make\n  - Mass decimal : Mass\n  - Since date : Since\n  - Valid bool : Valid\n  - Tags * : Tags\n  \
                  - Owners * :\n      comments: Owners\n      fields:\n        - Code : Code\n        - Share decimal : Share\n";
    let whole = |name: &str| format!("name: {name}\nkey: Id\ndata_description: cars\nfields:\n{fields}");
    let lines = Proposed::of("cars.ndjson", &ndjson(1), &[]);
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    // Members come in no order.
    assert_eq!(sorted(&lines.definition()), sorted(&whole("ta_cars")));
    assert_eq!(sent(&lines).await, (50, 0));
    let wrapped = json!({"made": "2026", "data": {"items": records(1)}}).to_string();
    let inside = zip(&[("readme.txt", b"about"), ("cars.json", wrapped.as_bytes())]);
    let document = Proposed::of(
        "cars.zip",
        &inside,
        &["--records", "data.items", "--member", "cars.json"],
    );
    assert_eq!(sent(&document).await, (50, 0));
    // Elements that come more than once are lists.
    let elements = Proposed::of(
        "in/cars.xml",
        xml(1).as_bytes(),
        &["--records", "Register/Cars/Car"],
    );
    assert_eq!(elements.view["left"], json!([]));
    assert_eq!(sent(&elements).await, (50, 0));
}

#[tokio::test]
async fn features_of_geojson() {
    let at = |n: u32| json!({"type": "Point", "coordinates": [f64::from(n) + 24.1, 56.9]});
    let features: Vec<Value> = (0..20)
        .map(|n| json!({"type": "Feature", "properties": {"Name": format!("Ķengarags {n}"), "n": n}, "geometry": at(n), "id": n}))
        .collect();
    let text = json!({"type": "FeatureCollection", "features": features}).to_string();
    let proposed = Proposed::of("suburbs.json", text.as_bytes(), &["--records", "features"]);
    let definition = proposed.definition();
    assert!(
        definition.contains("key: id\n") && definition.contains("  - geometry geometry : geometry\n"),
        "{definition}"
    );
    assert_eq!(sent(&proposed).await, (20, 0));
}

/// Elements that come more than once in some records are lists in all of them.
#[tokio::test]
async fn lists_of_xml() {
    let mut text = "<?xml version=\"1.0\"?>\n<Register>\n".to_owned();
    for n in 0..20 {
        text.push_str(&format!("<Car id=\"{n}\"><Make>Škoda</Make>"));
        for owner in 0..n % 3 {
            text.push_str(&format!(
                "<Owner code=\"K{owner}\"><Since>2020-01-0{}</Since><Share>{}</Share></Owner>",
                1 + owner,
                0.25 * f64::from(owner + 1)
            ));
        }
        text.push_str("<Colours>");
        for colour in 0..=n % 2 {
            text.push_str(&format!("<Colour>krāsa {colour}</Colour>"));
        }
        text.push_str("</Colours></Car>\n");
    }
    text.push_str("</Register>\n");
    let proposed = Proposed::of("cars.xml", text.as_bytes(), &["--records", "Register/Car"]);
    let definition = proposed.definition();
    for line in [
        "key: id\n",
        "  - Owner * : \n",
        "        - code : code\n",
        "        - Since date : Since\n",
        "        - Share decimal : Share\n",
        "  - Colours_Colour * : \"Colours.Colour\"\n",
    ] {
        assert!(
            definition.contains(line.trim_end_matches(": \n")),
            "{line}: {definition}"
        );
    }
    assert_eq!(proposed.view["left"], json!([]));
    assert_eq!(sent(&proposed).await, (20, 0));
}

#[test]
fn a_file_that_tells_too_little() {
    let proposed = |name: &str, body: &[u8]| Proposed::of(name, body, &[]).view;
    let view = proposed("same.csv", b"A,B\n1,x\n1,x\n");
    assert_eq!(view["proposed"], json!([]));
    assert!(
        view["left"][0]["why"]
            .as_str()
            .unwrap()
            .contains("tell one row from another (2 rows)"),
        "{view:#}"
    );
    let view = proposed("none.csv", b"A,B\n");
    assert!(
        view["left"][0]["why"].as_str().unwrap().contains("no rows"),
        "{view:#}"
    );
    // Two columns together, where none does alone.
    let pair = Proposed::of("pair.csv", b"A,B,C\n1,x,q\n1,y,q\n2,x,q\n", &[]);
    assert!(
        pair.definition().contains("key: A(, B)\n"),
        "{}",
        pair.definition()
    );
    let refused = |name: &str, body: &[u8], words: &[&str]| {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(name), body).unwrap();
        let output = init(&dir.path().join(name), dir.path(), words);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let told = refused("a.csv", b"V\xe2rds\nx\n", &[]);
    assert!(told.contains("charset"), "{told}");
    assert!(refused("twice.csv", b"A,A\n1,2\n", &[]).contains("twice"));
    assert!(refused("a.data", b"x", &[]).contains("source.format"));
    assert!(refused("a.xml", b"<a/>", &[]).contains("source.records"));
    let gone = init(Path::new("gone.csv"), Path::new("."), &[]);
    assert!(
        String::from_utf8_lossy(&gone.stdout).contains("gone.csv"),
        "{gone:?}"
    );
}

#[tokio::test]
async fn a_directory_is_watched() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("kuģi")).unwrap();
    fs::write(
        dir.path().join("kuģi/1.csv"),
        "Id,Made\n1,2020-01-01T10:00:00Z\n2,\n",
    )
    .unwrap();
    let proposed = Proposed::at(dir, "kuģi", &[]);
    assert_eq!(
        proposed.definition(),
        "name: ta_kugi\nkey: Id\ndata_description: kuģi\nfields:\n  - Id int : Id\n  - Made timestamp : Made\n"
    );
    assert!(proposed.text("toml").contains("\nwatch = true "));
    assert_eq!(sent(&proposed).await, (2, 0));
}
