//! Every page on one page. Each stands under `/lv` and `/en`; who may see it is its first argument.

use std::sync::Arc;

use axum::{
    Router,
    middleware::from_fn,
    response::Redirect,
    routing::{MethodRouter, any, get, post},
};
use dagr_app::App;
use dagr_web::context::frame;
use tower_http::compression::CompressionLayer;

use crate::{
    application, assets, catalogue, classifier, connection, dataset, failed, institution,
    lang::Lang,
    mail, my_data, my_datasets, notification, operator, permission, plan, proposal, provider, registered,
    secure,
    settings::{Portal, Settings},
    sign_in, system, work,
};

/// To be merged with the data port's other calls.
pub fn router(app: Arc<App>, settings: Settings) -> Router {
    let portal = Portal {
        app,
        settings: Arc::new(settings),
    };
    let assets = Router::new()
        .route("/assets/{name}", get(assets::asset_get))
        .layer(CompressionLayer::new());
    Router::new()
        .route("/", get(|| async { Redirect::to("/lv/") }))
        .route("/sign-in/callback", get(provider::sign_in_callback))
        .merge(pages())
        .merge(assets)
        .layer(from_fn(secure::headers))
        .layer(from_fn(frame))
        .with_state(portal)
}

fn pages() -> Router<Portal> {
    let pages = Pages(Router::new());
    let pages = public(pages);
    let pages = session(pages);
    let pages = applications(pages);
    let pages = plans(pages);
    let pages = provided(pages);
    let pages = own(pages);
    let pages = permissions(pages);
    let pages = institutions(pages);
    let pages = operation(pages);
    pages.at("/{*rest}", any(failed::not_found)).0
}

/// Each page stands under every language.
struct Pages(Router<Portal>);

impl Pages {
    fn at(self, path: &str, handler: MethodRouter<Portal>) -> Self {
        let add = |router: Router<Portal>, lang: Lang| {
            router.route(&format!("/{}{path}", lang.code()), handler.clone())
        };
        Self(Lang::ALL.into_iter().fold(self.0, add))
    }
}

fn public(pages: Pages) -> Pages {
    pages
        .at("/", get(catalogue::catalogue_show))
        .at("/datasets/{name}", get(dataset::dataset_show))
        .at("/classifiers", get(classifier::classifier_list))
        .at("/classifiers/{id}", get(classifier::classifier_show))
        .at(
            "/classifiers/{id}/publish",
            get(classifier::publish_show).post(classifier::publish_post),
        )
        .at("/systems/{code}", get(system::system_show))
        .at(
            "/systems/{code}/edit",
            get(system::system_edit).post(system::system_describe),
        )
        .at("/services", get(registered::service_list))
        .at("/services/{code}", get(registered::service_show))
        .at("/resources/{code}", get(registered::resource_show))
        .at(
            "/systems/{code}/services/edit",
            get(registered::service_edit).post(registered::service_describe),
        )
        .at(
            "/systems/{code}/resources/edit",
            get(registered::resource_edit).post(registered::resource_describe),
        )
}

fn session(pages: Pages) -> Pages {
    pages
        .at(
            "/sign-in",
            get(sign_in::sign_in_show).post(sign_in::sign_in_development),
        )
        .at("/sign-in/start", get(provider::sign_in_start))
        .at("/signed-out", get(provider::signed_out_show))
        .at("/sign-out", post(sign_in::sign_out))
        .at("/act-for", get(sign_in::act_for_show).post(sign_in::act_for))
}

/// One's institution, and what takes two people.
fn institutions(pages: Pages) -> Pages {
    use {connection as c, institution as i, proposal as p};
    pages
        .at("/institution", get(i::institution_show))
        .at("/institution/roles", post(i::role_give))
        .at("/institution/roles/end", post(i::role_end))
        .at(
            "/connections",
            get(c::connection_list).post(c::connection_propose),
        )
        .at("/connections/new", get(c::connection_new))
        .at("/connections/{client}", get(c::connection_show))
        .at("/connections/{client}/withdraw", post(c::connection_withdraw))
        .at("/connections/{client}/certificates", post(c::certificate_propose))
        .at(
            "/connections/{client}/certificates/{sha256}/remove",
            post(c::certificate_remove),
        )
        .at("/proposals/{id}", get(p::proposal_show))
        .at("/proposals/{id}/confirm", post(p::proposal_confirm))
        .at("/proposals/{id}/reject", post(p::proposal_reject))
}

fn operation(pages: Pages) -> Pages {
    use institution as i;
    use operator::{self as o, audit, health, institutions, law, people};
    let one = "/operator/institutions/{number}";
    pages
        .at("/operator", get(o::operator_show))
        .at("/operator/roles/{person}/{role}/confirm", post(o::role_confirm))
        .at("/operator/roles/{person}/{role}/reject", post(o::role_reject))
        .at(
            "/operator/institutions",
            get(institutions::institution_list).post(institutions::institution_create),
        )
        .at(one, get(i::institution_any).post(i::institution_update))
        .at(&format!("{one}/roles"), post(i::role_give))
        .at(&format!("{one}/roles/end"), post(i::role_end))
        .at(&format!("{one}/systems"), post(i::system_create))
        .at(
            "/operator/people",
            get(people::people_show).post(people::people_find),
        )
        .at("/operator/law", get(law::law_show).post(law::act_put))
        .at("/operator/law/{act}", get(law::act_show))
        .at("/operator/law/{act}/articles", post(law::article_put))
        .at("/law-flags", get(law::flags_show))
        .at("/law-flags/{id}/review", post(law::flag_review))
        .at("/operator/audit", get(audit::audit_show))
        .at("/operator/audit.csv", get(audit::audit_export))
        .at("/operator/health", get(health::health_show))
}

fn applications(pages: Pages) -> Pages {
    use application as a;
    pages
        .at("/work", get(work::work_show))
        .at(
            "/applications",
            get(a::application_list).post(a::application_create),
        )
        .at("/applications/new", get(a::application_new))
        .at("/applications/{number}", get(a::application_show))
        .at(
            "/applications/{number}/fields",
            get(a::fields_show).post(a::fields_post),
        )
        .at("/applications/{number}/preview", get(a::preview_text))
        .at(
            "/applications/{number}/purpose",
            get(a::purpose_show).post(a::purpose_post),
        )
        .at(
            "/applications/{number}/terms",
            get(a::terms_show).post(a::terms_post),
        )
        .at("/applications/{number}/role", post(a::role_post))
        .at("/applications/{number}/check", get(a::check_show))
        .at("/applications/{number}/submit", post(a::submit))
        .at("/applications/{number}/decide", post(a::application_decide))
        .at("/applications/{number}/review", post(a::application_review))
        .at("/applications/{number}/withdraw", post(a::application_withdraw))
        .at("/applications/{number}/comments", post(a::comment_post))
        .at(
            "/applications/{number}/attachments",
            get(a::attachment_list).post(a::attachment_post),
        )
        .at(
            "/applications/{number}/attachments/{attachment}",
            get(a::attachment_get),
        )
}

fn plans(pages: Pages) -> Pages {
    pages
        .at("/plans", get(plan::plan_list).post(plan::plan_create))
        .at("/plans/new", get(plan::plan_new))
        .at("/plans/{number}", get(plan::plan_show))
        .at("/plans/{number}/steps/{step}", post(plan::plan_step))
        .at("/plans/{number}/invite", post(plan::plan_invite))
        .at("/plans/{number}/update", post(plan::plan_update))
        .at("/plans/{number}/close", post(plan::plan_close))
        .at("/plans/{number}/comments", post(plan::plan_comment))
}

fn provided(pages: Pages) -> Pages {
    use my_datasets as m;
    pages
        .at("/my-datasets", get(m::list_show))
        .at(
            "/my-datasets/new",
            get(m::definition_new).post(m::definition_create),
        )
        .at("/my-datasets/{name}", get(m::dataset_show))
        .at(
            "/my-datasets/{name}/definition",
            get(m::definition_show).post(m::definition_post),
        )
        .at(
            "/my-datasets/{name}/publish",
            get(m::publish_show).post(m::publish_post),
        )
        .at("/my-datasets/{name}/stop", get(m::stop_show).post(m::stop_post))
        .at("/my-datasets/{name}/packages", get(m::package_list))
        .at("/my-datasets/{name}/packages/{id}", get(m::package_show))
        .at(
            "/my-datasets/{name}/packages/{id}/confirm",
            get(m::confirm_show).post(m::confirm_post),
        )
        .at(
            "/my-datasets/{name}/packages/{id}/reject",
            get(m::reject_show).post(m::reject_post),
        )
        .at("/my-datasets/{name}/quarantine", get(m::quarantine_show))
        .at("/my-datasets/{name}/quarantine.csv", get(m::quarantine_csv))
        .at("/my-datasets/{name}/recipients", get(m::recipients_show))
        .at(
            "/my-datasets/{name}/templates",
            get(m::template_list).post(m::rules_post),
        )
        .at("/my-datasets/{name}/sandbox/fill", post(m::sandbox_fill))
        .at(
            "/my-datasets/{name}/templates/new",
            get(m::template_new).post(m::template_create),
        )
        .at(
            "/my-datasets/{name}/templates/{number}",
            get(m::template_show).post(m::template_post),
        )
}

fn own(pages: Pages) -> Pages {
    pages
        .at("/my-data", get(my_data::my_data_show))
        .at("/my-data.json", get(my_data::my_data_json))
        .at("/my-data.csv", get(my_data::my_data_csv))
        .at("/my-data/{id}", get(my_data::my_data_one))
        .at("/notifications", get(notification::notification_list))
        .at("/notifications/read", post(notification::notification_read))
        .at("/notifications/mail", get(mail::mail_show).post(mail::mail_post))
}

fn permissions(pages: Pages) -> Pages {
    pages
        .at("/permissions", get(permission::permission_list))
        .at("/permissions/{number}", get(permission::permission_show))
        .at(
            "/permissions/{number}/explain",
            post(permission::permission_explain),
        )
        .at("/permissions/{number}/amend", post(permission::permission_amend))
        .at(
            "/permissions/{number}/narrow",
            get(permission::permission_narrow_show).post(permission::permission_narrow_post),
        )
        .at(
            "/permissions/{number}/odrl.jsonld",
            get(permission::permission_odrl),
        )
        .at(
            "/permissions/{number}/{transition}",
            get(permission::permission_move_show).post(permission::permission_move),
        )
}
