//! What each line of a definition is, seen without YAML.

/// One line: its indentation in characters and what stands there.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub indent: usize,
    pub kind: Kind<'a>,
}

#[derive(Debug)]
pub(super) enum Kind<'a> {
    /// Nothing, or a comment.
    Blank,
    /// Belongs to a value begun on an earlier line, or to something only YAML knows.
    Inside,
    /// `word: value`.
    Word { word: &'a str, value: &'a str },
    /// `- Head : value` in a list of fields; `column` is where the head begins (bytes are characters here).
    Field {
        column: usize,
        head: String,
        value: &'a str,
    },
    /// Any other `- …`.
    Item,
}

/// Goes through the lines once, keeping the words that are open by their indentation.
pub(super) struct Walk<'a> {
    lines: std::slice::Iter<'a, String>,
    open: Vec<(usize, &'a str)>,
    running: Running,
}

const ANY_OPENER: &[char] = &['{', '[', '"', '\''];

/// A value that goes on over the next lines.
enum Running {
    No,
    /// A block scalar: everything deeper than this.
    Block(usize),
    Flow(Flow),
}

#[derive(Default)]
struct Flow {
    depth: usize,
    quote: Option<char>,
}

impl<'a> Walk<'a> {
    pub fn new(lines: &'a [String]) -> Self {
        Self {
            lines: lines.iter(),
            open: Vec::new(),
            running: Running::No,
        }
    }

    /// Whether the line is swallowed by a value begun earlier.
    fn runs_on(&mut self, line: &str, indent: usize) -> bool {
        match &mut self.running {
            Running::No => false,
            Running::Block(least) => {
                let inside = indent > *least;
                if !inside {
                    self.running = Running::No;
                }
                inside
            }
            Running::Flow(flow) => {
                flow.read(line);
                if flow.is_closed() {
                    self.running = Running::No;
                }
                true
            }
        }
    }

    /// `openers` are the characters that begin a value which may go on below.
    fn begin_value(&mut self, column: usize, value: &str, openers: &[char]) {
        if is_block_scalar(value) {
            self.running = Running::Block(column);
        } else if value.starts_with(openers) {
            let mut flow = Flow::default();
            flow.read(value);
            if !flow.is_closed() {
                self.running = Running::Flow(flow);
            }
        }
    }

    fn item(&mut self, indent: usize, content: &'a str) -> Kind<'a> {
        while self.open.last().is_some_and(|(at, _)| *at > indent) {
            self.open.pop();
        }
        let after = content[1..].trim_start();
        let column = indent + content.len() - after.len();
        let in_fields = self.open.last().is_some_and(|(_, word)| *word == "fields");
        if in_fields && let Some((head, value)) = field_head(after) {
            self.open.push((column, ""));
            self.begin_value(column, value, &['{']);
            return Kind::Field { column, head, value };
        }
        if let Some((word, value)) = word_of(after) {
            self.open.push((column, word));
            self.begin_value(column, value, ANY_OPENER);
        } else {
            self.begin_value(indent, after, ANY_OPENER);
        }
        Kind::Item
    }

    fn word(&mut self, indent: usize, content: &'a str) -> Kind<'a> {
        let Some((word, value)) = word_of(content) else {
            return Kind::Inside;
        };
        while self.open.last().is_some_and(|(at, _)| *at >= indent) {
            self.open.pop();
        }
        self.open.push((indent, word));
        self.begin_value(indent, value, ANY_OPENER);
        Kind::Word { word, value }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let line = self.lines.next()?.as_str();
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        if content.trim().is_empty() {
            return Some(Line {
                indent,
                kind: Kind::Blank,
            });
        }
        let kind = if self.runs_on(content, indent) {
            Kind::Inside
        } else if content.starts_with('#') {
            Kind::Blank
        } else if content == "-" || content.starts_with("- ") {
            self.item(indent, content)
        } else {
            self.word(indent, content)
        };
        Some(Line { indent, kind })
    }
}

impl Flow {
    fn read(&mut self, text: &str) {
        let mut chars = text.chars().peekable();
        let mut before = ' ';
        while let Some(c) = chars.next() {
            match (self.quote, c) {
                (Some('"'), '\\') => {
                    chars.next();
                }
                (Some(quote), _) if quote == c => self.quote = None,
                (Some(_), _) => {}
                (None, '#') if before.is_whitespace() => return,
                // An apostrophe inside a word opens nothing.
                (None, '"' | '\'') if !before.is_alphanumeric() => self.quote = Some(c),
                (None, '{' | '[') => self.depth += 1,
                (None, '}' | ']') => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            before = c;
        }
    }

    fn is_closed(&self) -> bool {
        self.depth == 0 && self.quote.is_none()
    }
}

/// `word: value`, where the colon ends the line or is followed by a space.
fn word_of(content: &str) -> Option<(&str, &str)> {
    let colon = content
        .char_indices()
        .find(|(at, c)| *c == ':' && content[at + 1..].chars().next().is_none_or(char::is_whitespace))?;
    Some((content[..colon.0].trim(), content[colon.0 + 1..].trim()))
}

/// Head and description of a field line: the first colon parts them, whatever stands round it.
fn field_head(after: &str) -> Option<(String, &str)> {
    if after.starts_with(['{', '[', '?', '#']) {
        return None;
    }
    let (head, rest) = match end_of_quotes(after) {
        Some(end) => (
            after[1..end - 1].to_owned(),
            after[end..].trim_start().strip_prefix(':')?,
        ),
        None => {
            let (head, rest) = after.split_once(':')?;
            (head.trim().to_owned(), rest)
        }
    };
    Some((head, rest.trim()))
}

/// Byte just behind the closing quote of a text that begins with one.
pub(super) fn end_of_quotes(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if quote == '"' && c == '\\' {
            chars.next();
        } else if c == quote {
            if quote == '\'' && chars.peek().is_some_and(|(_, next)| *next == '\'') {
                chars.next();
            } else {
                return Some(at + 1);
            }
        }
    }
    None
}

/// `|`, `>-`, `|2+` and the like, alone or before a comment.
pub(super) fn is_block_scalar(value: &str) -> bool {
    let Some(rest) = value.strip_prefix(['|', '>']) else {
        return false;
    };
    let marks = rest.trim_start_matches(['+', '-', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    rest.len() - marks.len() <= 2 && (marks.trim().is_empty() || marks.trim_start().starts_with('#'))
}
