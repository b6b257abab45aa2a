//! From the bytes of a body to UTF-8 text, chunk by chunk.

use encoding_rs::{DecoderResult, Encoding, UTF_8};

use crate::Unreadable;
use crate::charset::{Declared, sniff};

/// The charset is decided on this many bytes, or on the whole body if it is shorter.
const HEAD: usize = 64;
const BUFFER: usize = 64 << 10;

/// Where the text goes: pieces of UTF-8, and the length of the byte order mark taken off before the first.
/// Bodies that are UTF-8 already are passed on unread; who takes them validates row by row.
type Out<'o> = &'o mut dyn FnMut(&[u8], usize) -> Result<(), Unreadable>;

pub(crate) struct Text {
    declared: Declared,
    head: Vec<u8>,
    stage: Stage,
}

enum Stage {
    Undecided,
    Utf8 { mark: usize },
    Other(Box<Transcoder>),
}

struct Transcoder {
    encoding: &'static Encoding,
    decoder: encoding_rs::Decoder,
    buffer: Vec<u8>,
    /// Bytes of the body read so far.
    read: u64,
    /// Line feeds given out so far.
    lines: u64,
}

impl Text {
    pub fn new(declared: Declared) -> Self {
        Self {
            declared,
            head: Vec::new(),
            stage: Stage::Undecided,
        }
    }

    pub fn charset(&self) -> String {
        match &self.stage {
            Stage::Other(transcoder) => transcoder.encoding.name().to_ascii_lowercase(),
            _ => "utf-8".to_owned(),
        }
    }

    /// Length of the UTF-8 byte order mark that was taken off.
    pub fn mark(&self) -> usize {
        if let Stage::Utf8 { mark } = self.stage {
            mark
        } else {
            0
        }
    }

    pub fn push(&mut self, chunk: &[u8], out: Out<'_>) -> Result<(), Unreadable> {
        match &mut self.stage {
            Stage::Utf8 { mark } => out(chunk, *mark),
            Stage::Other(transcoder) => transcoder.push(chunk, false, out),
            Stage::Undecided => {
                let missing = (HEAD - self.head.len()).min(chunk.len());
                self.head.extend_from_slice(&chunk[..missing]);
                if self.head.len() < HEAD {
                    return Ok(());
                }
                self.decide(out)?;
                self.push(&chunk[missing..], out)
            }
        }
    }

    pub fn finish(&mut self, out: Out<'_>) -> Result<(), Unreadable> {
        if matches!(self.stage, Stage::Undecided) {
            self.decide(out)?;
        }
        match &mut self.stage {
            Stage::Other(transcoder) => transcoder.push(&[], true, out),
            _ => Ok(()),
        }
    }

    fn decide(&mut self, out: Out<'_>) -> Result<(), Unreadable> {
        let head = std::mem::take(&mut self.head);
        let (encoding, mark) = sniff(&head, self.declared);
        if encoding == UTF_8 {
            self.stage = Stage::Utf8 { mark };
            return out(&head[mark..], mark);
        }
        let mut transcoder = Box::new(Transcoder::new(encoding, mark));
        let pushed = transcoder.push(&head[mark..], false, out);
        self.stage = Stage::Other(transcoder);
        pushed
    }
}

impl Transcoder {
    fn new(encoding: &'static Encoding, mark: usize) -> Self {
        Self {
            encoding,
            decoder: encoding.new_decoder_without_bom_handling(),
            buffer: vec![0; BUFFER],
            read: mark as u64,
            lines: 0,
        }
    }

    fn push(&mut self, mut chunk: &[u8], last: bool, out: Out<'_>) -> Result<(), Unreadable> {
        loop {
            let (result, read, written) =
                self.decoder
                    .decode_to_utf8_without_replacement(chunk, &mut self.buffer, last);
            self.read += read as u64;
            chunk = &chunk[read..];
            let text = &self.buffer[..written];
            self.lines += memchr::memchr_iter(b'\n', text).count() as u64;
            // What stands before a fault goes out first: an earlier fault is the one to tell.
            out(text, 0)?;
            if let DecoderResult::Malformed(length, after) = result {
                let at = self.read.saturating_sub(u64::from(length) + u64::from(after));
                return Err(self.undecodable(at, self.lines + 1));
            }
            if result == DecoderResult::InputEmpty {
                return Ok(());
            }
        }
    }

    fn undecodable(&self, at: u64, line: u64) -> Unreadable {
        let name = self.encoding.name().to_ascii_lowercase();
        Unreadable::package(
            format!("line {line}"),
            "charset",
            format!(
                "byte {at} of the body is not {name}: declare the charset the file was written in (charset=… in Content-Type)"
            ),
        )
    }
}
