//! How the story looks in a terminal: Latvian first, English below, lines to paste in bold.

use std::io::IsTerminal;

use serde_json::Value;

/// Most lines of an answer that are shown.
const MOST_LINES: usize = 24;

#[derive(Debug, Clone, Copy)]
pub struct Teller {
    coloured: bool,
}

impl Teller {
    pub fn new() -> Self {
        Self {
            coloured: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.coloured {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    pub fn chapter(self, number: usize, latvian: &str, english: &str) {
        println!("\n{}", self.paint("1;36", &format!("{number}. {latvian}")));
        println!("   {}", self.paint("2", english));
    }

    pub fn say(self, latvian: &str, english: &str) {
        println!("   {latvian}");
        println!("   {}", self.paint("2", english));
    }

    /// A line to paste: four spaces, then the command.
    pub fn command(self, line: &str) {
        println!("    {}", self.paint("1", line));
    }

    /// What came back.
    pub fn answer(self, status: u16, value: &Value) {
        let text = if value.to_string().len() < 110 {
            value.to_string()
        } else {
            serde_json::to_string_pretty(value).unwrap_or_default()
        };
        let colour = if status < 400 { "32" } else { "33" };
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().take(MOST_LINES).enumerate() {
            let head = if at == 0 {
                format!("→ {status} ")
            } else {
                String::new()
            };
            println!("      {}", self.paint(colour, &format!("{head}{line}")));
        }
        if lines.len() > MOST_LINES {
            println!("      … {} more lines", lines.len() - MOST_LINES);
        }
    }

    pub fn bullet(self, text: &str) {
        println!("   {} {text}", self.paint("36", "•"));
    }
}

/// A number with thin gaps.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_apart() {
        assert_eq!(super::thousands(0), "0");
        assert_eq!(super::thousands(1_900_000), "1 900 000");
    }
}
