//! Who asks, and under what: the first argument of every use case.

use std::sync::Arc;

use dagr_model::ids::{ClientId, RegistrationNumber, RequestId, Section};
use jiff::Timestamp;

use crate::problem::Problem;

/// One request's context. The clock was read once, when it began.
#[derive(Debug, Clone)]
pub struct Ctx {
    pub request_id: RequestId,
    pub now: Timestamp,
    pub caller: Caller,
    /// `X-DAGR-Permission`, as sent.
    pub permission: Option<String>,
    /// `X-DAGR-Case`, as sent.
    pub case: Option<String>,
}

#[derive(Debug, Clone)]
pub enum Caller {
    /// No token, or none that is valid.
    Anonymous,
    /// The operator token.
    Operator,
    Connection(Arc<Connection>),
}

/// A signed-in connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub client_id: ClientId,
    pub kind: ConnectionKind,
    pub institution: RegistrationNumber,
    pub token_lifetime_s: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionKind {
    Producer,
    Consumer,
}

impl Ctx {
    /// The connection, or 401.
    pub fn connection(&self) -> Result<&Arc<Connection>, Problem> {
        match &self.caller {
            Caller::Connection(connection) => Ok(connection),
            Caller::Anonymous | Caller::Operator => Err(Problem::token_invalid()),
        }
    }

    /// A connection that may read data: a consumer; in the sandbox a producer too.
    pub fn reader(&self, section: Section) -> Result<&Arc<Connection>, Problem> {
        let connection = self.connection()?;
        if connection.kind == ConnectionKind::Producer && section == Section::Main {
            return Err(Problem::new(
                403,
                "connection_kind",
                "this is a producer connection; data are read with a consumer connection",
            ));
        }
        Ok(connection)
    }

    /// A connection that may deliver.
    pub fn producer(&self) -> Result<&Arc<Connection>, Problem> {
        let connection = self.connection()?;
        if connection.kind == ConnectionKind::Consumer {
            return Err(Problem::new(
                403,
                "connection_kind",
                "this is a consumer connection; deliveries are made with a producer connection",
            ));
        }
        Ok(connection)
    }

    pub fn operator(&self) -> Result<(), Problem> {
        match self.caller {
            Caller::Operator => Ok(()),
            Caller::Anonymous => Err(Problem::token_invalid()),
            Caller::Connection(_) => Err(Problem::role_required(
                "this call needs the operator token; a connection may not do it",
            )),
        }
    }

    /// Who acts, as the audit trail names it.
    pub fn actor_name(&self) -> String {
        match &self.caller {
            Caller::Anonymous => "anonymous".to_owned(),
            Caller::Operator => "operator".to_owned(),
            Caller::Connection(connection) => format!("connection:{}", connection.client_id),
        }
    }

    pub fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }
}
