//! Columns of numbers as a base and the bits above it.

use super::MinutesError;

/// Appends to a block; each column begins on a byte.
pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Writer { out }
    }
}

/// Takes a block's columns off the front, one by one.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Reader { rest }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn byte(&mut self) -> Result<u8, MinutesError> {
        let (first, rest) = self.rest.split_first().ok_or(MinutesError::Length)?;
        self.rest = rest;
        Ok(*first)
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], MinutesError> {
        let (taken, rest) = self.rest.split_at_checked(n).ok_or(MinutesError::Length)?;
        self.rest = rest;
        Ok(taken)
    }
}

/// Writes base, width and packed values; nothing for no values.
pub(super) fn put_column(w: &mut Writer<'_>, values: &[u64]) {
    let (Some(base), Some(top)) = (values.iter().min(), values.iter().max()) else { return };
    let width = 64 - (top - base).leading_zeros();
    let mut rest = *base;
    while rest >= 0x80 {
        w.out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    w.out.push(rest as u8);
    w.out.push(width as u8);
    // 128 bits hold seven waiting bits and a value of 64.
    let (mut waiting, mut held) = (0u128, 0u32);
    for value in values {
        waiting |= u128::from(value - base) << held;
        held += width;
        while held >= 8 {
            w.out.push(waiting as u8);
            waiting >>= 8;
            held -= 8;
        }
    }
    if held > 0 {
        w.out.push(waiting as u8);
    }
}

/// Reads `n` values of column number `column`, at least one.
pub(super) fn take_column(r: &mut Reader<'_>, n: usize, column: usize) -> Result<Vec<u64>, MinutesError> {
    let spelling = MinutesError::Spelling { column };
    let mut base = 0u64;
    for shift in (0u32..).step_by(7) {
        let byte = r.byte()?;
        let part = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit; a last byte of zero would be a longer spelling.
        if shift > 63 || (shift == 63 && part > 1) || (shift > 0 && byte == 0) {
            return Err(spelling);
        }
        base |= part << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let width = u32::from(r.byte()?);
    if width > 64 {
        return Err(spelling);
    }
    let mut packed = r.take((n * width as usize).div_ceil(8))?.iter();
    let mask = if width == 0 { 0 } else { u64::MAX >> (64 - width) };
    let (mut waiting, mut held) = (0u128, 0u32);
    let mut values = Vec::with_capacity(n);
    let (mut low, mut high) = (u64::MAX, 0);
    for _ in 0..n {
        while held < width {
            waiting |= u128::from(*packed.next().ok_or(MinutesError::Length)?) << held;
            held += 8;
        }
        let above = waiting as u64 & mask;
        waiting >>= width;
        held -= width;
        low = low.min(above);
        high = high.max(above);
        values.push(base.checked_add(above).ok_or(MinutesError::Value { column })?);
    }
    if waiting != 0 {
        return Err(MinutesError::Length);
    }
    // The base is the smallest value and the width that of the largest: nothing else spells it.
    if low != 0 || 64 - high.leading_zeros() != width {
        return Err(spelling);
    }
    Ok(values)
}
