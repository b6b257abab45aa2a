//! YAML as a small tree with lines. Every plain scalar is text: a field may be called `No`, a name may be `010`.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use crate::fault::Fault;

/// Deepest nesting of collections that is read; eight levels of fields need about thirty.
const NESTING_LIMIT: usize = 48;

/// One node and the line it begins on (from 1).
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub line: usize,
    pub value: Value,
}

#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Nothing was written after the colon or the dash.
    Empty,
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub word: String,
    pub line: usize,
    pub node: Node,
}

impl Node {
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The tree as far as it could be read, and whether that is all of it.
#[derive(Debug)]
pub(super) struct Tree {
    pub root: Option<Node>,
    pub whole: bool,
}

/// An open collection.
enum Frame {
    List { line: usize, items: Vec<Node> },
    Map(OpenMap),
}

struct OpenMap {
    line: usize,
    entries: Vec<Entry>,
    /// The word whose value comes next.
    word: Option<(String, usize)>,
    /// Words so far with their lines; a long map must not cost its square.
    seen: HashMap<String, usize>,
}

impl Frame {
    fn map(line: usize) -> Self {
        Self::Map(OpenMap {
            line,
            entries: Vec::new(),
            word: None,
            seen: HashMap::new(),
        })
    }

    fn close(self) -> Node {
        match self {
            Self::List { line, items } => Node {
                line,
                value: Value::List(items),
            },
            Self::Map(OpenMap {
                line,
                mut entries,
                word,
                ..
            }) => {
                if let Some((word, line)) = word {
                    entries.push(Entry {
                        word,
                        line,
                        node: Node {
                            line,
                            value: Value::Empty,
                        },
                    });
                }
                Node {
                    line,
                    value: Value::Map(entries),
                }
            }
        }
    }
}

/// Reads one document. Anchors, aliases, tags, repeated words and further documents are faults.
pub(super) fn read(text: &str, faults: &mut Vec<Fault>) -> Tree {
    let options = granit_parser::options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        disallow_directives: true,
        flow_nesting_limit: NESTING_LIMIT,
        block_nesting_limit: NESTING_LIMIT,
    };
    let mut reader = Reader {
        stack: Vec::new(),
        root: None,
        documents: 0,
        faults,
    };
    let mut whole = true;
    for next in Parser::new_from_str_with_options(text, options) {
        match next {
            Ok((event, span)) => reader.event(event, &span),
            Err(error) => {
                whole = false;
                reader.fault(
                    error.marker().line(),
                    "yaml",
                    format!("not readable as YAML: {}", error.info()),
                );
                break;
            }
        }
    }
    while let Some(frame) = reader.stack.pop() {
        reader.place(frame.close());
    }
    Tree {
        root: reader.root,
        whole,
    }
}

struct Reader<'a> {
    stack: Vec<Frame>,
    root: Option<Node>,
    documents: usize,
    faults: &'a mut Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, line: usize, rule: &str, message: impl Into<String>) {
        self.faults
            .push(Fault::new(format!("line {line}"), rule, message));
    }

    fn event(&mut self, event: Event<'_>, span: &Span) {
        let line = span.start.line();
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents == 2 {
                    self.fault(
                        line,
                        "yaml_document",
                        "one text is one definition: remove the second document",
                    );
                }
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.fault(
                    line,
                    "yaml_alias",
                    "YAML aliases are refused: write the value out, or quote it if it begins with `*`",
                );
                self.place(Node {
                    line,
                    value: Value::Empty,
                });
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_properties(line, anchor, tag.is_some());
                let absent = style == ScalarStyle::Plain && span.is_empty();
                let value = if absent {
                    Value::Empty
                } else {
                    Value::Text(text.into_owned())
                };
                self.place(Node { line, value });
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_properties(line, anchor, tag.is_some());
                self.stack.push(Frame::List {
                    line,
                    items: Vec::new(),
                });
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_properties(line, anchor, tag.is_some());
                self.stack.push(Frame::map(line));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(frame) = self.stack.pop() {
                    self.place(frame.close());
                }
            }
            _ => {}
        }
    }

    fn refuse_properties(&mut self, line: usize, anchor: usize, tag: bool) {
        if anchor != 0 {
            self.fault(
                line,
                "yaml_anchor",
                "YAML anchors are refused: quote the value if it begins with `&`",
            );
        }
        if tag {
            let message = "YAML tags are refused: quote the value if it begins with `!`; `!` for a required \
                           field goes after its name or type";
            self.fault(line, "yaml_tag", message);
        }
    }

    /// Puts a finished node where it belongs: under the open collection, or at the root.
    fn place(&mut self, node: Node) {
        match self.stack.last_mut() {
            None => {
                if self.documents <= 1 {
                    self.root.get_or_insert(node);
                }
            }
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map(map)) => match map.word.take() {
                Some((word, line)) => map.entries.push(Entry { word, line, node }),
                None => self.begin_entry(node),
            },
        }
    }

    fn begin_entry(&mut self, node: Node) {
        let line = node.line;
        let text = match node.value {
            Value::Text(text) => text,
            Value::Empty => String::new(),
            Value::List(_) | Value::Map(_) => {
                self.fault(line, "yaml", "a word must be plain text, not a list or a map");
                String::new()
            }
        };
        let Some(Frame::Map(map)) = self.stack.last_mut() else {
            return;
        };
        let first = *map.seen.entry(text.trim().to_owned()).or_insert(line);
        let repeated = map.seen.len() <= map.entries.len();
        map.word = Some((text.clone(), line));
        if repeated {
            let message = format!(
                "`{}` is written twice, first on line {first}",
                super::shown(&text)
            );
            self.fault(line, "word_repeated", message);
        }
    }
}
