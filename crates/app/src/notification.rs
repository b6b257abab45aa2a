//! What a person and the institution they act for should look at.

use dagr_registry::{NotificationFilter, NotificationView, Page};

use crate::{App, ctx::Ctx, institution::ListQuery, problem::Problem};

impl App {
    /// Newest first.
    pub async fn notification_list(
        &self,
        ctx: &Ctx,
        unread: bool,
        page: ListQuery,
    ) -> Result<Page<NotificationView>, Problem> {
        let filter = NotificationFilter {
            person: ctx.person()?.id,
            institution: ctx.acting_for().map(|acting| acting.institution.clone()),
            unread,
        };
        Ok(self
            .registry
            .notification_list(&filter, page.after, page.limit)
            .await?)
    }

    pub async fn notification_read(&self, ctx: &Ctx, id: i64) -> Result<NotificationView, Problem> {
        let person = ctx.person()?.id;
        let institution = ctx.acting_for().map(|acting| &acting.institution);
        Ok(self
            .registry
            .notification_read(id, person, institution, ctx.now)
            .await?)
    }
}
