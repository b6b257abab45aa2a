//! What a narrowed definition keeps and what goes.
#![allow(clippy::unwrap_used, clippy::panic)]

use dagr_model::definition::Definition;

const TEXT: &str = "name: tst_set
key: Code(, Year)
fields:
  - Year int : gads
  - Code person_code : kods
  - Name : vārds
  - Issued date : izdots
  - Pets * :
      fields:
        - Species! : suga
        - Age int : vecums
  - Home ! :
      fields:
        - Street : iela
        - City : pilsēta
  - Officers * :
      fields:
        - PersonCode person_code : amatpersona
        - Role : amats
subject: [Code, Officers.PersonCode]
indexes: [Name, [Name, Issued], Pets.Species]
changes:
  - name: renamed
    when: \"old != null && new != null && new.Name != old.Name\"
  - name: moved
    when: \"old != null && new != null && new.Home.City != old.Home.City\"
  - name: any
    when: \"old == null\"
  - name: home
    when: \"new != null && new.Home == null\"
csv:
  delimiter: \";\"
  columns: {\"Vārds\": Name, \"Izdots\": Issued}
history: true
retention: {field: Issued, keep: 10y}
timezone: Europe/Riga
";

fn narrowed(paths: &[&str]) -> Definition {
    let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    let narrowed = TEXT.parse::<Definition>().unwrap().narrowed(&paths);
    let text = narrowed.print();
    assert_eq!(text.parse::<Definition>().as_ref(), Ok(&narrowed), "{text}");
    narrowed
}

#[test]
fn what_names_a_hidden_field_goes() {
    let definition = narrowed(&["Name", "Pets.Age", "Officers.Role", "Home.Street", "Nothing"]);
    assert_eq!(
        definition.print(),
        "name: tst_set
key: Code(, Year)
fields:
  - Year int : gads
  - Code person_code : kods
  - Name : vārds
  - Pets * :
      fields:
        - Age int : vecums
  - Home :
      fields:
        - Street : iela
  - Officers * :
      fields:
        - Role : amats
subject: Code
indexes: [Name]
changes:
  - name: renamed
    when: \"old != null && new != null && new.Name != old.Name\"
  - name: any
    when: \"old == null\"
csv:
  delimiter: \";\"
  columns:
    \"Vārds\": Name
history: true
timezone: Europe/Riga
"
    );
}

#[test]
fn everything_shown_is_the_definition_itself() {
    let whole: Definition = TEXT.parse().unwrap();
    assert_eq!(whole.narrowed(&whole.leaf_paths()), whole);
    assert_eq!(whole.narrowed(&whole.paths()), whole);
    let home = narrowed(&["Home", "Name", "Issued"]);
    assert!(home.field("Home").unwrap().required, "wholly shown");
    assert_eq!(home.changes.len(), 4);
    assert_eq!(home.retention, whole.retention);
    assert_eq!(home.indexes.len(), 2);
    assert_eq!(home.subject, ["Code"]);
}

#[test]
fn a_public_file_goes_with_any_of_its_columns() {
    let text = "name: tst_set\nkey: A\nfields:\n- A : a\n- B : b\n- C : c\npublic: {filename: x.csv}\n";
    let narrow = |text: &str, paths: &[&str]| {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        text.parse::<Definition>().unwrap().narrowed(&paths).public
    };
    assert!(narrow(text, &["A", "B"]).is_none(), "every leaf is a column");
    assert!(narrow(text, &["A", "B", "C"]).is_some());
    let named = text.replace("x.csv", "x.csv, fields: [A, B]");
    assert!(narrow(&named, &["B"]).is_some());
    assert!(narrow(&named, &["C"]).is_none());
}
