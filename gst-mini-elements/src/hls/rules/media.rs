//! Looks into MP4 bytes for the rule checker, with a box walk of its own.
//!
//! Invariant: any bytes give an answer or `None`, never a panic.
//! In GStreamer: `gst/isomp4/qtdemux.c` (`qtdemux_parse_trun`).
//! Left out: everything but decode times and durations of a single track.

/// Position and length of a media segment in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    pub decode_time: u64,
    pub duration: u64,
}

/// Reads the first `tfdt` and adds up all `trun` durations of a media segment.
pub(super) fn fragment(bytes: &[u8]) -> Option<Fragment> {
    let mut found = Fragment { decode_time: 0, duration: 0 };
    let mut has_time = false;
    for moof in children(bytes).filter(|(kind, _)| kind == b"moof") {
        let traf = child(moof.1, b"traf")?;
        let tfhd = child(traf, b"tfhd")?;
        let tfdt = child(traf, b"tfdt")?;
        let decode_time = if tfdt.first()? == &1 {
            u64::from_be_bytes(tfdt.get(4..12)?.try_into().ok()?)
        } else {
            u64::from(word(tfdt, 4)?)
        };
        if !std::mem::replace(&mut has_time, true) {
            found.decode_time = decode_time;
        }
        let default_duration = default_duration(tfhd);
        for (_, trun) in children(traf).filter(|(kind, _)| kind == b"trun") {
            found.duration = found.duration.checked_add(run_duration(trun, default_duration)?)?;
        }
    }
    has_time.then_some(found)
}

/// The `mdhd` timescale of an init segment.
pub(super) fn timescale(init: &[u8]) -> Option<u32> {
    let mdia = child(child(child(init, b"moov")?, b"trak")?, b"mdia")?;
    let mdhd = child(mdia, b"mdhd")?;
    word(mdhd, if mdhd.first()? == &1 { 20 } else { 12 }).filter(|timescale| *timescale > 0)
}

fn default_duration(tfhd: &[u8]) -> Option<u32> {
    let flags = word(tfhd, 0)?;
    if flags & 0x8 == 0 {
        return None;
    }
    let skipped = if flags & 0x1 != 0 { 8 } else { 0 } + if flags & 0x2 != 0 { 4 } else { 0 };
    word(tfhd, 8 + skipped)
}

fn run_duration(trun: &[u8], default_duration: Option<u32>) -> Option<u64> {
    let flags = word(trun, 0)?;
    let count = word(trun, 4)? as usize;
    if flags & 0x100 == 0 {
        return Some(u64::from(default_duration?) * count as u64);
    }
    let start = 8 + 4 * (flags & 0x5).count_ones() as usize;
    let stride = 4 * (flags & 0xf00).count_ones() as usize;
    let entries = trun.get(start..)?.chunks_exact(stride);
    if entries.len() < count {
        return None;
    }
    entries.take(count).map(|entry| word(entry, 0).map(u64::from)).sum()
}

fn word(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?))
}

fn child<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    children(bytes).find(|(found, _)| found == kind).map(|(_, body)| body)
}

fn children(mut bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    std::iter::from_fn(move || {
        let size = word(bytes, 0)? as usize;
        let (whole, rest) = bytes.split_at_checked(size.max(8))?;
        bytes = rest;
        Some((&whole[4..8], &whole[8..]))
    })
}
