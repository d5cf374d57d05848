//! Reads tokens into a [`Graph`].
//!
//! Invariant: no text makes it panic or nest without bound; the first error ends the reading.
//! In GStreamer: `gst/parse/grammar.y.in` (`chain`, `openchain`, `elementary`, `bin`).
//! Left out: reading on after a syntax error, which in GStreamer gives a pipeline of the rest; stopping
//! without a word at a character outside ASCII, as it does: that is a syntax error here.

use super::lexer::{Kind, Token, tokens};
use super::quoting::{unescape_caps, unescape_value};
use super::{BinDesc, ElementDesc, EndPoint, Fault, Graph, LaunchError, LinkDesc, Node, PropDesc};
use super::{Span, Target};
use crate::caps::Caps;

type Result<T> = std::result::Result<T, LaunchError>;

/// What `text` describes, or the first thing that is wrong with its words.
pub fn parse(text: &str) -> Result<Graph> {
    match parse_prefix(text) {
        (graph, None) => Ok(graph),
        (_, Some(error)) => Err(error),
    }
}

/// As [`parse`], with what was read before an error.
///
/// GStreamer creates elements while it reads, so an unknown element before a syntax error is what
/// it tells. Who wants to tell the same error looks through the graph first. In the graph of an
/// error, what stands in a bin that was not closed stands at the top.
pub fn parse_prefix(text: &str) -> (Graph, Option<LaunchError>) {
    let mut parser =
        Parser { text, tokens: tokens(text), next: 0, depth: 0, graph: Graph::default() };
    let error = parser.whole().err();
    (parser.graph, error)
}

/// Bins inside bins; far more than a person writes, and little enough for any stack.
const MAX_DEPTH: usize = 64;

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    graph: Graph,
}

/// A stretch of linked things. An end is `None` where a reference closed it: nothing can follow.
struct Chain {
    first: Option<EndPoint>,
    last: Option<EndPoint>,
    nodes: Vec<Node>,
}

/// Properties as written, `name` taken out.
#[derive(Default)]
struct Settings {
    name: Option<String>,
    props: Vec<PropDesc>,
}

/// Which name counts where several are written.
#[derive(Clone, Copy, PartialEq)]
enum Named {
    First,
    Last,
}

impl Parser<'_> {
    fn whole(&mut self) -> Result<()> {
        let chain = self.chains()?;
        if self.next < self.tokens.len() {
            return Err(self.unexpected("an element, a bin or a reference"));
        }
        if chain.is_none() {
            let fault = self.fault("an empty pipeline; at least one element is needed", 0..0);
            return Err(LaunchError::Empty(fault));
        }
        Ok(())
    }

    fn chains(&mut self) -> Result<Option<Chain>> {
        let mut whole: Option<Chain> = None;
        while let Some(
            Kind::Identifier | Kind::Open | Kind::BinRef { .. } | Kind::Ref { .. } | Kind::Uri,
        ) = self.peek()
        {
            let chain = self.chain()?;
            whole = Some(match whole {
                Some(mut before) => {
                    before.nodes.extend(chain.nodes);
                    Chain { last: chain.last, ..before }
                }
                None => chain,
            });
        }
        Ok(whole)
    }

    fn chain(&mut self) -> Result<Chain> {
        let mut chain = match self.peek() {
            Some(Kind::Ref { .. }) => {
                Chain { first: None, last: Some(self.reference()?), nodes: Vec::new() }
            }
            Some(Kind::Uri) => return Err(self.refused_uri()),
            _ => self.elementary()?,
        };
        while let Some(Kind::Link { caps, all_pads }) = self.peek().cloned() {
            let span = self.advance();
            let caps = caps.map(|caps| self.caps(caps)).transpose()?;
            if let Some(Kind::Ref { .. }) = self.peek() {
                let to = self.reference()?;
                self.link(chain.last.take(), Some(to), caps, all_pads, span)?;
                return Ok(chain);
            }
            if let Some(Kind::Uri) = self.peek() {
                return Err(self.refused_uri());
            }
            let (pads, pads_span) = self.pads()?;
            let mut following = self.elementary()?;
            let mut to = following.first.take();
            if let Some(to) = &mut to
                && let Some(pads_span) = pads_span
            {
                to.pads = pads;
                to.span = pads_span.start..to.span.end;
            }
            self.link(chain.last.take(), to, caps, all_pads, span)?;
            chain.nodes.append(&mut following.nodes);
            chain.last = following.last;
        }
        self.check_end(&chain)?;
        Ok(chain)
    }

    /// A chain that ends must not end in something that only makes sense before a link.
    fn check_end(&self, chain: &Chain) -> Result<()> {
        let Some(last) = &chain.last else { return Ok(()) };
        let message = match &last.target {
            Target::Name(name) => {
                format!(
                    "the reference \"{name}.\" is not linked to anything; \"!\" was expected after it"
                )
            }
            Target::Element(_) => match last.pads.first() {
                Some(pad) => {
                    format!(
                        "the pad \".{pad}\" is not linked to anything; \"!\" was expected after it"
                    )
                }
                None => return Ok(()),
            },
        };
        Err(LaunchError::Syntax(self.fault(message, last.span.clone())))
    }

    fn link(
        &mut self,
        from: Option<EndPoint>,
        to: Option<EndPoint>,
        caps: Option<String>,
        all_pads: bool,
        span: Span,
    ) -> Result<()> {
        let side = match (from, to) {
            (Some(from), Some(to)) => {
                self.graph.links.push(LinkDesc { from, to, caps, all_pads, span });
                return Ok(());
            }
            (None, _) => "before it ends",
            (_, None) => "after it begins",
        };
        let message = format!("this link has one end only: the bin {side} with a reference");
        Err(LaunchError::Link(self.fault(message, span)))
    }

    /// An element or a bin, and the pads named after it.
    fn elementary(&mut self) -> Result<Chain> {
        let mut chain = match self.peek().cloned() {
            Some(Kind::Identifier) => self.element()?,
            Some(Kind::Open) => self.bin("bin".to_owned())?,
            Some(Kind::BinRef { factory }) => self.bin(self.text[factory].to_owned())?,
            _ => return Err(self.unexpected("an element or a bin")),
        };
        if let (pads, Some(span)) = self.pads()? {
            let Some(last) = &mut chain.last else {
                let message = "the bin before this pad ends with a reference, and has no such pad";
                return Err(LaunchError::Syntax(self.fault(message, span)));
            };
            last.pads = pads;
            last.span.end = span.end;
        }
        Ok(chain)
    }

    fn element(&mut self) -> Result<Chain> {
        let mut span = self.advance();
        let factory = self.text[span.clone()].to_owned();
        let endpoint = EndPoint {
            target: Target::Element(self.graph.elements.len()),
            pads: Vec::new(),
            span: span.clone(),
        };
        // Of two names the first counts, as it is given when the element is made; a bin is renamed.
        let Settings { name, props } = self.settings(Named::First);
        span.end = self.end_of_last();
        let node = Node::Element(self.graph.elements.len());
        self.graph.elements.push(ElementDesc { factory, name, props, bin: None, span });
        if let Some(Kind::Preset) = self.peek() {
            let span = self.advance();
            let message = "presets are not supported; write the properties instead";
            return Err(LaunchError::Other(self.fault(message, span)));
        }
        Ok(Chain { first: Some(endpoint.clone()), last: Some(endpoint), nodes: vec![node] })
    }

    fn bin(&mut self, factory: String) -> Result<Chain> {
        let open = self.advance();
        if self.depth == MAX_DEPTH {
            let message = format!("bins are nested more than {MAX_DEPTH} deep here");
            return Err(LaunchError::Syntax(self.fault(message, open)));
        }
        let Settings { name, props } = self.settings(Named::Last);
        self.depth += 1;
        let chain = self.chains()?;
        self.depth -= 1;
        match self.peek() {
            Some(Kind::Close) => self.advance(),
            Some(_) => return Err(self.unexpected("an element, a bin, a reference or \")\"")),
            None => {
                let message = "this bin is not closed; \")\" was expected before the end";
                return Err(LaunchError::Syntax(self.fault(message, open)));
            }
        };
        let span = open.start..self.end_of_last();
        let Some(mut chain) = chain else {
            let message = format!(
                "an empty \"{factory}\" is not allowed; at least one element was expected in it"
            );
            return Err(LaunchError::EmptyBin(self.fault(message, span)));
        };
        let index = self.graph.bins.len();
        self.graph.bins.push(BinDesc { factory, name, props, parent: None, span });
        for node in std::mem::replace(&mut chain.nodes, vec![Node::Bin(index)]) {
            match node {
                Node::Element(child) => self.graph.elements[child].bin = Some(index),
                Node::Bin(child) => self.graph.bins[child].parent = Some(index),
            }
        }
        Ok(chain)
    }

    fn settings(&mut self, counts: Named) -> Settings {
        let mut settings = Settings::default();
        let mut is_named = false;
        while let Some(Kind::Assignment { name, value }) = self.peek().cloned() {
            let span = self.advance();
            let text = unescape_value(&self.text[value.clone()]);
            match &self.text[name] {
                // The text NULL stands for no string, and no name is an automatic one.
                "name" if is_named && counts == Named::First => {}
                "name" => {
                    is_named = true;
                    settings.name = (text != "NULL").then_some(text);
                }
                name => settings.props.push(PropDesc {
                    name: name.to_owned(),
                    value: text,
                    span,
                    value_span: value,
                }),
            }
        }
        settings
    }

    fn reference(&mut self) -> Result<EndPoint> {
        let Some(Kind::Ref { name, pad }) = self.peek().cloned() else {
            return Err(self.unexpected("a reference"));
        };
        let start = self.advance().start;
        let mut pads: Vec<String> = pad.map(|pad| self.text[pad].to_owned()).into_iter().collect();
        self.more_pads(&mut pads)?;
        let target = Target::Name(self.text[name].to_owned());
        Ok(EndPoint { target, pads, span: start..self.end_of_last() })
    }

    /// `.pad,pad`, with its span, or nothing.
    fn pads(&mut self) -> Result<(Vec<String>, Option<Span>)> {
        let Some(Kind::PadRef { pad }) = self.peek().cloned() else {
            return Ok((Vec::new(), None));
        };
        let start = self.advance().start;
        let mut pads = vec![self.text[pad].to_owned()];
        self.more_pads(&mut pads)?;
        Ok((pads, Some(start..self.end_of_last())))
    }

    fn more_pads(&mut self, pads: &mut Vec<String>) -> Result<()> {
        while let Some(Kind::Comma) = self.peek() {
            self.advance();
            let Some(Kind::Identifier) = self.peek() else {
                return Err(self.unexpected("the name of another pad"));
            };
            let span = self.advance();
            pads.push(self.text[span].to_owned());
        }
        Ok(())
    }

    /// The text of inline caps. They are read at once: what is wrong with them is told before what is
    /// wrong with anything after them.
    fn caps(&self, span: Span) -> Result<String> {
        let written = self.text[span.clone()].as_bytes();
        let text = unescape_caps(written).and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(text) = text else {
            let message =
                "could not parse the caps: \\0 to \\3 begin a byte in octal, three digits";
            return Err(LaunchError::Link(self.fault(message, span)));
        };
        match Caps::parse(&text) {
            Ok(_) => Ok(text),
            Err(error) => {
                let message = format!("could not parse the caps: {error}");
                Err(LaunchError::Link(self.fault(message, span)))
            }
        }
    }

    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    /// The span of the next token, which is then past.
    fn advance(&mut self) -> Span {
        let span = self.next_span();
        self.next = (self.next + 1).min(self.tokens.len());
        span
    }

    fn next_span(&self) -> Span {
        match self.tokens.get(self.next) {
            Some(token) => token.span.clone(),
            None => self.text.trim_end().len()..self.text.len(),
        }
    }

    fn end_of_last(&self) -> usize {
        self.next.checked_sub(1).map_or(0, |last| self.tokens[last].span.end)
    }

    fn fault(&self, message: impl Into<String>, span: Span) -> Fault {
        Fault::new(message, self.text, span)
    }

    fn refused_uri(&self) -> LaunchError {
        let span = self.next_span();
        let message = match self.text[span.clone()].contains("://") {
            true => "a URI is no element here; an element was expected, with the URI as a property",
            false => {
                "a path is no element; caps need \"!\" on both sides, a file \"filesrc location=...\""
            }
        };
        LaunchError::NoSuchElement(self.fault(message, span))
    }

    /// The next token cannot stand here.
    fn unexpected(&self, expected: &str) -> LaunchError {
        let span = self.next_span();
        let word = &self.text[span.clone()];
        let after_link =
            self.next > 0 && matches!(self.tokens[self.next - 1].kind, Kind::Link { .. });
        let (found, hint) = match self.peek() {
            None => ("the end".to_owned(), ""),
            Some(Kind::Assignment { name, .. }) => (
                format!("the property \"{}\"", &self.text[name.clone()]),
                "; a property follows its element, or the \"(\" of its bin",
            ),
            Some(Kind::Link { .. }) if after_link => ("another link".to_owned(), ""),
            Some(Kind::Link { .. }) if self.next == 0 => {
                ("a link".to_owned(), "; there is nothing to link from")
            }
            Some(Kind::Link { .. }) => {
                ("a link".to_owned(), "; a link into a reference ends there")
            }
            Some(Kind::Close) => {
                ("\")\"".to_owned(), if self.depth == 0 { "; no bin is open" } else { "" })
            }
            Some(Kind::Preset) => ("a preset".to_owned(), ""),
            Some(Kind::Stray) if after_link && matches!(word, "\"" | "'") => {
                (format!("a quote ({word})"), "; caps between two \"!\" are written without quotes")
            }
            Some(Kind::Stray) if word == "=" => {
                ("\"=\"".to_owned(), "; a property is a name, \"=\" and a value")
            }
            Some(_) => (format!("\"{word}\""), ""),
        };
        LaunchError::Syntax(self.fault(format!("{expected} was expected, not {found}{hint}"), span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text_of(error: &str) -> String {
        parse(error).unwrap_err().to_string()
    }

    #[test]
    fn parse_error_says_what_was_expected_and_where() {
        assert_eq!(
            text_of("fakesrc ! # fakesink"),
            "syntax error: an element or a bin was expected, not \"#\"\n  fakesrc ! # fakesink\n            ^"
        );
        assert!(text_of("fakesrc ! \"video/x-raw\" ! fakesink").contains("without quotes"));
        assert!(
            text_of("fakesrc !").contains("was expected, not the end\n  fakesrc !\n           ^")
        );
        assert!(text_of("( fakesrc").contains("not closed"));
        assert!(text_of("fakesrc @preset=x").contains("presets are not supported"));
        assert!(text_of("http://x/y ! fakesink").contains("URI"));
    }

    #[test]
    fn parse_of_nested_bins_gives_gstreamers_order() {
        let graph = parse("a ! bin.( name=x ( b ! c ) d ) e").expect("a graph");
        let parents: Vec<_> = graph.bins.iter().map(|bin| bin.parent).collect();
        assert_eq!(parents, [Some(1), None]);
        assert_eq!(graph.children(None), [Node::Element(0), Node::Bin(1), Node::Element(4)]);
        assert_eq!(graph.children(Some(1)), [Node::Bin(0), Node::Element(3)]);
        let ends: Vec<_> =
            graph.links.iter().map(|link| (&link.from.target, &link.to.target)).collect();
        let element = Target::Element;
        assert_eq!(ends, [(&element(1), &element(2)), (&element(0), &element(1))]);
        assert_eq!(graph.creation_order()[3..5], [Node::Bin(0), Node::Element(3)][..]);
    }

    #[test]
    fn parse_of_two_names_takes_the_first_of_an_element_and_the_last_of_a_bin() {
        let graph = parse("a name=x name=y ( name=x name=y b )").expect("a graph");
        assert_eq!(graph.elements[0].name.as_deref(), Some("x"));
        assert_eq!(graph.bins[0].name.as_deref(), Some("y"));
    }

    #[test]
    fn parse_of_a_link_to_a_bin_that_is_all_references_is_refused() {
        assert_eq!(parse("x ! ( a. ! y )").unwrap_err().class(), "link");
        assert_eq!(parse("( x ! a. ) ! y").unwrap_err().class(), "link");
    }

    #[test]
    fn parse_of_escaped_caps_gives_plain_caps() {
        let graph = parse(r#"a ! b/c,\ d=\"e\!\",f=\101 : g"#).expect("a graph");
        assert_eq!(graph.links[0].caps.as_deref(), Some(r#"b/c, d="e!",f=A"#));
        assert!(graph.links[0].all_pads);
        assert_eq!(parse(r"a ! b/c,d=\19 ! e").unwrap_err().class(), "link");
    }

    #[test]
    fn parse_of_bad_caps_tells_of_them_before_what_follows() {
        for line in ["a ! b/c  d ! ", "a ! b/cd=5! ! e", "a ! b/c,d=\"e f=g  !h\" ! i"] {
            let error = parse(line).unwrap_err();
            assert_eq!(error.class(), "link", "{line}");
            assert!(error.to_string().contains("could not parse the caps"), "{error}");
        }
    }

    #[test]
    fn parse_of_endless_nesting_is_refused() {
        assert_eq!(parse(&"(".repeat(100_000)).unwrap_err().class(), "syntax");
    }

    proptest! {
        #[test]
        fn parse_of_any_text_never_panics(text in ".{0,80}") {
            let _ = parse(&text).map_err(|error| error.to_string());
        }

        #[test]
        fn parse_of_words_in_any_order_never_panics(
            words in proptest::collection::vec(
                proptest::sample::select(vec![
                    "a", "b.", "c.d", ".e", "f=g", "name=\"h i\"", "!", ":", "(", ")", "bin.(", ",", "! x/y,z=1",
                    "\\", "\"", "'", "=", ";", " ", " ", " ", "\n", "@preset=p", "u://v", "/w", "é", "secret=s",
                ]),
                0..30,
            ),
        ) {
            let text = words.concat();
            let (graph, error) = parse_prefix(&text);
            if let Some(error) = error {
                prop_assert!(error.to_string().contains('^'));
                prop_assert!(error.fault().span.end <= text.len());
            }
            prop_assert_eq!(graph.creation_order().len(), graph.elements.len() + graph.bins.len());
        }
    }
}
