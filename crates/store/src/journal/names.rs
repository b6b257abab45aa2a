//! Names of the files in a journal's directory.

pub const FIRST_SEGMENT: u64 = 1;
pub const LOCK: &str = "lock";
/// Of files that are not finished.
const DRAFT: &str = ".draft";
/// Zeros, to become the next segment.
pub const SPARE: &str = "spare";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    Segment(u64),
    Run {
        first: u64,
        last: u64,
    },
    Checkpoint(u64),
    /// Not finished when a process ended.
    Draft,
}

pub fn segment(number: u64) -> String {
    format!("{number:016x}.segment")
}

pub fn run(first: u64, last: u64) -> String {
    format!("{first:016x}-{last:016x}.run")
}

pub fn checkpoint(segment: u64) -> String {
    format!("{segment:016x}.uses")
}

pub fn draft(name: &str) -> String {
    format!("{name}{DRAFT}")
}

/// `None` = not a file of the journal, or the lock or the spare.
pub fn parse(name: &str) -> Option<Name> {
    if name.strip_suffix(DRAFT).is_some() {
        return Some(Name::Draft);
    }
    let number = |hex: &str| u64::from_str_radix(hex, 16).ok();
    let (stem, extension) = name.split_once('.')?;
    let parsed = match extension {
        "segment" => Name::Segment(number(stem)?),
        "uses" => Name::Checkpoint(number(stem)?),
        "run" => {
            let (first, last) = stem.split_once('-')?;
            Name::Run {
                first: number(first)?,
                last: number(last)?,
            }
        }
        _ => return None,
    };
    let exact = match parsed {
        Name::Segment(number) => segment(number),
        Name::Checkpoint(number) => checkpoint(number),
        Name::Run { first, last } => run(first, last),
        Name::Draft => return None,
    };
    (exact == name).then_some(parsed)
}
