//! What the caps of an H.264 stream say about its track.
//!
//! Invariant: a track that comes out of here can be written.
//! In GStreamer: gst-plugins-rs `mux/isobmff` (`FMP4Mux`), which reads `codec_data` as a buffer.
//! Left out: other codecs.

use gst_mini_core::caps::Caps;

use super::cmaf::Track;

/// What the caps say about the stream.
pub fn track_of(caps: &Caps) -> Result<Track, String> {
    let fields = caps.structure(0).ok_or("there is no format")?;
    let text = fields.str("codec_data").ok_or("the caps have no codec_data, which avc needs")?;
    let codec_data = unhex(text).ok_or("codec_data is not text of hexadecimal digits")?;
    let side = |name: &str| fields.int(name).and_then(|side| u32::try_from(side).ok()).unwrap_or(0);
    let frame_rate = fields.fraction("framerate").and_then(|rate| {
        let rate = (u32::try_from(rate.num).ok()?, u32::try_from(rate.den).ok()?);
        (rate.0 > 0 && rate.1 > 0).then_some(rate)
    });
    let track = Track { codec_data, width: side("width"), height: side("height"), frame_rate };
    track.stream_info().map_err(|error| error.to_string())?;
    Ok(track)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let [high, low] = *pair else { return None };
            let digit = |byte: u8| char::from(byte).to_digit(16);
            Some((digit(high)? * 16 + digit(low)?) as u8)
        })
        .collect()
}
