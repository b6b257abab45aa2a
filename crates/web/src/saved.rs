//! Bytes somebody sent, given back: a file to be saved. No browser shows it, guesses what it is, or keeps it.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// `media_type` is what was found when it came; what stands in no header is left to `application/octet-stream`.
pub fn file(name: &str, media_type: &str, sha256: &str, bytes: Vec<u8>) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    let mut put = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    put(header::CONTENT_TYPE, media_type);
    put(header::CONTENT_DISPOSITION, &disposition(name));
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'");
    put(header::CACHE_CONTROL, "no-store");
    put(header::ETAG, &format!("\"{sha256}\""));
    response
}

/// RFC 6266: a plain name for the old, the whole one for the rest.
fn disposition(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' | ' ' => c,
            _ => '_',
        })
        .collect();
    let whole = utf8_percent_encode(name, NON_ALPHANUMERIC);
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    #[test]
    fn a_name_stays_in_its_header() {
        assert_eq!(
            super::disposition("Līgums \"1\".pdf"),
            "attachment; filename=\"L_gums _1_.pdf\"; filename*=UTF-8''L%C4%ABgums%20%221%22%2Epdf"
        );
        let hostile = super::file("a\r\nset-cookie: x=1\"; y.pdf", "text/x\n", "0", Vec::new());
        let headers = hostile.headers();
        assert!(headers.get("set-cookie").is_none());
        assert_eq!(headers["content-type"], "application/octet-stream");
        assert!(
            headers["content-disposition"]
                .to_str()
                .unwrap()
                .starts_with("attachment; filename=\"a__set-cookie")
        );
    }
    proptest! {
        #[test]
        fn any_name_is_one_header_and_comes_out_whole(name in ".*") {
            let said = super::disposition(&name);
            prop_assert!(said.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{said}");
            let (plain, whole) = said.split_once("; filename*=UTF-8''").unwrap();
            prop_assert_eq!(plain.matches('"').count(), 2);
            prop_assert!(!plain.contains(['\\', '/', '%']));
            prop_assert!(!whole.contains(['"', ';', ' ', '\'']));
            let read = percent_encoding::percent_decode_str(whole).decode_utf8().unwrap();
            prop_assert_eq!(read.as_ref(), &name);
        }
    }
}
