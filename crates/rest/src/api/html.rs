//! `/api` for people: one page, Latvian first, no script, nothing from elsewhere.

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _};

use dagr_app::catalog::{Catalog, Dataset};
use dagr_model::{
    definition::{Classification, Definition, Field, Personal, Type},
    ids::Section,
};

use super::{codes::CODES, dataset::key_template};

const HEAD: &str = "<!doctype html>
<html lang=\"lv\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">
<title>DAGR saskarne</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:0 auto;padding:1rem;color:#1a1a1a;background:#fff}
[lang=en]{color:#595959}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{border:1px solid #bbb;padding:.2rem .5rem;text-align:left;vertical-align:top}
code{background:#f2f2f2;overflow-wrap:anywhere}
a{color:#0b57a4}
section{margin:2rem 0}
:target{outline:3px solid #f5c400}
</style></head><body>
";

const INTRODUCTION: &str = "<h1>DAGR saskarne <span lang=\"en\">Interface</span></h1>
<p>Mašīnlasāms apraksts: <a href=\"/api/openapi.json\">/api/openapi.json</a> (OpenAPI 3.1).
Publicētās kopas: <a href=\"/service_list\">/service_list</a>.<br>
<span lang=\"en\">For machines: <a href=\"/api/openapi.json\">/api/openapi.json</a> (OpenAPI 3.1). Published data sets:
<a href=\"/service_list\">/service_list</a>.</span></p>
<section><h2>Kā sākt <span lang=\"en\">How to begin</span></h2><ol>
<li><code>POST /token</code> ar parakstītu apliecinājumu dod piekļuves pilnvaru; sūtiet to <code>Authorization</code> galvenē.
<span lang=\"en\">With a signed assertion it gives an access token; send it in <code>Authorization</code>.</span></li>
<li><code>GET /current_user_permissions</code> rāda jūsu atļaujas; numuru sūtiet galvenē <code>X-DAGR-Permission</code>, lietas
numuru, ja to prasa, — <code>X-DAGR-Case</code>.
<span lang=\"en\">Lists your permissions; send the number in <code>X-DAGR-Permission</code>, and a case number, where asked for, in
<code>X-DAGR-Case</code>.</span></li>
<li>Lapas turpina ar <code>after</code> = iepriekšējās <code>next</code>; <code>limit</code> līdz 10 000, <code>fields=A,B.C</code>
sašaurina. <span lang=\"en\">Continue a page with <code>after</code> = its <code>next</code>; <code>limit</code> up to 10 000,
<code>fields=A,B.C</code> narrows.</span></li></ol></section>
";

/// The page. Everything from a definition is escaped.
pub(super) fn page(catalog: &Catalog) -> String {
    let sets: BTreeMap<&str, &Dataset> = catalog
        .datasets
        .iter()
        .map(|(name, set)| (name.as_str(), set.as_ref()))
        .collect();
    let mut out = String::from(HEAD);
    out.push_str(INTRODUCTION);
    contents(&mut out, &sets);
    for (section, title) in [
        (Section::Main, "Datu kopas <span lang=\"en\">Data sets</span>"),
        (
            Section::Sandbox,
            "Izmēģināmās kopas <span lang=\"en\">Sandbox</span>",
        ),
    ] {
        let _ = writeln!(out, "<h2 id=\"part-{}\">{title}</h2>", section.as_str());
        let mut any = false;
        for dataset in sets.values() {
            if let Some(live) = dataset.section(section) {
                let provider = catalog.institution_name(&dataset.provider);
                set(&mut out, live.definition(), section, provider);
                any = true;
            }
        }
        if !any {
            out.push_str("<p>Nav nevienas. <span lang=\"en\">None.</span></p>\n");
        }
    }
    problems(&mut out);
    out.push_str("</body></html>\n");
    out
}

/// The anchor of a data set is its name; in the sandbox it stands apart.
fn anchor(name: &str, section: Section) -> String {
    match section {
        Section::Main => name.to_owned(),
        Section::Sandbox => format!("sandbox-{name}"),
    }
}

fn contents(out: &mut String, sets: &BTreeMap<&str, &Dataset>) {
    out.push_str("<nav><h2>Saturs <span lang=\"en\">Contents</span></h2><ul>\n");
    for (section, mark) in [(Section::Main, ""), (Section::Sandbox, " (izmēģināma, sandbox)")] {
        for (name, _) in sets.iter().filter(|(_, set)| set.section(section).is_some()) {
            let _ = writeln!(
                out,
                "<li><a href=\"#{0}\">{1}</a>{mark}</li>",
                escape(&anchor(name, section)),
                escape(name)
            );
        }
    }
    out.push_str("<li><a href=\"#problems-all\">Kļūdu kodi <span lang=\"en\">Problem codes</span></a></li></ul></nav>\n");
}

fn set(out: &mut String, definition: &Definition, section: Section, provider: &str) {
    let name = escape(definition.name.as_str());
    let key: Vec<&str> = definition.key.fields().collect();
    let class = match definition.classification {
        Classification::Open => "atvērta <span lang=\"en\">open</span>",
        Classification::Restricted => "ierobežota <span lang=\"en\">restricted</span>",
        Classification::Sensitive => "sensitīva <span lang=\"en\">sensitive</span>",
    };
    let anchor = anchor(definition.name.as_str(), section);
    let _ = writeln!(out, "<section id=\"{}\"><h3>{name}</h3>", escape(&anchor));
    let _ = writeln!(out, "<p>{}</p>", escape(&definition.description));
    let _ = writeln!(
        out,
        "<p>Devējs <span lang=\"en\">provider</span>: {}. Pieejamība <span lang=\"en\">access</span>: {class}. \
         Atslēga <span lang=\"en\">key</span>: <code>{}</code>.</p>",
        escape(provider),
        escape(&key.join(", ")),
    );
    calls(out, definition, section);
    out.push_str(
        "<table><thead><tr><th>Lauks <span lang=\"en\">Field</span></th><th>Veids <span lang=\"en\">Type</span></th>\
         <th>Apraksts <span lang=\"en\">Description</span></th></tr></thead><tbody>\n",
    );
    for field in &definition.fields {
        row(out, field, "");
    }
    out.push_str("</tbody></table></section>\n");
}

fn calls(out: &mut String, definition: &Definition, section: Section) {
    let name = definition.name.as_str();
    let root = match section {
        Section::Main => format!("/data/{name}"),
        Section::Sandbox => format!("/sandbox/{name}"),
    };
    let parts = key_template(definition.key.fields());
    out.push_str("<ul>\n");
    let mut line = |call: String, lv: &str, en: &str| {
        let _ = writeln!(
            out,
            "<li><code>{}</code> {lv} <span lang=\"en\">{en}</span></li>",
            escape(&call)
        );
    };
    line(
        format!("GET {root}/records{parts}"),
        "viens ieraksts",
        "one record",
    );
    for fields in &definition.indexes {
        let words: Vec<String> = fields.iter().map(|field| format!("{field}=…")).collect();
        line(
            format!("GET {root}/records?{}", words.join("&")),
            "pēc indeksa",
            "by index",
        );
    }
    line(
        format!("POST {root}/lookup"),
        "līdz 1 000 atslēgu",
        "up to 1 000 keys",
    );
    line(
        format!("GET {root}/changes"),
        "pirmā ielāde un izmaiņas",
        "first load and changes",
    );
    for list in &definition.changes {
        line(
            format!("GET {root}/changes/{}", list.name),
            "izmaiņu saraksts",
            "change list",
        );
    }
    if let (Some(public), Section::Main) = (&definition.public, section) {
        line(
            format!("GET /public/{name}?filename={}", public.filename),
            "publisks fails",
            "public file",
        );
    }
    out.push_str("</ul>\n");
}

fn row(out: &mut String, field: &Field, prefix: &str) {
    let path = format!("{prefix}{}", field.name);
    let mut ty = type_name(&field.ty).into_owned();
    if field.list {
        ty.push_str(" [*]");
    }
    if field.required {
        ty.push('!');
    }
    let mut text = field.comments.clone();
    if let Some(unit) = &field.unit {
        let _ = write!(text, " [{unit}]");
    }
    let personal = match field.personal {
        None => "",
        Some(Personal::Subject) => " <small>datu subjekts <span lang=\"en\">subject</span></small>",
        Some(Personal::Identifying) => " <small>personas dati <span lang=\"en\">personal</span></small>",
        Some(Personal::Sensitive) => " <small>sensitīvi dati <span lang=\"en\">sensitive</span></small>",
    };
    let (name, ty) = (escape(&path), escape(&ty));
    let _ = writeln!(
        out,
        "<tr><td><code>{name}</code></td><td>{ty}</td><td>{}{personal}</td></tr>",
        escape(&text)
    );
    for child in &field.fields {
        row(out, child, &format!("{path}."));
    }
}

fn type_name(ty: &Type) -> Cow<'static, str> {
    Cow::Borrowed(match ty {
        Type::Code(list) => return Cow::Owned(format!("code({list})")),
        Type::Text => "text",
        Type::Int => "int",
        Type::Decimal => "decimal",
        Type::Bool => "bool",
        Type::Date => "date",
        Type::Timestamp => "timestamp",
        Type::Uuid => "uuid",
        Type::PersonCode => "person_code",
        Type::OrgCode => "org_code",
        Type::Point => "point",
        Type::Geometry => "geometry",
        Type::Json => "json",
        Type::Object => "object",
    })
}

fn problems(out: &mut String) {
    out.push_str(
        "<section><h2 id=\"problems-all\">Kļūdu kodi <span lang=\"en\">Problem codes</span></h2>\n<table><thead><tr>\
         <th>Kods <span lang=\"en\">Code</span></th><th>HTTP</th><th>Ko darīt <span lang=\"en\">What to do</span></th>\
         </tr></thead><tbody>\n",
    );
    for code in CODES {
        let _ = writeln!(
            out,
            "<tr id=\"problem-{0}\"><td><code>{0}</code></td><td>{1}</td><td>{2} <span lang=\"en\">{3}</span></td></tr>",
            code.code,
            code.status,
            escape(code.lv),
            escape(code.en),
        );
    }
    out.push_str("</tbody></table></section>\n");
}

pub(super) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}
