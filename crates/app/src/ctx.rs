//! Who asks, and under what: the first argument of every use case.

use std::{collections::BTreeSet, fmt, sync::Arc};

use dagr_model::{
    application::Signatory,
    ids::{ClientId, PersonId, RegistrationNumber, RequestId, Section},
    role::{Role, either},
};
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
    /// A connection, until its access token ends.
    Connection(Arc<Connection>, Timestamp),
    /// Somebody with a session. Never reads record data: that is for connections.
    Person(Arc<Person>),
}

/// A signed-in person.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    /// 11 digits: the person's own data are found by it. In no log and no trail.
    pub code: String,
    pub name: String,
    /// The institution acted for now; none: for oneself.
    pub acting: Option<Acting>,
    /// Every institution the person may act for.
    pub may_act_for: Vec<Acting>,
    /// `oidc`, `development`: how it is known who this is.
    pub signed_in_by: String,
    pub signed_in_at: Timestamp,
    /// The token's hash.
    pub(crate) session: String,
}

/// Acting for one institution, with every role held there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acting {
    pub institution: RegistrationNumber,
    pub roles: BTreeSet<Role>,
}

impl Acting {
    pub fn holds(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.roles.contains(role))
    }
}

/// Neither code nor name: it may end up in a log.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person")
            .field("id", &self.id)
            .field("acting", &self.acting)
            .finish_non_exhaustive()
    }
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
            Caller::Connection(connection, _) => Ok(connection),
            // A session is no access token.
            Caller::Anonymous | Caller::Operator | Caller::Person(_) => Err(Problem::token_invalid()),
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

    /// The operator token, or a person who acts as operator.
    pub fn operator(&self) -> Result<(), Problem> {
        match &self.caller {
            Caller::Operator => Ok(()),
            Caller::Anonymous => Err(Problem::token_invalid()),
            Caller::Connection(..) => Err(Problem::role_required(
                "this call needs the operator token; a connection may not do it",
            )),
            Caller::Person(_) => self.acting(&[Role::Operator]).map(|_| ()),
        }
    }

    /// The operator token alone: what widens access to data is not one person's to do.
    pub fn operator_token(&self) -> Result<(), Problem> {
        match &self.caller {
            Caller::Operator => Ok(()),
            Caller::Anonymous => Err(Problem::token_invalid()),
            Caller::Connection(..) => Err(Problem::role_required(
                "this call needs the operator token; a connection may not do it",
            )),
            Caller::Person(_) => Err(Problem::role_required(
                "one person alone may not widen access: an institution applies and the provider decides",
            )),
        }
    }

    /// The person, or 401; 403 for whoever is none.
    pub fn person(&self) -> Result<&Arc<Person>, Problem> {
        match &self.caller {
            Caller::Person(person) => Ok(person),
            Caller::Anonymous => Err(Problem::token_invalid()),
            Caller::Operator | Caller::Connection(..) => Err(Problem::role_required(
                "this is done by a person: sign in and send the session's token",
            )),
        }
    }

    /// A person who acts for an institution in one of these roles; any role will do when none is named.
    pub fn acting(&self, roles: &[Role]) -> Result<(&Arc<Person>, &Acting), Problem> {
        let person = self.person()?;
        let Some(acting) = &person.acting else {
            return Err(Problem::role_required(
                "choose the institution you act for: this is not done for oneself",
            ));
        };
        if roles.is_empty() || acting.holds(roles) {
            Ok((person, acting))
        } else {
            let (who, institution) = (either(roles), &acting.institution);
            Err(Problem::role_required(format!(
                "this needs the role {who} in institution {institution}"
            )))
        }
    }

    /// The institution a person acts for, if any.
    pub fn acting_for(&self) -> Option<&Acting> {
        match &self.caller {
            Caller::Person(person) => person.acting.as_ref(),
            Caller::Anonymous | Caller::Operator | Caller::Connection(..) => None,
        }
    }

    /// The person as applications know one.
    pub fn signatory(&self) -> Result<Signatory, Problem> {
        let (person, acting) = self.acting(&[])?;
        Ok(Signatory {
            person: person.id,
            institution: acting.institution.clone(),
            roles: acting.roles.clone(),
        })
    }

    /// Whoever is known: a person, a connection, the operator.
    pub fn signed_in(&self) -> Result<(), Problem> {
        match &self.caller {
            Caller::Anonymous => Err(Problem::token_invalid()),
            Caller::Operator | Caller::Connection(..) | Caller::Person(_) => Ok(()),
        }
    }

    /// Who acts, as the audit trail names it.
    pub fn actor_name(&self) -> String {
        match &self.caller {
            Caller::Anonymous => "anonymous".to_owned(),
            Caller::Operator => "operator".to_owned(),
            Caller::Connection(connection, _) => format!("connection:{}", connection.client_id),
            // A number: the trail is read by many, and a code or name says who it is for ever.
            Caller::Person(person) => person.id.to_string(),
        }
    }

    pub fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }
}
