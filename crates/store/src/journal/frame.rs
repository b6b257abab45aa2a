//! Bytes of a segment: a header, then frames, then zeros.
//!
//! Header: magic 8 · format version u32 · segment u64 · crc u32 · zeros to 32.
//! Frame: length u32 · crc of body u32 · crc of (segment, offset, length, crc of body) u32 · body.
//! A length of zero ends a segment. The place is in the checksum: bytes of elsewhere are no frame.

pub const HEADER_BYTES: u64 = 32;
pub const FRAME_HEAD: usize = 12;
const MAGIC: [u8; 8] = *b"DAGRjrnl";
const VERSION: u32 = 1;

pub fn segment_header(segment: u64) -> [u8; HEADER_BYTES as usize] {
    let mut out = [0; HEADER_BYTES as usize];
    out[..8].copy_from_slice(&MAGIC);
    out[8..12].copy_from_slice(&VERSION.to_le_bytes());
    out[12..20].copy_from_slice(&segment.to_le_bytes());
    let crc = crc32fast::hash(&out[..20]);
    out[20..24].copy_from_slice(&crc.to_le_bytes());
    out
}

pub fn is_segment_header(bytes: &[u8], segment: u64) -> bool {
    bytes == segment_header(segment)
}

pub fn put_frame(out: &mut Vec<u8>, segment: u64, offset: u32, body: &[u8]) {
    let len = body.len() as u32;
    let crc = crc32fast::hash(body);
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(&head_crc(segment, offset, len, crc).to_le_bytes());
    out.extend_from_slice(body);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHead {
    pub len: u32,
    crc: u32,
}

impl FrameHead {
    /// `None` = no frame stands here.
    pub fn parse(bytes: &[u8; FRAME_HEAD], segment: u64, offset: u32) -> Option<Self> {
        let ([len, crc, head], _) = bytes.as_chunks::<4>() else {
            return None;
        };
        let [len, crc, head] = [len, crc, head].map(|bytes| u32::from_le_bytes(*bytes));
        (len != 0 && head == head_crc(segment, offset, len, crc)).then_some(Self { len, crc })
    }

    pub fn holds(self, body: &[u8]) -> bool {
        body.len() == self.len as usize && crc32fast::hash(body) == self.crc
    }

    pub fn frame_bytes(self) -> u64 {
        FRAME_HEAD as u64 + u64::from(self.len)
    }
}

fn head_crc(segment: u64, offset: u32, len: u32, crc: u32) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&segment.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    hasher.update(&len.to_le_bytes());
    hasher.update(&crc.to_le_bytes());
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_holds_only_at_its_place() {
        let mut out = Vec::new();
        put_frame(&mut out, 3, 64, b"body");
        let head: &[u8; FRAME_HEAD] = out[..FRAME_HEAD].try_into().unwrap();
        assert!(FrameHead::parse(head, 3, 64).unwrap().holds(b"body"));
        assert!(!FrameHead::parse(head, 3, 64).unwrap().holds(b"Body"));
        assert_eq!(FrameHead::parse(head, 4, 64), None);
        assert_eq!(FrameHead::parse(head, 3, 65), None);
        assert_eq!(FrameHead::parse(&[0; FRAME_HEAD], 3, 64), None);
    }
}
