//! What `videoconvert` and `videoscale` have in common that can be set.
//!
//! Invariant: a value that would change the picture in a way that is not offered is refused, with the
//! values that are.
//! In GStreamer: `gst/videoconvertscale/gstvideoconvertscale.c` (`gst_video_convert_scale_class_init`).
//! Left out: dithering, which would matter only for samples of 16 bits; primaries, transfer curves.

use super::convert::{Smoothing, Way};

/// The properties' fields, by their names.
pub struct Options {
    pub method: i32,
    pub add_borders: bool,
    pub n_threads: u32,
    pub dither: i32,
    pub dither_quantization: u32,
    pub chroma_resampler: i32,
    pub chroma_mode: i32,
    pub alpha_mode: i32,
    pub alpha_value: f64,
    pub matrix_mode: i32,
    pub gamma_mode: i32,
    pub primaries_mode: i32,
    pub sharpness: f64,
    pub sharpen: f64,
    pub envelope: f64,
    pub qos: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            method: 1,
            add_borders: true,
            n_threads: 1,
            dither: 4,
            dither_quantization: 1,
            chroma_resampler: 1,
            chroma_mode: 0,
            alpha_mode: 0,
            alpha_value: 1.0,
            matrix_mode: 0,
            gamma_mode: 0,
            primaries_mode: 0,
            sharpness: 1.0,
            sharpen: 0.0,
            envelope: 2.0,
            qos: true,
        }
    }
}

/// The values of `method`.
pub const METHODS: &str =
    "enum:nearest-neighbour,bilinear,4-tap,lanczos,bilinear2,sinc,hermite,spline,catrom,mitchell";
pub const DITHERS: &str = "enum:none,verterr,floyd-steinberg,sierra-lite,bayer";
pub const RESAMPLERS: &str = "enum:nearest,linear,cubic,sinc,lanczos";
pub const CHROMA_MODES: &str = "enum:full,upsample-only,downsample-only,none";
pub const ALPHA_MODES: &str = "enum:copy,set,mult";
pub const MATRIX_MODES: &str = "enum:full,input-only,output-only,none";
pub const GAMMA_MODES: &str = "enum:none,remap";
pub const PRIMARIES_MODES: &str = "enum:none,merge-only,fast";

/// The properties of an element whose field `options` holds them, and its own.
macro_rules! with_options {
    ($($own:expr),* $(,)?) => {{
        use crate::video::options as o;
        &[
            Prop::choice("method", o::METHODS, "method", |e: &mut Self| &mut e.options.method),
            Prop::boolean(
                "add-borders",
                "Add black borders if necessary to keep the display aspect ratio",
                |e: &mut Self| &mut e.options.add_borders,
            ),
            Prop::uint(
                "n-threads",
                "Maximum number of threads to use; one is used",
                |e: &mut Self| &mut e.options.n_threads,
            ),
            Prop::choice(
                "dither",
                o::DITHERS,
                "Apply dithering while converting; 16 bits are cut to 8 without",
                |e: &mut Self| &mut e.options.dither,
            ),
            Prop::uint("dither-quantization", "Quantizer to use", |e: &mut Self| {
                &mut e.options.dither_quantization
            }),
            Prop::choice(
                "chroma-resampler",
                o::RESAMPLERS,
                "Chroma resampler method",
                |e: &mut Self| &mut e.options.chroma_resampler,
            ),
            Prop::choice("chroma-mode", o::CHROMA_MODES, "Chroma Resampling Mode", |e: &mut Self| {
                &mut e.options.chroma_mode
            }),
            Prop::choice("alpha-mode", o::ALPHA_MODES, "Alpha Mode to use", |e: &mut Self| {
                &mut e.options.alpha_mode
            }),
            Prop::double("alpha-value", "Alpha Value to use", |e: &mut Self| {
                &mut e.options.alpha_value
            })
            .range("0", "1"),
            Prop::choice("matrix-mode", o::MATRIX_MODES, "Matrix Conversion Mode", |e: &mut Self| {
                &mut e.options.matrix_mode
            }),
            Prop::choice("gamma-mode", o::GAMMA_MODES, "Gamma Conversion Mode", |e: &mut Self| {
                &mut e.options.gamma_mode
            }),
            Prop::choice(
                "primaries-mode",
                o::PRIMARIES_MODES,
                "Primaries Conversion Mode",
                |e: &mut Self| &mut e.options.primaries_mode,
            ),
            Prop::double("sharpness", "Sharpness of filter", |e: &mut Self| {
                &mut e.options.sharpness
            })
            .range("0.5", "1.5"),
            Prop::double("sharpen", "Sharpening", |e: &mut Self| &mut e.options.sharpen)
                .range("0", "1"),
            Prop::double("envelope", "Size of filter envelope", |e: &mut Self| {
                &mut e.options.envelope
            })
            .range("1", "5"),
            Prop::boolean("qos", "Handle Quality-of-Service events", |e: &mut Self| {
                &mut e.options.qos
            }),
            $($own,)*
        ]
    }};
}
pub(crate) use with_options;

impl Options {
    /// A sentence about the first value that is not supported.
    pub fn refused(&self) -> Option<String> {
        let checks = [
            ("dither-quantization", self.dither_quantization == 1, "1 is"),
            ("chroma-resampler", self.chroma_resampler == 1, "linear is"),
            ("alpha-mode", self.alpha_mode == 0, "copy is"),
            ("matrix-mode", matches!(self.matrix_mode, 0 | 3), "full and none are"),
            ("gamma-mode", self.gamma_mode == 0, "none is"),
            ("primaries-mode", self.primaries_mode == 0, "none is"),
            ("sharpness", self.sharpness == 1.0, "1 is"),
            ("sharpen", self.sharpen == 0.0, "0 is"),
            ("envelope", self.envelope == 2.0, "2 is"),
        ];
        let (name, _, what) = checks.into_iter().find(|(_, is_fine, _)| !is_fine)?;
        Some(format!("this value of {name} is not supported; {what}"))
    }

    /// How a converter is to work.
    pub fn way(&self) -> Way {
        let smoothing = match self.chroma_mode {
            1 => Smoothing { spread: true, gather: false },
            2 => Smoothing { spread: false, gather: true },
            3 => Smoothing { spread: false, gather: false },
            _ => Smoothing { spread: true, gather: true },
        };
        Way { smoothing, same_matrix: self.matrix_mode == 3 }
    }
}
