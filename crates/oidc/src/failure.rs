//! Why somebody was not signed in, by what can be done about it.

/// The texts are for the log: no code, token, claim or secret ever stands in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The person, or the provider on its own account, said no.
    Denied(String),
    /// This sign-in is over: too late, used already, begun in another browser. Begin again.
    Lost(&'static str),
    /// The provider does not answer, or cannot now. Try later.
    Unavailable(String),
    /// The provider's answer is not to be believed, or it does not accept ours: for the operator.
    Refused(String),
    /// Signed in by a way that is not good enough here. Another may do.
    Weak(String),
    /// It is certain who signed in at the provider, but not what the person's code or name is.
    Unnamed(String),
}

impl Failure {
    /// Short and without spaces: for the log and for texts.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Denied(_) => "denied",
            Self::Lost(_) => "lost",
            Self::Unavailable(_) => "unavailable",
            Self::Refused(_) => "refused",
            Self::Weak(_) => "weak",
            Self::Unnamed(_) => "unnamed",
        }
    }

    pub fn cause(&self) -> &str {
        match self {
            Self::Lost(cause) => cause,
            Self::Denied(cause)
            | Self::Unavailable(cause)
            | Self::Refused(cause)
            | Self::Weak(cause)
            | Self::Unnamed(cause) => cause,
        }
    }
}

/// An error's name as the provider sent it, fit for a log whatever it was.
pub(crate) fn clean(name: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    name.chars().filter(plain).take(64).collect()
}

/// `error` of an authorization answer (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6).
pub(crate) fn of_answer(error: &str) -> Failure {
    let name = clean(error);
    match name.as_str() {
        "temporarily_unavailable" | "server_error" => {
            Failure::Unavailable(format!("the provider answered {name}"))
        }
        "access_denied"
        | "login_required"
        | "interaction_required"
        | "consent_required"
        | "account_selection_required"
        | "unmet_authentication_requirements" => Failure::Denied(name),
        // Not in the standard, but eID brokers have words of their own for a person who turned back.
        _ if name.contains("cancel") => Failure::Denied(name),
        _ => Failure::Refused(format!("the provider does not accept the request: {name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errors_name_is_fit_for_a_log() {
        assert_eq!(clean("a\nb <c>\u{202e}é"), "abc");
        assert_eq!(clean(&"x".repeat(1_000)).len(), 64);
        assert_eq!(of_answer("access_denied").word(), "denied");
        assert_eq!(of_answer("user_cancelled").word(), "denied");
        assert_eq!(of_answer("server_error").word(), "unavailable");
        assert_eq!(of_answer("invalid_scope").word(), "refused");
    }
}
