//! Indentation lost under `- Pets * :`, as in a text pasted from a wiki: found, told, and put back.

use crate::fault::Fault;

use super::{
    FIELD_WORDS,
    walk::{Kind, Line, Walk},
};

/// How many places are put back in one text; the rest show up after the first are mended.
const PLACES_LIMIT: usize = 16;
/// Longest text given back whole inside a message, in bytes; of a longer one the part in question.
const WHOLE_TEXT_LIMIT: usize = 64 * 1024;

/// Puts the indentation back in `lines`, so that the rest can be checked, and says so.
pub(super) fn restore(lines: &mut [String], faults: &mut Vec<Fault>) {
    let mut places = Vec::new();
    let mut from = 0;
    while places.len() < PLACES_LIMIT
        && let Some(lost) = find(lines, from)
    {
        let end = mend(lines, &lost);
        from = lost.at + 1;
        places.push((lost.at, end));
    }
    let Some(&(first, end)) = places.first() else {
        return;
    };
    let whole = lines.iter().map(|line| line.len() + 1).sum::<usize>() <= WHOLE_TEXT_LIMIT;
    let shown = if whole { &lines[..] } else { &lines[first..end] };
    let corrected = shown.join("\n");
    let message = format!(
        "the indentation under `{}` was lost, as happens when a text is pasted from a wiki. The corrected text \
         (see that the list ends where it should):\n{corrected}",
        lines[first].trim(),
    );
    faults.push(Fault::new(
        format!("line {}", first + 1),
        "indentation_lost",
        message,
    ));
    for (at, _) in &places[1..] {
        let message = format!(
            "the indentation under `{}` was lost too; the text at line {} has it corrected",
            lines[*at].trim(),
            first + 1
        );
        faults.push(Fault::new(
            format!("line {}", at + 1),
            "indentation_lost",
            message,
        ));
    }
}

/// A field line whose words stand too far left.
struct Lost {
    at: usize,
    dash: usize,
    column: usize,
    /// Where the field's words belong.
    words: usize,
}

fn find(lines: &[String], from: usize) -> Option<Lost> {
    let kinds: Vec<Line<'_>> = Walk::new(lines).collect();
    let significant: Vec<usize> = (0..kinds.len())
        .filter(|&at| !matches!(kinds[at].kind, Kind::Blank))
        .collect();
    significant.iter().enumerate().find_map(|(nth, &at)| {
        let line = &kinds[at];
        let Kind::Field {
            column, value: "", ..
        } = line.kind
        else {
            return None;
        };
        if at < from {
            return None;
        }
        let mut words = None;
        for (step, &next) in significant[nth + 1..].iter().enumerate() {
            let below = &kinds[next];
            match &below.kind {
                Kind::Word { word, value } if FIELD_WORDS.contains(word) => {
                    if below.indent <= column {
                        let words = words.unwrap_or(line.indent + 4);
                        return Some(Lost {
                            at,
                            dash: line.indent,
                            column,
                            words,
                        });
                    }
                    words.get_or_insert(below.indent);
                    if *word == "fields" && value.is_empty() {
                        let after = significant.get(nth + step + 2).map(|&after| &kinds[after]);
                        let lost = after.is_some_and(|after| {
                            matches!(after.kind, Kind::Field { .. } | Kind::Item)
                                && after.indent < below.indent
                        });
                        let words = below.indent;
                        return lost.then_some(Lost {
                            at,
                            dash: line.indent,
                            column,
                            words,
                        });
                    }
                }
                Kind::Inside if below.indent > column => {}
                _ => return None,
            }
        }
        None
    })
}

/// Moves the lines that belong to the field to where they belong; gives the line behind the last.
fn mend(lines: &mut [String], lost: &Lost) -> usize {
    let kinds: Vec<(usize, Moved)> = Walk::new(lines)
        .map(|line| (line.indent, Moved::from(&line.kind)))
        .collect();
    let inner = lost.words + 2;
    let mut listing = false;
    let mut left: Option<usize> = None;
    let mut shift: isize = 0;
    let mut end = lines.len();
    for at in lost.at + 1..lines.len() {
        let (indent, moved) = &kinds[at];
        match moved {
            Moved::Blank => continue,
            Moved::FieldWord { fields } => {
                let target = if left.is_some() { inner } else { lost.words };
                let own = left.is_none() || *indent <= lost.column;
                if own {
                    shift = target as isize - *indent as isize;
                }
                listing |= fields;
            }
            Moved::Item { .. } if !listing => {
                end = at;
                break;
            }
            Moved::Item { opens } => {
                let first = *left.get_or_insert(*indent);
                // A list that kept some depth ends where the outer one goes on; of one that kept none, the next
                // field with words of its own is taken for a sibling, as lists side by side are the common case.
                let outer = first > lost.dash && *indent <= lost.dash;
                let sibling =
                    first <= lost.dash && opens.is_some_and(|column| words_follow(&kinds[at + 1..], column));
                if *indent < first || outer || sibling {
                    end = at;
                    break;
                }
                if *indent == first {
                    shift = inner as isize - first as isize;
                }
            }
            Moved::OtherWord if *indent <= lost.column => {
                end = at;
                break;
            }
            Moved::OtherWord | Moved::Inside => {}
        }
        let content = lines[at].trim_start_matches(' ');
        let moved_to = (*indent as isize + shift).max(0) as usize;
        lines[at] = format!("{}{content}", " ".repeat(moved_to));
    }
    end
}

/// Whether the next line is a field's word standing no deeper than that field's name.
fn words_follow(below: &[(usize, Moved)], column: usize) -> bool {
    let next = below.iter().find(|(_, moved)| !matches!(moved, Moved::Blank));
    next.is_some_and(|(indent, moved)| matches!(moved, Moved::FieldWord { .. }) && *indent <= column)
}

/// What matters of a line while it is moved.
enum Moved {
    Blank,
    Inside,
    FieldWord {
        fields: bool,
    },
    OtherWord,
    /// `opens` is the column of the name of a field that has nothing behind its colon.
    Item {
        opens: Option<usize>,
    },
}

impl From<&Kind<'_>> for Moved {
    fn from(kind: &Kind<'_>) -> Self {
        match kind {
            Kind::Blank => Self::Blank,
            Kind::Inside => Self::Inside,
            Kind::Word { word, .. } if FIELD_WORDS.contains(word) => Self::FieldWord {
                fields: *word == "fields",
            },
            Kind::Word { .. } => Self::OtherWord,
            Kind::Field {
                column, value: "", ..
            } => Self::Item { opens: Some(*column) },
            Kind::Field { .. } | Kind::Item => Self::Item { opens: None },
        }
    }
}
