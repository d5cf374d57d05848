//! UTC dates as text: `2026-11-22T13:04:05.678Z`.
//!
//! Invariant: every `u64` of nanoseconds since 1970 has a text, and later times never sort before
//! earlier ones.
//! In GStreamer: `gst/gstdatetime.c` (`gst_date_time_to_iso8601_string`).
//! Left out: time zones, leap seconds (UTC as computers count it has none), and parsing more than is
//! written here.

/// Nanoseconds since 1970-01-01T00:00Z as ISO 8601 with milliseconds, rounded to nearest.
pub fn iso8601_millis(utc_nanos: u64) -> String {
    let millis = utc_nanos / 1_000_000 + (utc_nanos % 1_000_000 >= 500_000) as u64;
    let (days, day_millis) = (millis / 86_400_000, millis % 86_400_000);
    let (year, month, day) = civil_from_days(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        day_millis / 3_600_000,
        day_millis / 60_000 % 60,
        day_millis / 1000 % 60,
        day_millis % 1000
    )
}

/// Nanoseconds since 1970 of a text made by [`iso8601_millis`]; `None` for anything else.
pub fn from_iso8601_millis(text: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let march_year = year.checked_sub(u64::from(month <= 2))?;
    let march_month = (month + 9) % 12;
    let days = march_year * 365 + march_year / 4 - march_year / 100
        + march_year / 400
        + (153 * march_month + 2) / 5
        + day.checked_sub(1)?;
    let minutes = number(11..13)? * 60 + number(14..16)?;
    let millis = (minutes * 60 + number(17..19)?) * 1000 + number(20..23)?;
    let millis = days.checked_sub(DAYS_TO_1970)? * 86_400_000 + millis;
    let nanos = millis.checked_mul(1_000_000)?;
    (iso8601_millis(nanos) == text).then_some(nanos)
}

/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: u64 = 719_468;

/// Year, month and day of a day counted from 1970-01-01, by counting from 0000-03-01: a year that
/// begins in March has its leap day last, so months need no case distinction.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + DAYS_TO_1970;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(seconds: u64, expected: &str) {
        assert_eq!(iso8601_millis(seconds * 1_000_000_000), expected);
    }

    #[test]
    fn leap_days_exist_where_the_calendar_has_them() {
        check(0, "1970-01-01T00:00:00.000Z");
        check(951_782_400, "2000-02-29T00:00:00.000Z");
        check(951_868_799, "2000-02-29T23:59:59.000Z");
        check(951_868_800, "2000-03-01T00:00:00.000Z");
        check(1_709_164_800, "2024-02-29T00:00:00.000Z");
        check(1_740_787_199, "2025-02-28T23:59:59.000Z");
        check(1_740_787_200, "2025-03-01T00:00:00.000Z");
        check(4_107_542_399, "2100-02-28T23:59:59.000Z");
        check(4_107_542_400, "2100-03-01T00:00:00.000Z");
    }

    #[test]
    fn milliseconds_round_to_nearest_and_carry() {
        assert_eq!(iso8601_millis(1_499_999), "1970-01-01T00:00:00.001Z");
        assert_eq!(iso8601_millis(999_500_000), "1970-01-01T00:00:01.000Z");
        assert_eq!(&iso8601_millis(u64::MAX)[..4], "2554");
    }

    #[test]
    fn text_is_read_back_and_other_text_is_refused() {
        for day in (0..213_503).step_by(13) {
            let nanos = day * 86_400_000_000_000 + 47_045_678_000_000;
            assert_eq!(from_iso8601_millis(&iso8601_millis(nanos)), Some(nanos));
        }
        for text in ["", "2025-02-29T00:00:00.000Z", "2025-01-01T00:00:00Z", "0000-01-00T", "é-"] {
            assert_eq!(from_iso8601_millis(text), None);
        }
    }

    #[test]
    fn days_follow_each_other_for_six_hundred_years() {
        let mut previous = (1969, 12, 31);
        for day in 0..220_000 {
            let date = civil_from_days(day);
            let next_day = date.2 == previous.2 + 1 && date.1 == previous.1;
            let next_month = date.2 == 1 && previous.2 >= 28 && date.1 == previous.1 % 12 + 1;
            assert!(next_day || next_month, "{previous:?} then {date:?}");
            previous = date;
        }
    }
}
