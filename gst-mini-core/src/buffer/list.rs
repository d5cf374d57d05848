//! A [`BufferList`] is buffers that cross a link in one go.
//!
//! Invariant: order is kept; what becomes of one of them becomes of those behind it.
//! In GStreamer: `gst/gstbufferlist.c` (`gst_buffer_list_add`, `gst_buffer_list_calculate_size`).
//! Left out: shared lists; a copy is a list of references.

use super::Buffer;

/// Buffers in order. What cannot take a list gets its buffers one by one.
#[derive(Clone, Debug, Default)]
pub struct BufferList(Vec<Buffer>);

impl BufferList {
    /// Nothing yet.
    pub const fn new() -> BufferList {
        BufferList(Vec::new())
    }
    /// One more at the end.
    pub fn push(&mut self, buf: Buffer) {
        self.0.push(buf);
    }
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Bytes of all together.
    pub fn size(&self) -> usize {
        self.0.iter().map(Buffer::size).sum()
    }
    /// The buffers in order.
    pub fn as_slice(&self) -> &[Buffer] {
        &self.0
    }
    /// The buffers in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Buffer> {
        self.0.iter()
    }
    /// The buffers in order, for changing.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Buffer> {
        self.0.iter_mut()
    }
}

impl From<Vec<Buffer>> for BufferList {
    fn from(buffers: Vec<Buffer>) -> Self {
        BufferList(buffers)
    }
}

impl FromIterator<Buffer> for BufferList {
    fn from_iter<I: IntoIterator<Item = Buffer>>(buffers: I) -> Self {
        BufferList(buffers.into_iter().collect())
    }
}

impl IntoIterator for BufferList {
    type Item = Buffer;
    type IntoIter = std::vec::IntoIter<Buffer>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a BufferList {
    type Item = &'a Buffer;
    type IntoIter = std::slice::Iter<'a, Buffer>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
