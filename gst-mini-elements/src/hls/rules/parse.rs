//! Reads a media playlist for the rule checker: strict where a rule depends on it.
//!
//! Invariant: any text gives a [`Listing`] and a list of what is wrong with it, never a panic.
//! In GStreamer: `ext/adaptivedemux2/hls/m3u8.c` (`gst_hls_media_playlist_parse`).
//! Left out: tags that no rule looks at.

use std::fmt;

/// A playlist as far as the rules look at it.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub version: u64,
    /// What VERSION must be at least for the tags in use.
    pub needed_version: u64,
    pub target: u64,
    pub media_sequence: u64,
    pub discontinuity_sequence: u64,
    pub kind: Option<String>,
    pub ended: bool,
    pub segments: Vec<Segment>,
}

/// One entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Segment {
    pub uri: String,
    pub micros: u64,
    pub discontinuity: bool,
    pub init: Option<String>,
    pub utc_millis: Option<i64>,
    pub gap: bool,
}

impl Segment {
    /// Everything a sequence number stands for; a gap may be declared later.
    pub fn same_media(&self, other: &Segment) -> bool {
        Segment { gap: false, ..self.clone() } == Segment { gap: false, ..other.clone() }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} µs)", self.uri, self.micros)
    }
}

impl Listing {
    /// Playing time of all entries.
    pub fn micros(&self) -> u64 {
        self.segments.iter().map(|segment| segment.micros).sum()
    }

    /// The sequence numbers of the entries.
    pub fn sequences(&self) -> impl Iterator<Item = u64> + use<> {
        let first = self.media_sequence;
        (0..self.segments.len() as u64).map(move |index| first.saturating_add(index))
    }

    /// The init segments in use, each once as long as neighbors share it.
    pub fn inits(&self) -> impl Iterator<Item = &str> {
        let mut previous = None;
        self.segments.iter().filter_map(move |segment| {
            let init = segment.init.as_deref();
            (std::mem::replace(&mut previous, init) != init).then_some(init).flatten()
        })
    }
}

/// Reads a playlist; the second part names what is wrong with its text.
pub(super) fn parse(text: &str) -> (Listing, Vec<String>) {
    let mut parser = Parser { listing: Listing::default(), problems: Vec::new() };
    parser.listing.needed_version = 1;
    parser.listing.version = 1;
    parser.run(text);
    (parser.listing, parser.problems)
}

struct Parser {
    listing: Listing,
    problems: Vec<String>,
}

impl Parser {
    fn run(&mut self, text: &str) {
        if text.lines().next() != Some("#EXTM3U") {
            self.problems.push("the first line is not #EXTM3U".into());
        }
        let mut next = Segment::default();
        let mut duration = None;
        let mut targets = 0;
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (tag, value) = line.split_once(':').unwrap_or((line, ""));
            match tag {
                _ if !line.starts_with('#') => {
                    next.uri = line.to_owned();
                    match duration.take() {
                        Some(micros) => next.micros = micros,
                        None => self.problems.push(format!("{line} has no EXTINF")),
                    }
                    let following = Segment { init: next.init.clone(), ..Segment::default() };
                    self.listing.segments.push(std::mem::replace(&mut next, following));
                }
                "#EXT-X-VERSION" => self.listing.version = self.number(line, value),
                "#EXT-X-TARGETDURATION" => {
                    targets += 1;
                    self.listing.target = self.number(line, value);
                }
                "#EXT-X-MEDIA-SEQUENCE" => {
                    self.before_segments(line);
                    self.listing.media_sequence = self.number(line, value);
                }
                "#EXT-X-DISCONTINUITY-SEQUENCE" => {
                    self.before_segments(line);
                    self.listing.discontinuity_sequence = self.number(line, value);
                }
                "#EXT-X-PLAYLIST-TYPE" => self.listing.kind = Some(value.to_owned()),
                "#EXT-X-ENDLIST" => self.listing.ended = true,
                "#EXT-X-DISCONTINUITY" => next.discontinuity = true,
                "#EXT-X-GAP" => next.gap = true,
                "#EXT-X-MAP" => {
                    // Outside an I-frame list, which nothing here writes, MAP needs 6 (section 7).
                    self.need(if text.contains("#EXT-X-I-FRAMES-ONLY") { 5 } else { 6 });
                    next.init = attribute(value, "URI");
                    if next.init.is_none() {
                        self.problems.push(format!("{line} has no URI"));
                    }
                }
                "#EXT-X-BYTERANGE" | "#EXT-X-I-FRAMES-ONLY" => self.need(4),
                "#EXT-X-DEFINE" => self.need(8),
                "#EXT-X-SKIP" => self.need(9),
                "#EXT-X-PROGRAM-DATE-TIME" => {
                    next.utc_millis = utc_millis(value);
                    if next.utc_millis.is_none() {
                        self.problems.push(format!("{line} is no date"));
                    }
                }
                "#EXTINF" => {
                    let decimal = value.split_once(',').map_or(value, |(decimal, _)| decimal);
                    if decimal.contains('.') {
                        self.need(3);
                    }
                    duration = micros(decimal);
                    if duration.is_none() {
                        self.problems.push(format!("{line} is no duration"));
                    }
                }
                _ => {}
            }
        }
        if targets != 1 {
            self.problems.push(format!("{targets} TARGETDURATION tags instead of one"));
        }
        if duration.is_some() {
            self.problems.push("the last EXTINF has no URI".into());
        }
    }

    fn need(&mut self, version: u64) {
        self.listing.needed_version = self.listing.needed_version.max(version);
    }

    fn before_segments(&mut self, line: &str) {
        if !self.listing.segments.is_empty() {
            self.problems.push(format!("{line} stands after a segment"));
        }
    }

    fn number(&mut self, line: &str, value: &str) -> u64 {
        value.parse().unwrap_or_else(|_| {
            self.problems.push(format!("{line} has no number"));
            0
        })
    }
}

/// The value of a quoted attribute.
fn attribute(list: &str, name: &str) -> Option<String> {
    let start = list.find(&format!("{name}=\""))? + name.len() + 2;
    list[start..].split_once('"').map(|(value, _)| value.to_owned())
}

/// Decimal seconds as microseconds; further digits are cut off.
fn micros(decimal: &str) -> Option<u64> {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let whole = whole.parse::<u32>().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    let fraction = digits.fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    Some(u64::from(whole) * 1_000_000 + fraction)
}

/// `2026-11-22T13:04:05.678Z` in milliseconds since 1970.
fn utc_millis(date: &str) -> Option<i64> {
    let (day, clock) = date.strip_suffix('Z')?.split_once('T')?;
    let mut day = day.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (day.next()??, day.next()??, day.next()??);
    let mut clock = clock.splitn(3, ':');
    let (hours, minutes) = (clock.next()?.parse::<u32>().ok()?, clock.next()?.parse::<u32>().ok()?);
    let seconds = micros(clock.next()?)?;
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let months = [31, 28 + i64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days: i64 = (1970..year).map(|year| 365 + i64::from(is_leap(year))).sum::<i64>()
        + months[..month as usize - 1].iter().sum::<i64>()
        + day
        - 1;
    let day_seconds = i64::from(hours) * 3600 + i64::from(minutes) * 60;
    Some((days * 86_400 + day_seconds) * 1000 + (seconds / 1000) as i64)
}
