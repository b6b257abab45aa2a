//! The codes of problems, with their HTTP statuses.

macro_rules! codes {
    ($($name:ident = $text:literal, $status:literal;)*) => {
        /// Why a call was refused or failed. The text is part of the interface.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($name,)*
        }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// HTTP status.
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$name => $status,)*
                }
            }
        }
    };
}

codes! {
    // In the order of checks of a data call.
    TokenInvalid = "token_invalid", 401;
    ConnectionKind = "connection_kind", 403;
    DatasetUnknown = "dataset_unknown", 404;
    RateLimited = "rate_limited", 429;
    MissesLimited = "misses_limited", 429;
    PermissionMissing = "permission_missing", 403;
    PermissionSuspended = "permission_suspended", 403;
    PermissionRevoked = "permission_revoked", 403;
    PermissionNotYetValid = "permission_not_yet_valid", 403;
    PermissionExpired = "permission_expired", 403;
    CaseRequired = "case_required", 403;
    PermissionWay = "permission_way", 403;
    FieldUnknown = "field_unknown", 400;
    PermissionField = "permission_field", 403;
    KeyInvalid = "key_invalid", 400;
    CursorInvalid = "cursor_invalid", 400;
    PermissionScope = "permission_scope", 403;
    PermissionExhausted = "permission_exhausted", 403;
    // Of the read and of other calls.
    RoleRequired = "role_required", 403;
    RecordUnknown = "record_unknown", 404;
    CursorExpired = "cursor_expired", 410;
    BodyTooLarge = "body_too_large", 413;
    AnswerTooLarge = "answer_too_large", 413;
    MediaType = "media_type", 415;
    DisclosureUnavailable = "disclosure_unavailable", 503;
    IndexBuilding = "index_building", 503;
    NotFound = "not_found", 404;
    MethodNotAllowed = "method_not_allowed", 405;
    QueryInvalid = "query_invalid", 400;
    BodyInvalid = "body_invalid", 400;
    Invalid = "invalid", 422;
    Exists = "exists", 409;
    StateConflict = "state_conflict", 409;
    PreconditionFailed = "precondition_failed", 412;
    PermissionUnknown = "permission_unknown", 404;
    FileUnknown = "file_unknown", 404;
    PackageConflict = "package_conflict", 409;
    PackageOpen = "package_open", 409;
    PackageOutdated = "package_outdated", 409;
    PackageOrder = "package_order", 409;
    PackageNotHeld = "package_not_held", 409;
    PackageUnreadable = "package_unreadable", 422;
    PackageStalled = "package_stalled", 408;
    PackageRefused = "package_refused", 422;
    ColumnsUnknown = "columns_unknown", 422;
    DefinitionIncompatible = "definition_incompatible", 409;
    Internal = "internal", 500;
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
