//! `streamiddemux` gives each stream that comes one after the other a source pad of its own, by its stream id.
//!
//! Invariant: everything up to the next stream-start leaves through the pad of that stream; the end leaves
//! through all.
//! In GStreamer: `plugins/elements/gststreamiddemux.c`.
//! Left out: nothing.
//!
//! ```text
//! concat name=c ! streamiddemux name=d d. ! queue ! fakesink d. ! queue ! fakesink fakesrc num-buffers=2 ! c. fakesrc num-buffers=2 ! c.
//! ```

use gst_mini_core::element_prelude::*;
use parking_lot::Mutex;

const SINK: PadId = FIRST_PAD;
const TEMPLATE: &str = "src_%u";

#[derive(Default)]
pub struct StreamIdDemux {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Stream id, pad and its name.
    streams: Vec<(String, PadId, String)>,
    active: Option<PadId>,
}

impl Element for StreamIdDemux {
    const NAME: &str = "streamiddemux";
    const SUMMARY: &str = "1-to-N output stream by stream-id";
    const LONG_NAME: &str = "Streamid Demux";
    const RANK: u32 = 256;
    const PADS: &[PadTemplate] =
        &[PadTemplate::sink(ANY), PadTemplate::sometimes_src(TEMPLATE, ANY)];
    const PROPS: &[Prop<Self>] =
        &[Prop::published("active-pad", types::PAD, "Name of the source pad in use", "")];
}

impl StreamIdDemux {
    /// The pad of a stream becomes the active one.
    fn choose(&self, cx: &Cx, stream_id: &str) -> FlowResult {
        let (known, number) = {
            let mut state = self.state.lock();
            let known = state.streams.iter().find(|stream| stream.0 == stream_id).cloned();
            let known = known.map(|(_, pad, name)| (state.active.replace(pad) != Some(pad), name));
            (known, state.streams.len())
        };
        if let Some((changed, name)) = known {
            if changed {
                cx.publish("active-pad", name);
            }
            return Ok(());
        }
        let name = TEMPLATE.replace("%u", &number.to_string());
        // The stream's own events follow; those of the stream before are not this one's.
        let Some(pad) = cx.add_pad(TEMPLATE, &name, &[]) else {
            let text = format!("could not make a source pad for the stream \"{stream_id}\"");
            return Err(cx.error(ErrorKind::Failed, text));
        };
        let mut state = self.state.lock();
        state.streams.push((stream_id.to_owned(), pad, name.clone()));
        state.active = Some(pad);
        drop(state);
        cx.publish("active-pad", name);
        Ok(())
    }
}

impl MultiPad for StreamIdDemux {
    fn stop(&self, cx: &Cx) -> Result<(), ElementError> {
        let state = std::mem::take(&mut *self.state.lock());
        for (_, pad, _) in state.streams {
            cx.remove_pad(pad);
        }
        cx.publish("active-pad", "");
        Ok(())
    }

    fn chain(&self, cx: &Cx, buf: Buffer) -> FlowResult {
        let active = self.state.lock().active;
        cx.push(active.ok_or(FlowError::NotNegotiated)?, buf)
    }

    fn sink_event(&self, cx: &Cx, event: Event) -> FlowResult {
        if let EventKind::StreamStart { stream_id, .. } = &event.kind {
            self.choose(cx, stream_id)?;
        }
        let taken = match (&event.kind, self.state.lock().active) {
            (EventKind::Eos, _) => None,
            (_, Some(active)) => Some(active),
            (_, None) => return Ok(()),
        };
        let taken = match taken {
            Some(active) => cx.push_event(active, &event),
            None => cx.event_default(&event),
        };
        if taken { Ok(()) } else { Err(FlowError::Error) }
    }

    fn query(&self, cx: &Cx, query: &mut Query) -> bool {
        // Streams of different formats follow each other.
        let Query::Caps { filter, result } = query else { return false };
        if cx.pad() != SINK {
            return false;
        }
        *result = Some(filter.clone().unwrap_or_else(Caps::any));
        true
    }
}
