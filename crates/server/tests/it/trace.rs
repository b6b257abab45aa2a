//! strace at the server's side: what it asked of the kernel, and faults in the kernel's place.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::{seen::not_tried, server::Server};

/// Where strace is not, or may not trace, a test says so and passes.
pub fn is_possible() -> bool {
    let works = Command::new("strace")
        .args(["-D", "-o", "/dev/null", "true"])
        .status();
    let possible = works.is_ok_and(|status| status.success());
    if !possible {
        not_tried("A TRACE", "the program `strace` is not here, or may not trace");
    }
    possible
}

/// The words that run a program under strace, its calls written to `file`. Whole pages are shown.
pub fn words(file: &Path) -> Vec<&str> {
    let calls = "trace=openat,fdatasync,fsync,pwrite64,write,writev,sendto,sendmsg";
    let file = file.to_str().unwrap();
    vec!["strace", "-D", "-f", "-y", "-s", "16384", "-e", calls, "-o", file]
}

/// A fault of the disk under a running server, for as long as it is held: dropped, the disk is well again.
pub struct Fault(Child);

impl Fault {
    /// `calls` (`fdatasync,fsync`) answer `error` (`EIO`) in every thread. Returns when it is so; `None` where strace
    /// may not attach to what it did not start.
    pub fn inject(server: &Server, calls: &str, error: &str) -> Option<Self> {
        let mut strace = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={calls}:error={error}")])
            .args(["-p", &server.pid().to_string()])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(strace.stderr.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        if line.contains(" attached") {
            // What it says later is of no interest, but it must be able to say it.
            std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
            return Some(Self(strace));
        }
        not_tried("A TRACE", &format!("`strace` may not attach: {line}"));
        let _ = strace.wait();
        None
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        // SIGTERM: it lets go of every thread in order.
        let pid = rustix::process::Pid::from_child(&self.0);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.0.wait();
    }
}

/// One system call: where it began and where it returned, by line.
#[derive(Debug)]
pub struct Call {
    pub text: String,
    pub began: usize,
    pub returned: usize,
}

impl Call {
    fn is(&self, names: &[&str]) -> bool {
        let called = self.text.split('(').next().unwrap_or_default();
        names.contains(&called)
    }

    /// Descriptor and path of the first argument, as `-y` shows them: `35</path>`.
    fn target(&self) -> (&str, &str) {
        let target = self.text.split_once('(').map_or("", |(_, rest)| rest);
        let target = target.split_once('>').map_or("", |(target, _)| target);
        target.split_once('<').unwrap_or_default()
    }

    fn is_on(&self, file: &str) -> bool {
        self.target().1.ends_with(file)
    }
}

/// Joins calls that were cut in two (`<unfinished ...>`, `<... resumed>`).
pub fn read(text: &str) -> Vec<Call> {
    let (mut calls, mut open) = (Vec::new(), HashMap::new());
    for (line, content) in text.lines().enumerate() {
        let Some((thread, rest)) = content.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        if let Some(begun) = rest.strip_suffix("<unfinished ...>") {
            open.insert(thread, (begun.to_owned(), line));
        } else if rest.starts_with("<... ") {
            if let Some((begun, began)) = open.remove(thread) {
                calls.push(Call {
                    text: format!("{begun}{rest}"),
                    began,
                    returned: line,
                });
            }
        } else {
            calls.push(Call {
                text: rest.to_owned(),
                began: line,
                returned: line,
            });
        }
    }
    calls
}

/// What must be on the disk before an answer leaves.
pub struct Promise<'a> {
    /// End of the file's path.
    pub file: &'a str,
    /// Stands in what is written there.
    pub mark: &'a str,
    /// LMDB: after the data a meta page names them, written through by a descriptor opened with `O_DSYNC`.
    pub has_meta: bool,
    /// Of the answer.
    pub request_id: &'a str,
}

/// Mark written → file synced, and returned (→ meta page on the disk) → first byte of the answer.
pub fn judge(calls: &[Call], promise: &Promise<'_>) {
    let Promise {
        file,
        mark,
        has_meta,
        request_id,
    } = *promise;
    let on_file = || calls.iter().filter(|call| call.is_on(file));
    let written = on_file()
        .find(|call| call.is(&["pwrite64", "writev", "write"]) && call.text.contains(mark))
        .unwrap_or_else(|| panic!("{mark}: never written to {file}"));
    let synced = on_file()
        .filter(|call| call.is(&["fdatasync", "fsync"]) && call.text.ends_with("= 0"))
        .filter(|call| call.began > written.returned)
        .map(|call| call.returned)
        .min()
        .unwrap_or_else(|| panic!("{mark}: {file} was never synced"));
    let durable = if has_meta {
        meta_written(calls, file, synced).unwrap_or_else(|| panic!("{mark}: no meta page names it"))
    } else {
        synced
    };
    let head = format!("x-request-id: {request_id}");
    let sent = calls
        .iter()
        .filter(|call| call.is(&["write", "writev", "sendto", "sendmsg"]))
        .find(|call| call.text.contains(&head))
        .unwrap_or_else(|| panic!("{request_id}: its answer was never sent"));
    assert!(
        durable < sent.began,
        "{request_id}: sent at line {} before {mark} was durable at {durable}",
        sent.began
    );
}

/// Where the first write through a synchronous descriptor of the file returned, of those begun after `line`.
fn meta_written(calls: &[Call], file: &str, line: usize) -> Option<usize> {
    let through: Vec<String> = calls
        .iter()
        .filter(|call| call.is(&["openat"]) && call.text.contains("O_DSYNC"))
        .filter_map(|call| call.text.rsplit_once("= ").map(|(_, opened)| opened.to_owned()))
        .filter(|opened| opened.contains(file))
        .filter_map(|opened| opened.split_once('<').map(|(number, _)| number.to_owned()))
        .collect();
    calls
        .iter()
        .filter(|call| call.is(&["pwrite64"]) && call.is_on(file))
        .filter(|call| through.iter().any(|number| number == call.target().0))
        .filter(|call| call.began > line)
        .map(|call| call.returned)
        .min()
}
