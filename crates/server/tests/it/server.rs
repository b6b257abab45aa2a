//! The real binary on free ports with a directory of its own, and those who call it.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use dagr_server::{client::Client, keys};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::raw;

/// A running server; killed when dropped.
pub struct Server {
    /// `http://127.0.0.1:PORT`, which is the public URL too.
    pub data: String,
    pub operations: String,
    child: Option<Child>,
    dir: TempDir,
    /// The authority of its certificate, where it has one.
    pub ca_pem: Option<String>,
    /// `DAGR_…` variables it was started with.
    environment: Vec<(String, String)>,
    /// A program and its words that run the binary: `strace …`.
    wrapper: Vec<String>,
    /// What it writes to its error output.
    log: tempfile::NamedTempFile,
}

/// A signed-in connection and what was made for it.
pub struct Party {
    pub client: Client,
    pub client_id: String,
    /// Registration number.
    pub institution: String,
    pub system: String,
    pub key_pem: String,
}

impl Server {
    /// Starts one in a new directory.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with `DAGR_SECTION__KEY` variables.
    pub fn start_with(environment: &[(&str, &str)]) -> Self {
        Self::start_under(&[], environment)
    }

    /// Starts one by another program, which must exec the binary in its own place.
    pub fn start_under(wrapper: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut server = Self::prepared(wrapper, environment);
        server.launch();
        server
    }

    /// Its directory is there; `launch` starts it.
    pub fn prepared(wrapper: &[&str], environment: &[(&str, &str)]) -> Self {
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self {
            data: String::new(),
            operations: String::new(),
            child: None,
            dir: tempfile::tempdir().unwrap(),
            ca_pem: None,
            environment,
            wrapper: wrapper.iter().map(|&word| word.to_owned()).collect(),
            log: tempfile::NamedTempFile::new().unwrap(),
        }
    }

    /// A variable of its environment, from the next launch on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Everything it has logged, restarts included.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// A process on the directory; returns when it is ready.
    pub fn launch(&mut self) {
        let mut command = dagr_under(&self.wrapper);
        command
            .args([
                OsStr::new("serve"),
                OsStr::new("--data"),
                self.dir.path().as_os_str(),
            ])
            .env("DAGR_LISTEN__DATA", "127.0.0.1:0")
            .env("DAGR_LISTEN__OPERATIONS", "127.0.0.1:0")
            .env("DAGR_LOG__LEVEL", "warn")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(
                std::fs::OpenOptions::new()
                    .append(true)
                    .open(self.log.path())
                    .unwrap(),
            );
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        self.child = Some(child);
        let after = |word: &str| {
            let rest = line
                .split_once(word)
                .unwrap_or_else(|| panic!("not ready: {line:?}"))
                .1;
            rest.split(',').next().unwrap().trim().to_owned()
        };
        self.data = after("data ");
        self.operations = after("operations ");
    }

    /// From the next launch on it listens for data where it does now.
    pub fn stays(&mut self) {
        let address = self.data.trim_start_matches("http://").to_owned();
        self.set("DAGR_LISTEN__DATA", &address);
    }

    /// SIGKILL, then a new process on the same directory (and other ports).
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.launch();
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    /// SIGTERM; returns the exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        self.ask_to_stop();
        self.ended()
    }

    /// SIGTERM.
    pub fn ask_to_stop(&self) {
        let pid = rustix::process::Pid::from_child(self.child.as_ref().unwrap());
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// Waits for the process to end by itself; returns the exit code.
    pub fn ended(&mut self) -> Option<i32> {
        self.child.take().unwrap().wait().unwrap().code()
    }

    /// Is the process still there?
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().unwrap().try_wait().unwrap().is_none()
    }

    /// Status and text of `/health/ready`; a new connection each time.
    pub async fn ready(&self) -> (u16, String) {
        let answer = raw::get(&self.operations(), "/health/ready").await;
        (answer.status, answer.text())
    }

    /// Asks until it is ready again.
    pub async fn until_ready(&self) {
        while self.ready().await.0 != 200 {
            tokio::task::yield_now().await;
        }
    }

    /// `dagr scrub` of its directory; stops it first.
    pub fn scrub(&mut self) -> Output {
        self.kill();
        dagr()
            .arg("scrub")
            .arg("--data")
            .arg(self.dir())
            .output()
            .unwrap()
    }

    pub fn operator_token(&self) -> String {
        std::fs::read_to_string(self.dir().join("secrets/operator-token")).unwrap()
    }

    pub fn operator(&self) -> Client {
        self.trusted(Client::operator(&self.data, &self.operator_token()).unwrap())
    }

    pub fn anonymous(&self) -> Client {
        Client::anonymous(&self.data).unwrap()
    }

    /// The operations port.
    pub fn operations(&self) -> Client {
        Client::anonymous(&self.operations).unwrap()
    }

    /// A connection that was made before, against the server as it runs now.
    pub fn again(&self, party: &Party) -> Client {
        self.trusted(Client::connection(&self.data, &party.client_id, &party.key_pem).unwrap())
    }

    fn trusted(&self, client: Client) -> Client {
        match &self.ca_pem {
            Some(pem) => client.trusting(pem.as_bytes()).unwrap(),
            None => client,
        }
    }

    /// A producer of a new institution, signed in at its first call.
    pub async fn producer(&self) -> Party {
        self.party("producer").await
    }

    /// A consumer of a new institution, signed in at its first call.
    pub async fn consumer(&self) -> Party {
        self.party("consumer").await
    }

    async fn party(&self, kind: &str) -> Party {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let institution = format!("9000{number:07}");
        let operator = self.operator();
        let body = json!({ "registration_number": institution, "name": format!("Iestāde {number}") });
        operator.post("/registry/institutions", &body).await.unwrap();
        self.connection(&institution, kind, number).await
    }

    /// One more connection of an institution; `number` makes its names.
    pub async fn connection(&self, institution: &str, kind: &str, number: u32) -> Party {
        let (system, client_id) = (format!("S{number}"), format!("{kind}-{number}"));
        let operator = self.operator();
        let body = json!({ "institution": institution, "code": system, "name": format!("System {number}") });
        operator.post("/registry/systems", &body).await.unwrap();
        let body =
            json!({ "client_id": client_id, "system": system, "kind": kind, "token_lifetime_s": 3_600 });
        operator.post("/registry/connections", &body).await.unwrap();
        let made = keys::generate(&client_id).unwrap();
        let path = format!("/registry/connections/{client_id}/certificate");
        operator
            .put(&path, "application/x-pem-file", made.certificate_pem)
            .await
            .unwrap();
        let client = Client::connection(&self.data, &client_id, &made.key_pem).unwrap();
        Party {
            client: self.trusted(client),
            client_id,
            institution: institution.to_owned(),
            system,
            key_pem: made.key_pem,
        }
    }

    /// Puts a definition as the provider's and publishes it.
    pub async fn publish(&self, provider: &Party, name: &str, definition: &str) {
        let operator = self.operator();
        let path = format!(
            "/registry/datasets/{name}/definition?institution={}",
            provider.institution
        );
        operator
            .put(&path, "application/yaml", definition.to_owned())
            .await
            .unwrap();
        operator
            .post_empty(&format!("/registry/datasets/{name}/publish"))
            .await
            .unwrap();
    }

    /// Grants the recipient all fields by every way given; `over` lies over that. Gives the recipient's client
    /// under the new permission.
    pub async fn grant(&self, recipient: &Party, dataset: &str, ways: &[&str], over: Value) -> Client {
        self.granted(recipient, dataset, ways, over).await.0
    }

    /// The same, with the permission's number.
    pub async fn granted(
        &self,
        recipient: &Party,
        dataset: &str,
        ways: &[&str],
        over: Value,
    ) -> (Client, String) {
        let mut body = json!({
            "dataset": dataset, "recipient": recipient.institution, "environment": "main",
            "purpose": "test", "legal_basis": "test", "fields": "all", "ways": ways,
        });
        for (name, value) in over.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let view = self
            .operator()
            .post("/registry/permissions", &body)
            .await
            .unwrap();
        let number = view["number"].as_str().unwrap().to_owned();
        (recipient.client.with_permission(&number), number)
    }

    /// The command line against this server.
    pub fn run(&self, words: &[&str]) -> Output {
        let mut command = dagr();
        command
            .args(words)
            .args(["--server", &self.data])
            .arg("--data")
            .arg(self.dir());
        command.output().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- the server's log ---\n{}", self.logged());
        }
    }
}

/// The binary, free of this environment's own settings.
pub fn dagr() -> Command {
    dagr_under(&[])
}

fn dagr_under(wrapper: &[String]) -> Command {
    let binary = env!("CARGO_BIN_EXE_dagr");
    let mut command = match wrapper.split_first() {
        None => Command::new(binary),
        Some((program, words)) => {
            let mut command = Command::new(program);
            command.args(words).arg(binary);
            command
        }
    };
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("DAGR_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}
