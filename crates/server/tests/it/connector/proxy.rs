//! What lies between a feed and its server: bytes pass, are counted and written down, or vanish.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use dagr_server::client::{Client, SigningKey};

use crate::server::{Party, Server};

/// A proxy on a port of its own. Its threads end with their connections.
pub struct Proxy {
    pub url: String,
    line: Arc<Line>,
}

#[derive(Default)]
struct Line {
    to: Mutex<String>,
    /// Nothing passes any more, on no connection.
    cut: AtomicBool,
    /// Bytes that clients may still send before it is cut by itself.
    left: AtomicU64,
    /// What the server answers is lost.
    swallows: AtomicBool,
}

impl Proxy {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let line = Arc::new(Line {
            left: AtomicU64::new(u64::MAX),
            ..Line::default()
        });
        let shared = Arc::clone(&line);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let line = Arc::clone(&shared);
                thread::spawn(move || line.connect(client));
            }
        });
        Self { url, line }
    }

    /// Where it leads, as `http://…`.
    pub fn lead_to(&self, url: &str) {
        let address = url.trim_start_matches("http://");
        address.clone_into(&mut self.line.to.lock().unwrap());
    }

    /// Cuts the line when clients have sent so many bytes more.
    pub fn cut_after(&self, bytes: u64) {
        self.line.left.store(bytes, Ordering::SeqCst);
    }

    /// The server's answers are lost, or pass again: on connections that lost something they stay away.
    pub fn swallow(&self, swallows: bool) {
        self.line.swallows.store(swallows, Ordering::SeqCst);
    }

    /// Signed in by the address that the proxy makes public, calling past the proxy.
    pub async fn past(&self, server: &Server, party: Party) -> Party {
        let key = SigningKey::from_pem(&party.key_pem).unwrap();
        let given = server
            .anonymous()
            .sign_in(&party.client_id, &key, &self.url)
            .await;
        let client = Client::bearer(&server.data, &given.unwrap().access_token).unwrap();
        Party { client, ..party }
    }

    pub fn is_cut(&self) -> bool {
        self.line.cut.load(Ordering::SeqCst)
    }

    /// New connections pass; those of before stay dead.
    pub fn mend(&self) {
        self.line.left.store(u64::MAX, Ordering::SeqCst);
        self.line.cut.store(false, Ordering::SeqCst);
    }
}

impl Line {
    fn connect(self: Arc<Self>, client: TcpStream) {
        let to = self.to.lock().unwrap().clone();
        let Ok(server) = TcpStream::connect(to) else {
            return;
        };
        let dead = Arc::new(AtomicBool::new(false));
        let (line, gone) = (Arc::clone(&self), Arc::clone(&dead));
        let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let up = thread::spawn(move || line.pass(from, to, true, &gone));
        self.pass(server, client, false, &dead);
        let _ = up.join();
    }

    /// Once dead, bytes are taken and lead nowhere, and the other side hears of nothing, its end included.
    fn pass(&self, mut from: TcpStream, mut to: TcpStream, is_up: bool, dead: &AtomicBool) {
        let mut piece = [0; 16 << 10];
        while let Ok(read @ 1..) = from.read(&mut piece) {
            if is_up {
                self.count(read as u64);
            }
            if self.cut.load(Ordering::SeqCst) || (!is_up && self.swallows.load(Ordering::SeqCst)) {
                dead.store(true, Ordering::SeqCst);
            }
            if !dead.load(Ordering::SeqCst) && to.write_all(&piece[..read]).is_err() {
                break;
            }
        }
        if !dead.load(Ordering::SeqCst) && !self.cut.load(Ordering::SeqCst) {
            let _ = to.shutdown(Shutdown::Write);
        }
    }

    fn count(&self, bytes: u64) {
        let left = self.left.load(Ordering::SeqCst);
        if left == u64::MAX {
            return;
        }
        let now = left.saturating_sub(bytes);
        self.left.store(now, Ordering::SeqCst);
        if now == 0 {
            self.cut.store(true, Ordering::SeqCst);
        }
    }
}
