//! PostgreSQL through its own client, for the benches that need one.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::commands::Failure;

fn failed(error: std::io::Error) -> Failure {
    Failure::here(format!(
        "psql: {error}; install it (Debian: apt install postgresql-client)"
    ))
}

pub fn command(url: &str) -> Command {
    let mut command = Command::new("psql");
    command.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", url]);
    command
}

/// Runs statements.
pub fn run(url: &str, text: &str) -> Result<(), Failure> {
    let status = command(url).args(["--command", text]).status().map_err(failed)?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::here(
            "psql failed; what it says stands above: --postgres names a database in which this user may make tables, postgres://USER@HOST/DATABASE"
                .to_owned(),
        ))
    }
}

/// One session that takes statements one after another.
pub struct Session {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    pub fn open(url: &str) -> Result<Self, Failure> {
        let mut child = command(url)
            .args(["--no-align", "--tuples-only"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Self {
                child,
                input,
                output: BufReader::new(output),
            }),
            _ => Err(Failure::here("psql gives no pipe".to_owned())),
        }
    }

    /// A statement that answers nothing.
    pub fn say(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.input, "{text};").map_err(failed)
    }

    /// A query that answers one line.
    pub fn ask(&mut self, text: &str) -> Result<String, Failure> {
        self.say(text)?;
        self.input.flush().map_err(failed)?;
        let mut line = String::new();
        if self.output.read_line(&mut line).map_err(failed)? == 0 {
            return Err(Failure::here("psql ended; what it says stands above".to_owned()));
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It has nothing to keep.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
