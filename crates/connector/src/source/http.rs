//! A document behind an address, asked with its `ETag`.

use std::{
    fs::File,
    io::{BufReader, Read, Seek},
    path::Path,
};

use reqwest::{Response, StatusCode, header};

use super::{
    Means, Notes,
    document::Document,
    fault,
    files::{format_of, unpack::unpack},
    web,
};
use crate::{
    collect::Collect,
    error::{Error, Result},
    feed::{Format, Http},
    state::State,
};

const NOTE: &str = "etag";
/// Ends of names, and how what they tell of begins.
const PACKED: [(&str, &[u8]); 2] = [(".gz", b"\x1f\x8b"), (".zst", b"\x28\xb5\x2f\xfd")];

/// What the answer says of itself.
struct Told {
    etag: Option<String>,
    format: Option<Format>,
    charset: Option<String>,
    /// `gzip`, `zstd` or nothing.
    encoding: String,
    /// The address' last name, with the ending of its packing.
    name: String,
}

/// Reads what is there; `state` knows what was there before, of use where it is read in the same way. `None` = the same as last time.
pub async fn read(
    http: &Http,
    state: Option<&State>,
    rows: &mut Collect<'_>,
    means: &Means<'_>,
) -> Result<Option<Notes>> {
    let Some(answer) = ask(http, state).await? else {
        return Ok(None);
    };
    let mut told = Told::of(&answer, http)?;
    let file = web::spooled(
        answer,
        means.dir,
        web::shown(&http.url),
        http.most_bytes,
        "source.most_mib",
    )
    .await?;
    let file = plain(file, &mut told, http, means.dir)?;
    unpack(
        web::shown(&http.url),
        &told.name,
        file,
        http.member.as_deref(),
        |inside, input| {
            let by_name = || format_of(inside);
            let format = http.format.or(told.format).or_else(by_name);
            let Some(format) = format else {
                return Err(Error::Source(format!(
                    "{} does not say what it is: give source.format = {}",
                    web::shown(&http.url),
                    Format::offered()
                )));
            };
            let document = Document {
                format,
                charset: http.charset.as_deref().or(told.charset.as_deref()),
                records: http.records.as_deref(),
                may_be_empty: http.may_be_empty,
                name: web::shown(&http.url),
                means,
            };
            document.read(input, rows)
        },
    )?;
    // Without one now, the one before says nothing any more.
    Ok(Some(vec![(NOTE.to_owned(), told.etag.unwrap_or_default())]))
}

/// `None`: nothing new.
async fn ask(http: &Http, state: Option<&State>) -> Result<Option<Response>> {
    let mut request = web::client(http.ca.as_deref(), |builder| builder.read_timeout(http.timeout))?
        .get(&http.url)
        .header(header::ACCEPT_ENCODING, "gzip, zstd");
    if let Some(authorization) = &http.authorization {
        request = request.header(header::AUTHORIZATION, authorization.read()?);
    }
    let etag = state.map(|state| state.meta(NOTE)).transpose()?.flatten();
    let etag = etag.filter(|etag| !etag.is_empty());
    if let Some(etag) = &etag {
        request = request.header(header::IF_NONE_MATCH, etag);
    }
    let answer = request.send().await.map_err(|error| fault(web::told(error)))?;
    match answer.status() {
        StatusCode::NOT_MODIFIED if etag.is_some() => Ok(None),
        // Others are no whole documents: a part, nothing, or one that is yet to be made.
        StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => Ok(Some(answer)),
        status => Err(fault(format!("{} answered {status}", web::shown(&http.url)))),
    }
}

impl Told {
    fn of(answer: &Response, http: &Http) -> Result<Self> {
        let text = |name| web::header(answer, name);
        let (media, charset) = text(header::CONTENT_TYPE)
            .map(|value| web::media(&value))
            .unwrap_or_default();
        let encoding = text(header::CONTENT_ENCODING).unwrap_or_default().to_lowercase();
        if !matches!(encoding.as_str(), "" | "identity" | "gzip" | "x-gzip" | "zstd") {
            return Err(fault(format!(
                "{} answers with Content-Encoding {encoding}; gzip, zstd and none are read",
                web::shown(&http.url)
            )));
        }
        Ok(Self {
            etag: text(header::ETAG),
            format: of_media(&media),
            charset,
            encoding,
            name: name_of(&http.url, &media),
        })
    }
}

fn of_media(media: &str) -> Option<Format> {
    match media {
        "text/csv" => Some(Format::Csv),
        "application/json" => Some(Format::Json),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Some(Format::NdJson),
        "application/vnd.apache.parquet" => Some(Format::Parquet),
        "application/xml" | "text/xml" => Some(Format::Xml),
        _ if media.ends_with("+xml") => Some(Format::Xml),
        _ if media.ends_with("+json") => Some(Format::Json),
        _ => None,
    }
}

fn name_of(url: &str, media: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let mut name = path.rsplit('/').next().unwrap_or_default().to_lowercase();
    let end = match media {
        "application/zip" => ".zip",
        "application/gzip" | "application/x-gzip" => ".gz",
        "application/zstd" => ".zst",
        _ => "",
    };
    if !name.ends_with(end) {
        name.push_str(end);
    }
    name
}

/// The body without its content encoding. Where that was the packing the name tells, the name tells it no more.
fn plain(file: File, told: &mut Told, http: &Http, dir: &Path) -> Result<File> {
    let input: Box<dyn Read> = match told.encoding.as_str() {
        "gzip" | "x-gzip" => Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(file))),
        "zstd" => Box::new(zstd::stream::read::Decoder::new(file).map_err(fault)?),
        _ => return Ok(file),
    };
    let broken =
        |error: std::io::Error| fault(format!("{}: {error}; it is not taken", web::shown(&http.url)));
    let mut plain = tempfile::tempfile_in(dir).map_err(broken)?;
    let mut most = input.take(http.most_bytes.saturating_add(1));
    let length = std::io::copy(&mut most, &mut plain).map_err(broken)?;
    if length > http.most_bytes {
        return Err(fault(format!(
            "{} answers more than {} MiB (source.most_mib); it is not taken",
            web::shown(&http.url),
            http.most_bytes >> 20
        )));
    }
    plain.rewind().map_err(broken)?;
    let mut head = Vec::new();
    (&plain).take(4).read_to_end(&mut head).map_err(broken)?;
    plain.rewind().map_err(broken)?;
    for (end, magic) in PACKED {
        if !head.starts_with(magic)
            && let Some(name) = told.name.strip_suffix(end)
        {
            told.name = name.to_owned();
        }
    }
    Ok(plain)
}
