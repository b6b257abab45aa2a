//! Bytes in the charset they were written in → UTF-8, piece by piece. What is not of the charset is a fault with its
//! byte, never another letter.

use std::io::{self, BufRead, Read};

use dagr_formats::charset::{Declared, declared};
use encoding_rs::{DecoderResult, Encoding};

const PIECE: usize = 64 << 10;
/// First bytes that tell the encoding where nothing else does.
pub const HEAD: usize = 64;

/// What the label of a source says; the error says what to write.
pub fn by_label(label: &str) -> Result<Declared, String> {
    declared(label, "source.charset").map_err(|error| {
        let told: Vec<String> = error.faults.into_iter().map(|fault| fault.message).collect();
        format!("{} (source.charset)", told.join("; "))
    })
}

/// Reads UTF-8 from bytes of any encoding.
pub struct Utf8<R> {
    inner: R,
    decoder: encoding_rs::Decoder,
    raw: Box<[u8]>,
    /// Part of `raw` that is not decoded yet.
    waiting: std::ops::Range<usize>,
    text: Box<[u8]>,
    /// Part of `text` that is not taken yet.
    ready: std::ops::Range<usize>,
    /// Bytes decoded so far.
    decoded: u64,
    ended: bool,
    wrong: Option<u64>,
}

impl<R: Read> Utf8<R> {
    /// `skipped`: bytes of the input that were taken before, a byte order mark.
    pub fn new(inner: R, encoding: &'static Encoding, skipped: usize) -> Self {
        Self {
            inner,
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: vec![0; PIECE].into(),
            waiting: 0..0,
            text: vec![0; PIECE].into(),
            ready: 0..0,
            decoded: skipped as u64,
            ended: false,
            wrong: None,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        while self.ready.is_empty() && self.wrong.is_none() {
            if self.waiting.is_empty() {
                if self.ended {
                    return Ok(());
                }
                let length = self.inner.read(&mut self.raw)?;
                self.waiting = 0..length;
                self.ended = length == 0;
            }
            let raw = &self.raw[self.waiting.clone()];
            let (result, read, written) =
                self.decoder
                    .decode_to_utf8_without_replacement(raw, &mut self.text, self.ended);
            self.waiting.start += read;
            self.decoded += read as u64;
            self.ready = 0..written;
            if let DecoderResult::Malformed(length, after) = result {
                // What stands before goes out first: an earlier fault is the one to tell.
                self.wrong = Some(self.decoded.saturating_sub(u64::from(length) + u64::from(after)));
            }
        }
        match self.wrong {
            Some(at) if self.ready.is_empty() => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "byte {at} is not {}: say the charset it was written in as source.charset",
                    self.decoder.encoding().name().to_ascii_lowercase()
                ),
            )),
            _ => Ok(()),
        }
    }
}

impl<R: Read> BufRead for Utf8<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.fill()?;
        Ok(&self.text[self.ready.clone()])
    }

    fn consume(&mut self, amount: usize) {
        self.ready.start = (self.ready.start + amount).min(self.ready.end);
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let length = ready.len().min(out.len());
        out[..length].copy_from_slice(&ready[..length]);
        self.consume(length);
        Ok(length)
    }
}

/// Reads as many bytes as there are, up to so many.
pub fn head(input: &mut dyn Read, most: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(most);
    input.take(most as u64).read_to_end(&mut head)?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use encoding_rs::{ISO_8859_13, UTF_8, UTF_16LE, WINDOWS_1257};
    use proptest::prelude::*;

    use super::*;

    /// Gives its bytes so many at a time.
    struct Drip<'b>(&'b [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(out.len());
            out[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn a_byte_of_another_charset_is_named() {
        let bytes = b"abc R\xeega";
        let mut text = String::new();
        let error = Utf8::new(&bytes[..], UTF_8, 0)
            .read_to_string(&mut text)
            .unwrap_err();
        assert!(error.to_string().starts_with("byte 5 is not utf-8"), "{error}");
        let mut text = String::new();
        Utf8::new(&bytes[..], ISO_8859_13, 0)
            .read_to_string(&mut text)
            .unwrap();
        assert_eq!(text, "abc Rīga");
        // Half a letter at the end is not one.
        let error = Utf8::new(&b"a\xc4"[..], UTF_8, 0)
            .read_to_string(&mut String::new())
            .unwrap_err();
        assert!(error.to_string().starts_with("byte 1"), "{error}");
    }

    #[test]
    fn a_label_that_is_none_is_told() {
        let told = by_label("utf-99").unwrap_err();
        assert!(told.contains("unknown charset `utf-99`"), "{told}");
        assert!(by_label("iso-2022-kr").is_err() && by_label("x\u{1}y").is_err());
        // Who says ASCII and writes UTF-8 is understood, and nothing else is taken for letters.
        assert_eq!(by_label("US-ASCII"), Ok(Declared::Exactly(UTF_8)));
    }

    proptest! {
        #[test]
        fn the_pieces_never_change_the_text(text in "\\PC{0,200}", piece in 1..9usize) {
            for (encoding, bytes) in [(UTF_8, text.clone().into_bytes()), (UTF_16LE, utf16(&text))] {
                let mut read = String::new();
                Utf8::new(Drip(&bytes, piece), encoding, 0).read_to_string(&mut read).unwrap();
                prop_assert_eq!(&read, &text);
            }
        }

        #[test]
        fn any_bytes_are_text_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            for encoding in [UTF_8, UTF_16LE, WINDOWS_1257] {
                let mut read = Vec::new();
                if Utf8::new(&bytes[..], encoding, 0).read_to_end(&mut read).is_ok() {
                    prop_assert!(std::str::from_utf8(&read).is_ok());
                }
            }
        }
    }
}
