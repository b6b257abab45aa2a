//! Where a cursor can no longer be brought to the present terms.

use dagr_model::ids::Section;
use dagr_store::set::position::MAX_LAYERS;
use serde_json::Value;

use super::{Site, upsert, without_cursor};

/// One page: what it tells, and the cursor behind it.
async fn page(site: &Site, after: Option<&str>, limit: u64) -> Result<(usize, String), String> {
    let (page, next) = without_cursor(&site.page(after, limit).await?);
    let page: Value = serde_json::from_str(&page).unwrap();
    Ok((page["changes"].as_array().unwrap().len(), next))
}

async fn site() -> Site {
    let mut site = Site::new((0, 0)).await;
    let lines: String = (0..8).map(|code| upsert(code, (0, 1, 0), 0)).collect();
    site.deliver(&lines).await;
    site
}

#[tokio::test]
async fn amendments_in_a_row_are_remembered_up_to_a_number() {
    let site = site().await;
    let (_, mut cursor) = page(&site, None, 1).await.unwrap();
    for at in 0..MAX_LAYERS {
        site.amend(((at + 1) % 3, 0)).await;
        let (told, next) = page(&site, Some(&cursor), 1).await.unwrap();
        assert_eq!((told, next.len()), (1, cursor.len()), "after {at} amendments");
        cursor = next;
    }
    site.amend((0, 1)).await;
    let refused = page(&site, Some(&cursor), 1).await.unwrap_err();
    assert!(refused.contains("replace your copy"), "{refused}");
}

#[tokio::test]
async fn amendments_between_two_calls_count_once() {
    let site = site().await;
    let (_, cursor) = page(&site, None, 9).await.unwrap();
    for at in 0..20 {
        site.amend((at % 3, at % 7)).await;
    }
    site.amend((3, 1)).await;
    let (told, cursor) = page(&site, Some(&cursor), 100).await.unwrap();
    assert_eq!(told, 8, "four that stay, four that go");
    assert_eq!(page(&site, Some(&cursor), 100).await.unwrap().0, 0);
}

#[tokio::test]
async fn a_condition_whose_list_made_room_for_another_is_named() {
    let mut site = site().await;
    site.amend((0, 4)).await;
    let (told, cursor) = page(&site, None, 9).await.unwrap();
    assert_eq!(told, 8);
    site.amend((0, 5)).await;
    site.amend((0, 0)).await;
    let set = site
        .world
        .app
        .catalog()
        .live(Section::Main, "bss_back")
        .unwrap()
        .clone();
    let make_room = async |from: usize, count: usize| {
        for at in from..from + count {
            let text = format!("record.Size == {at}");
            site.world.app.prepare_scope(&set, &text).await.unwrap();
        }
    };
    // Two lists are kept for cursors; 62 more fit beside them.
    make_room(100, 62).await;
    assert_eq!(
        page(&site, Some(&cursor), 100).await.unwrap().0,
        0,
        "all of it is known"
    );
    make_room(200, 1).await;
    let refused = site.try_page(Some(&cursor), 100).await.unwrap_err();
    assert_eq!(refused.code, "cursor_expired");
    assert!(refused.detail.contains("condition"), "{}", refused.detail);

    // The same condition again is another list, which does not know who had left.
    let hole = upsert(1, (1, 1, 0), 0);
    site.deliver(&hole).await;
    site.world
        .app
        .prepare_scope(&set, "record.Kind == 'a'")
        .await
        .unwrap();
    let refused = site.try_page(Some(&cursor), 100).await.unwrap_err();
    assert!(refused.detail.contains("condition"), "{}", refused.detail);
    // Present terms go on.
    let fresh = page(&site, None, 100).await.unwrap();
    assert_eq!(fresh.0, 8);
}

#[tokio::test]
async fn a_take_back_is_not_put_off_for_ever() {
    let site = site().await;
    let (_, cursor) = page(&site, None, 2).await.unwrap();
    site.amend((1, 0)).await;
    let (_, cursor) = page(&site, Some(&cursor), 1).await.unwrap();
    // Each call seals the cursor anew; what was given under the old terms grows older all the same.
    site.world.clock.set("2025-06-01T12:00:00Z");
    let (_, cursor) = page(&site, Some(&cursor), 1).await.unwrap();
    site.world.clock.set("2025-08-01T12:00:00Z");
    let refused = site.try_page(Some(&cursor), 1).await.unwrap_err();
    assert_eq!(refused.code, "cursor_expired");
    assert!(refused.detail.contains("forgotten"), "{}", refused.detail);
}
