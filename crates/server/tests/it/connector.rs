//! Feeds and replicas: the real binary between real sources and the real server.

mod addresses;
mod binlog;
mod encrypted;
mod files;
mod formats;
mod independent;
mod init;
mod large;
mod log;
mod mariadb;
mod mysql;
mod parquet;
mod postgres;
mod proxy;
mod replica;
mod replica_verify;
mod retention;
mod soap;
mod sqlite;
mod storm;
mod told;
mod tpch;
mod two_worlds;
mod unhappy;
mod values;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

pub use crate::seen::{figure, not_tried};
use crate::server::{Party, Server, dagr};

/// A directory with the file of a feed or a replica, and the key it signs in with.
pub struct Desk {
    pub dir: TempDir,
    pub file: PathBuf,
    what: &'static str,
}

impl Desk {
    /// `rest`: everything of the file but the server.
    pub fn feed(server: &Server, party: &Party, rest: &str) -> Self {
        Self::new("connector", server, party, rest)
    }

    /// A feed of the files of a directory.
    pub fn watching(server: &Server, party: &Party, dataset: &str) -> Self {
        let desk = Self::feed(server, party, &watched(dataset));
        fs::create_dir(desk.path("in")).unwrap();
        desk
    }

    /// A file of the watched directory, there at once.
    pub fn drop_in(&self, name: &str, body: &[u8]) {
        fs::write(self.path("dropped"), body).unwrap();
        fs::rename(self.path("dropped"), self.path("in").join(name)).unwrap();
    }

    pub fn replica(server: &Server, party: &Party, rest: &str) -> Self {
        Self::new("replica", server, party, rest)
    }

    fn new(what: &'static str, server: &Server, party: &Party, rest: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("key.pem"), &party.key_pem).unwrap();
        let desk = Self {
            file: dir.path().join("it.toml"),
            dir,
            what,
        };
        desk.point(server, party, rest);
        desk
    }

    /// Writes the file, against the server as it runs now.
    pub fn point(&self, server: &Server, party: &Party, rest: &str) {
        self.aim(&server.data, party, rest, "");
    }

    /// Writes the file; `words`: more of `[server]`.
    pub fn aim(&self, url: &str, party: &Party, rest: &str, words: &str) {
        let text = format!(
            "{rest}\n[server]\nurl = \"{url}\"\nclient_id = \"{}\"\nkey = {{ file = \"key.pem\" }}\n{words}\n[retry]\npause = \"500ms\"\nlimit = \"15s\"\n",
            party.client_id
        );
        fs::write(&self.file, text).unwrap();
    }

    /// What a command says that has to be decided on first.
    pub fn refused(&self, command: &str) -> String {
        let output = self.run(command, &["--json"]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `dagr connector VERB FILE …`
    pub fn run(&self, verb: &str, words: &[&str]) -> Output {
        dagr()
            .args([self.what, verb])
            .arg(&self.file)
            .args(words)
            .output()
            .unwrap()
    }

    /// The same with `--json`; it must succeed.
    pub fn done(&self, verb: &str, words: &[&str]) -> Value {
        let (code, value) = self.answer(verb, words);
        assert_eq!(code, Some(0), "{verb}: {value:#}\n{}", self.said());
        value
    }

    /// Exit code and what is printed with `--json`.
    pub fn answer(&self, verb: &str, words: &[&str]) -> (Option<i32>, Value) {
        let output = self.run(verb, &[words, &["--json"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        fs::write(self.path("said"), errors.as_bytes()).unwrap();
        // A refused round tells what it did, and then the problem.
        let mut values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
        let first = values
            .next()
            .unwrap_or_else(|| panic!("nothing printed: {errors}"))
            .unwrap();
        (output.status.code(), first)
    }

    /// The service; killed when dropped.
    pub fn service(&self) -> Service {
        self.service_with(&[])
    }

    /// The same in an environment of its own.
    pub fn service_with(&self, environment: &[(&str, &str)]) -> Service {
        self.service_saying(&[], environment)
    }

    /// The same with more words on its command line.
    pub fn service_saying(&self, words: &[&str], environment: &[(&str, &str)]) -> Service {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        let child = dagr()
            .args([self.what, "run"])
            .arg(&self.file)
            .args(words)
            .current_dir(self.dir.path())
            .env("DAGR_LOG__LEVEL", "info")
            .envs(environment.iter().copied())
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Service { child }
    }

    /// What the last command said beside its answer.
    pub fn said(&self) -> String {
        fs::read_to_string(self.path("said")).unwrap_or_default()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    pub fn status(&self) -> Value {
        self.done("status", &[])
    }

    /// The status names a problem in these words; gives all of it.
    pub async fn until_problem(&self, words: &str) -> String {
        let says = || self.status()["problem"].as_str().unwrap_or_default().to_owned();
        until("the status says what is wrong", async || says().contains(words)).await;
        let problem = says();
        eprintln!("{}: {problem}", self.what);
        problem
    }

    /// Of a feed whose source cannot be followed: not at each try to follow it.
    pub async fn is_compared_once(&self) {
        until("it is tried again and again", async || {
            self.log().matches("the feed stands still").count() > 3
        })
        .await;
        assert_eq!(self.log().matches(" compared records").count(), 1);
    }

    /// Nothing is wrong, and the server holds what the feed has sent.
    pub async fn until_whole(&self, mut service: Service, party: &Party, dataset: &str) {
        until("nothing is wrong any more", async || {
            self.status()["state"] == "ok"
        })
        .await;
        assert_eq!(service.stop(), Some(0));
        let done = self.done("once", &["--reconcile"]);
        let found = (
            &done["upserts"],
            &done["deletes"],
            &done["reconciled"]["differing"],
        );
        assert_eq!(found, (&0.into(), &0.into(), &0.into()), "{done:#}");
        let held = state(party, dataset).await;
        assert_eq!(done["reconciled"]["digest"], held["digest"]);
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the log of {} ---\n{}", self.what, self.log());
        }
    }
}

pub struct Service {
    child: Child,
}

impl Service {
    /// SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its exit code, once it ends by itself.
    pub async fn ended(&mut self) -> Option<i32> {
        let mut code = None;
        until("the service has ended", async || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        })
        .await;
        code.and_then(|code| code.code())
    }

    /// SIGTERM; the exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A feed of the directory `in`.
pub fn watched(dataset: &str) -> String {
    format!("dataset = '{dataset}'\n[source]\nkind = 'files'\npath = 'in'\nwatch = true\nsettle = '1ms'\n")
}

/// Asks until it is so; three minutes at most: others work beside it.
pub async fn until(what: &str, so: impl AsyncFnMut() -> bool) {
    within(180, what, so).await;
}

/// Asks until it is so; so many seconds at most.
pub async fn within(seconds: u64, what: &str, mut so: impl AsyncFnMut() -> bool) {
    let began = std::time::Instant::now();
    while !so().await {
        assert!(
            began.elapsed().as_secs() < seconds,
            "not within {seconds} s: {what}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// `…/state` of a set.
pub async fn state(party: &Party, dataset: &str) -> Value {
    party
        .client
        .get(&format!("/intake/{dataset}/state"))
        .await
        .unwrap()
}

pub fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

pub fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::write(path, text).unwrap();
}
