//! Thrift's compact protocol, as far as schemas and page headers go. The library does not compare what is declared with what
//! it reads, so everything must be declared as what it reads.

use std::io::{self, ErrorKind, Read};

/// Structs inside one another.
const DEPTH: u8 = 16;

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const NUMBERS: std::ops::RangeInclusive<u8> = 4..=6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
pub const STRUCT: u8 = 12;

/// What the library reads a field as.
pub enum Kind {
    Byte,
    Bool,
    /// 32 bits, of either sign.
    Number,
    /// 32 bits, not less than nothing: a size, a count.
    Size,
    /// 64 bits.
    Long,
    Binary,
    Struct(Shape),
    /// It is passed over as what it is declared.
    Unknown,
}

/// The kind of a field by its number.
pub type Shape = fn(i16) -> Kind;

pub struct Thrift<R> {
    input: R,
    /// Bytes read.
    pub taken: u64,
}

pub fn damaged() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "it is damaged")
}

impl<R: Read> Thrift<R> {
    pub fn new(input: R) -> Self {
        Self { input, taken: 0 }
    }

    fn byte(&mut self) -> io::Result<u8> {
        let mut byte = [0];
        self.input.read_exact(&mut byte)?;
        self.taken += 1;
        Ok(byte[0])
    }

    fn pass(&mut self, bytes: u64) -> io::Result<()> {
        let passed = io::copy(&mut (&mut self.input).take(bytes), &mut io::sink())?;
        self.taken += passed;
        if passed == bytes { Ok(()) } else { Err(damaged()) }
    }

    fn unsigned(&mut self) -> io::Result<u64> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(damaged())
    }

    fn signed(&mut self) -> io::Result<i64> {
        let number = self.unsigned()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// The number and the declared type of the next field; `None` = the struct ends.
    fn field(&mut self, last: i16) -> io::Result<Option<(i16, u8)>> {
        let head = self.byte()?;
        let (further, ty) = (head >> 4, head & 0xF);
        Ok(match (further, ty) {
            (_, 0) => None,
            (0, _) => Some((i16::try_from(self.signed()?).map_err(|_| damaged())?, ty)),
            _ => Some((last.checked_add(i16::from(further)).ok_or_else(damaged)?, ty)),
        })
    }

    /// The library takes the lowest bits of one that does not fit.
    fn fitting(&mut self, kind: &Kind) -> io::Result<i64> {
        let number = self.signed()?;
        let fits = match kind {
            Kind::Number => i32::try_from(number).is_ok(),
            Kind::Size => (0..=i64::from(i32::MAX)).contains(&number),
            _ => true,
        };
        if fits { Ok(number) } else { Err(damaged()) }
    }

    /// The next field, which must be this number.
    pub fn number(&mut self, last: i16, id: i16) -> io::Result<i64> {
        match self.field(last)? {
            Some((found, ty)) if found == id && NUMBERS.contains(&ty) => self.fitting(&Kind::Number),
            _ => Err(damaged()),
        }
    }

    /// The next field, which must be this list of structs: how many.
    pub fn structs(&mut self, last: i16, id: i16) -> io::Result<u64> {
        if self.field(last)? != Some((id, LIST)) {
            return Err(damaged());
        }
        let head = self.byte()?;
        match (head >> 4, head & 0xF) {
            (15, STRUCT) => self.unsigned(),
            (length, STRUCT) => Ok(u64::from(length)),
            _ => Err(damaged()),
        }
    }

    /// One struct to its end; `each` gets its numbers.
    pub fn structure(&mut self, shape: Shape, each: &mut dyn FnMut(i16, i64)) -> io::Result<()> {
        self.inside(shape, each, DEPTH)
    }

    fn inside(&mut self, shape: Shape, each: &mut dyn FnMut(i16, i64), depth: u8) -> io::Result<()> {
        let deeper = depth.checked_sub(1).ok_or_else(damaged)?;
        let mut last = 0;
        while let Some((id, ty)) = self.field(last)? {
            last = id;
            match (shape(id), ty) {
                (Kind::Byte | Kind::Unknown, BYTE) => self.pass(1)?,
                (Kind::Bool | Kind::Unknown, TRUE | FALSE) => {}
                (kind @ (Kind::Number | Kind::Size | Kind::Long | Kind::Unknown), ty)
                    if NUMBERS.contains(&ty) =>
                {
                    each(id, self.fitting(&kind)?);
                }
                (Kind::Binary | Kind::Unknown, BINARY) => {
                    let length = self.unsigned()?;
                    self.pass(length)?;
                }
                (Kind::Struct(shape), STRUCT) => self.inside(shape, &mut |_, _| {}, deeper)?,
                (Kind::Unknown, STRUCT) => self.inside(unknown, &mut |_, _| {}, deeper)?,
                (Kind::Unknown, DOUBLE) => self.pass(8)?,
                _ => return Err(damaged()),
            }
        }
        Ok(())
    }
}

pub fn unknown(_: i16) -> Kind {
    Kind::Unknown
}
