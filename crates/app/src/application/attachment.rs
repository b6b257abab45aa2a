//! Attachments: what was sent beside an application, kept as it came and given back as a file, never shown.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use dagr_model::{
    application::{Application, Stage},
    fault::Fault,
    ids::RegistrationNumber,
    role::{Role, either},
};
use dagr_registry::{AttachmentCreate, AttachmentView, NotificationCreate, To};
use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;

use super::container::{self, ASIC_E};
use crate::{
    App,
    ctx::{Acting, Ctx},
    problem::Problem,
};

/// One attachment, at most.
pub const MAX_BYTES: usize = 5 << 20;
/// Of one application.
pub const MAX_COUNT: usize = 50;
const MAX_NAME: usize = 200;
/// Who attaches, of either side.
const ATTACHERS: &[Role] = &[Role::Head, Role::DataManager, Role::LegalReviewer];
/// What may be attached as a document, how its bytes begin, and how its names end.
const DOCUMENTS: &[(&str, &[u8], &[&str])] = &[
    ("application/pdf", b"%PDF-", &["pdf"]),
    ("image/png", b"\x89PNG\r\n\x1a\n", &["png"]),
    ("image/jpeg", b"\xff\xd8\xff", &["jpg", "jpeg"]),
    ("text/plain", b"", &["txt"]),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        b"PK\x03\x04",
        &["docx"],
    ),
    ("application/vnd.oasis.opendocument.text", b"PK\x03\x04", &["odt"]),
];
/// How names of containers end; the first is what Latvian tools write.
const CONTAINERS: &[&str] = &["edoc", "asice", "sce"];

/// What is sent.
#[derive(Debug, Clone)]
pub struct AttachmentSent {
    /// `document`, or `signature`: an ASiC-E container.
    pub kind: String,
    pub name: String,
    pub media_type: String,
    pub content: Vec<u8>,
}

impl AttachmentSent {
    /// As a browser sends it. Few of them know the media type of a container or of a document of another office, so the name
    /// goes before their word; the content is judged as ever. What is a container is a signature.
    pub fn from_file(name: &str, declared: &str, content: Vec<u8>) -> Self {
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        let known =
            media_types().find(|(_, endings)| endings.iter().any(|one| one.eq_ignore_ascii_case(ending)));
        let media_type = known.map_or(declared, |(media_type, _)| media_type).to_owned();
        let kind = if media_type == ASIC_E {
            "signature"
        } else {
            "document"
        };
        Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            media_type,
            content,
        }
    }
}

/// How names of what may be attached end.
pub fn endings() -> impl Iterator<Item = &'static str> {
    media_types().flat_map(|(_, endings)| endings.iter().copied())
}

fn media_types() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    let documents = DOCUMENTS
        .iter()
        .map(|(media_type, _, endings)| (*media_type, *endings));
    documents.chain([(ASIC_E, CONTAINERS)])
}

/// Whether the caller may attach to an application that is seen, before megabytes are taken.
pub fn may_attach(ctx: &Ctx, application: &Application) -> Result<(), Problem> {
    let (_, acting) = ctx.acting(&[])?;
    is_attacher(acting, application)?;
    if matches!(application.stage, Stage::Withdrawn { .. }) {
        return Err(Problem::new(
            409,
            "state_conflict",
            "the application is withdrawn: nothing is attached to it any more",
        ));
    }
    Ok(())
}

impl App {
    /// The seal of the next submission or decision names its digest.
    pub async fn attachment_create(
        &self,
        ctx: &Ctx,
        number: &str,
        sent: AttachmentSent,
    ) -> Result<AttachmentView, Problem> {
        let (person, acting) = ctx.acting(&[])?;
        let application = self.seen(ctx, number).await?.value;
        may_attach(ctx, &application)?;
        let inspection = check(&sent).map_err(Problem::invalid)?;
        let create = AttachmentCreate {
            person: person.id,
            person_name: person.name.clone(),
            institution: acting.institution.clone(),
            bytes: sent.content.len() as i64,
            sha256: hex(&Sha256::digest(&sent.content)),
            content: STANDARD.encode(&sent.content),
            kind: sent.kind,
            name: sent.name.nfc().collect(),
            media_type: sent.media_type,
            inspection: inspection
                .map(serde_json::to_value)
                .transpose()
                .map_err(Problem::internal)?,
        };
        let notify = others(&application, &acting.institution);
        let _one = self.changing.lock().await;
        Ok(self
            .registry
            .attachment_insert(
                &ctx.actor(),
                &application.number,
                &create,
                MAX_COUNT as i64,
                &notify,
            )
            .await?)
    }

    /// In the order they came; at most fifty.
    pub async fn attachment_list(&self, ctx: &Ctx, number: &str) -> Result<Vec<AttachmentView>, Problem> {
        let application = self.seen(ctx, number).await?.value;
        Ok(self.registry.attachment_list(&application.number).await?)
    }

    /// The bytes as they came.
    pub async fn attachment_get(
        &self,
        ctx: &Ctx,
        number: &str,
        id: i64,
    ) -> Result<(AttachmentView, Vec<u8>), Problem> {
        let application = self.seen(ctx, number).await?.value;
        let found = self.registry.attachment_get(&application.number, id).await?;
        let (view, content) =
            found.ok_or_else(|| Problem::new(404, "not_found", "there is no such attachment"))?;
        let bytes = STANDARD.decode(content).map_err(Problem::internal)?;
        if hex(&Sha256::digest(&bytes)) != view.sha256 {
            return Err(Problem::internal(format!("attachment {id} is damaged")));
        }
        Ok((view, bytes))
    }

    /// Digests of what is attached now, for a seal.
    pub(super) async fn attached(&self, application: &Application) -> Result<Vec<String>, Problem> {
        let attached = self.registry.attachment_list(&application.number).await?;
        Ok(attached.into_iter().map(|one| one.sha256).collect())
    }
}

/// The two sides; an operator where operators decide.
fn is_attacher(acting: &Acting, application: &Application) -> Result<(), Problem> {
    let own = acting.institution == application.applicant;
    let may = match &application.provider {
        Some(provider) => (own || *provider == acting.institution) && acting.holds(ATTACHERS),
        None => (own && acting.holds(ATTACHERS)) || acting.roles.contains(&Role::Operator),
    };
    if may {
        return Ok(());
    }
    let who = either(ATTACHERS);
    Err(Problem::role_required(format!(
        "this needs the role {who} in the applicant's or the decider's institution"
    )))
}

/// Every fault at once; of a container, what is in it.
fn check(sent: &AttachmentSent) -> Result<Option<container::Inspection>, Vec<Fault>> {
    let mut faults = Vec::new();
    let name = &sent.name;
    let plain = !name.trim().is_empty()
        && name.chars().count() <= MAX_NAME
        && !name.starts_with('.')
        && !name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\'));
    if !plain {
        faults.push(Fault::new(
            "name",
            "file_name",
            "a file name of 1 to 200 characters without path, not beginning with a dot",
        ));
    }
    if sent.content.is_empty() || sent.content.len() > MAX_BYTES {
        faults.push(Fault::new("body", "size", "from 1 byte to 5 MiB"));
    }
    let mut inspection = None;
    match sent.kind.as_str() {
        "signature" if sent.media_type == ASIC_E => match container::inspect(&sent.content) {
            Ok(found) => inspection = Some(found),
            Err(why) => faults.push(Fault::new("body", "container", why)),
        },
        "signature" => faults.push(Fault::new(
            "content-type",
            "media_type",
            format!("a signature is attached as {ASIC_E}"),
        )),
        "document" => faults.extend(document(&sent.media_type, &sent.content)),
        _ => faults.push(Fault::new("kind", "unknown", "write document or signature")),
    }
    if faults.is_empty() {
        Ok(inspection)
    } else {
        Err(faults)
    }
}

fn document(media_type: &str, content: &[u8]) -> Option<Fault> {
    let Some((_, begin, _)) = DOCUMENTS.iter().find(|(known, ..)| *known == media_type) else {
        let known: Vec<&str> = DOCUMENTS.iter().map(|(known, ..)| *known).collect();
        return Some(Fault::new(
            "content-type",
            "media_type",
            format!("attach one of {}", known.join(", ")),
        ));
    };
    let text = media_type != "text/plain" || std::str::from_utf8(content).is_ok();
    let fits = content.starts_with(begin) && text;
    (!fits).then(|| Fault::new("body", "content", format!("the content is not {media_type}")))
}

/// Told to the other side, once it may see the application.
fn others(application: &Application, own: &RegistrationNumber) -> Vec<NotificationCreate> {
    if application.stage.submission().is_none() {
        return Vec::new();
    }
    let parties = [Some(&application.applicant), application.provider.as_ref()];
    parties
        .into_iter()
        .flatten()
        .filter(|party| *party != own)
        .map(|party| NotificationCreate {
            to: To::Institution(party.clone()),
            kind: "application_attached".to_owned(),
            object: format!("applications/{}", application.number),
            once: None,
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_browser_is_known_by_its_name_then_by_its_word() {
        for (name, declared, kind, media_type) in [
            (
                "Līgums.PDF",
                "application/octet-stream",
                "document",
                "application/pdf",
            ),
            ("ligums.edoc", "application/octet-stream", "signature", ASIC_E),
            ("ligums.asice", "application/zip", "signature", ASIC_E),
            ("ligums", "text/plain", "document", "text/plain"),
            ("ligums", ASIC_E, "signature", ASIC_E),
            (
                "ligums.exe",
                "application/x-msdownload",
                "document",
                "application/x-msdownload",
            ),
            ("", "", "document", ""),
        ] {
            let sent = AttachmentSent::from_file(name, declared, Vec::new());
            assert_eq!(
                (sent.kind.as_str(), sent.media_type.as_str()),
                (kind, media_type),
                "{name}"
            );
        }
    }
}
