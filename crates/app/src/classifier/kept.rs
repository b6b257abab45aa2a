//! Versions read lately, parsed: anybody may ask for a page of fifty thousand codes, again and again. A version never
//! changes, so that nothing kept grows old.

use std::{collections::VecDeque, sync::Arc};

use dagr_registry::Registry;
use parking_lot::Mutex;

use super::VersionWhole;
use crate::problem::Problem;

/// Codes of all kept versions together, but for the one read last.
const MAX_CODES: usize = 200_000;

/// The oldest first.
#[derive(Default)]
pub(crate) struct KeptVersions(Mutex<VecDeque<Arc<VersionWhole>>>);

impl KeptVersions {
    pub(crate) async fn get(
        &self,
        registry: &Registry,
        id: &str,
        number: i64,
    ) -> Result<Option<Arc<VersionWhole>>, Problem> {
        let is_asked = |kept: &Arc<VersionWhole>| (kept.0.classifier.as_str(), kept.0.number) == (id, number);
        if let Some(kept) = self.0.lock().iter().find(|kept| is_asked(kept)) {
            return Ok(Some(Arc::clone(kept)));
        }
        let Some(found) = registry.classifier_version_get(id, number).await? else {
            return Ok(None);
        };
        let found = Arc::new(found);
        self.keep(Arc::clone(&found));
        Ok(Some(found))
    }

    fn keep(&self, version: Arc<VersionWhole>) {
        let mut kept = self.0.lock();
        kept.push_back(version);
        while kept.len() > 1 && kept.iter().map(|version| version.1.len()).sum::<usize>() > MAX_CODES {
            kept.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use dagr_model::classifier::{ClassifierValue, MAX_VALUES};
    use dagr_registry::ClassifierVersionView;

    use super::*;

    fn version(number: i64, codes: usize) -> Arc<VersionWhole> {
        let view = ClassifierVersionView {
            classifier: "KINDS".into(),
            number,
            valid_from: jiff::civil::date(2026, 1, 1),
            codes: codes as i64,
            reason: String::new(),
            by: String::new(),
            published_at: jiff::Timestamp::UNIX_EPOCH,
        };
        let value = |code: usize| ClassifierValue {
            code: code.to_string(),
            name: String::new(),
            name_en: None,
            parent: None,
            valid_from: None,
            valid_to: None,
        };
        Arc::new((view, (0..codes).map(value).collect()))
    }

    #[tokio::test]
    async fn what_is_kept_is_bounded_and_the_newest_stays() {
        let registry = Registry::open_in_memory().await.unwrap();
        let kept = KeptVersions::default();
        for number in 1..=6 {
            kept.keep(version(number, MAX_VALUES));
        }
        for (number, is_there) in [(1, false), (2, false), (3, true), (6, true)] {
            // The registry holds none: what is found was kept.
            let found = kept.get(&registry, "KINDS", number).await.unwrap();
            assert_eq!(found.is_some(), is_there, "{number}");
        }
        assert!(kept.get(&registry, "OTHER", 6).await.unwrap().is_none());
    }
}
