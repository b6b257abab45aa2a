//! What moves a connection's bytes: a task of its own, or whoever reads a whole table, which saves a switch for every piece.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
};

use tokio::{sync::oneshot, task::JoinHandle};

use crate::error::Result;

type Connection = Pin<Box<dyn Future<Output = std::result::Result<(), tokio_postgres::Error>> + Send>>;

pub struct Driver {
    /// Whoever sends wants the connection.
    wanted: oneshot::Sender<()>,
    /// `None`: it has ended.
    task: JoinHandle<Option<Connection>>,
}

impl Driver {
    /// The task goes on when the value is dropped.
    pub fn spawn(
        connection: impl Future<Output = std::result::Result<(), tokio_postgres::Error>> + Send + 'static,
    ) -> Self {
        Self::of(Box::pin(connection))
    }

    fn of(connection: Connection) -> Self {
        let (wanted, asked) = oneshot::channel();
        Self {
            wanted,
            task: tokio::spawn(until_wanted(connection, asked)),
        }
    }

    /// The connection is moved by whoever waits for this work.
    pub async fn during<T>(driver: &mut Option<Self>, work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut connection = match driver.take() {
            Some(Self { wanted, task }) => {
                // It has ended where nobody hears it.
                let _ = wanted.send(());
                task.await.ok().flatten()
            }
            None => None,
        };
        let done = both(&mut connection, work).await;
        *driver = connection.map(Self::of);
        done
    }
}

async fn until_wanted(mut connection: Connection, mut asked: oneshot::Receiver<()>) -> Option<Connection> {
    let mut may_ask = true;
    let ended = poll_fn(|cx| {
        if may_ask && let Poll::Ready(wanted) = Pin::new(&mut asked).poll(cx) {
            // Nobody can ask any more.
            may_ask = false;
            if wanted.is_ok() {
                return Poll::Ready(None);
            }
        }
        connection.as_mut().poll(cx).map(Some)
    });
    match ended.await {
        None => Some(connection),
        Some(done) => {
            tell(done);
            None
        }
    }
}

async fn both<T>(connection: &mut Option<Connection>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|cx| {
        if let Some(moving) = connection
            && let Poll::Ready(done) = moving.as_mut().poll(cx)
        {
            tell(done);
            *connection = None;
        }
        work.as_mut().poll(cx)
    })
    .await
}

fn tell(done: std::result::Result<(), tokio_postgres::Error>) {
    if let Err(error) = done {
        tracing::warn!(%error, "the connection to PostgreSQL ended");
    }
}
