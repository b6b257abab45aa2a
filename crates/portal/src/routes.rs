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
    assets, catalogue, dataset, failed,
    lang::Lang,
    my_data, notification, permission, secure,
    settings::{Portal, Settings},
    sign_in,
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
    let pages = own(pages);
    let pages = permissions(pages);
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
}

fn session(pages: Pages) -> Pages {
    pages
        .at(
            "/sign-in",
            get(sign_in::sign_in_show).post(sign_in::sign_in_development),
        )
        .at("/sign-out", post(sign_in::sign_out))
        .at("/act-for", get(sign_in::act_for_show).post(sign_in::act_for))
}

fn own(pages: Pages) -> Pages {
    pages
        .at("/my-data", get(my_data::my_data_show))
        .at("/my-data.json", get(my_data::my_data_json))
        .at("/my-data.csv", get(my_data::my_data_csv))
        .at("/my-data/{id}", get(my_data::my_data_one))
        .at("/notifications", get(notification::notification_list))
        .at("/notifications/read", post(notification::notification_read))
}

fn permissions(pages: Pages) -> Pages {
    pages
        .at("/permissions", get(permission::permission_list))
        .at("/permissions/{number}", get(permission::permission_show))
        .at(
            "/permissions/{number}/explain",
            post(permission::permission_explain),
        )
        .at(
            "/permissions/{number}/{transition}",
            get(permission::permission_move_show).post(permission::permission_move),
        )
}
