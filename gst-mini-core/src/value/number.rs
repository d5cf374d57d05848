//! Numbers as C reads and prints them, which is what caps and property text are made of.
//!
//! Invariant: nothing here fails or panics; a reader says where it stopped, and its caller judges that.
//! In GStreamer: GLib's `g_ascii_strtoull`, `g_ascii_strtod` and `g_ascii_dtostr`, C's `sscanf`.
//! Left out: locales.

/// An integer that was read, and where reading stopped.
pub(super) struct Integer {
    /// The value, its sign applied modulo 2^64.
    pub value: u64,
    /// The first byte that was not read; 0 when there was no number.
    pub end: usize,
    /// The digits did not fit in 64 bits.
    pub overflow: bool,
    /// There was a minus sign.
    pub negative: bool,
}

/// Reads spaces, a sign and digits. Base 0 takes `0x` as hexadecimal and a leading `0` as octal.
pub(super) fn read_integer(text: &[u8], base: u32) -> Integer {
    let none = Integer { value: 0, end: 0, overflow: false, negative: false };
    let mut at = skip_spaces(text, 0);
    let negative = byte(text, at) == b'-';
    if negative || byte(text, at) == b'+' {
        at += 1;
    }
    let mut base = base;
    let prefixed = byte(text, at) == b'0' && byte(text, at + 1).eq_ignore_ascii_case(&b'x');
    if prefixed && (base == 0 || base == 16) {
        at += 2;
        base = 16;
    } else if base == 0 {
        base = if byte(text, at) == b'0' { 8 } else { 10 };
    }
    let first = at;
    let mut magnitude = 0u64;
    let mut overflow = false;
    while let Some(digit) = char::from(byte(text, at)).to_digit(base) {
        match magnitude.checked_mul(u64::from(base)).and_then(|m| m.checked_add(u64::from(digit))) {
            Some(next) => magnitude = next,
            None => overflow = true,
        }
        at += 1;
    }
    if at == first {
        // "0x" without digits is the number 0, followed by an x.
        return if prefixed && base == 16 { Integer { end: at - 1, ..none } } else { none };
    }
    if overflow {
        magnitude = u64::MAX;
    }
    let value = if negative { magnitude.wrapping_neg() } else { magnitude };
    Integer { value, end: at, overflow, negative }
}

/// As C's `strtol`: out-of-range numbers stop at the ends of `i64`.
pub(super) fn read_signed(text: &[u8], base: u32) -> (i64, usize) {
    let read = read_integer(text, base);
    let magnitude = if read.negative { read.value.wrapping_neg() } else { read.value };
    let value = match (read.overflow || magnitude > i64::MAX as u64, read.negative) {
        (true, true) => i64::MIN,
        (true, false) => i64::MAX,
        (false, _) => read.value as i64,
    };
    (value, read.end)
}

/// As `%d` of C's `sscanf`, starting at `at`: the number cut to 32 bits, and where it ended.
pub(super) fn scan_i32(text: &[u8], at: usize) -> Option<(i32, usize)> {
    let rest = text.get(at..)?;
    match read_signed(rest, 10) {
        (_, 0) => None,
        (value, end) => Some((value as i32, at + end)),
    }
}

/// Reads a floating-point number, hexadecimal ones, `inf` and `nan` included; and where it ended.
pub(super) fn read_double(text: &[u8]) -> (f64, usize) {
    let mut at = skip_spaces(text, 0);
    let negative = byte(text, at) == b'-';
    if negative || byte(text, at) == b'+' {
        at += 1;
    }
    let rest = text.get(at..).unwrap_or_default();
    let (magnitude, length) = if starts_with(rest, b"infinity") {
        (f64::INFINITY, 8)
    } else if starts_with(rest, b"inf") {
        (f64::INFINITY, 3)
    } else if starts_with(rest, b"nan") {
        (f64::NAN, 3)
    } else if starts_with(rest, b"0x") {
        read_hexadecimal(rest)
    } else {
        read_decimal(rest)
    };
    if length == 0 {
        return (0.0, 0);
    }
    (if negative { -magnitude } else { magnitude }, at + length)
}

fn read_decimal(text: &[u8]) -> (f64, usize) {
    let whole = count_digits(text, 0, 10);
    let mut end = whole;
    let mut digits = whole;
    if byte(text, end) == b'.' {
        let decimals = count_digits(text, end + 1, 10);
        digits += decimals;
        if digits > 0 {
            end += 1 + decimals;
        }
    }
    if digits == 0 {
        return (0.0, 0);
    }
    end = skip_exponent(text, end, b'e');
    let number = std::str::from_utf8(&text[..end]).ok().and_then(|number| number.parse().ok());
    number.map_or((0.0, 0), |number| (number, end))
}

fn read_hexadecimal(text: &[u8]) -> (f64, usize) {
    let mut mantissa = 0u64;
    let mut exponent = 0i32;
    let (mut at, mut digits, mut after_point) = (2, 0, false);
    loop {
        let here = byte(text, at);
        if here == b'.' && !after_point {
            after_point = true;
        } else if let Some(digit) = char::from(here).to_digit(16) {
            digits += 1;
            if mantissa >> 60 == 0 {
                mantissa = mantissa << 4 | u64::from(digit);
                exponent -= if after_point { 4 } else { 0 };
            } else {
                exponent = exponent.saturating_add(if after_point { 0 } else { 4 });
            }
        } else {
            break;
        }
        at += 1;
    }
    if digits == 0 {
        return (0.0, 1);
    }
    let end = skip_exponent(text, at, b'p');
    if end > at {
        let (power, _) = read_signed(&text[at + 1..end], 10);
        exponent = exponent.saturating_add(power.clamp(-100_000, 100_000) as i32);
    }
    // Two steps, because 2^exponent alone may leave the range although the product does not.
    let half = exponent.clamp(-4000, 4000) / 2;
    let rest = exponent.clamp(-4000, 4000) - half;
    (mantissa as f64 * 2f64.powi(half) * 2f64.powi(rest), end)
}

/// Prints as C's `%.17g`, which is how GStreamer prints doubles and floats.
pub(super) fn print_double(value: f64) -> String {
    const DIGITS: i32 = 17;
    if value.is_nan() {
        return if value.is_sign_negative() { "-nan".into() } else { "nan".into() };
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf".into() } else { "inf".into() };
    }
    let scientific = format!("{value:.16e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..DIGITS).contains(&exponent) {
        let decimals = usize::try_from(DIGITS - 1 - exponent).unwrap_or(0);
        return without_trailing_zeros(&format!("{value:.decimals$}")).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", without_trailing_zeros(mantissa), exponent.abs())
}

fn without_trailing_zeros(number: &str) -> &str {
    match number.contains('.') {
        true => number.trim_end_matches('0').trim_end_matches('.'),
        false => number,
    }
}

/// The position after an exponent that starts at `at`, or `at` if there is none.
fn skip_exponent(text: &[u8], at: usize, letter: u8) -> usize {
    if !byte(text, at).eq_ignore_ascii_case(&letter) {
        return at;
    }
    let signed = matches!(byte(text, at + 1), b'+' | b'-');
    let first = at + 1 + usize::from(signed);
    match count_digits(text, first, 10) {
        0 => at,
        digits => first + digits,
    }
}

fn count_digits(text: &[u8], at: usize, base: u32) -> usize {
    text.get(at..).unwrap_or_default().iter().take_while(|&&b| char::from(b).is_digit(base)).count()
}

fn starts_with(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

fn skip_spaces(text: &[u8], at: usize) -> usize {
    let mut at = at;
    while is_space(byte(text, at)) {
        at += 1;
    }
    at
}

/// C's `isspace`: unlike Rust's ASCII whitespace it has the vertical tab.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_print_with_seventeen_significant_digits() {
        for (value, text) in [
            (0.1, "0.10000000000000001"),
            (1e-5, "1.0000000000000001e-05"),
            (1e17, "1e+17"),
            (123456789.125, "123456789.125"),
            (0.0, "0"),
            (-0.0, "-0"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(print_double(value), text);
        }
    }

    #[test]
    fn hexadecimal_floats_read_as_in_c() {
        assert_eq!(read_double(b"0x1.8p1"), (3.0, 7));
        assert_eq!(read_double(b"0x"), (0.0, 1));
        assert_eq!(read_double(b"-.5e"), (-0.5, 3));
        assert_eq!(read_double(b"e5"), (0.0, 0));
    }
}
