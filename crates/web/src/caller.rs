//! Who may call, visible in a handler's signature.

use std::ops::Deref;

use axum::extract::FromRequestParts;
use dagr_app::ctx::{Caller, Ctx};
use dagr_model::ids::RequestId;
use http::{HeaderMap, HeaderName, header, request::Parts};

use crate::{
    context::{Id, Web},
    problem::Rejected,
};

const PERMISSION: HeaderName = HeaderName::from_static("x-dagr-permission");
const CASE: HeaderName = HeaderName::from_static("x-dagr-case");

macro_rules! callers {
    ($($(#[$doc:meta])* $name:ident, $check:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone)]
            pub struct $name(pub Ctx);

            impl Deref for $name {
                type Target = Ctx;
                fn deref(&self) -> &Ctx {
                    &self.0
                }
            }

            impl FromRequestParts<Web> for $name {
                type Rejection = Rejected;
                async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Rejected> {
                    let id = parts.extensions.get::<Id>().map(|id| id.0.clone());
                    let id = id.unwrap_or_else(|| RequestId::new("-"));
                    let ctx = context(&parts.headers, id, web).await?;
                    let check: fn(&Ctx) -> Result<(), dagr_app::problem::Problem> = $check;
                    check(&ctx)?;
                    Ok(Self(ctx))
                }
            }
        )*
    };
}

callers! {
    /// Whoever: the use case decides (an open set needs no token).
    Anyone, |_| Ok(());
    /// A connection, a person or the operator.
    SignedIn, |ctx| match ctx.caller {
        Caller::Anonymous => Err(dagr_app::problem::Problem::token_invalid()),
        Caller::Operator | Caller::Connection(..) | Caller::Person(_) => Ok(()),
    };
    /// A person with a session.
    Person, |ctx| ctx.person().map(|_| ());
    /// A person with a session, or the operator token.
    Steward, |ctx| match ctx.caller {
        Caller::Operator => Ok(()),
        _ => ctx.person().map(|_| ()),
    };
    /// A producer connection.
    Producer, |ctx| ctx.producer().map(|_| ());
    /// A producer connection, or a person: whose data set it is, the use case asks.
    Supplier, |ctx| match ctx.caller {
        Caller::Person(_) => Ok(()),
        _ => ctx.producer().map(|_| ()),
    };
    /// The operator token, or a person who acts as operator.
    Operator, Ctx::operator;
}

/// What a request says of who calls, under which permission.
pub async fn context(headers: &HeaderMap, request_id: RequestId, web: &Web) -> Result<Ctx, Rejected> {
    let text = |name: HeaderName| header(headers, &name).map(str::to_owned);
    let caller = match header(headers, &header::AUTHORIZATION) {
        Some(value) => web.app.caller(value).await?,
        None => Caller::Anonymous,
    };
    Ok(Ctx {
        request_id,
        now: web.app.now(),
        caller,
        permission: text(PERMISSION),
        case: text(CASE).filter(|case| !case.trim().is_empty()),
    })
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers
        .get(name)
        .and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
}
