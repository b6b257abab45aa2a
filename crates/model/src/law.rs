//! Whether a text people wrote cites an article of an act.
//!
//! The rule. A text is read in parts, ended by `;` or a new line. A part cites the article when it holds one of the act's
//! names and the article's number. Names are compared word by word, case and Latvian endings aside. A number is an
//! article's when `p.`, `pants` or `article`/`§` goes with it (`punkts` too, where the part names no `pants`), alone, in a
//! list or in a range: `5., 6. un 8.–10. pants`. A part that names the act and no article rests on the whole act, unless
//! fields cite articles of it on their own. A field's law that begins with a number is read behind the act that the legal
//! basis names. It errs towards yes: a person looks at what is found.

/// What is looked for.
#[derive(Debug, Clone)]
pub struct Citation {
    names: Vec<Vec<Token>>,
    article: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// Lower case, its ending cut off.
    Word(String),
    /// `5`, `5.1`: 5¹ and 5.¹ too.
    Number(Vec<u32>),
    Dash,
    Comma,
    /// `;` or a new line.
    End,
}

/// What a part says of the act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Nothing,
    Article,
    Other,
    Whole,
}

impl Citation {
    /// `names`: title, abbreviations; those without a letter or digit are left out.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>, article: &str) -> Self {
        let named = names.into_iter().map(|name| marks_aside(&tokens(name)));
        Self {
            names: named.filter(|name| !name.is_empty()).collect(),
            article: number(article),
        }
    }

    /// `laws`: what each asked field cites.
    pub fn is_in<'a>(&self, legal_basis: &str, laws: impl IntoIterator<Item = &'a str>) -> bool {
        let basis = tokens(legal_basis);
        let mut said: Vec<Said> = parts(&basis).map(|part| self.said(part, false)).collect();
        let named = said.iter().any(|said| *said != Said::Nothing);
        let mut on_their_own = false;
        for law in laws {
            let law = tokens(law);
            for part in parts(&law) {
                let behind = named && matches!(part.first(), Some(Token::Number(_)));
                on_their_own |= behind;
                said.push(self.said(part, behind));
            }
        }
        said.contains(&Said::Article) || (!on_their_own && said.contains(&Said::Whole))
    }

    /// `named`: the act is named already.
    fn said(&self, part: &[Token], named: bool) -> Said {
        let plain = marks_aside(part);
        let holds = |name: &Vec<Token>| plain.windows(name.len()).any(|at| at == name.as_slice());
        if !named && !self.names.iter().any(holds) {
            return Said::Nothing;
        }
        let cited = articles(part);
        if cited.is_empty() {
            return Said::Whole;
        }
        let within = |(from, to): &(&[u32], &[u32])| (*from..=*to).contains(&self.article.as_slice());
        if cited.iter().any(within) {
            Said::Article
        } else {
            Said::Other
        }
    }
}

fn parts(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens
        .split(|token| *token == Token::End)
        .filter(|part| !part.is_empty())
}

fn marks_aside(tokens: &[Token]) -> Vec<Token> {
    let kept = |token: &&Token| matches!(token, Token::Word(_) | Token::Number(_));
    tokens.iter().filter(kept).cloned().collect()
}

/// Ranges of articles; one alone is its own range.
fn articles(part: &[Token]) -> Vec<(&[u32], &[u32])> {
    let is = |token: &Token, words: &[&str]| matches!(token, Token::Word(word) if words.contains(&&**word));
    let has_articles = part.iter().any(|token| is(token, &["pant"]));
    let after = |token: &Token| is(token, &["p", "pant"]) || (!has_articles && is(token, &["punkt"]));
    let before = |token: &Token| is(token, &["articl", "art", "§"]);
    let listed = |token: &&Token| {
        matches!(token, Token::Number(_) | Token::Dash | Token::Comma)
            || is(token, &["un", "and", "vai", "or"])
    };
    let mut out = Vec::new();
    for (at, token) in part.iter().enumerate() {
        let run = if after(token) {
            let length = part[..at].iter().rev().take_while(listed).count();
            &part[at - length..at]
        } else if before(token) {
            let length = part[at + 1..].iter().take_while(listed).count();
            &part[at + 1..at + 1 + length]
        } else {
            continue;
        };
        ranges(run, &mut out);
    }
    out
}

fn ranges<'a>(run: &'a [Token], out: &mut Vec<(&'a [u32], &'a [u32])>) {
    for (at, token) in run.iter().enumerate() {
        let Token::Number(from) = token else { continue };
        let to = match run.get(at + 1..at + 3) {
            Some([Token::Dash, Token::Number(to)]) => to,
            _ => from,
        };
        out.push((from, to));
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = text.chars().flat_map(char::to_lowercase).peekable();
    while let Some(first) = rest.next() {
        match first {
            ';' | '\n' => out.push(Token::End),
            ',' => out.push(Token::Comma),
            '-' | '–' | '—' => out.push(Token::Dash),
            '§' => out.push(Token::Word("§".to_owned())),
            _ if is_digit(first) => {
                let mut text = String::from(first);
                while let Some(next) = rest.next_if(|next| is_digit(*next) || *next == '.') {
                    text.push(next);
                }
                out.push(Token::Number(number(&text)));
            }
            _ if first.is_alphabetic() => {
                let mut word = String::from(first);
                while let Some(next) = rest.next_if(|next| next.is_alphabetic()) {
                    word.push(next);
                }
                out.push(Token::Word(ending_aside(&word).to_owned()));
            }
            _ => {}
        }
    }
    out
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || raised(c).is_some()
}

/// ¹ as 1.
fn raised(c: char) -> Option<char> {
    "⁰¹²³⁴⁵⁶⁷⁸⁹"
        .chars()
        .zip('0'..='9')
        .find(|(high, _)| *high == c)
        .map(|(_, low)| low)
}

/// `5.1` and `5¹` → [5, 1]. What is larger than any article is the largest number.
fn number(text: &str) -> Vec<u32> {
    let mut plain = String::new();
    let mut was_raised = false;
    for c in text.chars() {
        let high = raised(c);
        if high.is_some() && !was_raised {
            plain.push('.');
        }
        was_raised = high.is_some();
        plain.push(high.unwrap_or(c));
    }
    let pieces = plain.split('.').filter(|piece| !piece.is_empty());
    pieces.map(|piece| piece.parse().unwrap_or(u32::MAX)).collect()
}

const ENDINGS: [&str; 28] = [
    "iem", "ajā", "ajai", "am", "ām", "em", "ēm", "im", "as", "ās", "es", "ēs", "is", "us", "os", "ai", "ei",
    "s", "š", "a", "ā", "e", "ē", "i", "ī", "u", "ū", "o",
];

/// `likums`, `likumā`, `likumam` → `likum`. Three letters stay, so that abbreviations do.
fn ending_aside(word: &str) -> &str {
    ENDINGS
        .iter()
        .filter_map(|ending| word.strip_suffix(ending))
        .find(|stem| stem.chars().count() >= 3)
        .unwrap_or(word)
}

#[cfg(test)]
mod tests;
