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
    provider, secure,
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
        .at("/sign-in/start", get(provider::sign_in_start))
        .at("/signed-out", get(provider::signed_out_show))
        .at("/sign-out", post(sign_in::sign_out))
        .at("/act-for", get(sign_in::act_for_show).post(sign_in::act_for))
}
