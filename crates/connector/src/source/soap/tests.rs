use std::sync::Arc;

use dagr_model::schema::Schema;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::{
    collect::{Refused, Take},
    feed::{Feed, Source},
};

const OLD: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// How many records came.
struct Count(u64);

impl Take for Count {
    fn record(&mut self, _: u64, _: &[u8], _: &[u8; 32], _: &[u8]) -> Result<()> {
        self.0 += 1;
        Ok(())
    }

    fn refused(&mut self, refused: Vec<Refused>, _: Option<Vec<u8>>) -> Result<()> {
        panic!("{refused:?}");
    }
}

fn car(number: u32) -> String {
    format!("<Car><Id>{number}</Id></Car>")
}

fn cars(numbers: std::ops::Range<u32>) -> (u16, String) {
    let cars: String = numbers.map(car).collect();
    (200, format!("<Cars>{cars}</Cars>"))
}

fn says(words: &str) -> (u16, String) {
    (200, format!("<Cars><Error>{words}</Error></Cars>"))
}

fn fails() -> (u16, String) {
    let inside = "<s:Fault><faultcode>s:Client</faultcode><faultstring>no such page</faultstring></s:Fault>";
    (500, inside.to_owned())
}

/// Reads a service that answers with these pages and then with the last one: records and calls.
async fn reads(more: &str, pages: &[(u16, String)]) -> std::result::Result<(u64, usize), String> {
    // Another test may have done it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/cars", listener.local_addr().unwrap());
    let pages = pages.to_vec();
    let calls = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let service = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !String::from_utf8_lossy(&asked).contains("</s:Envelope>") {
                assert!(stream.read_buf(&mut asked).await.unwrap() > 0);
            }
            let at = counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let (status, inside) = &pages[at.min(pages.len() - 1)];
            let body = format!("<s:Envelope xmlns:s='{OLD}'><s:Body>{inside}</s:Body></s:Envelope>");
            let head = format!(
                "HTTP/1.1 {status} x\r\ncontent-type: text/xml; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    let text = format!(
        "dataset = 'x_cars'\n[server]\nurl = 'http://x'\nclient_id = 'c'\nkey = {{ file = 'k' }}\n[source]\nkind = 'soap'\nurl = '{url}'\nrecords = 'Cars/Car'\n{more}"
    );
    let feed = Feed::parse(&text, Path::new(".")).unwrap();
    let Source::Soap(soap) = &feed.source else {
        panic!("{feed:?}")
    };
    let definition = "name: x_cars\nkey: Id\ndata_description: d\nfields:\n  - Id int : n\n";
    let schema = Arc::new(Schema::compile(Arc::new(definition.parse().unwrap()), None));
    let dir = tempfile::tempdir().unwrap();
    let mut count = Count(0);
    let mut rows = Collect::new(&schema, &feed.map, &mut count);
    let done = read(soap, &mut rows, None, dir.path()).await;
    let done = done.and_then(|()| rows.finish());
    service.abort();
    done.map(|_| (count.0, calls.load(std::sync::atomic::Ordering::Relaxed)))
        .map_err(|error| error.to_string())
}

fn paged(words: &str, inside: &str) -> String {
    format!(
        "{words}\nenvelope = \"<s:Envelope xmlns:s='{OLD}'><s:Body><Get>{inside}</Get></s:Body></s:Envelope>\"\n"
    )
}

const SIZED: &str = "<Page>{page}</Page><Size>{page_size}</Size>";

#[tokio::test]
async fn a_page_that_comes_again_is_no_end() {
    let by_size = paged("page_size = 10", SIZED);
    // All there is, or a service that gives the same few for every page.
    let told = reads(&by_size, &[cars(0..3)]).await.unwrap_err();
    assert!(told.contains("source.short_page_ends = true"), "{told}");
    let on = reads(&by_size, &[cars(0..3), cars(3..5), cars(0..0)]).await;
    assert_eq!(on, Ok((5, 3)));
    let told = reads(&by_size, &[cars(0..10)]).await.unwrap_err();
    assert!(
        told.contains("page 2 of") && told.contains("has the records of page 1"),
        "{told}"
    );
    // Where the service is not told how large a page is, its first one may be short.
    let by_page = paged("page_size = 10", "<Page>{page}</Page>");
    let told = reads(&by_page, &[cars(0..3)]).await.unwrap_err();
    assert!(
        told.contains("has the records of page 1") && told.contains("source.short_page_ends = true"),
        "{told}"
    );
}

#[tokio::test]
async fn a_service_may_have_no_page_after_a_short_one() {
    let by_size = paged("page_size = 10", SIZED);
    let told = reads(&by_size, &[cars(0..3), fails()]).await.unwrap_err();
    assert!(
        told.contains("no such page; where page 1 was the last one, source.short_page_ends = true"),
        "{told}"
    );
    let ends = paged("page_size = 10\nshort_page_ends = true", SIZED);
    assert_eq!(reads(&ends, &[cars(0..3), fails()]).await, Ok((3, 1)));
    let pages = [cars(0..10), cars(10..13), fails()];
    assert_eq!(reads(&ends, &pages).await, Ok((13, 2)));
    // After a full page a fault is one.
    let told = reads(&ends, &[cars(0..10), fails()]).await.unwrap_err();
    assert!(
        told.contains("it was full: with another source.page_size"),
        "{told}"
    );
    // Without a size no page is short.
    let told = reads(&paged("", "<Page>{page}</Page>"), &[cars(0..3), fails()])
        .await
        .unwrap_err();
    assert!(
        told.contains("source.page_size with source.short_page_ends = true"),
        "{told}"
    );
    let alone = paged("short_page_ends = true", "<Page>{page}</Page>");
    let text = format!(
        "dataset = 'x_cars'\n[server]\nurl = 'http://x'\nclient_id = 'c'\nkey = {{ file = 'k' }}\n[source]\nkind = 'soap'\nurl = 'http://x'\nrecords = 'Cars/Car'\n{alone}"
    );
    let faults = Feed::parse(&text, Path::new(".")).unwrap_err();
    assert_eq!(faults[0].place, "source.short_page_ends");
}

#[tokio::test]
async fn the_first_page_may_be_empty_where_the_feed_says_so_and_words_end_no_reading() {
    let told = reads(&paged("page_size = 10", SIZED), &[says("none")])
        .await
        .unwrap_err();
    assert!(told.contains("source.may_be_empty = true"), "{told}");
    let may = paged("page_size = 10\nmay_be_empty = true", SIZED);
    assert_eq!(reads(&may, &[says("none")]).await, Ok((0, 1)));
    let told = reads(&may, &[cars(0..10), says("overloaded")]).await.unwrap_err();
    assert!(
        told.contains("page 2 of") && !told.contains("may_be_empty"),
        "{told}"
    );
}
