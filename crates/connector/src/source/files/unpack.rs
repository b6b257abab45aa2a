//! What is inside `.gz`, `.zst` and `.zip`, without ever holding more of it than a piece.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, BufReader, Read},
};

use zip::ZipArchive;

use crate::{
    error::{Error, Result},
    source::document::Input,
};

const PIECE: usize = 1 << 18;
/// A packed file holds so much at most.
const UNPACKED_BYTES: u64 = 64 << 30;
/// Members of a zip file told by name.
const TOLD: usize = 10;

/// Gives the name without its packing, in lower case, and what is inside. `shown` is what messages call the file.
pub fn unpack<T>(
    shown: &str,
    name: &str,
    file: File,
    member: Option<&str>,
    read: impl FnOnce(&str, Input<'_>) -> Result<T>,
) -> Result<T> {
    let name = name.to_lowercase();
    if let Some(plain) = name.strip_suffix(".gz") {
        let inside = flate2::read::MultiGzDecoder::new(BufReader::with_capacity(PIECE, file));
        read(plain, Input::Stream(&mut bounded(inside)))
    } else if let Some(plain) = name.strip_suffix(".zst") {
        let inside = zstd::stream::read::Decoder::new(file)
            .map_err(|error| Error::Source(format!("{shown}: {error}; it is not taken")))?;
        read(plain, Input::Stream(&mut bounded(inside)))
    } else if name.strip_suffix(".zip").is_some() {
        zipped(shown, file, member, read)
    } else {
        read(&name, Input::File(file))
    }
}

fn zipped<T>(
    shown: &str,
    file: File,
    member: Option<&str>,
    read: impl FnOnce(&str, Input<'_>) -> Result<T>,
) -> Result<T> {
    let fault = |message: String| Error::Source(format!("{shown}: {message}"));
    let broken = |error: zip::result::ZipError| fault(format!("{error}; it is not taken"));
    let mut archive = ZipArchive::new(BufReader::with_capacity(PIECE, file)).map_err(broken)?;
    let at = chosen(&archive, member).map_err(fault)?;
    let inside = archive.by_index(at).map_err(broken)?;
    let name = inside.name().map_err(broken)?.to_lowercase();
    if inside.size() > UNPACKED_BYTES {
        return Err(fault(too_much()));
    }
    read(&name, Input::Stream(&mut bounded(inside)))
}

/// The one file of data; with `member` the one of that name.
fn chosen(
    archive: &ZipArchive<impl Read + io::Seek>,
    member: Option<&str>,
) -> std::result::Result<usize, String> {
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.map(Cow::into_owned).unwrap_or_default())
        .collect();
    let data: Vec<&String> = names.iter().filter(|name| is_data(name)).collect();
    let one = match (member, data.as_slice()) {
        (Some(member), _) => data.iter().find(|name| name.as_str() == member).copied(),
        (None, [one]) => Some(*one),
        (None, _) => None,
    };
    let found = one.and_then(|one| archive.index_for_name(one));
    found.ok_or_else(|| {
        let mut told: Vec<&str> = data.iter().take(TOLD).map(|name| name.as_str()).collect();
        if data.len() > TOLD {
            told.push("…");
        }
        let told = told.join(", ");
        match member {
            _ if data.is_empty() => "the zip file holds no file".to_owned(),
            Some(member) => format!("the zip file has no {member} (source.member); it has {told}"),
            None => {
                let first = data.first().map_or("", |name| name.as_str());
                format!("the zip file holds {told}: say which one, as source.member = \"{first}\"")
            }
        }
    })
}

/// Directories, and what a Mac adds, are no data.
fn is_data(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or_default();
    !last.is_empty() && !last.starts_with('.') && !name.starts_with("__MACOSX/")
}

fn too_much() -> String {
    format!(
        "what is packed is larger than {} GiB: deliver it in parts",
        UNPACKED_BYTES >> 30
    )
}

fn bounded<R: Read>(inner: R) -> Bounded<R> {
    Bounded {
        inner,
        left: UNPACKED_BYTES,
    }
}

/// An error where more comes than may.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(out)?;
        self.left = self
            .left
            .checked_sub(length as u64)
            .ok_or_else(|| io::Error::other(too_much()))?;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, body) in members {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(body).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn inside(
        name: &str,
        bytes: &[u8],
        member: Option<&str>,
    ) -> std::result::Result<(String, Vec<u8>), String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        unpack(name, name, File::open(&path).unwrap(), member, |name, input| {
            let mut text = Vec::new();
            let done = match input {
                Input::File(mut file) => file.read_to_end(&mut text),
                Input::Stream(stream) => stream.read_to_end(&mut text),
            };
            done.map_err(crate::source::fault)?;
            Ok((name.to_owned(), text))
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn a_zip_of_one_file_is_that_file_and_of_several_one_is_named() {
        let one = zip(&[
            ("dir/", b""),
            ("dir/A.CSV", b"x"),
            ("__MACOSX/dir/._A.CSV", b"junk"),
        ]);
        assert_eq!(
            inside("a.zip", &one, None).unwrap(),
            ("dir/a.csv".to_owned(), b"x".to_vec())
        );
        let two = zip(&[("a.csv", b"x"), ("b.csv", b"y")]);
        let told = inside("a.zip", &two, None).unwrap_err();
        assert!(
            told.contains("holds a.csv, b.csv: say which one, as source.member = \"a.csv\""),
            "{told}"
        );
        assert_eq!(inside("a.zip", &two, Some("b.csv")).unwrap().1, b"y");
        let told = inside("a.zip", &two, Some("c.csv")).unwrap_err();
        assert!(
            told.contains("no c.csv (source.member); it has a.csv, b.csv"),
            "{told}"
        );
        assert!(
            inside("a.zip", &zip(&[]), None)
                .unwrap_err()
                .contains("holds no file")
        );
    }

    #[test]
    fn a_zip_that_was_cut_or_changed_is_not_taken() {
        let body = "Rīga ".repeat(1_000);
        let whole = zip(&[("a.csv", body.as_bytes())]);
        assert!(inside("a.zip", &whole[..whole.len() - 30], None).is_err());
        let mut changed = whole.clone();
        let at = 60;
        changed[at] ^= 0x10;
        assert!(inside("a.zip", &changed, None).is_err(), "its checksum differs");
    }

    #[test]
    fn more_than_may_come_is_an_error() {
        let mut bounded = Bounded {
            inner: io::repeat(7),
            left: 1_000,
        };
        let error = bounded.read_to_end(&mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("deliver it in parts"), "{error}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for name in ["a.zip", "a.csv.gz", "a.csv.zst"] {
                let _ = inside(name, &bytes, None);
            }
        }
    }
}
