//! The launch language: a pipeline written on one line, as `gst-launch-1.0` reads it.
//!
//! [`parse`] makes a [`Graph`] of elements, bins and links. It knows no factory, so it can say
//! everything that is wrong with the *words* of a line, and nothing about what they stand for.
//!
//! ```
//! use gst_mini_core::launch::parse;
//! let graph = parse("videotestsrc ! video/x-raw,width=320 ! tee name=t t. ! queue ! fakesink")?;
//! assert_eq!(graph.elements[0].factory, "videotestsrc");
//! assert_eq!(graph.links[0].caps.as_deref(), Some("video/x-raw,width=320"));
//! assert_eq!(graph.elements[1].name.as_deref(), Some("t"));
//! # Ok::<(), gst_mini_core::launch::LaunchError>(())
//! ```
//!
//! Invariant: a graph says what the text says, in the order in which GStreamer creates and links it.
//! In GStreamer: `gst/parse/grammar.y.in`, `gst/parse/parse.l`, `gst/gstparse.c` (`gst_parse_launchv_full`).
//! Left out: URIs in place of elements, and presets (`@preset=`): both are refused with a sentence.

#[cfg(feature = "host")]
mod build;
#[cfg(feature = "host")]
mod connect;
#[cfg(feature = "host")]
mod delayed;
mod error;
mod lexer;
#[cfg(feature = "host")]
mod meant;
mod parser;
mod quoting;

#[cfg(feature = "host")]
pub use build::{parse_launch, parse_launch_element};
pub use error::{Fault, LaunchError};
pub use parser::{parse, parse_prefix};
pub use quoting::split_args;

/// Bytes of the launch text that something was read from.
pub type Span = std::ops::Range<usize>;

/// What a launch line describes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// In the order of the text, which is also that of creation.
    pub elements: Vec<ElementDesc>,
    /// In the order of their closing parentheses, which is when GStreamer creates a bin: after
    /// its children, and an inner bin before an outer one.
    pub bins: Vec<BinDesc>,
    /// In the order in which they are to be made, after everything was created.
    pub links: Vec<LinkDesc>,
}

impl Graph {
    /// What stands directly in `bin`, or at the top with `None`, in the order of the text. A single
    /// thing at the top is the whole result; several are put in a pipeline.
    pub fn children(&self, bin: Option<usize>) -> Vec<Node> {
        let mut nodes = self.nodes();
        nodes.retain(|node| match *node {
            Node::Element(index) => self.elements[index].bin == bin,
            Node::Bin(index) => self.bins[index].parent == bin,
        });
        nodes.sort_by_key(|node| self.span(*node).start);
        nodes
    }

    /// Every element and bin in the order in which GStreamer creates it and sets its properties, so
    /// that of several errors the same one is met first.
    pub fn creation_order(&self) -> Vec<Node> {
        let mut nodes = self.nodes();
        nodes.sort_by_key(|node| self.span(*node).end);
        nodes
    }

    /// Where an element or bin stands in the text. The node must be of this graph.
    pub fn span(&self, node: Node) -> &Span {
        match node {
            Node::Element(index) => &self.elements[index].span,
            Node::Bin(index) => &self.bins[index].span,
        }
    }

    fn nodes(&self) -> Vec<Node> {
        let elements = (0..self.elements.len()).map(Node::Element);
        elements.chain((0..self.bins.len()).map(Node::Bin)).collect()
    }
}

/// An element or a bin of a [`Graph`], by its index there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// Index into [`Graph::elements`].
    Element(usize),
    /// Index into [`Graph::bins`].
    Bin(usize),
}

/// One element: `queue name=q max-size-buffers=5`.
#[derive(Clone, Debug, PartialEq)]
pub struct ElementDesc {
    /// The word that names its kind.
    pub factory: String,
    /// The last `name=`; `None` for an automatic name.
    pub name: Option<String>,
    /// All other properties, in order; a later one of the same name wins.
    pub props: Vec<PropDesc>,
    /// The bin it stands in; `None` at the top.
    pub bin: Option<usize>,
    /// From the factory to the last property.
    pub span: Span,
}

/// A bin: `( ... )` or `bin.( ... )`, with properties right after the parenthesis.
#[derive(Clone, Debug, PartialEq)]
pub struct BinDesc {
    /// `bin`, or the word before the dot.
    pub factory: String,
    /// The last `name=`; `None` for an automatic name.
    pub name: Option<String>,
    /// All other properties, in order.
    pub props: Vec<PropDesc>,
    /// The bin it stands in; `None` at the top.
    pub parent: Option<usize>,
    /// From the opening to the closing parenthesis.
    pub span: Span,
}

/// A property: `name=value`, unquoted and unescaped, still text.
#[derive(Clone, Debug, PartialEq)]
pub struct PropDesc {
    /// As written; `_` for `-` is the property table's business, `child::name` a child's.
    pub name: String,
    /// Without the quotes around it and the backslashes outside quotes.
    pub value: String,
    /// Of the whole `name=value`.
    pub span: Span,
    /// Of the value as written.
    pub value_span: Span,
}

/// A link to be made: `a ! b`, `a. ! caps ! b.`, `a : b`.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkDesc {
    /// Upstream.
    pub from: EndPoint,
    /// Downstream.
    pub to: EndPoint,
    /// Text of an inline caps filter, unescaped.
    pub caps: Option<String>,
    /// Written with `:`; links as many pads as match, not one.
    pub all_pads: bool,
    /// Of the link sign, with the caps and the second sign.
    pub span: Span,
}

/// One end of a link. Without pads, any pad that fits.
#[derive(Clone, Debug, PartialEq)]
pub struct EndPoint {
    /// Whose pads.
    pub target: Target,
    /// `.src_0,src_1`. When both ends name pads, they must name equally many; when one end does,
    /// only its first counts.
    pub pads: Vec<String>,
    /// Where it is written.
    pub span: Span,
}

/// What a link ends at. A bin is never linked as such when written in place: its first or last
/// element is, through ghost pads.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Index into [`Graph::elements`].
    Element(usize),
    /// Whatever bears this name once all is created, in bins too.
    Name(String),
}
