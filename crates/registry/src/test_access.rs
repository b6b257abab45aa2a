//! Permissions to a sandbox that a rule of its provider gave: found by their application, ended when something is
//! delivered.

use dagr_model::{
    ids::{ApplicationNumber, DatasetName, PermissionNumber, RegistrationNumber},
    permission::{Permission, PermissionState},
};

use crate::{
    Actor, NotificationCreate, PermissionCreate, Registry, Result, To, Versioned,
    application::{grant, id_of},
    db::query,
    notification,
    open::Change,
    permission,
    row::{micros, text},
};

impl Registry {
    /// What the rule gave for an application and stands still, in force or suspended.
    pub async fn test_access_of(&self, application: &ApplicationNumber) -> Result<Option<PermissionNumber>> {
        let row = query(
            "SELECT p.number FROM test_access t JOIN permissions p ON p.id = t.permission
             WHERE t.application = $1 AND p.state <> 'revoked' ORDER BY p.id DESC LIMIT 1",
        )
        .bind(id_of(application)?)
        .fetch_optional(&mut self.read().await?)
        .await?;
        row.map(|row| Ok(PermissionNumber::new(text(&row, "number")?)))
            .transpose()
    }

    /// Gives it: a permission of an application, by a version of the data set's rules.
    pub async fn test_access_grant(
        &self,
        by: &Actor,
        application: &ApplicationNumber,
        (create, fields): (&PermissionCreate, Vec<String>),
        rule: i64,
    ) -> Result<Versioned<Permission>> {
        let id = id_of(application)?;
        let mut change = self.change(by).await?;
        let granted = grant(&mut change, by, id, create, fields).await?;
        query(
            "INSERT INTO test_access (permission, application, dataset, rule, at)
             SELECT p.id, CAST($2 AS BIGINT), p.dataset, CAST($3 AS BIGINT), CAST($4 AS BIGINT)
             FROM permissions p WHERE p.number = $1",
        )
        .bind(granted.value.number.as_str())
        .bind(id)
        .bind(rule)
        .bind(micros(by.at))
        .execute(change.conn())
        .await?;
        let object = format!("applications/{application}");
        change
            .commit("test_access_give", object, &(), &granted.value.number)
            .await?;
        Ok(granted)
    }

    /// Suspends what rules gave for a set's sandbox, and tells both sides.
    pub async fn test_access_end(
        &self,
        by: &Actor,
        dataset: &DatasetName,
        reason: &str,
    ) -> Result<Vec<Versioned<Permission>>> {
        let mut change = self.change(by).await?;
        let rows = query(
            "SELECT p.number, d.institution FROM test_access t JOIN permissions p ON p.id = t.permission
             JOIN datasets d ON d.name = t.dataset WHERE t.dataset = $1 AND p.state = 'active' ORDER BY p.id",
        )
        .bind(dataset.as_str())
        .fetch_all(change.conn())
        .await?;
        let mut moved = Vec::with_capacity(rows.len());
        for row in &rows {
            let number = PermissionNumber::new(text(row, "number")?);
            let one = permission::moved(&mut change, &number, reason, PermissionState::Suspended).await?;
            let provider = RegistrationNumber::new(text(row, "institution")?);
            tell(&mut change, provider, &one.value).await?;
            moved.push(one);
        }
        if !moved.is_empty() {
            let object = format!("datasets/{dataset}");
            change
                .commit("test_access_end", object, &(), &moved.len())
                .await?;
        }
        Ok(moved)
    }
}

async fn tell(change: &mut Change<'_>, provider: RegistrationNumber, permission: &Permission) -> Result<()> {
    let at = change.by.at;
    for institution in [provider, permission.recipient.clone()] {
        let create = NotificationCreate {
            to: To::Institution(institution),
            kind: "test_access_ended".to_owned(),
            object: format!("permissions/{}", permission.number),
            once: None,
        };
        notification::insert(change.conn(), &create, at).await?;
    }
    Ok(())
}
