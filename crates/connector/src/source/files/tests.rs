use std::{io::Write, sync::Arc};

use dagr_model::schema::Schema;
use tempfile::TempDir;

use super::*;
use crate::{
    collect::{Refused, Take},
    feed::MapSpec,
};

/// A directory that is watched, and what the feed noted of it.
struct Site {
    dir: TempDir,
    files: Files,
    state: State,
    standing: Standing,
}

impl Site {
    fn new(settle: Duration) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("in")).unwrap();
        let files = Files {
            path: dir.path().join("in"),
            watch: true,
            order: Order::Name,
            format: None,
            charset: None,
            settle,
            records: None,
            member: None,
            may_be_empty: false,
        };
        let state = State::open(&dir.path().join("state")).unwrap();
        Self {
            dir,
            files,
            state,
            standing: Standing::default(),
        }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.files.path.join(name), text).unwrap();
    }

    fn next(&self, again: bool) -> std::result::Result<Option<Found>, Duration> {
        next(&self.files, &self.state, again, &self.standing).unwrap()
    }

    /// Takes every file there is to take; their names.
    fn takes(&self) -> Vec<String> {
        let mut names = Vec::new();
        while let Some(found) = self.next(false).unwrap() {
            for (name, value) in taken(&self.files, &found) {
                self.state.set_meta(&name, &value).unwrap();
            }
            names.push(found.note.strip_prefix(FILE).unwrap().to_owned());
        }
        names
    }

    fn late(&self) -> String {
        self.state.meta(LATE).unwrap().unwrap_or_default()
    }
}

#[test]
fn a_file_that_comes_late_or_changes_later_is_told_and_not_taken() {
    let site = Site::new(Duration::ZERO);
    site.write("1.csv", "a");
    site.write("2.csv", "b");
    assert_eq!(site.takes(), ["1.csv", "2.csv"]);
    site.write("1.csv", "restored");
    site.write("1-corrected.csv", "c");
    assert_eq!(site.takes(), [""; 0]);
    assert_eq!(site.late(), "1-corrected.csv, 1.csv");
    // The newest one is the present state, changed or followed by another.
    site.write("2.csv", "longer");
    site.write("3.csv", "d");
    assert_eq!(site.takes(), ["2.csv", "3.csv"]);
    for n in 0..5 {
        site.write(&format!("0-{n}.csv"), "e");
    }
    assert_eq!(site.takes(), [""; 0]);
    assert_eq!(site.late(), "0-0.csv, 0-1.csv, 0-2.csv and 4 more");
    for entry in fs::read_dir(&site.files.path).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    assert_eq!(site.takes(), [""; 0]);
    assert_eq!(site.late(), "");
}

#[test]
fn a_file_that_was_taken_is_not_taken_again_wherever_it_stands() {
    let mut site = Site::new(Duration::ZERO);
    // By arrival, as older builds took them.
    for number in ["2", "9", "10"] {
        site.write(&format!("export-{number}.csv"), number);
        let found = found_at(&site, &format!("export-{number}.csv"));
        for (name, value) in taken(&site.files, &found) {
            site.state.set_meta(&name, &value).unwrap();
        }
    }
    assert_eq!(site.takes(), [""; 0]);
    // Read otherwise: the newest is the one that was taken last.
    let again = site.next(true).unwrap().unwrap();
    assert_eq!(again.path, site.files.path.join("export-10.csv"));
    assert_eq!(site.late(), "");
    // Moved, and the last one is there no more.
    fs::remove_file(site.files.path.join("export-10.csv")).unwrap();
    let moved = site.dir.path().join("moved");
    fs::rename(&site.files.path, &moved).unwrap();
    site.files.path = moved;
    assert_eq!(site.takes(), [""; 0]);
    site.write("export-9.csv", "changed");
    assert_eq!(site.takes(), ["export-9.csv"]);
}

fn found_at(site: &Site, name: &str) -> Found {
    let path = site.files.path.join(name);
    found(&path, &fs::metadata(&path).unwrap())
}

#[test]
fn files_may_be_in_the_order_in_which_they_were_changed() {
    let mut site = Site::new(Duration::ZERO);
    let write = |site: &Site, name: &str, seconds: u64| {
        site.write(name, name);
        let file = File::options()
            .write(true)
            .open(site.files.path.join(name))
            .unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        file.set_modified(at).unwrap();
    };
    write(&site, "30.12.2024.csv", 100);
    write(&site, "31.12.2024.csv", 200);
    assert_eq!(site.takes(), ["30.12.2024.csv", "31.12.2024.csv"]);
    write(&site, "01.01.2025.csv", 300);
    assert_eq!(site.takes(), [""; 0]);
    assert_eq!(site.late(), "01.01.2025.csv");
    assert_eq!(site.state.meta(LATE_FILES).unwrap().unwrap(), "1");
    site.files.order = Order::Time;
    // What an older build noted.
    let noted = "DELETE FROM meta WHERE name = 'last_changed'";
    site.state.db.execute_batch(noted).unwrap();
    write(&site, "b.csv", 400);
    write(&site, "a.csv", 400);
    assert_eq!(site.takes(), ["01.01.2025.csv", "a.csv", "b.csv"]);
    assert_eq!(site.late(), "");
    assert_eq!(site.state.meta(LATE_FILES).unwrap().unwrap(), "0");
    write(&site, "z.csv", 399);
    assert_eq!(site.takes(), [""; 0]);
    assert_eq!(site.late(), "z.csv");
    // The one taken last is known also when it is read again.
    site.state.read_again().unwrap();
    assert_eq!(site.takes(), ["b.csv"]);
    assert_eq!(site.late(), "z.csv");
}

#[test]
fn what_was_taken_last_is_taken_again_where_it_is_read_otherwise() {
    let site = Site::new(Duration::ZERO);
    site.write("1.csv", "a");
    site.write("2.csv", "b");
    site.takes();
    assert_eq!(site.next(false), Ok(None));
    let found = site.next(true).unwrap().unwrap();
    assert_eq!(found.path, site.files.path.join("2.csv"));
    // A newer one is read in that way too, and is the present state.
    site.write("3.csv", "c");
    let found = site.next(true).unwrap().unwrap();
    assert_eq!(found.path, site.files.path.join("3.csv"));
}

#[test]
fn the_last_file_of_one_place_says_nothing_of_another() {
    let mut site = Site::new(Duration::ZERO);
    site.write("cars.csv", "a");
    assert_eq!(site.takes(), ["cars.csv"]);
    let other = site.dir.path().join("other");
    fs::create_dir(&other).unwrap();
    let moved = site.dir.path().join("moved");
    fs::rename(&site.files.path, &moved).unwrap();
    site.files.path = other;
    site.write("1.csv", "b");
    assert_eq!(site.takes(), ["1.csv"]);
    // The same files at another place are the same.
    let again = site.dir.path().join("again");
    fs::rename(&site.files.path, &again).unwrap();
    site.files.path = again;
    site.write("0.csv", "c");
    assert_eq!(site.takes(), [""; 0]);
}

#[test]
fn a_file_has_settled_when_it_was_seen_unchanged_so_long() {
    let ages = [Duration::ZERO, Duration::from_hours(10)];
    for age in ages {
        let site = Site::new(Duration::from_hours(1));
        site.write("1.csv", "a");
        // Whatever the clock of who wrote it says.
        for modified in [SystemTime::now() - age, SystemTime::now() + age] {
            let file = File::options()
                .write(true)
                .open(site.files.path.join("1.csv"))
                .unwrap();
            file.set_modified(modified).unwrap();
            let wait = site.next(false).unwrap_err();
            assert!(wait > Duration::from_mins(59), "{wait:?}");
        }
    }
    let site = Site::new(Duration::from_nanos(1));
    site.write("1.csv", "a");
    assert!(site.next(false).is_err(), "seen once");
    site.write("1.csv", "longer");
    assert!(site.next(false).is_err(), "changed since");
    // A clock may stand still for a moment.
    while site.next(false).is_err() {}
    assert!(site.next(false).unwrap().is_some());
}

#[test]
fn files_that_are_away_may_come_again() {
    let mut site = Site::new(Duration::ZERO);
    let away = |site: &Site| {
        let error = next(&site.files, &site.state, false, &site.standing).unwrap_err();
        assert!(error.is_passing(), "{error}");
    };
    // A link that leads nowhere is no file.
    std::os::unix::fs::symlink("nowhere", site.files.path.join("1.csv")).unwrap();
    assert_eq!(site.takes(), [""; 0]);
    site.files.path = site.dir.path().join("unmounted");
    away(&site);
    site.files.watch = false;
    away(&site);
    fs::write(&site.files.path, "a").unwrap();
    assert_eq!(site.takes(), ["unmounted"]);
}

/// Writes to the file when the first of its records comes.
struct Meddler(PathBuf, bool);

impl Take for Meddler {
    fn record(&mut self, _: u64, _: &[u8], _: &[u8; 32], _: &[u8]) -> Result<()> {
        if !std::mem::replace(&mut self.1, true) {
            let mut file = fs::OpenOptions::new().append(true).open(&self.0).unwrap();
            file.write_all(b"one,more\n").unwrap();
        }
        Ok(())
    }

    fn refused(&mut self, _: Vec<Refused>, _: Option<Vec<u8>>) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_file_that_changes_while_it_is_read_is_not_taken() {
    let text = "name: x_set\nkey: Id\ndata_description: d\nfields:\n  - Id : i\n  - Word : w\n";
    let schema = Arc::new(Schema::compile(Arc::new(text.parse().unwrap()), None));
    let site = Site::new(Duration::ZERO);
    let rows: String = (0..100_000)
        .map(|n| n.to_string() + ",some words of a row\n")
        .collect();
    site.write("1.csv", &format!("Id,Word\n{rows}"));
    let read = |meddled: bool| {
        let found = site.next(false).unwrap().unwrap();
        let mut take = Meddler(found.path.clone(), meddled);
        let map = MapSpec::default();
        let means = Means {
            csv: &schema.definition.csv,
            dir: site.dir.path(),
        };
        let mut collect = Collect::new(&schema, &map, &mut take);
        read(&site.files, &found, &mut collect, &means)
    };
    let told = read(false).unwrap_err().to_string();
    assert!(
        told.contains("1.csv changed while it was read; it is not taken"),
        "{told}"
    );
    // As it stands now it is.
    assert!(read(true).is_ok());
}
