//! TPC-H: `orders` with nested `lineitem` out of PostgreSQL, as one nested data set, through the refresh functions of
//! the benchmark. `DAGR_TPCH_ORDERS` says how many orders there are.

use std::time::{Duration, Instant};

use dagr_model::{
    digest::{SetDigest, record_digest},
    jcs,
};
use serde_json::{Map, Value, json};

use super::{Desk, figure, postgres::Database, state, within};
use crate::server::{Party, Server};

/// Every column of the specification's section 1.4.
const TABLES: &str = "
CREATE TABLE orders (o_orderkey bigint PRIMARY KEY, o_custkey bigint NOT NULL, o_orderstatus char(1) NOT NULL,
  o_totalprice numeric(15,2) NOT NULL, o_orderdate date NOT NULL, o_orderpriority char(15) NOT NULL, o_clerk char(15) NOT NULL,
  o_shippriority int NOT NULL, o_comment varchar(79) NOT NULL);
CREATE TABLE lineitem (l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL, l_linenumber int NOT NULL,
  l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL, l_discount numeric(15,2) NOT NULL,
  l_tax numeric(15,2) NOT NULL, l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL,
  l_commitdate date NOT NULL, l_receiptdate date NOT NULL, l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL,
  l_comment varchar(44) NOT NULL, PRIMARY KEY (l_orderkey, l_linenumber));
-- Neither clocks nor random(): the same rows each time.
CREATE FUNCTION drawn(seed text, below bigint) RETURNS bigint IMMUTABLE LANGUAGE sql AS
  $$ SELECT (('x' || substr(md5(seed), 1, 15))::bit(60)::bigint) % below $$;
";

/// Orders by their running numbers; a key has gaps as the specification wants them: eight of thirty-two.
fn orders(from: u64, to: u64) -> String {
    format!(
        "INSERT INTO orders SELECT n / 8 * 32 + n % 8, 1 + drawn('c' || n, 150000), (ARRAY['O', 'F', 'P'])[1 + drawn('s' || n, 3)],
    (85771 + drawn('p' || n, 55000000)) / 100.0, date '1992-01-01' + drawn('d' || n, 2405)::int,
    (ARRAY['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'])[1 + drawn('r' || n, 5)],
    'Clerk#' || lpad((1 + drawn('k' || n, 1000))::text, 9, '0'), 0, 'comment — ' || md5('o' || n)
  FROM generate_series({from}, {to}) n;
INSERT INTO lineitem SELECT n / 8 * 32 + n % 8, 1 + drawn('lp' || n || l, 200000), 1 + drawn('ls' || n || l, 10000), l,
    1 + drawn('lq' || n || l, 50), (90000 + drawn('le' || n || l, 10000000)) / 100.0, drawn('ld' || n || l, 11) / 100.0,
    drawn('lt' || n || l, 9) / 100.0, (ARRAY['R', 'A', 'N'])[1 + drawn('lf' || n || l, 3)], (ARRAY['O', 'F'])[1 + drawn('lx' || n || l, 2)],
    date '1992-01-02' + drawn('l1' || n || l, 2500)::int, date '1992-01-31' + drawn('l2' || n || l, 2500)::int,
    date '1992-01-03' + drawn('l3' || n || l, 2530)::int,
    (ARRAY['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[1 + drawn('li' || n || l, 4)],
    (ARRAY['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'])[1 + drawn('lm' || n || l, 7)], md5('lc' || n || l)
  FROM generate_series({from}, {to}) n, LATERAL generate_series(1, 1 + drawn('l' || n, 7)::int) l"
    )
}

/// Field, its type, its column.
const ORDER: [(&str, &str, &str); 9] = [
    ("OrderKey", "int", "o_orderkey"),
    ("CustKey", "int", "o_custkey"),
    ("OrderStatus", "", "o_orderstatus"),
    ("TotalPrice", "decimal", "o_totalprice"),
    ("OrderDate", "date", "o_orderdate"),
    ("OrderPriority", "", "o_orderpriority"),
    ("Clerk", "", "o_clerk"),
    ("ShipPriority", "int", "o_shippriority"),
    ("Comment", "", "o_comment"),
];
const LINE: [(&str, &str, &str); 15] = [
    ("LineNumber", "int", "l_linenumber"),
    ("PartKey", "int", "l_partkey"),
    ("SuppKey", "int", "l_suppkey"),
    ("Quantity", "decimal", "l_quantity"),
    ("ExtendedPrice", "decimal", "l_extendedprice"),
    ("Discount", "decimal", "l_discount"),
    ("Tax", "decimal", "l_tax"),
    ("ReturnFlag", "", "l_returnflag"),
    ("LineStatus", "", "l_linestatus"),
    ("ShipDate", "date", "l_shipdate"),
    ("CommitDate", "date", "l_commitdate"),
    ("ReceiptDate", "date", "l_receiptdate"),
    ("ShipInstruct", "", "l_shipinstruct"),
    ("ShipMode", "", "l_shipmode"),
    ("LineComment", "", "l_comment"),
];

fn definition() -> String {
    let mut text =
        "name: th_orders\nkey: OrderKey\ndata_description: Pasūtījumi ar rindām\nclassification: restricted\nfields:\n".to_owned();
    for (name, ty, _) in ORDER {
        text.push_str(&format!("  - {name} {ty} : {name}\n"));
    }
    text.push_str("  - Lines * :\n      comments: rindas\n      fields:\n");
    for (name, ty, _) in LINE {
        text.push_str(&format!("        - {name} {ty} : {name}\n"));
    }
    text
}

/// By columns named as the fields are; blanks that pad a `char(n)` are no part of its value.
fn feed(url: &str) -> String {
    let columns = |fields: &[(&str, &str, &str)]| -> String {
        let named = fields.iter().map(|(name, ty, column)| match *ty {
            "" => format!("rtrim({column}) AS \"{name}\""),
            _ => format!("{column} AS \"{name}\""),
        });
        named.collect::<Vec<_>>().join(", ")
    };
    format!(
        "dataset = 'th_orders'\n[source]\nkind = 'postgres'\nurl = '{url}'\nquery = '''SELECT {} FROM orders'''\n[[source.lists]]\nfield = 'Lines'\n\
         query = '''SELECT l_orderkey, {} FROM lineitem'''\nmatch = {{ l_orderkey = 'OrderKey' }}\norder = ['LineNumber']\n\
         [source.follow]\nevery = '20ms'\n{}",
        columns(&ORDER),
        columns(&LINE),
        FOLLOWED
    )
}

const FOLLOWED: &str = "[[source.follow.tables]]
table = 'public.orders'
key = { o_orderkey = 'OrderKey' }
[[source.follow.tables]]
table = 'public.lineitem'
key = { l_orderkey = 'OrderKey' }
";

struct Held {
    records: u64,
    lines: u64,
    digest: String,
}

/// What PostgreSQL itself says its records are, by `jsonb`, none of the feed's code: canonical JSON is made here.
async fn held(database: &Database) -> Held {
    let members = |fields: &[(&str, &str, &str)]| -> String {
        let each = fields.iter().map(|(name, ty, column)| match *ty {
            "decimal" => format!("'{name}', {column}::double precision"),
            "" => format!("'{name}', rtrim({column})"),
            _ => format!("'{name}', {column}"),
        });
        each.collect::<Vec<_>>().join(", ")
    };
    let query = format!(
        "SELECT jsonb_build_object({}, 'Lines', (SELECT jsonb_agg(jsonb_build_object({}) ORDER BY l_linenumber) FROM lineitem WHERE l_orderkey = o_orderkey))::text FROM orders",
        members(&ORDER),
        members(&LINE)
    );
    let rows = database.client.query(query.as_str(), &[]).await.unwrap();
    let (mut digest, mut lines) = (SetDigest::default(), 0);
    for row in &rows {
        let value: Value = serde_json::from_str(row.get(0)).unwrap();
        lines += value["Lines"].as_array().map_or(0, Vec::len) as u64;
        digest.add(&record_digest(&in_order(value)));
    }
    Held {
        records: rows.len() as u64,
        lines,
        digest: digest.hex(),
    }
}

/// A record's members stand in the order of the definition, a list that is empty is left out; numbers as RFC 8785 writes
/// them.
fn in_order(mut value: Value) -> Vec<u8> {
    let order = |value: &mut Value, fields: &[(&str, &str, &str)]| -> Map<String, Value> {
        let each = fields
            .iter()
            .map(|(name, ..)| ((*name).to_owned(), value[name].take()));
        each.collect()
    };
    let lines = value["Lines"].take();
    let mut record = order(&mut value, &ORDER);
    if let Value::Array(lines) = lines {
        let lines = lines
            .into_iter()
            .map(|mut line| Value::Object(order(&mut line, &LINE)));
        record.insert("Lines".to_owned(), lines.collect());
    }
    text(&Value::Object(record)).into_bytes()
}

fn text(value: &Value) -> String {
    let joined = |items: Vec<String>| items.join(",");
    match value {
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, member)| format!("{}:{}", json!(name), text(member)));
            format!("{{{}}}", joined(members.collect()))
        }
        Value::Array(items) => format!("[{}]", joined(items.iter().map(text).collect())),
        leaf => String::from_utf8(jcs::canonical(leaf)).unwrap(),
    }
}

/// Until something more is at the server; it must be what the database holds. Gives what both hold, and how long it took.
async fn until_equal(what: &str, database: &Database, provider: &Party, before: &Value) -> (Held, Duration) {
    let began = Instant::now();
    within(60 + wanted() / 100, what, async || {
        state(provider, "th_orders").await["last_sequence"] != *before
    })
    .await;
    let took = began.elapsed();
    let held = held(database).await;
    let state = state(provider, "th_orders").await;
    assert_eq!(
        (&state["records"], &state["digest"]),
        (&json!(held.records), &json!(held.digest)),
        "{what}"
    );
    (held, took)
}

fn wanted() -> u64 {
    std::env::var("DAGR_TPCH_ORDERS").map_or(3_000, |text| text.parse().unwrap())
}

#[tokio::test]
async fn orders_with_their_lines_are_one_nested_data_set_through_every_refresh() {
    let Some(database) = Database::start().await else {
        return;
    };
    let orders_wanted = wanted();
    // RF1 and RF2 are a thousandth each, and something where that would be nothing.
    let refreshed = (orders_wanted / 1_000).max(3);
    database.run(TABLES).await;
    database.run(&orders(1, orders_wanted)).await;
    let server = Server::start();
    let provider = server.producer().await;
    server.publish(&provider, "th_orders", &definition()).await;
    let desk = Desk::feed(&server, &provider, &feed(&database.url));
    let before = state(&provider, "th_orders").await["last_sequence"].clone();
    let service = desk.service();
    let (first, loaded) = until_equal("the first load", &database, &provider, &before).await;
    figure(&format!(
        "first load: {} orders with {} lines in {:.1} s, {:.0} orders a second",
        first.records,
        first.lines,
        loaded.as_secs_f64(),
        first.records as f64 / loaded.as_secs_f64()
    ));
    for (what, statements) in [
        ("RF1", orders(orders_wanted + 1, orders_wanted + refreshed)),
        (
            "updated lines",
            format!(
                "UPDATE lineitem SET l_quantity = l_quantity + 1, l_comment = 'ķ ' || l_comment WHERE l_linenumber = 1 AND l_orderkey <= {}; DELETE FROM lineitem WHERE l_linenumber > 3 AND l_orderkey <= 64; UPDATE lineitem SET l_orderkey = 1, l_linenumber = 100 + l_linenumber WHERE l_orderkey = 2",
                refreshed * 4
            ),
        ),
        (
            "RF2",
            format!(
                "DELETE FROM lineitem WHERE l_orderkey IN (SELECT o_orderkey FROM orders ORDER BY 1 DESC LIMIT {refreshed}); DELETE FROM orders WHERE o_orderkey IN (SELECT o_orderkey FROM orders ORDER BY 1 DESC LIMIT {refreshed})"
            ),
        ),
    ] {
        let before = state(&provider, "th_orders").await["last_sequence"].clone();
        database.run(&format!("BEGIN; {statements}; COMMIT")).await;
        let (now, took) = until_equal(what, &database, &provider, &before).await;
        figure(&format!(
            "{what}: {} orders, {} lines, at the server {} ms after the commit",
            now.records,
            now.lines,
            took.as_millis()
        ));
    }
    desk.until_whole(service, &provider, "th_orders").await;
    let packages = provider
        .client
        .get("/intake/th_orders/packages?limit=1000")
        .await
        .unwrap();
    let packages = packages["packages"].as_array().unwrap().len();
    figure(&format!("{packages} packages"));
    assert_eq!(packages, 4, "the load and a package for each transaction");
}
