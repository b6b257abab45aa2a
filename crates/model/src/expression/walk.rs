//! Finding members and elements in canonical JSON without parsing it. Malformed bytes end a walk early.

/// The value of the member whose raw label (`"Name":`) is `label`.
pub fn member<'j>(object: &'j [u8], label: &[u8]) -> Option<&'j [u8]> {
    members(object)
        .find(|(found, _)| *found == label)
        .map(|(_, value)| value)
}

/// The same by name, where no label is at hand.
pub fn member_named<'j>(object: &'j [u8], name: &str) -> Option<&'j [u8]> {
    let mut label = serde_json::to_vec(name).ok()?;
    label.push(b':');
    member(object, &label)
}

/// Members of an object as raw label and raw value.
fn members(object: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = object.strip_prefix(b"{").unwrap_or_default();
    std::iter::from_fn(move || {
        let colon = string_len(rest)?;
        if rest.get(colon) != Some(&b':') {
            return None;
        }
        let (label, after) = rest.split_at_checked(colon + 1)?;
        let (value, after) = after.split_at_checked(value_len(after)?)?;
        rest = after.strip_prefix(b",").unwrap_or_default();
        Some((label, value))
    })
}

/// Elements of an array, raw.
pub fn elements(array: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = array.strip_prefix(b"[").unwrap_or_default();
    std::iter::from_fn(move || {
        let (value, after) = rest.split_at_checked(value_len(rest)?)?;
        rest = after.strip_prefix(b",").unwrap_or_default();
        Some(value)
    })
}

/// Length of the string that starts `json`, quotes included.
fn string_len(json: &[u8]) -> Option<usize> {
    if json.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    loop {
        match json.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Length of the value that starts `json`.
fn value_len(json: &[u8]) -> Option<usize> {
    match json.first()? {
        b'"' => string_len(json),
        b'{' | b'[' => {
            let (mut at, mut depth) = (0, 0usize);
            loop {
                match json.get(at)? {
                    b'"' => at += string_len(&json[at..])?,
                    b'{' | b'[' => {
                        depth += 1;
                        at += 1;
                    }
                    b'}' | b']' => {
                        depth = depth.checked_sub(1)?;
                        at += 1;
                        if depth == 0 {
                            return Some(at);
                        }
                    }
                    _ => at += 1,
                }
            }
        }
        b',' | b'}' | b']' => None,
        _ => Some(
            json.iter()
                .position(|byte| matches!(byte, b',' | b'}' | b']'))
                .unwrap_or(json.len()),
        ),
    }
}
