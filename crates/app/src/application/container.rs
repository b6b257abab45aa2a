//! An ASiC-E container (ETSI EN 319 162-1) as far as it can be judged without a trust service: is it a whole zip of
//! that kind, with signed files and signatures in it? Whether a signature is valid and qualified is *not* judged here,
//! and nothing says it was.

use serde::Serialize;

pub const ASIC_E: &str = "application/vnd.etsi.asic-e+zip";
/// Files in one container, at most.
const MAX_FILES: usize = 1_000;
const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const LOCAL_HEAD: usize = 30;
const CENTRAL_HEAD: usize = 46;
const END_HEAD: usize = 22;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// Files that hold signatures: `META-INF/*signatures*.xml`.
    pub signatures: Vec<String>,
    /// The files signed, or meant to be.
    pub files: Vec<String>,
    /// Files whose checksum was compared; packed ones are not unpacked here.
    pub checksums_compared: usize,
    /// Always false: no certificate, time stamp or trust list was looked at.
    pub signature_verified: bool,
}

/// What is wrong, in words; or what is in it.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, &'static str> {
    first_is_media_type(bytes)?;
    let mut found = Inspection {
        signatures: Vec::new(),
        files: Vec::new(),
        checksums_compared: 0,
        signature_verified: false,
    };
    for file in directory(bytes)? {
        found.checksums_compared += usize::from(file.is_whole(bytes)?);
        let name = file.name;
        let inner = name.strip_prefix("META-INF/");
        match inner {
            Some(inner)
                if inner
                    .strip_suffix(".xml")
                    .is_some_and(|stem| stem.contains("signatures")) =>
            {
                found.signatures.push(name);
            }
            Some(_) => {}
            None if name == "mimetype" || name.ends_with('/') => {}
            None => found.files.push(name),
        }
    }
    if found.signatures.is_empty() {
        return Err("the container holds no signature (META-INF/*signatures*.xml)");
    }
    if found.files.is_empty() {
        return Err("the container holds no signed file");
    }
    Ok(found)
}

/// `mimetype` stands first, as it is, so that the kind can be told without unpacking.
fn first_is_media_type(bytes: &[u8]) -> Result<(), &'static str> {
    const WRONG: &str =
        "not an ASiC-E container: `mimetype` with application/vnd.etsi.asic-e+zip must stand first";
    let name = b"mimetype";
    let stored = number(bytes, 8, 2) == Some(0);
    let named = number(bytes, 26, 2) == Some(name.len())
        && bytes.get(LOCAL_HEAD..LOCAL_HEAD + name.len()) == Some(name);
    let extra = number(bytes, 28, 2).ok_or(WRONG)?;
    let at = LOCAL_HEAD + name.len() + extra;
    let content = bytes.get(at..at + ASIC_E.len());
    let ends = bytes.get(at + ASIC_E.len()..at + ASIC_E.len() + 2) == Some(b"PK");
    let right = bytes.starts_with(LOCAL) && stored && named && content == Some(ASIC_E.as_bytes()) && ends;
    if right { Ok(()) } else { Err(WRONG) }
}

struct File {
    name: String,
    method: usize,
    crc: u32,
    packed: usize,
    at: usize,
}

impl File {
    /// Its bytes are there; `true`: and their checksum is right.
    fn is_whole(&self, bytes: &[u8]) -> Result<bool, &'static str> {
        const CUT: &str = "the container is damaged: a file in it is not whole";
        let head = bytes
            .get(self.at..self.at.checked_add(LOCAL_HEAD).ok_or(CUT)?)
            .ok_or(CUT)?;
        let (name, extra) = (number(head, 26, 2).ok_or(CUT)?, number(head, 28, 2).ok_or(CUT)?);
        let from = self.at + LOCAL_HEAD + name + extra;
        let same = bytes.get(self.at + LOCAL_HEAD..self.at + LOCAL_HEAD + name) == Some(self.name.as_bytes());
        if !head.starts_with(LOCAL) || !same {
            return Err(CUT);
        }
        let content = bytes
            .get(from..from.checked_add(self.packed).ok_or(CUT)?)
            .ok_or(CUT)?;
        if self.method != 0 {
            return Ok(false);
        }
        if crc32fast::hash(content) == self.crc {
            Ok(true)
        } else {
            Err("the container is damaged: a checksum in it is wrong")
        }
    }
}

fn directory(bytes: &[u8]) -> Result<Vec<File>, &'static str> {
    const WRONG: &str = "the container is damaged: its directory cannot be read";
    let tail = bytes.len().saturating_sub(END_HEAD + usize::from(u16::MAX));
    let end = bytes[tail..]
        .windows(END.len())
        .rposition(|window| window == END)
        .ok_or(WRONG)?
        + tail;
    let count = number(bytes, end + 10, 2).ok_or(WRONG)?;
    let mut at = number(bytes, end + 16, 4).ok_or(WRONG)?;
    if count > MAX_FILES {
        return Err("the container holds too many files: at most 1000");
    }
    let mut files: Vec<File> = Vec::with_capacity(count);
    for _ in 0..count {
        let head = bytes
            .get(at..at.checked_add(CENTRAL_HEAD).ok_or(WRONG)?)
            .ok_or(WRONG)?;
        if !head.starts_with(CENTRAL) {
            return Err(WRONG);
        }
        let read = |at: usize, len: usize| number(head, at, len).ok_or(WRONG);
        let name_len = read(28, 2)?;
        let name = bytes
            .get(at + CENTRAL_HEAD..at + CENTRAL_HEAD + name_len)
            .ok_or(WRONG)?;
        let name = std::str::from_utf8(name).map_err(|_| WRONG)?.to_owned();
        if files.iter().any(|file| file.name == name) {
            return Err("the container is not to be trusted: two files in it have one name");
        }
        files.push(File {
            name,
            method: read(10, 2)?,
            crc: read(16, 4)? as u32,
            packed: read(20, 4)?,
            at: read(42, 4)?,
        });
        at += CENTRAL_HEAD + name_len + read(30, 2)? + read(32, 2)?;
    }
    Ok(files)
}

/// Little-endian.
fn number(bytes: &[u8], at: usize, len: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(len)?)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A zip of files as they are.
    pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, content) in files {
            let at = out.len() as u32;
            let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            common.extend(crc32fast::hash(content).to_le_bytes());
            common.extend((content.len() as u32).to_le_bytes());
            common.extend((content.len() as u32).to_le_bytes());
            common.extend((name.len() as u16).to_le_bytes());
            common.extend([0, 0]);
            out.extend([LOCAL, &common, name.as_bytes(), content].concat());
            directory.extend([CENTRAL, &[20, 0], &common, &[0; 10]].concat());
            directory.extend(at.to_le_bytes());
            directory.extend(name.as_bytes());
        }
        let at = out.len() as u32;
        let count = (files.len() as u16).to_le_bytes();
        let size = (directory.len() as u32).to_le_bytes();
        out.extend(&directory);
        out.extend([END, &[0; 4], &count, &count, &size, &at.to_le_bytes(), &[0, 0]].concat());
        out
    }

    pub(crate) fn container() -> Vec<u8> {
        zip(&[
            ("mimetype", ASIC_E.as_bytes()),
            ("META-INF/manifest.xml", b"<m/>"),
            ("ligums.pdf", b"%PDF-1.7"),
            ("META-INF/signatures0.xml", b"<s/>"),
        ])
    }

    #[test]
    fn a_container_is_told_by_what_is_in_it() {
        let found = inspect(&container()).unwrap();
        assert_eq!(
            (found.files, found.signatures.len()),
            (vec!["ligums.pdf".to_owned()], 1)
        );
        assert_eq!((found.checksums_compared, found.signature_verified), (4, false));
        for (files, wrong) in [
            (vec![("ligums.pdf", &b"%PDF"[..])], "mimetype"),
            (vec![("mimetype", &b"application/zip"[..])], "mimetype"),
            (
                vec![("mimetype", ASIC_E.as_bytes()), ("a.pdf", b"x")],
                "no signature",
            ),
            (
                vec![("mimetype", ASIC_E.as_bytes()), ("META-INF/signatures.xml", b"x")],
                "no signed file",
            ),
        ] {
            let said = inspect(&zip(&files)).unwrap_err();
            assert!(said.contains(wrong), "{said}");
        }
    }

    proptest! {
        #[test]
        fn a_changed_or_cut_container_is_read_without_panic(at in 0usize..500, byte: u8, len in 0usize..500) {
            let mut bytes = container();
            if let Some(one) = bytes.get_mut(at) { *one = byte; }
            let _ = inspect(&bytes);
            bytes.truncate(len);
            let _ = inspect(&bytes);
        }

        #[test]
        fn a_changed_file_is_noticed(at in 0usize..8) {
            let mut bytes = container();
            let place = bytes.windows(5).position(|window| window == b"%PDF-").unwrap();
            bytes[place + at] ^= 1;
            prop_assert!(inspect(&bytes).unwrap_err().contains("checksum"));
        }
    }
}
