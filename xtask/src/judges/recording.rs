//! What a finished recording must be: read from its playlist and, frame by frame, by ffprobe.
//!
//! Invariant: times are compared as fractions, so that 24000/1001 frames a second is exact.
//! Left out: the rules for playlists that still grow; the elements' own tests hold those.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::{self, Failure, read_text};

const LIMIT: Duration = Duration::from_secs(180);

/// A playlist on disk and what it lists.
pub struct Recording {
    pub folder: PathBuf,
    /// The playlist's file name.
    pub playlist: String,
    pub init: String,
    /// Seconds and file name of each segment.
    pub segments: Vec<(f64, String)>,
}

/// A rate as numerator and denominator.
pub type Rate = (u64, u64);

impl Recording {
    /// Reads a playlist that must have ended.
    pub fn open(playlist: &Path) -> Result<Recording, Failure> {
        let text = read_text(playlist)?;
        let name = playlist.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let folder = playlist.parent().unwrap_or(Path::new(".")).to_owned();
        let recording = parse(&text, &name, folder)
            .map_err(|reason| Failure::new(format!("{text}\n{}: {reason}", playlist.display())))?;
        let files = recording.segments.iter().map(|(_, name)| name).chain([&recording.init]);
        let absent = files.map(|name| recording.folder.join(name)).find(|path| !path.is_file());
        match absent {
            None => Ok(recording),
            Some(path) => Err(Failure::new(format!("{} is listed and not there", path.display()))),
        }
    }

    /// The playlist's path.
    pub fn path(&self) -> String {
        self.folder.join(&self.playlist).to_string_lossy().into_owned()
    }

    /// All segments behind their init segment, as one file that any tool reads.
    fn join(&self, to: &Path) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        let segments = self.segments.iter().map(|(_, name)| name);
        for name in std::iter::once(&self.init).chain(segments) {
            let path = self.folder.join(name);
            bytes.extend(std::fs::read(&path).map_err(|error| {
                Failure::new(format!("{} cannot be read: {error}", path.display()))
            })?);
        }
        std::fs::write(to, bytes)
            .map_err(|error| Failure::new(format!("{} cannot be written: {error}", to.display())))
    }

    /// Frame k is at k / rate exactly, each segment begins with a key frame, and all but the last
    /// have the target's length within a frame.
    ///
    /// Leaves all of it in one file, `whole`, and gives the count of frames.
    pub fn check_times(&self, rate: Rate, target: f64, whole: &Path) -> Result<u64, Failure> {
        self.join(whole)?;
        let packets = packets(whole)?;
        on_grid(&packets, rate).map_err(|reason| self.wrong(&reason))?;
        let frame = rate.1 as f64 / rate.0 as f64;
        let mut start = 0.0;
        for (index, (seconds, name)) in self.segments.iter().enumerate() {
            let first = packets.iter().find(|packet| packet.seconds() > start - frame / 2.0);
            if !first.is_some_and(|packet| packet.is_key && packet.is_at(start, frame)) {
                return Err(self.wrong(&format!("{name} does not begin with a key frame")));
            }
            let is_last = index + 1 == self.segments.len();
            let is_right =
                (seconds - target).abs() <= frame * 1.001 || is_last && *seconds < target;
            if !is_right {
                let text = format!("{name} lasts {seconds} s, not {target} s within a frame");
                return Err(self.wrong(&text));
            }
            start += seconds;
        }
        Ok(packets.len() as u64)
    }

    fn wrong(&self, reason: &str) -> Failure {
        Failure::new(format!("{}: {reason}", self.path()))
    }
}

fn parse(text: &str, playlist: &str, folder: PathBuf) -> Result<Recording, String> {
    let mut lines = text.lines();
    let mut segments = Vec::new();
    let mut init = None;
    if lines.next() != Some("#EXTM3U") {
        return Err("it does not begin with #EXTM3U".to_owned());
    }
    if text.lines().last() != Some("#EXT-X-ENDLIST") {
        return Err("its last line is not #EXT-X-ENDLIST".to_owned());
    }
    let mut length = None;
    for line in lines {
        if let Some(value) = line.strip_prefix("#EXTINF:") {
            let seconds = value.split(',').next().unwrap_or_default();
            length = Some(seconds.parse::<f64>().map_err(|_| format!("{line} is no number"))?);
        } else if let Some(attributes) = line.strip_prefix("#EXT-X-MAP:") {
            let uri = attributes.split("URI=\"").nth(1).and_then(|rest| rest.split('"').next());
            init = uri.map(str::to_owned);
        } else if !line.starts_with('#') && !line.is_empty() {
            let seconds = length.take().ok_or_else(|| format!("{line} has no #EXTINF"))?;
            segments.push((seconds, line.to_owned()));
        }
    }
    let init = init.ok_or("it has no #EXT-X-MAP")?;
    if segments.is_empty() {
        return Err("it lists no segment".to_owned());
    }
    Ok(Recording { folder, playlist: playlist.to_owned(), init, segments })
}

/// One compressed frame, as ffprobe saw it.
#[derive(Debug, Clone, Copy)]
struct Packet {
    pts: u64,
    time_base: Rate,
    is_key: bool,
}

impl Packet {
    fn seconds(self) -> f64 {
        self.pts as f64 * self.time_base.0 as f64 / self.time_base.1 as f64
    }

    fn is_at(self, seconds: f64, frame: f64) -> bool {
        // EXTINF is printed in decimals; half a frame tells neighbors apart.
        (self.seconds() - seconds).abs() < frame / 2.0
    }
}

/// Frame k stands at k / rate: exact where the time base can say it, else the nearest tick.
fn on_grid(packets: &[Packet], rate: Rate) -> Result<(), String> {
    for (index, packet) in packets.iter().enumerate() {
        // pts · base_n / base_d against k · rate_d / rate_n, both times all denominators.
        let (base_n, base_d) = packet.time_base;
        let is = u128::from(packet.pts) * u128::from(base_n) * u128::from(rate.0);
        let due = index as u128 * u128::from(rate.1) * u128::from(base_d);
        let tick = u128::from(base_n) * u128::from(rate.0);
        let is_exact_possible = (u128::from(rate.1) * u128::from(base_d)).is_multiple_of(tick);
        let slack = if is_exact_possible { 0 } else { tick };
        if is.abs_diff(due) > slack {
            let text = format!(
                "frame {index} is at {}·{base_n}/{base_d} s, not at {index}·{}/{} s",
                packet.pts, rate.1, rate.0
            );
            return Err(text);
        }
    }
    if packets.is_empty() { Err("it holds no frame".to_owned()) } else { Ok(()) }
}

fn packets(file: &Path) -> Result<Vec<Packet>, Failure> {
    let show = |entries: &str| {
        let mut command = Command::new("ffprobe");
        command.args(["-v", "error", "-select_streams", "v:0", "-show_entries", entries]);
        command.args(["-of", "csv=p=0"]).arg(file);
        process::read(command, LIMIT)
    };
    let strange =
        |line: &str| Failure::new(format!("ffprobe on {} printed \"{line}\"", file.display()));
    let base = show("stream=time_base")?;
    let (n, d) = base.trim().split_once('/').ok_or_else(|| strange(&base))?;
    let number = |word: &str| word.trim().parse::<u64>().map_err(|_| strange(word));
    let time_base = (number(n)?, number(d.trim_end_matches(','))?);
    let mut packets = Vec::new();
    for line in show("packet=pts,flags")?.lines().filter(|line| !line.trim().is_empty()) {
        let (pts, flags) = line.split_once(',').ok_or_else(|| strange(line))?;
        packets.push(Packet { pts: number(pts)?, time_base, is_key: flags.contains('K') });
    }
    packets.sort_by_key(|packet| packet.pts);
    Ok(packets)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAYLIST: &str = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:3\n\
        #EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:3.000,\na.cmfv\n#EXTINF:2.000,\nb.cmfv\n#EXT-X-ENDLIST\n";

    #[track_caller]
    fn refused(text: &str, part: &str) {
        let reason = parse(text, "index.m3u8", PathBuf::new()).err().expect("it is wrong");
        assert!(reason.contains(part), "{reason}");
    }

    #[test]
    fn playlist_is_read_and_its_faults_are_named() {
        let recording = parse(PLAYLIST, "index.m3u8", PathBuf::new()).expect("it is right");
        assert_eq!(recording.init, "init.mp4");
        assert_eq!(recording.segments, [(3.0, "a.cmfv".into()), (2.0, "b.cmfv".into())]);
        refused(&PLAYLIST.replace("#EXT-X-ENDLIST\n", ""), "ENDLIST");
        refused(&PLAYLIST.replace("#EXT-X-MAP", "#EXT-X-MOP"), "no #EXT-X-MAP");
        refused(&PLAYLIST.replace("#EXTINF:2.000,\n", ""), "b.cmfv has no #EXTINF");
    }

    fn frames(pts: &[u64], time_base: Rate) -> Vec<Packet> {
        pts.iter().map(|pts| Packet { pts: *pts, time_base, is_key: false }).collect()
    }

    #[test]
    fn grid_is_exact_where_the_time_base_can_say_it() {
        let film = (24_000, 1001);
        assert!(on_grid(&frames(&[0, 1001, 2002], (1, 24_000)), film).is_ok());
        assert!(on_grid(&frames(&[0, 1001, 2003], (1, 24_000)), film).is_err());
        assert!(on_grid(&frames(&[0, 1001, 3003], (1, 24_000)), film).is_err());
        assert!(on_grid(&frames(&[1, 1002], (1, 24_000)), film).is_err());
        // 1001/24000 s is 3753.75 ticks of 90 kHz.
        assert!(on_grid(&frames(&[0, 3754, 7508], (1, 90_000)), film).is_ok());
        assert!(on_grid(&frames(&[0, 3754, 7510], (1, 90_000)), film).is_err());
        assert!(on_grid(&[], film).is_err());
    }
}
