//! How a feed stands, read beside it while it runs.

use std::{path::Path, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::packages;
use crate::{
    error::Result,
    feed::{Feed, Source},
    metrics::Gauges,
    source::files,
    state::{self, PackageState, State},
};

/// A feed at work comes to what is due by then; a look that takes longer is behind.
const GRACE: Duration = Duration::from_mins(1);
/// Refusals shown.
const SHOWN: usize = 100;

/// A JSON object; `state` is `new` (nothing was compared yet), `ok`, `late` (files that are not read come before the one taken last), `keeping` (records that
/// seem to be gone stay, because rows that cannot be read may be theirs), `waiting` (packages are not yet at the server), `held` (by the guard) or `problem`.
pub fn status(path: &Path) -> Result<Value> {
    let feed = Feed::load(path)?;
    let Some(db) = State::peek(&feed.state)? else {
        return Ok(json!({ "feed": feed.name, "dataset": feed.dataset, "state": "new" }));
    };
    let note = |name: &str| state::meta(&db, name).map(|note| note.filter(|text| !text.is_empty()));
    let number = |name: &str| note(name).map(|note| note.and_then(|text| text.parse::<i64>().ok()));
    let newest = state::newest(&db, 1_000)?;
    let unfinished: Vec<_> = newest
        .iter()
        .filter(|package| matches!(package.state, PackageState::Waiting | PackageState::Held))
        .collect();
    let held = unfinished
        .iter()
        .find(|package| package.state == PackageState::Held);
    let (digest, records) = state::digest(&db)?;
    let problem = State::problem(&feed.state);
    let kept = number("kept")?.unwrap_or(0);
    // Of a source that the feed had before it says nothing.
    let watches = matches!(&feed.source, Source::Files(files) if files.watch);
    let late = note(files::LATE)?.filter(|_| watches);
    let late_files = number(files::LATE_FILES)?.filter(|_| watches).unwrap_or(0);
    let is_new = newest.is_empty() && note("last_compare")?.is_none();
    let word = match (&problem, held, unfinished.is_empty()) {
        (_, Some(_), _) => "held",
        (Some(_), None, _) => "problem",
        (None, None, false) => "waiting",
        (None, None, true) if is_new => "new",
        (None, None, true) if kept > 0 => "keeping",
        (None, None, true) if late.is_some() => "late",
        (None, None, true) => "ok",
    };
    let waits_since = unfinished.last().map(|package| package.made_at.clone());
    let running = State::is_worked_on(&feed.state);
    let next_compare = next(note("last_compare")?, feed.schedule.compare, note("compare_due")?);
    let looked = note("last_look")?.max(note("last_compare")?);
    let grace = if running { GRACE } else { Duration::ZERO };
    let is_asked_for = note("compare_due")?.as_deref() == Some("true");
    let stands = problem.is_some()
        || is_due(
            &feed,
            looked.as_deref(),
            next_compare.filter(|_| !is_asked_for),
            grace,
        );
    let stands_since = looked.filter(|_| stands);
    let behind_since = waits_since.or(stands_since);
    let lag = match &behind_since {
        Some(since) => seconds_since(since),
        None => (!is_new).then_some(0),
    };
    let last = newest.first().map(packages::of);
    Ok(json!({
        "feed": feed.name,
        "dataset": feed.dataset,
        "section": if feed.sandbox { "sandbox" } else { "main" },
        "state": word,
        "running": running,
        "problem": problem.as_ref().map(|problem| &problem.text),
        "problem_since": problem.as_ref().map(|problem| problem.since),
        "records": records,
        "digest": digest.hex(),
        "waiting": unfinished.len(),
        "spool_bytes": unfinished.iter().map(|package| package.bytes).sum::<u64>(),
        "refused": number("refused")?.unwrap_or(0),
        "unread": number("unread")?.unwrap_or(0),
        "kept": kept,
        "declined": db.query_row("SELECT count(*) FROM declined", [], |row| row.get::<_, i64>(0))?,
        "passed_over": note("passed_over")?,
        "late": late,
        "late_files": late_files,
        "last_package": last,
        "last_compare": note("last_compare")?,
        "last_reconcile": note("last_reconcile")?,
        "last_look": note("last_look")?,
        "lag_seconds": lag,
        "next_compare": next_compare,
        "next_reconcile": next(note("last_reconcile")?, feed.schedule.reconcile, None),
        "source": {
            "position": note("source_position")?,
            "committed": number("source_committed_ms")?.and_then(|at| Timestamp::from_millisecond(at).ok()),
            "wal_bytes": number("source_wal_bytes")?,
            "slot_status": note("source_slot_status")?,
            "advice": note("source_advice")?,
        },
        "refusals": refusals(&db)?,
    }))
}

/// Should the source have been looked at, so long ago? Of files nobody knows whether there are new ones.
fn is_due(feed: &Feed, looked: Option<&str>, next: Option<Timestamp>, grace: Duration) -> bool {
    let due = match &feed.source {
        Source::Files(_) => return false,
        Source::Sql(sql) if sql.follow.is_some() => looked.and_then(|looked| looked.parse().ok()),
        // What is asked for is due since the last one.
        _ => next.or_else(|| looked.and_then(|looked| looked.parse().ok())),
    };
    let late = due.and_then(|due| due.checked_add(grace).ok());
    late.is_some_and(|late| late <= Timestamp::now())
}

/// Whole seconds; none before a moment that is still to come.
fn seconds_since(moment: &str) -> Option<i64> {
    let moment: Timestamp = moment.parse().ok()?;
    Some(Timestamp::now().duration_since(moment).as_secs().max(0))
}

/// When it is done again. What was never done, or is asked for, is done by the next round.
fn next(last: Option<String>, every: Duration, due: Option<String>) -> Option<Timestamp> {
    if due.as_deref() == Some("true") {
        return Some(Timestamp::now());
    }
    match last {
        Some(last) => last.parse::<Timestamp>().ok()?.checked_add(every).ok(),
        None => Some(Timestamp::now()),
    }
}

fn refusals(db: &rusqlite::Connection) -> Result<Vec<Value>> {
    let mut statement = db.prepare(&format!("SELECT * FROM refused LIMIT {SHOWN}"))?;
    let rows = statement.query_map([], |row| {
        Ok(json!({
            "row": row.get::<_, i64>(0)?,
            "column": row.get::<_, String>(1)?,
            "rule": row.get::<_, String>(2)?,
            "message": row.get::<_, String>(3)?,
            "shape": row.get::<_, String>(4)?,
            // The state of an earlier build does not say.
            "record": row.get::<_, Option<String>>("record").ok().flatten().unwrap_or_default(),
        }))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The same as Prometheus text.
pub fn metrics(status: &Value) -> String {
    let mut gauges = Gauges::of("dagr_connector", "feed", &status["feed"]);
    let running = json!(status["running"] == true);
    for (name, help, value) in [
        ("running", "1 while a process works on the feed.", &running),
        ("records", "Records of the set as sent.", &status["records"]),
        (
            "waiting_packages",
            "Packages not yet at the server.",
            &status["waiting"],
        ),
        (
            "spool_bytes",
            "Bytes of packages not yet at the server.",
            &status["spool_bytes"],
        ),
        (
            "refused_rows",
            "Rows of the last comparison, and of what was followed since, that were not sent.",
            &status["refused"],
        ),
        (
            "unread_rows",
            "Rows of the last comparison that may be of any record: nothing is deleted while there are any.",
            &status["unread"],
        ),
        (
            "kept_records",
            "Records that seem to be gone and stay because of such rows.",
            &status["kept"],
        ),
        (
            "declined_records",
            "Records that the server declined as they stand.",
            &status["declined"],
        ),
        (
            "late_files",
            "New or changed files that come before the one taken last: they are not read.",
            &status["late_files"],
        ),
        (
            "problem",
            "1 while the feed stands still.",
            &json!(status["problem"].is_string()),
        ),
        (
            "lag_seconds",
            "How long the server has been behind what the feed knows or can ask for.",
            &status["lag_seconds"],
        ),
        (
            "source_wal_bytes",
            "WAL the source keeps for the feed.",
            &status["source"]["wal_bytes"],
        ),
        (
            "last_package_seconds",
            "When the last package was made.",
            &status["last_package"]["made_at"],
        ),
        (
            "last_compare_seconds",
            "When everything was last compared.",
            &status["last_compare"],
        ),
        (
            "last_reconcile_seconds",
            "When the server's digest was last compared.",
            &status["last_reconcile"],
        ),
    ] {
        gauges.put(name, help, value);
    }
    gauges.text()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Writes the file of a feed of this source.
    fn feed(path: &Path, source: &str) -> Feed {
        let text = format!(
            "dataset = 'x_cars'\n[server]\nurl = 'http://x'\nclient_id = 'c'\nkey = {{ file = 'k' }}\n[source]\n{source}"
        );
        fs::write(path, text).unwrap();
        Feed::load(path).unwrap()
    }

    #[test]
    fn files_that_are_not_read_are_a_state_of_the_feed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("feed.toml");
        let feed = |source: &str| feed(&path, source);
        let watched = "kind = 'files'\npath = 'in'\nwatch = true";
        let state = State::open(&feed(watched).state).unwrap();
        let told = || {
            let status = status(&path).unwrap();
            let gauge = metrics(&status)
                .lines()
                .find_map(|line| line.strip_prefix("dagr_connector_late_files{feed=\"x_cars\"} "))
                .map(str::to_owned);
            (status["state"].clone(), status["late"].clone(), gauge)
        };
        assert_eq!(told().0, "new");
        state
            .set_meta("last_compare", &Timestamp::now().to_string())
            .unwrap();
        assert_eq!(told(), (json!("ok"), Value::Null, Some("0".to_owned())));
        state.set_meta(files::LATE, "1.csv").unwrap();
        state.set_meta(files::LATE_FILES, "1").unwrap();
        assert_eq!(told(), (json!("late"), json!("1.csv"), Some("1".to_owned())));
        state.say("away").unwrap();
        assert_eq!(told().0, "problem");
        state.say("").unwrap();
        feed("kind = 'sqlite'\npath = 'x.db'\ntable = 'x'");
        assert_eq!(told(), (json!("ok"), Value::Null, Some("0".to_owned())));
    }

    /// A feed that nobody works on is behind from its last look on, where something is due.
    #[test]
    fn a_feed_that_is_away_is_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("feed.toml");
        let told = || {
            let status = status(&path).unwrap();
            let lag = status["lag_seconds"].as_i64();
            (status["running"] == true, lag.map(|lag| lag / 60))
        };
        let table = "kind = 'sqlite'\npath = 'x.db'\ntable = 'x'\n";
        let state = State::open(&feed(&path, table).state).unwrap();
        assert_eq!(told(), (true, None), "nothing was compared yet");
        let dir = state.dir().to_owned();
        let minutes_ago = |minutes: i64| {
            let db = rusqlite::Connection::open(dir.join("feed.db")).unwrap();
            let then = Timestamp::now().checked_sub(jiff::SignedDuration::from_mins(minutes));
            let text = "INSERT OR REPLACE INTO meta VALUES ('last_compare', ?1)";
            db.execute(text, [then.unwrap().to_string()]).unwrap();
        };
        let then = |hours: i64| minutes_ago(60 * hours);
        // A quarter of an hour is between two comparisons.
        minutes_ago(15);
        assert_eq!(told(), (true, Some(0)), "whoever works on it comes to it");
        then(50);
        assert_eq!(told(), (true, Some(3_000)), "and is at it for long");
        minutes_ago(5);
        assert_eq!(told(), (true, Some(0)));
        state.set_meta("compare_due", "true").unwrap();
        assert_eq!(told(), (true, Some(5)), "it was asked for");
        state.set_meta("compare_due", "false").unwrap();
        drop(state);
        then(50);
        assert_eq!(told(), (false, Some(3_000)));
        then(0);
        assert_eq!(told(), (false, Some(0)), "it is not due");
        feed(&path, &format!("{table}[source.follow]\n"));
        then(2);
        assert_eq!(told(), (false, Some(120)), "followed at every moment");
    }
}
