//! Addresses of other people's servers. What is accepted is also an IRI, so that it can stand in any graph.

/// The longest one.
pub const MAX: usize = 500;

/// `https://`, a host, perhaps a port, a path, a query: no name or password, no fragment.
pub fn is_https(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else {
        return false;
    };
    let authority_ends = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(authority_ends);
    text.len() <= MAX && is_authority(authority) && is_path(behind)
}

fn is_authority(text: &str) -> bool {
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.split('.').all(label)
        && port
            .is_none_or(|port| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok())
}

fn is_path(text: &str) -> bool {
    let escaped = |at: usize| {
        let digits = text.as_bytes().get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    text.bytes().enumerate().all(|(at, byte)| match byte {
        b'%' => escaped(at),
        _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(&byte),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_and_what_only_looks_like_one_is_not() {
        for good in [
            "https://api.example.lv",
            "https://api.example.lv/v1/persons?as=json&x=%C4%81",
            "https://localhost:8443/",
        ] {
            assert!(is_https(good), "{good}");
        }
        let long = format!("https://a.lv/{}", "x".repeat(MAX));
        for bad in [
            "",
            "http://api.example.lv",
            "javascript:alert(1)",
            "https://",
            "https:///path",
            "https://user:password@api.example.lv/",
            "https://api.example.lv:99999/",
            "https://api.example.lv:/",
            "https://-api.lv",
            "https://api..lv",
            "https://api.lv/a b",
            "https://api.lv/%zz",
            "https://api.lv/%c",
            "https://api.lv/<x>",
            "https://api.lv/#part",
            "https://āpi.lv",
            &long,
        ] {
            assert!(!is_https(bad), "{bad}");
        }
    }
}
