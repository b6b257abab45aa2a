//! The data port with TLS: what a client sees that trusts the right authority, another one, or speaks no TLS.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
    time::Duration,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::server::{Server, dagr};

/// Nobody waits longer for an answer that does not come.
const PATIENCE: Duration = Duration::from_secs(30);

/// An authority, and a certificate of it for 127.0.0.1.
pub struct Made {
    dir: tempfile::TempDir,
    pub ca_pem: String,
    ca: CertifiedIssuer<'static, KeyPair>,
    certificate: PathBuf,
    key: PathBuf,
}

impl Made {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let made = Self {
            ca_pem: ca.pem(),
            ca,
            certificate: dir.path().join("certificate.pem"),
            key: dir.path().join("key.pem"),
            dir,
        };
        std::fs::write(&made.key, key.serialize_pem()).unwrap();
        made.certify(4096);
        made
    }

    /// A certificate that is valid until a year begins, in the place of the one before.
    pub fn certify(&self, year: i32) {
        let key = KeyPair::from_pem(&std::fs::read_to_string(&self.key).unwrap()).unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let certificate = params.signed_by(&key, &self.ca).unwrap();
        std::fs::write(&self.certificate, certificate.pem()).unwrap();
    }

    pub fn settings(&self) -> [(&str, &str); 2] {
        [
            ("DAGR_LISTEN__TLS_CERTIFICATE", self.certificate.to_str().unwrap()),
            ("DAGR_LISTEN__TLS_KEY", self.key.to_str().unwrap()),
        ]
    }
}

/// A client that trusts these authorities and no other.
fn trusting(ca_pem: &[&str]) -> reqwest::Client {
    dagr_server::tls::install_provider();
    let trusted = ca_pem
        .iter()
        .map(|pem| reqwest::Certificate::from_pem(pem.as_bytes()).unwrap());
    reqwest::Client::builder()
        .tls_certs_only(trusted)
        .no_proxy()
        .build()
        .unwrap()
}

fn connect(url: &str) -> TcpStream {
    let address = url.split_once("://").unwrap().1;
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// What comes back until the server closes; a reset is an end too.
fn exchange(url: &str, sent: &[u8]) -> Vec<u8> {
    let mut socket = connect(url);
    socket.write_all(sent).unwrap();
    let (mut answer, mut piece) = (Vec::new(), [0; 4_096]);
    loop {
        match socket.read(&mut piece) {
            Ok(0) => return answer,
            Ok(read) => answer.extend_from_slice(&piece[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return answer,
            Err(error) => panic!("the server neither answers nor closes: {error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_trusts_the_authority_is_answered_and_nobody_else() {
    let made = Made::new();
    let server = Server::start_with(&made.settings());
    assert!(server.data.starts_with("https://127.0.0.1:"), "{}", server.data);
    assert!(server.operations.starts_with("http://127.0.0.1:"));
    let metadata = format!("{}/.well-known/oauth-authorization-server", server.data);

    let answer = trusting(&[&made.ca_pem]).get(&metadata).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let metadata_json: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(
        metadata_json["issuer"], server.data,
        "the public URL is https too"
    );
    assert_eq!(metadata_json["token_endpoint"], format!("{}/token", server.data));

    let stranger = Made::new();
    for trusted in [vec![], vec![stranger.ca_pem.as_str()]] {
        let refused = trusting(&trusted).get(&metadata).send().await.unwrap_err();
        assert!(refused.is_connect(), "{refused:?}");
    }
    let named = metadata.replace("127.0.0.1", "localhost");
    let refused = trusting(&[&made.ca_pem]).get(&named).send().await.unwrap_err();
    assert!(
        refused.is_connect(),
        "the certificate is for another name: {refused:?}"
    );

    // Whoever was turned away, others go on; health stays plain on its own port.
    let answer = trusting(&[&made.ca_pem]).get(&metadata).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(server.ready().await.0, 200);
}

#[test]
fn the_command_line_calls_over_tls() {
    let made = Made::new();
    let server = Server::start_with(&made.settings());
    let ca = made.dir.path().join("ca.pem");
    std::fs::write(&ca, &made.ca_pem).unwrap();
    let call = |trusted: Option<&PathBuf>| {
        let mut command = dagr();
        command
            .args(["institution", "list", "--json", "--server", &server.data])
            .arg("--data")
            .arg(server.dir())
            .env_remove("SSL_CERT_DIR");
        if let Some(trusted) = trusted {
            command.env("SSL_CERT_FILE", trusted);
        }
        command.output().unwrap()
    };
    let answered = call(Some(&ca));
    assert_eq!(answered.status.code(), Some(0), "{answered:?}");
    let refused = call(None);
    assert_eq!(refused.status.code(), Some(1));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!said.contains(&server.operator_token()), "{said}");
}

#[test]
fn plain_http_on_the_tls_port_is_no_answer() {
    let made = Made::new();
    let server = Server::start_with(&made.settings());
    let answer = exchange(&server.data, b"GET /service_list HTTP/1.1\r\nhost: x\r\n\r\n");
    assert!(
        !answer.windows(5).any(|bytes| bytes == b"HTTP/"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

/// A first message as clients of `version` (0x0301 = TLS 1.0, 0x0302 = 1.1) send it.
fn old_hello(version: u16) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]); // random
    body.push(0); // no session
    // ECDHE_ECDSA and ECDHE_RSA with AES 128, CBC; and AES 128 alone.
    body.extend([0, 6, 0xc0, 0x09, 0xc0, 0x13, 0x00, 0x2f]);
    body.extend([1, 0]); // no compression
    let groups: [u8; 8] = [0, 10, 0, 4, 0, 2, 0, 23]; // secp256r1
    let formats: [u8; 6] = [0, 11, 0, 2, 1, 0];
    body.extend(((groups.len() + formats.len()) as u16).to_be_bytes());
    body.extend(groups);
    body.extend(formats);
    let mut message = vec![1, 0];
    message.extend((body.len() as u16).to_be_bytes());
    message.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend((message.len() as u16).to_be_bytes());
    record.extend(message);
    record
}

#[test]
fn old_versions_of_tls_get_an_alert() {
    let made = Made::new();
    let server = Server::start_with(&made.settings());
    for version in [0x0301, 0x0302] {
        let answer = exchange(&server.data, &old_hello(version));
        // An alert record (21), fatal (2).
        assert_eq!(answer.first(), Some(&21), "{version:x}: {answer:?}");
        assert_eq!(answer.get(5), Some(&2), "{version:x}: {answer:?}");
        assert_eq!(answer.len(), 7, "an alert and nothing else: {answer:?}");
    }
}

#[test]
fn what_cannot_be_served_safely_is_not_started() {
    let (made, other) = (Made::new(), Made::new());
    let dir = tempfile::tempdir().unwrap();
    let certificate = ("DAGR_LISTEN__TLS_CERTIFICATE", made.certificate.to_str().unwrap());
    let absent = dir.path().join("absent");
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("DAGR_LISTEN__DATA", "0.0.0.0:0")],
            "plain HTTP only on loopback",
        ),
        (&[("DAGR_LISTEN__DATA", "[::]:0")], "plain HTTP only on loopback"),
        (
            &[("DAGR_LISTEN__OPERATIONS", "0.0.0.0:0")],
            "plain HTTP only on loopback",
        ),
        (&[certificate], "go together"),
        (
            &[certificate, ("DAGR_LISTEN__TLS_KEY", other.key.to_str().unwrap())],
            "no TLS with",
        ),
        (
            &[certificate, ("DAGR_LISTEN__TLS_KEY", absent.to_str().unwrap())],
            "no TLS with",
        ),
    ];
    for (settings, why) in cases {
        let output = dagr()
            .args(["serve", "--data"])
            .arg(dir.path().join("data"))
            .env("DAGR_LISTEN__DATA", "127.0.0.1:0")
            .env("DAGR_LISTEN__OPERATIONS", "127.0.0.1:0")
            .envs(settings.iter().copied())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{settings:?}: {said}");
        assert!(said.contains(why), "{settings:?}: {said}");
        assert!(output.stdout.is_empty(), "it never was ready");
    }
    // Only checked: nothing but loopback is listened on here.
    for settings in [
        &[
            ("DAGR_LISTEN__DATA", "0.0.0.0:8480"),
            ("DAGR_LISTEN__ALLOW_PLAIN_HTTP", "true"),
        ] as &[_],
        &[
            ("DAGR_LISTEN__DATA", "0.0.0.0:8480"),
            certificate,
            ("DAGR_LISTEN__TLS_KEY", made.key.to_str().unwrap()),
        ],
    ] {
        let output = dagr()
            .args(["config", "check"])
            .envs(settings.iter().copied())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{settings:?}: {output:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_url_is_the_one_configured_and_the_ready_line_tells_what_is_listened_on() {
    let server = Server::start_with(&[("DAGR_LISTEN__PUBLIC_URL", "https://dagr.example")]);
    // Behind a proxy that does TLS the port itself is plain.
    assert!(server.data.starts_with("http://127.0.0.1:"), "{}", server.data);
    let metadata = server
        .anonymous()
        .get("/.well-known/oauth-authorization-server")
        .await
        .unwrap();
    assert_eq!(metadata["issuer"], "https://dagr.example");
}
