//! Which format and size a converter or scaler makes of those that are wanted.
//!
//! Invariant: the shape of the whole picture is kept where the sides and the shape of pixels leave room;
//! of formats that would do, the one that loses least is taken, the first of equal ones.
//! In GStreamer: `gst/videoconvertscale/gstvideoconvertscale.c` (`gst_video_convert_scale_fixate_size`,
//! `score_value`, `transfer_colorimetry_from_input`).
//! Left out: interlaced pictures, palettes, memory other than the system's.

use super::caps;
use super::format::{Kind, VideoFormat};
use gst_mini_core::caps::{Caps, CapsFeatures};
use gst_mini_core::structure::Structure;
use gst_mini_core::time::scale_round;
use gst_mini_core::value::{Fraction, Value};

const PAR: &str = "pixel-aspect-ratio";
/// Fields that say how a picture is stored.
const STORAGE: [&str; 3] = ["format", "colorimetry", "chroma-site"];
const SQUARE: Fraction = Fraction::new(1, 1);

/// What these formats can become.
pub fn other_side(caps: &Caps, converts: bool, scales: bool) -> Caps {
    if caps.is_any() {
        return Caps::any();
    }
    let mut other = Caps::empty();
    for (structure, features) in caps.iter() {
        let mut one = structure.clone();
        if *features == CapsFeatures::default() {
            if scales {
                let any_side = Value::int_range(1, i32::MAX);
                one.set("width", any_side.clone());
                one.set("height", any_side);
                if one.has(PAR) {
                    one.set(PAR, any_par());
                }
            }
            if converts {
                STORAGE.iter().for_each(|field| drop(one.remove(field)));
            }
        }
        let mut single = Caps::empty();
        single.push(one, features.clone());
        other.merge(&single);
    }
    other
}

fn any_par() -> Value {
    Value::fraction_range(Fraction::new(1, i32::MAX), Fraction::new(i32::MAX, 1))
}

/// One output format for fixed input caps.
pub fn fixate(input: &Caps, mut wanted: Caps) -> Caps {
    let stored = storage(input, &wanted);
    wanted.truncate(1);
    if let (Some(from), Some(to)) = (input.structure(0), wanted.structure_mut(0)) {
        fixate_size(from, to);
    }
    let mut fixed = wanted.fixate();
    if let (Some(stored), Some(structure)) = (stored.structure(0), fixed.structure_mut(0)) {
        for field in STORAGE {
            match stored.get(field) {
                Some(value) => structure.set(field, value.clone()),
                None => drop(structure.remove(field)),
            }
        }
    }
    fixed
}

/// How the output is stored.
fn storage(input: &Caps, wanted: &Caps) -> Caps {
    let mut result = wanted.intersect(input);
    if result.is_empty() {
        result = wanted.clone();
    }
    let best = input
        .structure(0)
        .and_then(|structure| structure.str("format")?.parse().ok())
        .and_then(|from| best_format(from, &result));
    for structure in result.structures_mut() {
        for field in ["height", "width", PAR, "display-aspect-ratio"] {
            structure.remove(field);
        }
    }
    if let (Some(best), Some(structure)) = (best, result.structure_mut(0)) {
        structure.set("format", best.name());
    }
    let mut result = result.fixate();
    if input.is_subset_of(&result) {
        return input.clone();
    }
    keep_colors(input, &mut result);
    result
}

/// The format that loses least.
fn best_format(from: VideoFormat, wanted: &Caps) -> Option<VideoFormat> {
    let mut best: Option<(u32, VideoFormat)> = None;
    let mut consider = |name: &Value| {
        let Some(to) = name.as_str().and_then(|name| name.parse::<VideoFormat>().ok()) else {
            return;
        };
        let loss = loss(from, to);
        if best.is_none_or(|(least, _)| loss < least) {
            best = Some((loss, to));
        }
    };
    for structure in wanted.structures() {
        match structure.get("format") {
            Some(Value::List(names)) => names.iter().for_each(&mut consider),
            Some(name) => consider(name),
            None => {}
        }
    }
    best.map(|(_, format)| format)
}

/// GStreamer's points for each kind of loss.
fn loss(from: VideoFormat, to: VideoFormat) -> u32 {
    if from == to {
        return 0;
    }
    let (a, b) = (from.layout(), to.layout());
    let mut loss = 1;
    if a.kind != b.kind {
        loss += if b.kind == Kind::Gray { 2 + 128 } else { 2 };
    }
    if a.has_alpha != b.has_alpha {
        loss += if a.has_alpha { 1 + 8 } else { 1 };
    }
    let ((across, down), (to_across, to_down)) = (from.subsampling(), to.subsampling());
    for (own, other, points) in [(down, to_down, 32), (across, to_across, 16)] {
        if own != other {
            loss += if own < other { 1 + points } else { 1 };
        }
    }
    if a.bits != b.bits {
        loss += if a.bits > b.bits { 1 + 4 } else { 1 };
    }
    loss
}

/// What the input says about colors is said of the output too, as far as it can hold.
fn keep_colors(input: &Caps, output: &mut Caps) {
    let (Some(from), Some(to)) = (input.structure(0), output.structure(0)) else { return };
    let (has_colors, has_site) = (to.has("colorimetry"), to.has("chroma-site"));
    if has_colors && has_site {
        return;
    }
    let mut sized = to.clone();
    for side in ["width", "height"] {
        if let Some(value) = from.get(side) {
            sized.set(side, value.clone());
        }
    }
    let (Ok(from_info), Ok(to_info)) = (caps::read(input), caps::read(&Caps::new(sized))) else {
        return;
    };
    let (from, kinds) =
        (from.clone(), (from_info.format.layout().kind, to_info.format.layout().kind));
    let Some(to) = output.structure_mut(0) else { return };
    if let (false, Some(colorimetry)) = (has_colors, from.get("colorimetry")) {
        if kinds.0 == kinds.1 {
            to.set("colorimetry", colorimetry.clone());
        } else {
            let mut colors = to_info.colorimetry;
            colors.primaries = from_info.colorimetry.primaries;
            colors.transfer = from_info.colorimetry.transfer;
            to.set("colorimetry", colors.to_string());
        }
    }
    if let (false, (Kind::Yuv, Kind::Yuv), Some(site)) = (has_site, kinds, from.get("chroma-site"))
        && from_info.format.subsampling() == to_info.format.subsampling()
    {
        to.set("chroma-site", site.clone());
    }
}

/// A structure whose sides and pixel shape are being chosen.
struct Choice<'a> {
    to: &'a mut Structure,
    par: Value,
}

impl Choice<'_> {
    /// The side nearest to `wanted` that the structure allows; its own if it is fixed.
    fn nearest(&self, side: &str, wanted: i32) -> i32 {
        let mut copy = self.to.clone();
        copy.fixate_field_nearest_int(side, wanted);
        copy.int(side).unwrap_or(wanted)
    }

    fn nearest_par(&self, wanted: Fraction) -> Fraction {
        let mut copy = self.to.clone();
        if !copy.has(PAR) {
            copy.set(PAR, self.par.clone());
        }
        copy.fixate_field_nearest_fraction(PAR, wanted);
        copy.fraction(PAR).unwrap_or(wanted)
    }

    fn set_par(&mut self, par: Fraction) {
        if self.to.has(PAR) || par != SQUARE {
            self.to.set(PAR, par);
        }
    }

    fn set_sides(&mut self, width: i32, height: i32) {
        self.to.set("width", width);
        self.to.set("height", height);
    }
}

fn times(length: i32, ratio: Fraction) -> i32 {
    let part = |number: i32| u64::try_from(number).unwrap_or(0);
    let scaled = scale_round(part(length), part(ratio.num), part(ratio.den)).unwrap_or(0);
    i32::try_from(scaled).unwrap_or(i32::MAX)
}

fn over(a: Fraction, b: Fraction) -> Option<Fraction> {
    a.checked_mul(Fraction::checked(b.den, b.num)?)
}

/// Chooses sides and pixel shape of `to` so that the picture of `from` keeps its shape. Fields that
/// cannot be decided (the numbers are too large) stay as they are.
fn fixate_size(from: &Structure, to: &mut Structure) -> Option<()> {
    let from_par = from.fraction(PAR).unwrap_or(SQUARE);
    let (from_w, from_h) = (from.int("width")?, from.int("height")?);
    let shape = Fraction::checked(from_w, from_h)?.checked_mul(from_par)?;
    let par = to.get(PAR).cloned().unwrap_or_else(any_par);
    let fixed_par = par.as_fraction();
    let (width, height) = (to.int("width"), to.int("height"));
    let mut choice = Choice { to, par };
    match (width, height, fixed_par) {
        (Some(_), Some(_), Some(_)) => {}
        (Some(width), Some(height), None) => {
            let par = shape.checked_mul(Fraction::checked(height, width)?)?;
            if !choice.to.fixate_field_nearest_fraction(PAR, par) {
                choice.set_par(par);
            }
        }
        (None, Some(height), Some(par)) => {
            let width = choice.nearest("width", times(height, over(shape, par)?));
            choice.to.set("width", width);
        }
        (Some(width), None, Some(par)) => {
            let height = choice.nearest("height", times(width, over(par, shape)?));
            choice.to.set("height", height);
        }
        (None, Some(height), None) => {
            let width = choice.nearest("width", from_w);
            let wanted = shape.checked_mul(Fraction::checked(height, width)?)?;
            let par = choice.nearest_par(wanted);
            let width = match par == wanted {
                true => width,
                false => choice.nearest("width", times(height, over(shape, par)?)),
            };
            choice.to.set("width", width);
            choice.set_par(par);
        }
        (Some(width), None, None) => {
            let height = choice.nearest("height", from_h);
            let wanted = shape.checked_mul(Fraction::checked(height, width)?)?;
            let par = choice.nearest_par(wanted);
            let height = match par == wanted {
                true => height,
                false => choice.nearest("height", times(width, over(par, shape)?)),
            };
            choice.to.set("height", height);
            choice.set_par(par);
        }
        (None, None, Some(par)) => both_sides(&mut choice, shape.checked_mul(par)?, from_w, from_h),
        (None, None, None) => everything(&mut choice, shape, from_w, from_h)?,
    }
    Some(())
}

/// Both sides are free, the shape of pixels is not.
fn both_sides(choice: &mut Choice, ratio: Fraction, from_w: i32, from_h: i32) {
    let inverse = Fraction::checked(ratio.den, ratio.num).unwrap_or(SQUARE);
    let height = choice.nearest("height", from_h);
    let wanted_w = times(height, ratio);
    let width = choice.nearest("width", wanted_w);
    if width == wanted_w {
        return choice.set_sides(width, height);
    }
    let other_w = choice.nearest("width", from_w);
    let wanted_h = times(other_w, inverse);
    let other_h = choice.nearest("height", wanted_h);
    let error = |set: i32, wanted: i32, side: i32| {
        i64::from(set).abs_diff(wanted.into()).saturating_mul(u64::from(side.unsigned_abs()))
    };
    let is_better =
        other_h == wanted_h || error(other_h, wanted_h, other_w) < error(width, wanted_w, height);
    match is_better {
        true => choice.set_sides(other_w, other_h),
        false => choice.set_sides(width, height),
    }
}

/// Nothing is decided.
fn everything(choice: &mut Choice, shape: Fraction, from_w: i32, from_h: i32) -> Option<()> {
    let (height, width) = (choice.nearest("height", from_h), choice.nearest("width", from_w));
    let wanted = shape.checked_mul(Fraction::checked(height, width)?)?;
    let par = choice.nearest_par(wanted);
    let mut sides = (width, height);
    if par != wanted {
        let ratio = over(shape, par)?;
        let fitting_w = times(height, ratio);
        let fitting_h = times(width, Fraction::checked(ratio.den, ratio.num)?);
        if choice.nearest("width", fitting_w) == fitting_w {
            sides.0 = fitting_w;
        } else if choice.nearest("height", fitting_h) == fitting_h {
            sides.1 = fitting_h;
        }
    }
    choice.set_sides(sides.0, sides.1);
    choice.set_par(par);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(input: &str, wanted: &str) -> String {
        let caps = |text: &str| Caps::parse(&format!("video/x-raw,{text}")).unwrap();
        let fixed = fixate(&caps(input), caps(wanted));
        let structure = fixed.structure(0).unwrap();
        let par = structure.fraction(PAR).map_or(String::new(), |par| format!(" {par}"));
        let side = |side| structure.int(side).unwrap();
        format!("{}x{}{par}", side("width"), side("height"))
    }

    const SD: &str = "format=I420,width=320,height=240,pixel-aspect-ratio=1/1";
    const FREE: &str = "pixel-aspect-ratio=[1/2147483647,2147483647/1]";

    #[test]
    fn one_side_asked_for_changes_the_shape_of_pixels_and_not_of_the_picture() {
        let wanted = format!("format=I420,width=200,height=[1,2147483647],{FREE}");
        assert_eq!(chosen(SD, &wanted), "200x240 8/5");
        let wanted = format!("format=I420,width=[1,2147483647],height=100,{FREE}");
        assert_eq!(chosen(SD, &wanted), "320x100 5/12");
    }

    #[test]
    fn square_pixels_asked_for_change_the_other_side() {
        let wanted = "format=I420,width=200,height=[1,2147483647],pixel-aspect-ratio=1/1";
        assert_eq!(chosen(SD, wanted), "200x150 1/1");
        let wanted = "format=I420,width=[1,2147483647],height=[1,100],pixel-aspect-ratio=1/1";
        assert_eq!(chosen(SD, wanted), "133x100 1/1");
    }

    #[test]
    fn loss_prefers_alpha_over_depth_over_shared_chroma() {
        use VideoFormat::*;
        assert!(loss(Rgba, Bgra) < loss(Rgba, Rgb));
        assert!(loss(I420, Nv12) < loss(I420, Rgb));
        assert!(loss(I420, Rgb) < loss(I420, Gray8));
        assert!(loss(Gray8, Rgb) < loss(Gray8, I420));
        assert!(loss(Rgb, Y444) < loss(Rgb, I420));
    }
}
