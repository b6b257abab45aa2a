//! Who may call, visible in a handler's signature.

use std::ops::Deref;

use axum::extract::FromRequestParts;
use dagr_app::ctx::{Caller, Ctx};
use http::{HeaderMap, request::Parts};

use crate::{
    context::{Id, Web},
    problem::Rejected,
};

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
                    let ctx = context(parts, web).await?;
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
        Caller::Operator | Caller::Connection(_) | Caller::Person(_) => Ok(()),
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
    /// The operator token, or a person who acts as operator.
    Operator, Ctx::operator;
}

async fn context(parts: &Parts, web: &Web) -> Result<Ctx, Rejected> {
    let text = |name: &str| header(&parts.headers, name).map(str::to_owned);
    let caller = match header(&parts.headers, "authorization") {
        Some(value) => web.app.caller(value).await?,
        None => Caller::Anonymous,
    };
    let request_id = parts
        .extensions
        .get::<Id>()
        .map_or_else(|| dagr_model::ids::RequestId::new("-"), |id| id.0.clone());
    Ok(Ctx {
        request_id,
        now: web.app.now(),
        caller,
        permission: text("x-dagr-permission"),
        case: text("x-dagr-case").filter(|case| !case.trim().is_empty()),
    })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get(name)
        .and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
}
