//! Chroma between formats that keep it for each pixel and formats that share it among several.
//!
//! ```text
//!   luma      O   O | O   O | O   O       shared by two: in the middle of them, or on the left one
//!   middle      x   |   x   |   x
//!   left      x     | x     | x
//! ```
//!
//! Invariant: luma and alpha are not touched; chroma that is the same everywhere stays the same.
//! In GStreamer: `gst-libs/gst/video/video-chroma.c` (`gst_video_chroma_resample`).
//! Left out: interlaced pictures, chroma that sits on the upper one of two rows.

use super::info::VideoInfo;
use super::line::Ink;

fn mix(a: u8, b: u8, [of_a, of_b]: [u16; 2]) -> u8 {
    let sum = of_a + of_b;
    ((of_a * u16::from(a) + of_b * u16::from(b) + sum / 2) / sum) as u8
}

/// Both chroma samples of two pixels in these parts.
fn blend(a: Ink, b: Ink, parts: [u16; 2]) -> [u8; 2] {
    [mix(a[1], b[1], parts), mix(a[2], b[2], parts)]
}

fn put(ink: &mut Ink, chroma: [u8; 2]) {
    ink[1..3].copy_from_slice(&chroma);
}

/// How chroma of one format is spread or gathered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Chroma {
    /// Columns and rows, as powers of two.
    pub across: u8,
    pub down: u8,
    pub left: bool,
}

impl Chroma {
    pub fn of(info: &VideoInfo) -> Chroma {
        let (across, down) = info.format.subsampling();
        Chroma { across, down, left: info.chroma_is_cosited() }
    }

    pub fn is_shared(self) -> bool {
        self.across > 0 || self.down > 0
    }

    /// Gathers the chroma of two rows in the pixels of the upper one it is taken from; for formats
    /// that share it among rows. The last row of an odd height is both.
    pub fn gather_pair(self, upper: &mut [Ink], lower: Option<&[Ink]>) {
        if let Some(lower) = lower {
            for (upper, lower) in upper.iter_mut().zip(lower) {
                put(upper, blend(*upper, *lower, [1, 1]));
            }
        }
        self.gather(upper);
    }

    /// Gathers the chroma of one row.
    pub fn gather(self, line: &mut [Ink]) {
        match (self.across, self.left) {
            (1, false) => gather_two(line),
            (1, true) => gather_two_left(line),
            (2, false) => gather_four(line),
            (2, true) => gather_four_left(line),
            _ => {}
        }
    }

    /// Spreads the chroma of one row, each pixel of which has that of its group.
    pub fn spread(self, line: &mut [Ink]) {
        match (self.across, self.left) {
            (1, false) => spread_two(line),
            (1, true) => spread_two_left(line),
            (2, false) => spread_four(line),
            (2, true) => spread_four_left(line),
            _ => {}
        }
    }

    /// Moves the chroma of two rows, between which a border of groups runs, towards each other.
    pub fn spread_rows(upper: &mut [Ink], lower: &mut [Ink]) {
        for (upper, lower) in upper.iter_mut().zip(lower) {
            let (above, below) = (*upper, *lower);
            put(upper, blend(above, below, [3, 1]));
            put(lower, blend(above, below, [1, 3]));
        }
    }
}

fn gather_two(line: &mut [Ink]) {
    for pair in line.chunks_exact_mut(2) {
        let mean = blend(pair[0], pair[1], [1, 1]);
        put(&mut pair[0], mean);
    }
}

fn gather_two_left(line: &mut [Ink]) {
    let width = line.len();
    if width < 2 {
        return;
    }
    let first = blend(line[0], line[1], [3, 1]);
    put(&mut line[0], first);
    let mut i = 2;
    while i + 2 < width {
        let (before, at, after) = (line[i - 1], line[i], line[i + 1]);
        let three = |k: usize| {
            ((u16::from(before[k]) + 2 * u16::from(at[k]) + u16::from(after[k]) + 2) >> 2) as u8
        };
        put(&mut line[i], [three(1), three(2)]);
        i += 2;
    }
    if i < width {
        let last = blend(line[i - 1], line[i], [1, 3]);
        put(&mut line[i], last);
    }
}

fn gather_four(line: &mut [Ink]) {
    let width = line.len();
    for i in (0..width.saturating_sub(4)).step_by(4) {
        let of = |k: usize| {
            let [a, b, c, d] = [0, 1, 2, 3].map(|j: usize| u16::from(line[i + j][k]));
            ((a + 3 * (b + c) + d + 4) >> 3) as u8
        };
        let chroma = [of(1), of(2)];
        put(&mut line[i], chroma);
    }
}

fn gather_four_left(line: &mut [Ink]) {
    let width = line.len();
    if width < 4 {
        return;
    }
    let weighted = |line: &[Ink], from: usize, weights: &[u16], half: u16, shift: u32| {
        [1, 2].map(|k: usize| {
            let sum: u16 =
                weights.iter().zip(&line[from..]).map(|(w, ink)| w * u16::from(ink[k])).sum();
            ((sum + half) >> shift) as u8
        })
    };
    let first = weighted(line, 0, &[10, 3, 2, 1], 8, 4);
    put(&mut line[0], first);
    let mut i = 4;
    while i + 4 < width {
        let chroma = weighted(line, i - 3, &[1, 2, 3, 4, 3, 2, 1], 8, 4);
        put(&mut line[i], chroma);
        i += 4;
    }
    if i < width {
        let last = weighted(line, i - 3, &[1, 2, 3, 10], 8, 4);
        put(&mut line[i], last);
    }
}

fn spread_two(line: &mut [Ink]) {
    let Some(first) = line.first() else { return };
    let mut next = *first;
    let mut i = 1;
    while i + 1 < line.len() {
        let before = next;
        next = line[i + 1];
        put(&mut line[i], blend(before, next, [3, 1]));
        put(&mut line[i + 1], blend(before, next, [1, 3]));
        i += 2;
    }
}

fn spread_two_left(line: &mut [Ink]) {
    let mut i = 1;
    while i + 1 < line.len() {
        let mean = blend(line[i - 1], line[i + 1], [1, 1]);
        put(&mut line[i], mean);
        i += 2;
    }
}

fn spread_four(line: &mut [Ink]) {
    let Some(first) = line.first() else { return };
    let mut next = *first;
    let mut i = 2;
    while i + 3 < line.len() {
        let before = next;
        next = line[i + 2];
        for (ink, parts) in line[i..].iter_mut().zip([[7, 1], [5, 3], [3, 5], [1, 7]]) {
            put(ink, blend(before, next, parts));
        }
        i += 4;
    }
}

fn spread_four_left(line: &mut [Ink]) {
    let mut i = 0;
    while i + 4 < line.len() {
        let (before, next) = (line[i], line[i + 4]);
        for (ink, parts) in line[i + 1..].iter_mut().zip([[3, 1], [1, 1], [1, 3]]) {
            put(ink, blend(before, next, parts));
        }
        i += 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_chroma_stays_flat_however_it_is_shared() {
        for across in 0..=2 {
            for left in [false, true] {
                for width in 1..20 {
                    let chroma = Chroma { across, down: 1, left };
                    let mut line = vec![[7, 90, 201, 255]; width];
                    let below = line.clone();
                    chroma.gather_pair(&mut line, Some(&below));
                    chroma.spread(&mut line);
                    assert_eq!(line, below, "{across} {left} {width}");
                }
            }
        }
    }

    #[test]
    fn chroma_in_the_middle_of_two_is_spread_by_thirds() {
        let mut line: Vec<Ink> = [0, 0, 80, 80].map(|u| [1, u, u, 255]).to_vec();
        Chroma { across: 1, down: 0, left: false }.spread(&mut line);
        assert_eq!(line.iter().map(|ink| ink[1]).collect::<Vec<_>>(), [0, 20, 60, 80]);
        Chroma { across: 1, down: 0, left: false }.gather(&mut line);
        assert_eq!((line[0][1], line[2][1]), (10, 70));
    }
}
