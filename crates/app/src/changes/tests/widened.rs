//! A whole number becomes a decimal: to a condition that reads it, another value of the same bytes.

use super::{DEFINITION, Site, json, upsert};

/// In scope: sizes 2 and 3. Of a decimal it fails.
const HALF: &str = "record.Size / 2 == 1";

fn wider() -> String {
    DEFINITION.replace("Size int", "Size decimal")
}

async fn publish(site: &Site) -> Result<(), String> {
    let app = &site.world.app;
    let published = app
        .dataset_publish(&site.world.operator(), "bss_back", None)
        .await;
    published.map(|_| ()).map_err(|problem| {
        assert_eq!(problem.code, "definition_incompatible");
        let faults = problem.faults.iter();
        let size = faults.filter(|fault| fault.place == "Size");
        size.map(|fault| fault.message.clone()).collect()
    })
}

async fn scope(site: &Site, when: &str) {
    site.patch(json!({ "scope": { "when": when } })).await;
}

async fn cursor(site: &Site) -> (usize, String) {
    let (page, next) = super::without_cursor(&site.try_page(None, 100).await.unwrap());
    (page.matches("\"operation\"").count(), next)
}

async fn site() -> Site {
    let mut site = Site::new((0, 0)).await;
    scope(&site, HALF).await;
    let lines: String = (0..4).map(|code| upsert(code, (0, 1, code), 0)).collect();
    site.deliver(&lines).await;
    site
}

#[tokio::test]
async fn a_field_that_a_scope_reads_is_not_widened() {
    let site = site().await;
    assert_eq!(cursor(&site).await.0, 2, "sizes 2 and 3");
    site.world.sandbox(&wider()).await;
    let refused = publish(&site).await.unwrap_err();
    let number = site.reader.permission.clone().unwrap();
    assert!(
        refused.contains(&format!("permission {number} (`{HALF}`)")) && refused.contains("leave it int"),
        "{refused}"
    );
    // A condition that does not read it has the same meaning.
    scope(&site, "record.Kind == 'a'").await;
    publish(&site).await.unwrap();
    assert_eq!(cursor(&site).await.0, 4);
}

#[tokio::test]
async fn a_cursor_of_an_earlier_scope_that_reads_a_widened_field_has_ended() {
    let site = site().await;
    let (_, half) = cursor(&site).await;
    scope(&site, "record.Kind == 'a'").await;
    let (_, kind) = cursor(&site).await;
    scope(&site, "record.Name == 'n1'").await;
    site.world.sandbox(&wider()).await;
    publish(&site).await.unwrap();
    let refused = site.try_page(Some(&half), 100).await.unwrap_err();
    assert_eq!(refused.code, "cursor_expired");
    assert!(refused.detail.contains("condition"), "{}", refused.detail);
    assert!(site.try_page(Some(&kind), 100).await.is_ok(), "its list is kept");
}
