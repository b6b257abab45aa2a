//! A file that a form sends (`multipart/form-data`). The form's token comes first and is judged before the file is taken;
//! the handler may ask the use case in between.
//!
//! A browser shows an answer only once it has sent everything: what is over the bound is read to its end and let go.

use axum::{
    body::Body,
    extract::{
        DefaultBodyLimit, FromRequest, FromRequestParts, Multipart, Request,
        multipart::{Field, MultipartError},
    },
};
use dagr_app::problem::Problem;
use http_body_util::{BodyExt as _, Limited};

use crate::{
    csrf,
    failed::Failed,
    form::foreign,
    settings::Portal,
    visitor::{Signed, Visitor},
};

/// What is read of a form with a file, at most; most of it only to be let go.
const MAX_SENT: usize = 64 << 20;
/// Members of such a form.
const MAX_FIELDS: usize = 16;
/// The token has 43 letters.
const MAX_TOKEN: usize = 64;
/// Of a name: more letters than any file system gives one, and fewer than a header may have.
const MAX_NAME: usize = 1_000;

/// A signed-in person's form from a page of ours; its file is still on the way.
pub struct Upload {
    pub visitor: Visitor,
    fields: Multipart,
}

/// What was in the member for the file.
#[derive(Debug)]
pub struct Sent {
    /// As the person's computer has it; empty where nothing was chosen.
    pub name: String,
    /// The browser's word for what it is.
    pub media_type: String,
    /// None: larger than it may be.
    pub content: Option<Vec<u8>>,
}

impl FromRequest<Portal> for Upload {
    type Rejection = Failed;

    async fn from_request(request: Request, portal: &Portal) -> Result<Self, Failed> {
        let (mut parts, body) = request.into_parts();
        let visitor = match Signed::from_request_parts(&mut parts, portal).await {
            Ok(Signed(visitor)) => visitor,
            // The session ended while the file was looked for: the way to sign in must be seen.
            Err(failed) => {
                let_go(body).await;
                return Err(failed);
            }
        };
        if !csrf::same_origin(&parts.headers) {
            return Err(foreign(&visitor));
        }
        let mut request = Request::from_parts(parts, body);
        DefaultBodyLimit::max(MAX_SENT).apply(&mut request);
        let fields = Multipart::from_request(request, portal).await;
        let mut fields = fields
            .map_err(|_| visitor.failed(Problem::new(415, "media_type", "a form with a file is wanted")))?;
        if !visitor.holds_form(&token(&mut fields).await.unwrap_or_default()) {
            // Signed in anew in another window: that, too, must be seen.
            let _ = taken(&mut fields, "", 0).await;
            return Err(foreign(&visitor));
        }
        Ok(Self { visitor, fields })
    }
}

impl Upload {
    /// The member of this name, its content up to `most` bytes, and the form read to its end.
    pub async fn file(mut self, name: &str, most: usize) -> Result<(Visitor, Sent), Failed> {
        match taken(&mut self.fields, name, most).await {
            Ok(sent) => Ok((self.visitor, sent)),
            Err(problem) => Err(self.visitor.failed(problem)),
        }
    }

    /// The file is not wanted.
    pub async fn refused(mut self, problem: Problem) -> Failed {
        // Whatever it holds.
        let _ = taken(&mut self.fields, "", 0).await;
        self.visitor.failed(problem)
    }
}

async fn taken(fields: &mut Multipart, name: &str, most: usize) -> Result<Sent, Problem> {
    let mut sent = None;
    let mut count = 0;
    while let Some(mut field) = fields.next_field().await.map_err(broken)? {
        count += 1;
        if count > MAX_FIELDS {
            return Err(Problem::new(413, "too_large", "the form has too many members"));
        }
        if sent.is_none() && field.name() == Some(name) {
            let name = file_name(field.file_name().unwrap_or_default());
            let media_type = field.content_type().unwrap_or_default().to_ascii_lowercase();
            sent = Some(Sent {
                name,
                media_type,
                content: content(&mut field, most).await?,
            });
        }
    }
    // A form without such a member: nothing was chosen.
    Ok(sent.unwrap_or_else(|| Sent {
        name: String::new(),
        media_type: String::new(),
        content: Some(Vec::new()),
    }))
}

/// None: more than `most` bytes; then none of them is held.
async fn content(field: &mut Field<'_>, most: usize) -> Result<Option<Vec<u8>>, Problem> {
    let mut content = Some(Vec::new());
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        content = content.filter(|held| held.len() + chunk.len() <= most);
        if let Some(held) = &mut content {
            held.extend_from_slice(&chunk);
        }
    }
    Ok(content)
}

/// The form's first member, if it is the token.
async fn token(fields: &mut Multipart) -> Option<String> {
    let mut field = fields.next_field().await.ok()??;
    if field.name() != Some("csrf") {
        return None;
    }
    let token = content(&mut field, MAX_TOKEN).await.ok()??;
    String::from_utf8(token).ok()
}

/// Browsers write `"` and ends of lines in a name as the URL standard's percent-encoding, and nothing else
/// (HTML, *multipart form data*).
fn file_name(sent: &str) -> String {
    let cut: String = sent.chars().take(MAX_NAME).collect();
    cut.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

fn broken(error: MultipartError) -> Problem {
    if error.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new(413, "too_large", "the form is too large")
    } else {
        Problem::new(400, "body_invalid", "the form was cut off, or is none")
    }
}

async fn let_go(body: Body) {
    let mut body = Limited::new(body, MAX_SENT);
    while let Some(Ok(_)) = body.frame().await {}
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn a_name_is_what_the_computer_called_it() {
        assert_eq!(file_name("Līgums %22A%22 50%.pdf"), "Līgums \"A\" 50%.pdf");
        assert_eq!(file_name("a%0D%0Ab.pdf"), "a\r\nb.pdf");
        assert_eq!(file_name(""), "");
    }
}
