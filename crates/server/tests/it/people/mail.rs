//! Notifications by e-mail, to a mail server on loopback that speaks SMTP.

use std::collections::VecDeque;

use dagr_server::{
    config::{Mail, MailTls},
    mail::{Post, round},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::*;

/// What it answers to `RCPT`, one after the other; then 250.
type Script = Arc<Mutex<VecDeque<&'static str>>>;

#[derive(Clone)]
struct MailServer {
    port: u16,
    script: Script,
    /// Messages it took, as sent.
    taken: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    async fn start(port: u16) -> (Self, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            script: Script::default(),
            taken: Arc::default(),
        };
        let ours = server.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // One conversation at a time; one that breaks off is the client's affair.
                let _ = ours.converse(stream).await;
            }
        });
        (server, task)
    }

    fn post(&self) -> Post {
        let mail = Mail {
            host: Some("127.0.0.1".to_owned()),
            port: self.port,
            tls: MailTls::None,
            from: Some("DAGR <dagr@example.lv>".to_owned()),
            ..Mail::default()
        };
        Post::new(&mail, "https://dagr.test/").unwrap().unwrap()
    }

    fn script(&self, answers: &[&'static str]) {
        self.script.lock().unwrap().extend(answers);
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.taken.lock().unwrap())
    }

    async fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 mail.test ESMTP\r\n").await?;
        while let Some(line) = lines.next_line().await? {
            let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            let answer = match verb.as_str() {
                "EHLO" => "250-mail.test\r\n250 8BITMIME",
                "RCPT" => self.script.lock().unwrap().pop_front().unwrap_or("250 ok"),
                "DATA" => {
                    write.write_all(b"354 go on\r\n").await?;
                    let mut message = String::new();
                    while let Some(line) = lines.next_line().await? {
                        if line == "." {
                            break;
                        }
                        message.push_str(&line);
                        message.push('\n');
                    }
                    self.taken.lock().unwrap().push(message);
                    "250 taken"
                }
                _ => "250 ok",
            };
            write.write_all(format!("{answer}\r\n").as_bytes()).await?;
            if verb == "QUIT" {
                break;
            }
        }
        Ok(())
    }
}

/// A head of the provider who wants mail, and somebody who applies.
async fn cast(office: &Office) -> (String, String) {
    let (_, applicant) = office.person(1, RECIPIENT, &[Role::DataManager]).await;
    let (_, head) = office.person(2, PROVIDER, &[Role::Head]).await;
    let put = json!({ "address": "zane.ozola@riga.lv", "language": "lv" });
    let set = office
        .call(&head, Method::PUT, "/registry/session/mail", put)
        .await;
    assert_eq!(set.status, 200, "{}", set.text());
    (applicant, head)
}

fn header<'m>(message: &'m str, name: &str) -> &'m str {
    let head = message.split("\n\n").next().unwrap();
    let line = head.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_default().trim_start_matches(':').trim()
}

#[tokio::test]
async fn what_is_told_goes_out_once_and_what_is_refused_waits_or_ends() {
    let office = Office::open().await;
    let (applicant, head) = cast(&office).await;
    let (server, _task) = MailServer::start(0).await;
    let post = server.post();
    // Told before mail began: in the portal only.
    office.submitted(&applicant, asked()).await;
    round(&office.app, &post).await.unwrap();
    assert!(server.taken().is_empty());

    let path = office.submitted(&applicant, asked()).await;
    let number = path.rsplit('/').next().unwrap();
    round(&office.app, &post).await.unwrap();
    round(&office.app, &post).await.unwrap();
    let taken = server.taken();
    let [message] = taken.as_slice() else {
        panic!("{taken:?}")
    };
    assert_eq!(header(message, "To"), "zane.ozola@riga.lv");
    assert_eq!(header(message, "From"), "DAGR <dagr@example.lv>");
    assert_eq!(header(message, "Auto-Submitted"), "auto-generated");
    // RFC 2047: headers are ASCII.
    assert!(message.split("\n\n").next().unwrap().is_ascii(), "{message}");
    let subject = format!("Iesniegts pieteikums {number}: gaida =?utf-8?b?");
    assert!(header(message, "Subject").starts_with(&subject), "{message}");
    let link = format!("https://dagr.test/lv/applications/{number}");
    assert!(message.contains(&link), "{message}");
    // Not who applied, nor what for.
    assert!(
        !message.contains("Persona") && !message.contains("Pabalsts"),
        "{message}"
    );

    // Not now: later, under the same name.
    server.script(&["451 4.3.0 busy"]);
    office.submitted(&applicant, asked()).await;
    round(&office.app, &post).await.unwrap();
    assert!(server.taken().is_empty());
    let state = office.app.mail_state().await.unwrap();
    assert_eq!((state.waiting, state.given_up), (1, 0));
    assert_eq!(state.reason.as_deref(), Some("the mail server answered 451"));
    round(&office.app, &post).await.unwrap();
    assert!(server.taken().is_empty(), "it was tried again at once");
    office.set_clock("2024-06-03T12:02:00Z");
    // As another start would.
    round(&office.app, &server.post()).await.unwrap();
    assert_eq!(server.taken().len(), 1);

    // Never: given up, and nothing else waits for it.
    server.script(&["550 5.1.1 no such zane.ozola@riga.lv"]);
    office.submitted(&applicant, asked()).await;
    office.submitted(&applicant, asked()).await;
    round(&office.app, &post).await.unwrap();
    assert_eq!(server.taken().len(), 1);
    let state = office.app.mail_state().await.unwrap();
    assert_eq!((state.waiting, state.given_up), (0, 1));
    assert!(!state.reason.unwrap().contains("zane"), "the answer was quoted");

    let stop = office
        .call(&head, Method::DELETE, "/registry/session/mail", json!(null))
        .await;
    assert_eq!(stop.status, 204, "{}", stop.text());
    office.submitted(&applicant, asked()).await;
    round(&office.app, &post).await.unwrap();
    assert!(server.taken().is_empty());
}

#[tokio::test]
async fn mail_waits_for_a_server_that_is_not_there_and_loses_nothing() {
    let office = Office::open().await;
    let (applicant, _) = cast(&office).await;
    let (server, task) = MailServer::start(0).await;
    round(&office.app, &server.post()).await.unwrap();
    task.abort();
    let _ = task.await;
    for _ in 0..3 {
        office.submitted(&applicant, asked()).await;
    }
    for _ in 0..5 {
        round(&office.app, &server.post()).await.unwrap();
    }
    assert_eq!(office.app.mail_state().await.unwrap().waiting, 3);
    let (server, _task) = MailServer::start(server.port).await;
    round(&office.app, &server.post()).await.unwrap();
    let taken = server.taken();
    let ids: std::collections::BTreeSet<&str> = taken
        .iter()
        .map(|message| header(message, "Message-ID"))
        .collect();
    assert_eq!((taken.len(), ids.len()), (3, 3));
}

#[tokio::test]
async fn an_address_is_ones_own_and_has_to_be_one() {
    let office = Office::open().await;
    let (_, head) = cast(&office).await;
    let (_, other) = office.person(3, PROVIDER, &[Role::Head]).await;
    let path = "/registry/session/mail";
    assert_eq!(
        office.get(&head, path).await.json(),
        json!({ "address": "zane.ozola@riga.lv", "language": "lv" })
    );
    assert_eq!(office.get(&other, path).await.status, 404);
    let bad = json!({ "address": "zane@riga.lv\r\nBcc: x@y.lv", "language": "de" });
    let refused = office.call(&other, Method::PUT, path, bad).await;
    let faults = refused.json()["errors"].as_array().map(Vec::len);
    assert_eq!((refused.status, faults), (422, Some(2)), "{}", refused.text());
    let audit = office
        .get(&office.operator_token(), "/registry/audit?limit=1000")
        .await;
    assert!(audit.text().contains("mail_address_put"));
    assert!(!audit.text().contains("zane.ozola"), "the trail holds an address");
}
