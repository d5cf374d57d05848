//! Which input channel goes into which output channel, and how loud.
//!
//! A place that the output lacks is mixed into the nearest ones that it has; a place that the input
//! lacks is fed from the nearest. The farther away, the softer.
//!
//! Invariant: no output of a matrix made here can be louder than full scale.
//! In GStreamer: `gst-libs/gst/audio/audio-channel-mixer.c` (`gst_audio_channel_mixer_new`).
//! Left out: places that GStreamer does not mix either: wide, top, bottom and surround ones.

use super::info::AudioInfo;

/// Loudness of each input channel in each output channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    inputs: usize,
    outputs: usize,
    /// Row after row, one for each output.
    factors: Vec<f32>,
}

/// Why two sets of channels cannot be mixed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MixError {
    /// It is not known where the channels belong.
    #[error(
        "{0} channels cannot become {1}: where they belong is not said (channel-mask 0); set mix-matrix"
    )]
    Placeless(u32, u32),
    /// The matrix is for other channels.
    #[error("the mix-matrix has {rows} rows of {columns}, and {outputs} of {inputs} are needed")]
    Size {
        /// Its rows.
        rows: usize,
        /// The length of its first row.
        columns: usize,
        /// Output channels.
        outputs: u32,
        /// Input channels.
        inputs: u32,
    },
}

impl Matrix {
    fn empty(inputs: usize, outputs: usize) -> Matrix {
        Matrix { inputs, outputs, factors: vec![0.0; inputs * outputs] }
    }

    /// From rows of an application, one for each output. None: each channel to the one of its number.
    pub fn from_rows(
        rows: &[Vec<f32>],
        input: &AudioInfo,
        output: &AudioInfo,
    ) -> Result<Option<Matrix>, MixError> {
        let (inputs, outputs) = (input.channels as usize, output.channels as usize);
        if rows.is_empty() {
            return Ok(if inputs == outputs {
                None
            } else {
                Some(Matrix::straight(inputs, outputs))
            });
        }
        if rows.len() != outputs || rows.iter().any(|row| row.len() != inputs) {
            let columns = rows.first().map_or(0, Vec::len);
            let (rows, outputs, inputs) = (rows.len(), output.channels, input.channels);
            return Err(MixError::Size { rows, columns, outputs, inputs });
        }
        Ok(Some(Matrix { inputs, outputs, factors: rows.concat() }).filter(|m| !m.is_identity()))
    }

    fn straight(inputs: usize, outputs: usize) -> Matrix {
        let mut matrix = Matrix::empty(inputs, outputs);
        for channel in 0..inputs.min(outputs) {
            matrix.set(channel, channel, 1.0);
        }
        matrix
    }

    /// Between the places of two formats; `None` if every channel stays what it is.
    pub fn between(input: &AudioInfo, output: &AudioInfo) -> Result<Option<Matrix>, MixError> {
        let is_placeless = |info: &AudioInfo| info.mask == Some(0);
        if is_placeless(input) || is_placeless(output) {
            return match input.channels == output.channels {
                true => Ok(None),
                false => Err(MixError::Placeless(input.channels, output.channels)),
            };
        }
        if input.mask == output.mask && input.channels == output.channels {
            return Ok(None);
        }
        let (from, to) = (Places::of(input), Places::of(output));
        let mut matrix = Matrix::empty(from.0.len(), to.0.len());
        match (input.mask, output.mask) {
            (Some(STEREO), None) => matrix.factors.fill(0.5),
            (None, Some(STEREO)) => matrix.factors.fill(1.0),
            _ => {
                matrix.same_places(&from, &to);
                matrix.pairs(&from, &to);
                matrix.missing(&from.groups(), &to.groups());
                matrix.normalize();
            }
        }
        Ok(Some(matrix).filter(|matrix| !matrix.is_identity()))
    }

    /// Output channels.
    pub fn outputs(&self) -> usize {
        self.outputs
    }
    /// Input channels.
    pub fn inputs(&self) -> usize {
        self.inputs
    }
    /// The factors of each output, in order.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.factors.chunks_exact(self.inputs)
    }

    fn set(&mut self, from: usize, to: usize, factor: f32) {
        self.factors[to * self.inputs + from] = factor;
    }

    fn is_identity(&self) -> bool {
        self.inputs == self.outputs
            && self.rows().enumerate().all(|(to, row)| {
                row.iter().enumerate().all(|(from, f)| *f == f32::from(u8::from(from == to)))
            })
    }

    fn same_places(&mut self, from: &Places, to: &Places) {
        for (output, place) in to.0.iter().enumerate() {
            if let Some(input) = from.0.iter().position(|other| other == place) {
                self.set(input, output, 1.0);
            }
        }
    }

    /// Left, right and what lies between them.
    fn pairs(&mut self, from: &Places, to: &Places) {
        for (left, right, middle) in [(FL, FR, MONO), (FLC, FRC, FC), (RL, RR, RC)] {
            let (in_middle, out_middle) = (from.index(middle), to.index(middle));
            for side in [left, right] {
                let (in_side, out_side) = (from.index(side), to.index(side));
                if let (Some(input), Some(output)) = (in_side, out_middle)
                    && let Some(factor) = towards(in_middle.is_some(), out_side.is_some())
                {
                    self.set(input, output, factor);
                }
                if let (Some(input), Some(output)) = (in_middle, out_side)
                    && let Some(factor) = towards(in_side.is_some(), out_middle.is_some())
                {
                    self.set(input, output, factor);
                }
            }
        }
    }

    fn missing(&mut self, from: &Groups, to: &Groups) {
        let (half, eighth) = (0.5f32.sqrt(), 0.125f32.sqrt());
        // Center and rear: to or from the nearest group there is.
        self.nearest(from, to, CENTER, [(FRONT, half), (SIDE, 0.5), (REAR, eighth)]);
        // Front and side: the two groups beside share it; without them the one behind has it.
        self.shared(from, to, FRONT, [CENTER, SIDE], (REAR, 0.5));
        self.shared(from, to, SIDE, [FRONT, REAR], (CENTER, 0.5));
        self.nearest(from, to, REAR, [(SIDE, half), (FRONT, 0.5), (CENTER, eighth)]);
        for (group, factor) in [(CENTER, half), (FRONT, 1.0), (SIDE, half), (REAR, half)] {
            if from.has(BASS) && !to.has(BASS) && to.has(group) {
                self.spread(from.slots(BASS), to.slots(group), factor);
            }
            if !from.has(BASS) && to.has(BASS) && from.has(group) {
                self.spread(from.slots(group), to.slots(BASS), factor);
            }
        }
    }

    fn nearest(&mut self, from: &Groups, to: &Groups, group: usize, others: [(usize, f32); 3]) {
        if to.has(group) && !from.has(group) {
            if let Some((other, factor)) = others.into_iter().find(|(other, _)| from.has(*other)) {
                self.spread(from.slots(other), to.slots(group), factor);
            }
        } else if from.has(group)
            && !to.has(group)
            && let Some((other, factor)) = others.into_iter().find(|(other, _)| to.has(*other))
        {
            self.spread(from.slots(group), to.slots(other), factor);
        }
    }

    fn shared(
        &mut self,
        from: &Groups,
        to: &Groups,
        group: usize,
        beside: [usize; 2],
        behind: (usize, f32),
    ) {
        let is_in = to.has(group) && !from.has(group);
        if from.has(group) == to.has(group) {
            return;
        }
        let there = if is_in { from } else { to };
        let mut put = |other: usize, factor: f32| match is_in {
            true => self.spread(from.slots(other), to.slots(group), factor),
            false => self.spread(from.slots(group), to.slots(other), factor),
        };
        let half = 0.5f32.sqrt();
        match (there.has(beside[0]), there.has(beside[1])) {
            (true, true) => beside.into_iter().for_each(|other| put(other, half / 2.0)),
            (true, false) => put(beside[0], half),
            (false, true) => put(beside[1], half),
            (false, false) if there.has(behind.0) => put(behind.0, behind.1),
            (false, false) => {}
        }
    }

    /// From the slots of one group to those of another.
    fn spread(&mut self, from: Slots, to: Slots, factor: f32) {
        let mut put = |input: Option<usize>, output: Option<usize>, factor: f32| {
            if let (Some(input), Some(output)) = (input, output) {
                self.set(input, output, factor);
            }
        };
        let halved = |is_shared: bool| if is_shared { factor / 2.0 } else { factor };
        put(from.middle, to.middle, factor);
        put(from.left, to.left, factor);
        put(from.right, to.right, factor);
        put(from.left, to.middle, halved(from.middle.is_some()));
        put(from.right, to.middle, halved(from.middle.is_some()));
        put(from.middle, to.left, halved(from.left.is_some()));
        put(from.middle, to.right, halved(from.right.is_some()));
    }

    fn normalize(&mut self) {
        let sum = |row: &[f32]| row.iter().fold(0.0, |sum, factor| sum + factor.abs());
        let loudest = self.rows().map(sum).fold(0.0, f32::max);
        if loudest > 0.0 {
            self.factors.iter_mut().for_each(|factor| *factor /= loudest);
        }
    }
}

/// How loud a place goes into its neighbor: `is_there` tells whether the input has the neighbor itself,
/// `is_kept` whether the output has the place itself.
fn towards(is_there: bool, is_kept: bool) -> Option<f32> {
    match (is_there, is_kept) {
        (false, _) => Some(1.0),
        (true, false) => Some(0.5),
        (true, true) => None,
    }
}

const STEREO: u64 = 0x3;

/// Places by the number of their bit in a channel-mask; mono has none.
type Place = Option<u32>;
const MONO: Place = None;
const FL: Place = Some(0);
const FR: Place = Some(1);
const FC: Place = Some(2);
const LFE: Place = Some(3);
const RL: Place = Some(4);
const RR: Place = Some(5);
const FLC: Place = Some(6);
const FRC: Place = Some(7);
const RC: Place = Some(8);
const SL: Place = Some(10);
const SR: Place = Some(11);

/// The place of each channel.
struct Places(Vec<Place>);

impl Places {
    fn of(info: &AudioInfo) -> Places {
        match info.mask {
            None => Places(vec![MONO]),
            Some(mask) => Places((0..64).filter(|bit| mask >> bit & 1 == 1).map(Some).collect()),
        }
    }
    fn index(&self, place: Place) -> Option<usize> {
        self.0.iter().position(|other| *other == place)
    }
    fn groups(&self) -> Groups {
        let slots = |left: Option<Place>, middle: Option<Place>, right: Option<Place>| {
            let index = |place: Option<Place>| place.and_then(|place| self.index(place));
            Slots { left: index(left), middle: index(middle), right: index(right) }
        };
        Groups([
            slots(Some(FL), Some(MONO), Some(FR)),
            slots(Some(FLC), Some(FC), Some(FRC)),
            slots(Some(RL), Some(RC), Some(RR)),
            slots(Some(SL), None, Some(SR)),
            slots(None, Some(LFE), None),
        ])
    }
}

const FRONT: usize = 0;
const CENTER: usize = 1;
const REAR: usize = 2;
const SIDE: usize = 3;
const BASS: usize = 4;

/// The channels of a group, if it has them.
#[derive(Clone, Copy)]
struct Slots {
    left: Option<usize>,
    middle: Option<usize>,
    right: Option<usize>,
}

struct Groups([Slots; 5]);

impl Groups {
    fn slots(&self, group: usize) -> Slots {
        self.0[group]
    }
    fn has(&self, group: usize) -> bool {
        let Slots { left, middle, right } = self.0[group];
        left.or(middle).or(right).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::AudioFormat;

    fn sound(channels: u32, mask: Option<u64>) -> AudioInfo {
        AudioInfo { format: AudioFormat::S16LE, rate: 8000, channels, mask }
    }

    fn usual(channels: u32) -> AudioInfo {
        AudioInfo::new(AudioFormat::S16LE, 8000, channels)
    }

    fn rows(from: AudioInfo, to: AudioInfo) -> Vec<Vec<f32>> {
        let matrix = Matrix::between(&from, &to).unwrap().unwrap();
        matrix.rows().map(<[f32]>::to_vec).collect()
    }

    #[test]
    fn mono_goes_to_both_sides_and_both_sides_meet_in_mono() {
        assert_eq!(rows(usual(1), usual(2)), [[1.0], [1.0]]);
        assert_eq!(rows(usual(2), usual(1)), [[0.5, 0.5]]);
        assert_eq!(Matrix::between(&usual(2), &usual(2)), Ok(None));
    }

    #[test]
    fn no_output_is_louder_than_full_scale() {
        let masks = (0..1u64 << 12).step_by(7).filter(|mask| *mask != 0);
        let sounds: Vec<AudioInfo> =
            masks.map(|mask| sound(mask.count_ones(), Some(mask))).collect();
        for from in &sounds {
            for to in [usual(1), usual(2), usual(6), usual(8), sound(1, Some(4))] {
                let Some(matrix) = Matrix::between(from, &to).unwrap() else { continue };
                for row in matrix.rows() {
                    assert!(row.iter().sum::<f32>() < 1.0001, "{from:?} {to:?} {row:?}");
                }
            }
        }
    }

    #[test]
    fn channels_without_places_stay_or_are_refused() {
        assert_eq!(Matrix::between(&sound(4, Some(0)), &usual(4)), Ok(None));
        let refused = Matrix::between(&sound(4, Some(0)), &usual(2)).unwrap_err().to_string();
        assert!(refused.contains("mix-matrix"), "{refused}");
    }

    #[test]
    fn a_matrix_of_the_wrong_size_is_refused() {
        let refused = Matrix::from_rows(&[vec![1.0]], &usual(2), &usual(2)).unwrap_err();
        assert!(refused.to_string().contains("1 rows of 1, and 2 of 2"), "{refused}");
        let both = [vec![0.0, 1.0], vec![1.0, 0.0]];
        assert!(Matrix::from_rows(&both, &usual(2), &usual(2)).unwrap().is_some());
        assert_eq!(Matrix::from_rows(&[], &usual(2), &usual(2)), Ok(None));
    }
}
