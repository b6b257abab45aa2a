//! The two languages of the pages, Latvian first: texts from Fluent files, dates and numbers as people write them.

use std::sync::LazyLock;

use dagr_model::clock::riga;
use fluent_bundle::{FluentArgs, FluentResource, concurrent::FluentBundle};
use jiff::{Timestamp, civil::Date};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    Lv,
    En,
}

type Bundle = FluentBundle<FluentResource>;

static LV: LazyLock<Bundle> = LazyLock::new(|| bundle("lv", LV_TEXTS));
static EN: LazyLock<Bundle> = LazyLock::new(|| bundle("en", EN_TEXTS));

/// One file a subject, the same in every language.
macro_rules! texts {
    ($lang:literal) => {
        [
            include_str!(concat!("../i18n/", $lang, "/frame.ftl")),
            include_str!(concat!("../i18n/", $lang, "/failed.ftl")),
            include_str!(concat!("../i18n/", $lang, "/sign_in.ftl")),
            include_str!(concat!("../i18n/", $lang, "/catalogue.ftl")),
            include_str!(concat!("../i18n/", $lang, "/classifier.ftl")),
            include_str!(concat!("../i18n/", $lang, "/dataset.ftl")),
            include_str!(concat!("../i18n/", $lang, "/application.ftl")),
            include_str!(concat!("../i18n/", $lang, "/work.ftl")),
            include_str!(concat!("../i18n/", $lang, "/plan.ftl")),
            include_str!(concat!("../i18n/", $lang, "/my_datasets.ftl")),
            include_str!(concat!("../i18n/", $lang, "/my_data.ftl")),
            include_str!(concat!("../i18n/", $lang, "/notification.ftl")),
            include_str!(concat!("../i18n/", $lang, "/permission.ftl")),
            include_str!(concat!("../i18n/", $lang, "/operator.ftl")),
            include_str!(concat!("../i18n/", $lang, "/register.ftl")),
        ]
    };
}
const LV_TEXTS: &[&str] = &texts!("lv");
const EN_TEXTS: &[&str] = &texts!("en");

/// Thin space between groups of three digits; it never breaks a line.
const THIN: char = '\u{202f}';

const MONTHS_LV: [&str; 12] = [
    "janvāris",
    "februāris",
    "marts",
    "aprīlis",
    "maijs",
    "jūnijs",
    "jūlijs",
    "augusts",
    "septembris",
    "oktobris",
    "novembris",
    "decembris",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Lang {
    pub const ALL: [Self; 2] = [Self::Lv, Self::En];

    pub fn code(self) -> &'static str {
        match self {
            Self::Lv => "lv",
            Self::En => "en",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lang| lang.code() == code)
    }

    pub fn other(self) -> Self {
        match self {
            Self::Lv => Self::En,
            Self::En => Self::Lv,
        }
    }

    /// A text without arguments.
    pub fn t(self, id: &str) -> String {
        self.find(id, None).unwrap_or_else(|| id.to_owned())
    }

    /// The text, if there is one of this name.
    pub fn known(self, id: &str) -> Option<String> {
        self.find(id, None)
    }

    /// A text with a number, `$n`: `1 ieraksts, 2 ieraksti, 21 ieraksts`.
    pub fn n(self, id: &str, n: u64) -> String {
        let mut args = FluentArgs::new();
        args.set("n", n);
        args.set("shown", number(n));
        self.find(id, Some(&args)).unwrap_or_else(|| id.to_owned())
    }

    /// A text with named arguments.
    pub fn with(self, id: &str, values: &[(&str, &str)]) -> String {
        let mut args = FluentArgs::new();
        for (name, value) in values {
            args.set((*name).to_owned(), (*value).to_owned());
        }
        self.find(id, Some(&args)).unwrap_or_else(|| id.to_owned())
    }

    fn find(self, id: &str, args: Option<&FluentArgs<'_>>) -> Option<String> {
        let bundle: &Bundle = match self {
            Self::Lv => &LV,
            Self::En => &EN,
        };
        let pattern = bundle.get_message(id)?.value()?;
        // A missing argument leaves its name standing in the text: nothing to stop a page for.
        Some(bundle.format_pattern(pattern, args, &mut Vec::new()).into_owned())
    }

    /// In a sentence: `2026. gada 12. maijs`.
    pub fn date(self, date: Date) -> String {
        let (year, month, day) = (date.year(), date.month() as usize - 1, date.day());
        match self {
            Self::Lv => format!("{year}. gada {day}. {}", MONTHS_LV[month]),
            Self::En => format!("{day} {} {year}", MONTHS_EN[month]),
        }
    }

    /// In a table: `12.05.2026.`
    pub fn day(self, date: Date) -> String {
        let dot = if self == Self::Lv { "." } else { "" };
        format!("{:02}.{:02}.{}{dot}", date.day(), date.month(), date.year())
    }

    /// Day and minute, in Riga: `12.05.2026. 14:05`.
    pub fn moment(self, at: Timestamp) -> String {
        let at = at.to_zoned_datetime(riga());
        format!("{} {:02}:{:02}", self.day(at.date()), at.hour(), at.minute())
    }
}

/// `12 345`, with thin spaces.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + 6);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && digits.len() > 4 {
            out.push(THIN);
        }
        out.push(digit);
    }
    out
}

fn bundle(code: &str, texts: &[&str]) -> Bundle {
    let lang = code.parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![lang]);
    // Both languages run left to right.
    bundle.set_use_isolating(false);
    for text in texts {
        let resource = FluentResource::try_new((*text).to_owned()).unwrap_or_else(|(good, faults)| {
            tracing::error!(code, ?faults, "texts of the pages");
            good
        });
        if let Err(faults) = bundle.add_resource(resource) {
            tracing::error!(code, ?faults, "texts of the pages");
        }
    }
    bundle
}

#[cfg(test)]
mod tests;
