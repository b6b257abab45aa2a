//! What a server takes: bytes on disk, memory.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

/// Bytes of the blocks that a directory's files occupy, sparse ones as far as they are written.
pub fn disk_bytes(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else {
        return 0;
    };
    entries
        .flatten()
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .map(|(path, metadata)| {
            if metadata.is_dir() {
                disk_bytes(&path)
            } else {
                metadata.blocks() * 512
            }
        })
        .sum()
}

/// Anonymous memory of this process (RssAnon), in bytes: what it holds itself, without the store's mapped files.
pub fn own_memory() -> Option<u64> {
    anonymous(&fs::read_to_string("/proc/self/status").ok()?)
}

/// RssAnon of the kernel's description of a process, in bytes.
pub fn anonymous(status: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with("RssAnon"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1_024)
}

/// Of the times in `/proc`; Linux shows them so on every common machine.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time of this process so far, in seconds: on a busy machine it tells more than the clock.
pub fn processor_seconds() -> Option<f64> {
    processor_seconds_of("self")
}

/// The same of another process, while it is there.
pub fn processor_seconds_of(process: &str) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The command's name, in parentheses, may hold spaces.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks as f64 / TICKS_PER_SECOND)
}
