//! One element with everything inside it.

use std::{
    hash::{Hash, Hasher},
    io::BufRead,
};

use quick_xml::{
    XmlVersion,
    escape::resolve_xml_entity,
    events::{BytesRef, BytesStart, Event},
};

use super::{RECORD_BYTES, Walk};
use crate::error::Result;

/// What an element costs besides its texts.
const COST: usize = 64;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    pub name: String,
    /// Where it begins, from 1.
    pub line: u64,
    /// `xsi:nil`
    pub nil: bool,
    pub attributes: Vec<(String, String)>,
    /// Its own text, CDATA included, without the space around.
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// The first child of the name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Nothing in it and nothing said of it.
    pub fn is_empty(&self) -> bool {
        self.nil || (self.attributes.is_empty() && self.text.is_empty() && self.children.is_empty())
    }
}

/// Of what it says, not of where it stands.
impl Hash for Element {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (&self.name, self.nil, &self.attributes, &self.text, &self.children).hash(hasher);
    }
}

impl<R: BufRead> Walk<'_, R> {
    /// Everything up to the end of the element that has begun; its name lies on the stack.
    pub(super) fn element(&mut self, start: &BytesStart<'_>, line: u64) -> Result<Element> {
        let mut left = RECORD_BYTES;
        let mut stack = vec![self.begun(start, line, &mut left)?];
        let mut buffer = Vec::new();
        loop {
            let line = self.next_line(&mut buffer);
            match self.event(&mut buffer)? {
                Event::Start(start) => {
                    if self.open.len() + stack.len() > super::DEPTH {
                        let message = format!("elements lie deeper than {} inside each other", super::DEPTH);
                        return Err(self.fault(&message));
                    }
                    let begun = self.begun(&start, line, &mut left)?;
                    stack.push(begun);
                }
                Event::End(_) => {
                    let Some(mut done) = stack.pop() else {
                        return Err(self.fault("an element ends that did not begin"));
                    };
                    trim(&mut done.text);
                    match stack.last_mut() {
                        Some(parent) => parent.children.push(done),
                        None => return Ok(done),
                    }
                }
                Event::Text(text) => self.more(&mut stack, &text.xml10_content(), &mut left)?,
                Event::CData(text) => self.more(&mut stack, &text.xml10_content(), &mut left)?,
                Event::GeneralRef(reference) => {
                    let text = self.resolved(&reference)?;
                    self.more(&mut stack, &text, &mut left)?;
                }
                Event::Eof => {
                    let name = stack.last().map_or("", |element| element.name.as_str());
                    return Err(self.fault(&format!("it ends inside {name}")));
                }
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
    }

    fn begun(&mut self, start: &BytesStart<'_>, line: u64, left: &mut usize) -> Result<Element> {
        self.prefixes(start)?;
        let mut element = Element {
            name: start.local_name().as_ref().to_owned(),
            line,
            ..Element::default()
        };
        self.pay(left, COST + element.name.len())?;
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| self.fault(&error.to_string()))?;
            let (prefix, name) = (attribute.key.prefix(), attribute.key.local_name());
            let prefix = prefix.as_ref().map(AsRef::as_ref);
            if prefix == Some("xmlns") || (prefix.is_none() && name.as_ref() == "xmlns") {
                continue;
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| self.fault(&error.to_string()))?;
            if prefix.is_some_and(|prefix| self.schema_instance.contains(prefix)) {
                element.nil |= name.as_ref() == "nil" && matches!(value.trim(), "true" | "1");
                continue;
            }
            self.pay(left, COST + name.as_ref().len() + value.len())?;
            attributes.push((
                prefix.map(str::to_owned),
                name.as_ref().to_owned(),
                value.into_owned(),
            ));
        }
        element.attributes = named(attributes);
        Ok(element)
    }

    fn more(&self, stack: &mut [Element], text: &str, left: &mut usize) -> Result<()> {
        self.pay(left, text.len())?;
        if let Some(element) = stack.last_mut() {
            element.text.push_str(text);
        }
        Ok(())
    }

    fn pay(&self, left: &mut usize, bytes: usize) -> Result<()> {
        match left.checked_sub(bytes) {
            Some(rest) => {
                *left = rest;
                Ok(())
            }
            None => Err(self.fault(&format!("a record is larger than {} MiB", RECORD_BYTES >> 20))),
        }
    }

    /// `&amp;` and `&#257;`; whatever else a DTD may declare is not expanded.
    fn resolved(&self, reference: &BytesRef<'_>) -> Result<String> {
        let character = reference
            .resolve_char_ref()
            .map_err(|error| self.fault(&error.to_string()))?;
        if let Some(character) = character {
            return Ok(character.to_string());
        }
        let name = reference.xml10_content();
        match resolve_xml_entity(&name) {
            Some(text) => Ok(text.to_owned()),
            None => {
                let shown: String = name.chars().take(40).collect();
                Err(self.fault(&format!(
                    "the entity &{shown}; is not one of XML's own five: what a DTD declares is not expanded, write the text itself"
                )))
            }
        }
    }
}

/// Attributes by their local name; where others have the same, one with a prefix keeps it.
fn named(attributes: Vec<(Option<String>, String, String)>) -> Vec<(String, String)> {
    let locals: Vec<String> = attributes.iter().map(|(_, local, _)| local.clone()).collect();
    let is_shared = |local: &String| locals.iter().filter(|other| *other == local).count() > 1;
    attributes
        .into_iter()
        .map(|(prefix, local, value)| match prefix {
            Some(prefix) if is_shared(&local) => (format!("{prefix}:{local}"), value),
            _ => (local, value),
        })
        .collect()
}

fn trim(text: &mut String) {
    let trimmed = text.trim_ascii();
    if trimmed.len() != text.len() {
        *text = trimmed.to_owned();
    }
}
