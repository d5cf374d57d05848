//! Judges a live playlist by every version of it that was published, in order.
//!
//! It parses the text itself and shares no code with the writer, so that one mistake cannot hide in
//! both. Feed a [`Checker`] each version at the moment it becomes visible, with a way to look into
//! the store at that moment; or hand [`check`] the whole history.
//!
//! Invariant: an empty list of violations means that every rule in [`Rule`] held at every version.
//! In GStreamer: nothing comparable; Apple's `mediastreamvalidator` is the model.
//! Left out: multivariant playlists, byte ranges, encryption.

mod media;
mod parse;

use std::collections::HashMap;
use std::fmt;

use gst_mini_core::time::ClockTime;

use media::Fragment;
use parse::{Listing, Segment};

/// What a published playlist promises. Sections are of RFC 8216 where none other is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The text is a media playlist with one TARGETDURATION and a duration for each segment (4.3).
    Syntax,
    /// No segment, rounded to seconds, is longer than TARGETDURATION (4.3.3.1).
    SegmentFitsTarget,
    /// TARGETDURATION and PLAYLIST-TYPE never change (6.2.1).
    TargetIsConstant,
    /// MEDIA-SEQUENCE never falls and rises by exactly the number of removed entries (6.2.2).
    SequenceCountsRemoved,
    /// A sequence number means the same URI, duration, init segment and date forever (6.2.1).
    SequenceNamesOneSegment,
    /// What is listed, and not declared a gap, can be fetched (6.2.1).
    ListedIsFetchable,
    /// A removed segment can be fetched for its duration plus the longest playlist with it (6.2.2).
    RemovedStaysFetchable,
    /// A DISCONTINUITY stands wherever decode times or codec setup do not continue (4.3.2.3).
    BreakIsMarked,
    /// EXTINF is within half a millisecond of what the segment's own boxes say.
    DurationIsExact,
    /// DISCONTINUITY-SEQUENCE rises by exactly the number of removed DISCONTINUITY tags (6.2.2).
    DiscontinuitiesAreCounted,
    /// Nothing changes after ENDLIST (4.3.3.4).
    EndIsFinal,
    /// VERSION is as high as the tags in use need (7).
    VersionFitsTags,
    /// PROGRAM-DATE-TIME plus EXTINF is the next PROGRAM-DATE-TIME, within a millisecond.
    DatesFollowDurations,
    /// A live playlist is not cut below three target durations (6.2.2).
    WindowIsLongEnough,
    /// Only a playlist without a PLAYLIST-TYPE loses entries (6.2.1).
    TypedListsOnlyGrow,
}

/// A rule that did not hold, when, and the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Index of the published version, counted from 0.
    pub version: usize,
    /// The rule.
    pub rule: Rule,
    /// What was found and what was expected.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version {}: {:?}: {}", self.version, self.rule, self.detail)
    }
}

/// What the store answers for a URI at the moment of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// Nothing there.
    Missing,
    /// There; the rules about contents are not checked.
    Exists,
    /// There, with these bytes.
    Bytes(Vec<u8>),
}

/// A version of a playlist and the moment it became visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The playlist.
    pub text: String,
    /// When, on any clock that runs with the media's speed.
    pub at: ClockTime,
}

/// Judges a whole history. `fetch` gets the index of the version and a URI as written in it.
pub fn check(
    versions: &[Published],
    mut fetch: impl FnMut(usize, &str) -> Fetched,
) -> Vec<Violation> {
    let mut checker = Checker::new();
    for (index, version) in versions.iter().enumerate() {
        checker.publish(&version.text, version.at, |uri| fetch(index, uri));
    }
    checker.into_violations()
}

/// Follows one playlist from its first version to its last.
#[derive(Debug, Default)]
pub struct Checker {
    violations: Vec<Violation>,
    version: usize,
    previous: Option<(String, Listing)>,
    known: HashMap<u64, Segment>,
    longest: HashMap<u64, u64>,
    departed: Vec<Departed>,
    fragments: HashMap<String, Option<Fragment>>,
    inits: HashMap<String, Option<Vec<u8>>>,
}

/// A URI no longer listed, and until when it must stay.
#[derive(Debug)]
struct Departed {
    uri: String,
    deadline: ClockTime,
}

impl Checker {
    /// A checker that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was found so far.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// What was found.
    pub fn into_violations(self) -> Vec<Violation> {
        self.violations
    }

    /// Judges the next version, visible since `at`. `fetch` looks into the store at that moment.
    pub fn publish(&mut self, text: &str, at: ClockTime, mut fetch: impl FnMut(&str) -> Fetched) {
        let (listing, problems) = parse::parse(text);
        for problem in problems {
            self.report(Rule::Syntax, problem);
        }
        self.check_alone(&listing);
        self.check_store(&listing, &mut fetch);
        self.check_contents(&listing);
        if let Some((previous_text, previous)) = self.previous.take() {
            if previous.ended && previous_text != text {
                self.report(Rule::EndIsFinal, "the playlist changed after ENDLIST".into());
            }
            self.check_step(&previous, &listing, at);
        }
        self.check_departed(at, &mut fetch);
        self.check_names(&listing);
        let total = listing.micros();
        for sequence in listing.sequences() {
            let longest = self.longest.entry(sequence).or_default();
            *longest = total.max(*longest);
        }
        self.previous = Some((text.to_owned(), listing));
        self.version += 1;
    }

    fn report(&mut self, rule: Rule, detail: String) {
        self.violations.push(Violation { version: self.version, rule, detail });
    }

    /// Rules that one version can break by itself.
    fn check_alone(&mut self, listing: &Listing) {
        for segment in &listing.segments {
            let rounded = (segment.micros + 500_000) / 1_000_000;
            if rounded > listing.target {
                let detail = format!("{segment} in a list of target {}", listing.target);
                self.report(Rule::SegmentFitsTarget, detail);
            }
        }
        if listing.version < listing.needed_version {
            let detail =
                format!("{} where the tags need {}", listing.version, listing.needed_version);
            self.report(Rule::VersionFitsTags, detail);
        }
        for pair in listing.segments.windows(2) {
            let (Some(one), Some(two)) = (pair[0].utc_millis, pair[1].utc_millis) else { continue };
            // Both dates are rounded to milliseconds, so half a millisecond each is theirs.
            let error = (two - one) * 1000 - i64::try_from(pair[0].micros).unwrap_or(i64::MAX);
            if error.abs() > 1000 && !pair[1].discontinuity {
                let detail = format!("{} dates off by {error} µs after {}", pair[1], pair[0]);
                self.report(Rule::DatesFollowDurations, detail);
            }
        }
    }

    fn check_store(&mut self, listing: &Listing, fetch: &mut impl FnMut(&str) -> Fetched) {
        for segment in listing.segments.iter().filter(|segment| !segment.gap) {
            let fetched = fetch(&segment.uri);
            if fetched == Fetched::Missing {
                self.report(Rule::ListedIsFetchable, format!("{} is not there", segment.uri));
            } else if let Fetched::Bytes(bytes) = fetched
                && !self.fragments.contains_key(&segment.uri)
            {
                let fragment = media::fragment(&bytes);
                self.fragments.insert(segment.uri.clone(), fragment);
            }
        }
        for init in listing.inits() {
            let bytes = match fetch(init) {
                Fetched::Missing => {
                    self.report(
                        Rule::ListedIsFetchable,
                        format!("init segment {init} is not there"),
                    );
                    continue;
                }
                Fetched::Exists => None,
                Fetched::Bytes(bytes) => Some(bytes),
            };
            self.inits.entry(init.to_owned()).or_insert(bytes);
        }
    }

    fn check_departed(&mut self, at: ClockTime, fetch: &mut impl FnMut(&str) -> Fetched) {
        self.departed.retain(|departed| at <= departed.deadline);
        let gone: Vec<String> = (self.departed.iter())
            .filter(|departed| fetch(&departed.uri) == Fetched::Missing)
            .map(|departed| format!("{} is gone before {}", departed.uri, departed.deadline))
            .collect();
        for detail in gone {
            self.report(Rule::RemovedStaysFetchable, detail);
        }
    }

    /// Rules about what the segments' own boxes say.
    fn check_contents(&mut self, listing: &Listing) {
        let mut found = Vec::new();
        let timescale = |segment: &Segment| {
            let init = self.inits.get(segment.init.as_ref()?)?.as_ref()?;
            media::timescale(init)
        };
        for segment in &listing.segments {
            let Some(fragment) = self.fragments.get(&segment.uri) else { continue };
            let (Some(fragment), Some(timescale)) = (fragment, timescale(segment)) else {
                found.push((Rule::Syntax, format!("{} has no readable boxes", segment.uri)));
                continue;
            };
            let micros = u128::from(fragment.duration) * 1_000_000 / u128::from(timescale);
            if micros.abs_diff(u128::from(segment.micros)) > 500 {
                let detail = format!("{segment} holds {micros} µs of samples");
                found.push((Rule::DurationIsExact, detail));
            }
        }
        for pair in listing.segments.windows(2).filter(|pair| !pair[1].discontinuity) {
            if pair[0].init != pair[1].init && !self.same_init(&pair[0], &pair[1]) {
                found.push((Rule::BreakIsMarked, format!("new init segment at {}", pair[1])));
            }
            let fragment = |segment: &Segment| self.fragments.get(&segment.uri)?.as_ref();
            if let (Some(one), Some(two)) = (fragment(&pair[0]), fragment(&pair[1]))
                && one.decode_time + one.duration != two.decode_time
            {
                let (end, start) = (one.decode_time + one.duration, two.decode_time);
                let detail = format!("{} begins at tick {start}, not at {end}", pair[1]);
                found.push((Rule::BreakIsMarked, detail));
            }
        }
        for (rule, detail) in found {
            self.report(rule, detail);
        }
    }

    fn same_init(&self, one: &Segment, two: &Segment) -> bool {
        let bytes = |segment: &Segment| self.inits.get(segment.init.as_ref()?)?.as_ref();
        matches!((bytes(one), bytes(two)), (Some(one), Some(two)) if one == two)
    }

    /// Rules about the step from one version to the next.
    fn check_step(&mut self, old: &Listing, new: &Listing, at: ClockTime) {
        if old.target != new.target || old.kind != new.kind {
            let detail = format!(
                "target {} and type {:?} became {} and {:?}",
                old.target, old.kind, new.target, new.kind
            );
            self.report(Rule::TargetIsConstant, detail);
        }
        let removed = match new.segments.first() {
            Some(first) => old.segments.iter().take_while(|s| s.uri != first.uri).count(),
            None => old.segments.len(),
        };
        let vanished_whole = removed == old.segments.len();
        let risen = new.media_sequence.checked_sub(old.media_sequence);
        let counted = match risen {
            // With no entry in common, more may have come and gone between two versions.
            Some(risen) if vanished_whole => risen >= removed as u64,
            Some(risen) => risen == removed as u64,
            None => false,
        };
        if !counted {
            let detail = format!(
                "MEDIA-SEQUENCE went from {} to {} while {removed} entries were removed",
                old.media_sequence, new.media_sequence
            );
            self.report(Rule::SequenceCountsRemoved, detail);
        }
        if removed > 0 && old.kind.is_some() {
            let detail = format!("{removed} entries were removed from a typed playlist");
            self.report(Rule::TypedListsOnlyGrow, detail);
        }
        let gone = &old.segments[..removed];
        let breaks = gone.iter().filter(|segment| segment.discontinuity).count() as u64;
        let risen = new.discontinuity_sequence.checked_sub(old.discontinuity_sequence);
        if risen != Some(breaks) && !(vanished_whole && risen.is_some_and(|risen| risen > breaks)) {
            let detail = format!(
                "DISCONTINUITY-SEQUENCE went from {} to {} while {breaks} tags were removed",
                old.discontinuity_sequence, new.discontinuity_sequence
            );
            self.report(Rule::DiscontinuitiesAreCounted, detail);
        }
        if removed > 0 && new.kind.is_none() && new.micros() < 3_000_000 * new.target {
            let detail = format!("{} µs are left for a target of {} s", new.micros(), new.target);
            self.report(Rule::WindowIsLongEnough, detail);
        }
        for (index, segment) in gone.iter().enumerate().filter(|(_, segment)| !segment.gap) {
            let sequence = old.media_sequence + index as u64;
            let longest = self.longest.get(&sequence).copied().unwrap_or(0);
            let deadline = at + ClockTime::from_micros(segment.micros + longest);
            self.departed.push(Departed { uri: segment.uri.clone(), deadline });
            if let Some(init) = &segment.init
                && !new.inits().any(|used| used == init)
            {
                self.departed.push(Departed { uri: init.clone(), deadline });
            }
        }
    }

    fn check_names(&mut self, listing: &Listing) {
        for (sequence, segment) in listing.sequences().zip(&listing.segments) {
            match self.known.get(&sequence) {
                Some(known) if !known.same_media(segment) => {
                    let detail = format!("number {sequence} was {known}, now {segment}");
                    self.report(Rule::SequenceNamesOneSegment, detail);
                }
                Some(_) => {}
                None => {
                    self.known.insert(sequence, segment.clone());
                }
            }
        }
    }
}
