//! A PostgreSQL of the tests' own, from the machine's packages; gone with the process. Also of `dagr-server`'s tests.

use std::{
    io::{BufRead, BufReader},
    os::unix::fs::MetadataExt,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::seen::not_tried;

const SCRIPT: &str = include_str!("postgres.sh");

pub struct Cluster {
    /// Of its socket.
    pub dir: String,
    /// Its standard input is what keeps the server alive.
    _child: Child,
}

impl Cluster {
    /// `settings`: for the server's command line. The error says what is missing.
    pub fn start(settings: &str) -> Result<Self, String> {
        Self::start_by(command().args(["-c", SCRIPT, "sh", settings]))
    }

    /// Of another kind, by a script that behaves like this one's.
    #[allow(dead_code)]
    pub fn start_script(script: &str) -> Result<Self, String> {
        Self::start_by(command().args(["-c", script, "sh"]))
    }

    /// The same, as the user who runs the tests, with variables of its environment.
    #[allow(dead_code)]
    pub fn start_script_as_self(script: &str, given: &[(&str, &str)]) -> Result<Self, String> {
        let mut command = Command::new("sh");
        command.envs(given.iter().copied());
        Self::start_by(command.args(["-c", script, "sh"]))
    }

    /// Also on a port of 127.0.0.1, with TLS. Certificate and key are PEM.
    pub fn start_with_tls(port: u16, certificate: &str, key: &str) -> Result<Self, String> {
        let settings = format!("-c listen_addresses=127.0.0.1 -c port={port}");
        Self::start_by(with_tls(port, certificate, key).args(["-c", SCRIPT, "sh", &settings]))
    }

    /// The same of another kind, by a script that behaves like this one's.
    #[allow(dead_code)]
    pub fn start_script_with_tls(
        script: &str,
        port: u16,
        certificate: &str,
        key: &str,
    ) -> Result<Self, String> {
        Self::start_by(with_tls(port, certificate, key).args(["-c", script, "sh"]))
    }

    fn start_by(command: &mut Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut line = String::new();
        let out = child.stdout.take().ok_or("no output")?;
        BufReader::new(out)
            .read_line(&mut line)
            .map_err(|error| error.to_string())?;
        match line.trim().split_once(' ') {
            Some(("ready", dir)) => Ok(Self {
                dir: dir.to_owned(),
                _child: child,
            }),
            Some((_, why)) => Err(why.to_owned()),
            None => Err("it did not start in time".to_owned()),
        }
    }

    /// With default settings, one for the whole process. Says so when there is none.
    pub fn shared() -> Option<&'static Self> {
        static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
        CLUSTER
            .get_or_init(|| Self::start("").map_err(|why| not_tried("POSTGRESQL", &why)).ok())
            .as_ref()
    }

    /// Of a schema that has yet to be made, used by nobody else.
    pub fn schema() -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        format!("t{}", NEXT.fetch_add(1, Ordering::Relaxed))
    }

    pub fn url(&self, schema: &str) -> String {
        format!(
            "postgres://dagr@localhost/postgres?host={}&options=-c%20search_path%3D{schema}",
            self.dir
        )
    }

    pub fn create(&self, schema: &str) {
        let made = Command::new("psql")
            .args(["-q", "-h", &self.dir, "-U", "dagr", "-d", "postgres", "-c"])
            .arg(format!("CREATE SCHEMA {schema}"))
            .status();
        assert!(made.is_ok_and(|made| made.success()), "no schema");
    }
}

fn with_tls(port: u16, certificate: &str, key: &str) -> Command {
    let mut command = command();
    command
        .env("TLS_CERTIFICATE", certificate)
        .env("TLS_KEY", key)
        .env("PGPORT", port.to_string());
    command
}

/// PostgreSQL refuses root, which tests in containers are.
fn command() -> Command {
    let root = std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    if !root {
        return Command::new("sh");
    }
    let known = |user: &&str| {
        let id = Command::new("id").args(["-u", user]).output();
        id.is_ok_and(|id| id.status.success())
    };
    let user = ["postgres", "nobody"].into_iter().find(known).unwrap_or("nobody");
    let mut command = Command::new("setpriv");
    command
        .arg(format!("--reuid={user}"))
        .arg("--regid=65534")
        .args(["--clear-groups", "sh"]);
    command
}
