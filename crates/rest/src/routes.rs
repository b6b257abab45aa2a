//! Every route on one page. A handler's name is its operationId; who may call stands in its first argument.
//!
//! Middleware, outermost first: `frame` (request id, log line, metrics, problem bodies) · compression of large answers
//! (not of event streams; public files by zstd only: with gzip, which many clients ask for unasked, their length would be lost).

use std::sync::Arc;

use axum::{
    Router,
    middleware::from_fn,
    routing::{delete, get, patch, post, put},
};
use dagr_app::{App, problem::Problem};
use dagr_web::{
    Rejected,
    context::{Web, frame},
};
use tower_http::compression::{
    CompressionLayer,
    predicate::{NotForContentType, Predicate, SizeAbove},
};

use crate::{api, catalogue, data, intake, public, registry, token};

/// Answers below this are sent as they are.
pub(crate) const COMPRESS_ABOVE_BYTES: u64 = 16 << 10;

/// The whole interface of the data port.
pub fn router(app: Arc<App>) -> Router {
    // Compressed, an event would wait for the next one.
    let large = SizeAbove::new(COMPRESS_ABOVE_BYTES)
        .and(NotForContentType::IMAGES)
        .and(NotForContentType::SSE);
    let answers = CompressionLayer::new().compress_when(large.clone());
    let downloads = CompressionLayer::new().no_gzip().compress_when(large);
    let files = Router::new().route("/public/{set}", get(public::file_get));
    Router::new()
        .merge(recipient())
        .merge(provider())
        .nest("/registry", administration())
        .merge(documents())
        .layer(answers)
        .merge(files.layer(downloads))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn(frame))
        .with_state(Web { app })
}

fn recipient() -> Router<Web> {
    let calls = Router::new()
        .route("/{set}/records", get(data::record_get))
        .route("/{set}/records/", get(data::record_get))
        .route("/{set}/records/{*key}", get(data::record_get))
        .route("/{set}/lookup", post(data::lookup))
        .route("/{set}/definition", get(data::definition_get))
        .route("/{set}/digest", post(data::digest))
        .route("/{set}/changes", get(data::change_list))
        .route("/{set}/changes/{list}", get(data::change_list));
    Router::new()
        .nest("/data", calls.clone())
        .nest("/sandbox", calls)
        .route("/current_user_permissions", get(data::current_user_permissions))
}

fn provider() -> Router<Web> {
    let calls = Router::new()
        .route("/packages", get(intake::package_list))
        .route(
            "/packages/{id}",
            put(intake::package_put).get(intake::package_get),
        )
        .route("/packages/{id}/confirm", post(intake::package_confirm))
        .route("/packages/{id}/reject", post(intake::package_reject))
        .route("/quarantine", get(intake::quarantine_list))
        .route("/state", get(intake::set_state))
        .route("/definition", get(intake::set_definition))
        .route("/digest", post(intake::set_digest))
        .route("/recipients", get(intake::recipient_list));
    Router::new()
        .nest("/intake/{set}", calls.clone())
        .nest("/sandbox/{set}/intake", calls)
}

fn administration() -> Router<Web> {
    use registry::{
        application, attachment, audit, backup, classifier, connection, dataset, disclosure, institution,
        law, life, permission, person, plan, plan_step, proposal, registered, session, system, system_facts,
        template, thread,
    };
    Router::new()
        .route(
            "/institutions",
            post(institution::institution_create).get(institution::institution_list),
        )
        .route(
            "/institutions/{id}",
            get(institution::institution_get).patch(institution::institution_update),
        )
        .route("/systems", post(system::system_create).get(system::system_list))
        .route(
            "/systems/{id}",
            get(system::system_get).patch(system::system_update),
        )
        .route(
            "/systems/{id}/facts",
            get(system_facts::system_facts_get).put(system_facts::system_facts_put),
        )
        .route(
            "/systems/{id}/facts/versions",
            get(system_facts::system_facts_list),
        )
        .route("/resources", get(registered::registered_resource_list))
        .route(
            "/resources/{id}",
            get(registered::registered_resource_get).put(registered::registered_resource_put),
        )
        .route(
            "/resources/{id}/versions",
            get(registered::registered_resource_versions),
        )
        .route("/services", get(registered::registered_service_list))
        .route(
            "/services/{id}",
            get(registered::registered_service_get).put(registered::registered_service_put),
        )
        .route(
            "/services/{id}/versions",
            get(registered::registered_service_versions),
        )
        .route(
            "/connections",
            post(connection::connection_create).get(connection::connection_list),
        )
        .route(
            "/connections/{id}",
            get(connection::connection_get).patch(connection::connection_update),
        )
        .route(
            "/connections/{id}/withdraw",
            post(connection::connection_withdraw),
        )
        .route("/connections/{id}/certificate", put(connection::certificate_put))
        .route(
            "/connections/{id}/certificates",
            get(connection::certificate_list),
        )
        .route(
            "/connections/{id}/certificates/{sha256}",
            delete(connection::certificate_delete),
        )
        .route("/datasets", get(dataset::dataset_list))
        .route("/datasets/{id}", get(dataset::dataset_get))
        .route(
            "/datasets/{id}/definition",
            put(dataset::definition_put).get(dataset::definition_get),
        )
        .route("/datasets/{id}/publish", post(dataset::dataset_publish))
        .route("/datasets/{id}/preview", get(dataset::dataset_preview))
        .route(
            "/datasets/{id}/templates",
            post(template::template_create).get(template::template_list),
        )
        .route(
            "/datasets/{id}/rules",
            get(template::rules_get).put(template::rules_put),
        )
        .route(
            "/templates/{id}",
            get(template::template_get).put(template::template_update),
        )
        .route("/templates/{id}/retire", post(template::template_retire))
        .route("/datasets/{id}/sandbox/fill", post(template::sandbox_fill))
        .route("/datasets/{id}/stop", post(life::dataset_stop))
        .route("/datasets/{id}/resume", post(life::dataset_resume))
        .route("/datasets/{id}/stops", get(life::stop_list))
        .route(
            "/permissions",
            post(permission::permission_create).get(permission::permission_list),
        )
        .route(
            "/permissions/{id}",
            get(permission::permission_get).patch(permission::permission_update),
        )
        .route("/permissions/{id}/suspend", post(permission::permission_suspend))
        .route("/permissions/{id}/resume", post(permission::permission_resume))
        .route("/permissions/{id}/revoke", post(permission::permission_revoke))
        .route("/permissions/{id}/explain", get(permission::permission_explain))
        .route("/permissions/{id}/use", get(life::permission_use))
        .route("/permissions/{id}/narrow", post(life::permission_narrow))
        .route("/permissions/{id}/amend", post(life::permission_amend))
        .route("/permissions/{id}/odrl", get(life::permission_odrl))
        .route("/unused_permissions", get(life::unused_permission_list))
        .route(
            "/applications",
            post(application::application_create).get(application::application_list),
        )
        .route(
            "/applications/{id}",
            get(application::application_get).patch(application::application_update),
        )
        .route("/applications/{id}/submit", post(application::application_submit))
        .route(
            "/applications/{id}/resubmit",
            post(application::application_resubmit),
        )
        .route("/applications/{id}/return", post(application::application_return))
        .route("/applications/{id}/review", post(application::application_review))
        .route("/applications/{id}/decide", post(application::application_decide))
        .route(
            "/applications/{id}/withdraw",
            post(application::application_withdraw),
        )
        .route("/applications/{id}/check", get(application::application_check))
        .route(
            "/applications/{id}/preview",
            get(application::application_preview),
        )
        .route("/applications/{id}/facts", get(application::application_facts))
        .route("/applications/{id}/events", get(thread::application_event_list))
        .route(
            "/applications/{id}/comments",
            post(thread::comment_create).get(thread::comment_list),
        )
        .route(
            "/applications/{id}/attachments",
            post(attachment::attachment_create).get(attachment::attachment_list),
        )
        .route(
            "/applications/{id}/attachments/{attachment}",
            get(attachment::attachment_get),
        )
        .route("/plans", post(plan::plan_create).get(plan::plan_list))
        .route("/plans/{id}", get(plan::plan_get).patch(plan::plan_update))
        .route("/plans/{id}/invite", post(plan::plan_invite))
        .route("/plans/{id}/close", post(plan::plan_close))
        .route("/plans/{id}/steps/{step}", patch(plan_step::plan_step_assign))
        .route("/plans/{id}/steps/{step}/done", post(plan_step::plan_step_done))
        .route(
            "/plans/{id}/steps/{step}/not_applicable",
            post(plan_step::plan_step_not_applicable),
        )
        .route(
            "/plans/{id}/steps/{step}/reopen",
            post(plan_step::plan_step_reopen),
        )
        .route("/plans/{id}/steps/{step}/note", post(plan_step::plan_step_note))
        .route("/plans/{id}/definition", get(plan::plan_definition))
        .route("/plans/{id}/events", get(plan::plan_event_list))
        .route(
            "/plans/{id}/comments",
            post(plan::plan_comment_create).get(plan::plan_comment_list),
        )
        .route("/classifiers", get(classifier::classifier_list))
        .route(
            "/classifiers/{id}",
            put(classifier::classifier_put).get(classifier::classifier_get),
        )
        .route(
            "/classifiers/{id}/versions",
            post(classifier::classifier_version_create).get(classifier::classifier_version_list),
        )
        .route(
            "/classifiers/{id}/versions/{number}",
            get(classifier::classifier_version_get),
        )
        .route(
            "/classifiers/{id}/versions/{number}/values",
            get(classifier::classifier_value_list),
        )
        .route(
            "/classifiers/{id}/versions/{number}/values.csv",
            get(classifier::classifier_value_export),
        )
        .route("/acts", get(law::act_list))
        .route("/acts/{id}", put(law::act_put).get(law::act_get))
        .route("/acts/{id}/articles", get(law::article_list))
        .route("/acts/{id}/articles/{article}", put(law::article_put))
        .route("/law_flags", get(law::law_flag_list))
        .route("/law_flags/{id}/review", post(law::law_flag_review))
        .route("/people", post(person::person_create).get(person::person_list))
        .route("/people/{id}", get(person::person_get))
        .route(
            "/people/{id}/roles",
            post(person::role_create).get(person::role_list),
        )
        .route("/people/{id}/roles/{role}/confirm", post(person::role_confirm))
        .route("/people/{id}/roles/{role}/end", post(person::role_end))
        .route(
            "/session",
            get(session::session_get)
                .put(session::session_update)
                .delete(session::session_delete),
        )
        .route(
            "/session/mail",
            get(session::mail_get)
                .put(session::mail_put)
                .delete(session::mail_delete),
        )
        .route("/notifications", get(session::notification_list))
        .route("/notifications/{id}/read", post(session::notification_read))
        .route(
            "/proposals",
            post(proposal::proposal_create).get(proposal::proposal_list),
        )
        .route("/proposals/{id}", get(proposal::proposal_get))
        .route("/proposals/{id}/confirm", post(proposal::proposal_confirm))
        .route("/proposals/{id}/reject", post(proposal::proposal_reject))
        .route("/disclosures", get(disclosure::disclosure_list))
        .route("/disclosures/search", post(disclosure::disclosure_search))
        .route("/disclosures/{id}", get(disclosure::disclosure_get))
        .route("/disclosures/{id}/subjects", get(disclosure::subject_list))
        .route("/audit", get(audit::audit_list))
        .route("/export", get(backup::registry_export))
        .route("/backups", post(backup::backup_create))
        .route("/backups/{id}", get(backup::backup_get))
}

fn documents() -> Router<Web> {
    Router::new()
        .route("/service_list", get(data::service_list))
        .route("/catalogue.ttl", get(catalogue::catalogue_turtle))
        .route("/catalogue.jsonld", get(catalogue::catalogue_json_ld))
        .route("/catalogue.rdf", get(catalogue::catalogue_rdf))
        .route("/token", post(token::token_create))
        .route(
            "/.well-known/oauth-authorization-server",
            get(token::server_metadata),
        )
        .route("/.well-known/jwks.json", get(token::jwks))
        .route("/api", get(api::page))
        .route("/api/openapi.json", get(api::openapi))
}

async fn not_found() -> Rejected {
    Problem::not_found().into()
}

async fn method_not_allowed() -> Rejected {
    Problem::new(
        405,
        "method_not_allowed",
        "this path has no such method; /api lists every call",
    )
    .into()
}
