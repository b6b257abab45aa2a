//! Amending, suspending, resuming, revoking.

use dagr_model::{
    ids::PermissionNumber,
    permission::{Permission, PermissionState},
};

use super::{check, not_stopped, object, require, store};
use crate::{Actor, Registry, RegistryError, Result, Versioned, check::Check, db::Conn, open::Change};

impl Registry {
    /// Takes the permission as it shall be; its `state` and `revision` are set here. `revision` grows
    /// only when fields, scope or ways change: by it a feed knows what to take back.
    pub async fn permission_update(
        &self,
        by: &Actor,
        number: &PermissionNumber,
        next: Permission,
        expected: Option<i64>,
    ) -> Result<Versioned<Permission>> {
        let mut change = self.change(by).await?;
        let (before, next) = amended(change.conn(), by, number, next, expected, None).await?;
        change
            .commit("permission_update", object(number), &before, &next.value)
            .await?;
        Ok(next)
    }

    /// The same with a reason; the caller has seen to it that nothing is added.
    pub async fn permission_narrow(
        &self,
        by: &Actor,
        number: &PermissionNumber,
        next: Permission,
        reason: &str,
        expected: Option<i64>,
    ) -> Result<Versioned<Permission>> {
        let mut check = Check::default();
        check.text("reason", reason, 2_000);
        check.done()?;
        let mut change = self.change(by).await?;
        let (before, next) = amended(change.conn(), by, number, next, expected, Some(reason)).await?;
        let mut told = serde_json::to_value(&next.value)?;
        told["reason"] = reason.into();
        change
            .commit("permission_narrow", object(number), &before, &told)
            .await?;
        Ok(next)
    }

    pub async fn permission_suspend(
        &self,
        by: &Actor,
        number: &PermissionNumber,
        reason: &str,
        expected: Option<i64>,
    ) -> Result<Versioned<Permission>> {
        self.move_to(
            by,
            number,
            reason,
            expected,
            "permission_suspend",
            PermissionState::Suspended,
        )
        .await
    }

    pub async fn permission_resume(
        &self,
        by: &Actor,
        number: &PermissionNumber,
        reason: &str,
        expected: Option<i64>,
    ) -> Result<Versioned<Permission>> {
        self.move_to(
            by,
            number,
            reason,
            expected,
            "permission_resume",
            PermissionState::Active,
        )
        .await
    }

    /// Final.
    pub async fn permission_revoke(
        &self,
        by: &Actor,
        number: &PermissionNumber,
        reason: &str,
        expected: Option<i64>,
    ) -> Result<Versioned<Permission>> {
        self.move_to(
            by,
            number,
            reason,
            expected,
            "permission_revoke",
            PermissionState::Revoked,
        )
        .await
    }

    async fn move_to(
        &self,
        by: &Actor,
        number: &PermissionNumber,
        reason: &str,
        expected: Option<i64>,
        action: &'static str,
        target: PermissionState,
    ) -> Result<Versioned<Permission>> {
        let mut check = Check::default();
        check.text("reason", reason, 2_000);
        check.done()?;
        let mut change = self.change(by).await?;
        let before = require(change.conn(), number).await?.expect(expected)?;
        let (told, next) = transition(change.conn(), by, before.clone(), reason, target).await?;
        change
            .commit(action, object(number), &before.value, &told)
            .await?;
        Ok(next)
    }
}

/// The next version of a permission's terms, written; gives the value before, too. The caller enters it in the trail.
pub(crate) async fn amended(
    conn: &mut Conn,
    by: &Actor,
    number: &PermissionNumber,
    next: Permission,
    expected: Option<i64>,
    reason: Option<&str>,
) -> Result<(Permission, Versioned<Permission>)> {
    let before = require(conn, number).await?.expect(expected)?;
    if before.value.state == PermissionState::Revoked {
        return Err(RegistryError::state(
            "the permission is revoked: grant another one",
        ));
    }
    let mut faults = check::shape(&next);
    fixed(&mut faults, &before.value, &next);
    faults.done()?;
    let next = Permission {
        number: number.clone(),
        state: before.value.state,
        revision: revision(&before.value, &next),
        ..next
    };
    let next = Versioned {
        value: next,
        version: before.version + 1,
    };
    store(conn, by, &next, reason).await?;
    Ok((before.value, next))
}

/// One of many that move together, with its own entry in the trail. What stands in the way of a single one (a stop
/// that lasts) is the caller's to judge.
pub(crate) async fn moved(
    change: &mut Change<'_>,
    number: &PermissionNumber,
    reason: &str,
    target: PermissionState,
) -> Result<Versioned<Permission>> {
    let by = change.by;
    let before = require(change.conn(), number).await?;
    let action = match target {
        PermissionState::Active => "permission_resume",
        PermissionState::Suspended => "permission_suspend",
        PermissionState::Revoked => "permission_revoke",
    };
    let (told, next) = written(change.conn(), by, before.clone(), reason, target).await?;
    change.enter(action, object(number), &before.value, &told).await?;
    Ok(next)
}

async fn transition(
    conn: &mut Conn,
    by: &Actor,
    before: Versioned<Permission>,
    reason: &str,
    target: PermissionState,
) -> Result<(serde_json::Value, Versioned<Permission>)> {
    possible(before.value.state, target)?;
    if target == PermissionState::Active {
        not_stopped(conn, &before.value.dataset).await?;
    }
    written(conn, by, before, reason, target).await
}

async fn written(
    conn: &mut Conn,
    by: &Actor,
    before: Versioned<Permission>,
    reason: &str,
    target: PermissionState,
) -> Result<(serde_json::Value, Versioned<Permission>)> {
    let next = Versioned {
        value: Permission {
            state: target,
            ..before.value
        },
        version: before.version + 1,
    };
    store(conn, by, &next, Some(reason)).await?;
    // The trail tells why, too: the reason stands nowhere else that a reader of it would look.
    let mut told = serde_json::to_value(&next.value)?;
    told["reason"] = reason.into();
    Ok((told, next))
}

fn possible(from: PermissionState, to: PermissionState) -> Result<()> {
    use PermissionState::{Active, Revoked, Suspended};
    match (from, to) {
        (Active, Suspended | Revoked) | (Suspended, Active | Revoked) => Ok(()),
        (Revoked, _) => Err(RegistryError::state(
            "the permission is revoked, and that is final",
        )),
        (Active, Active) => Err(RegistryError::state(
            "the permission is active: only a suspended one resumes",
        )),
        (Suspended, Suspended) => Err(RegistryError::state("the permission is suspended already")),
    }
}

fn fixed(faults: &mut Check, before: &Permission, next: &Permission) {
    let message = "cannot be changed: grant another permission";
    faults.require(next.dataset == before.dataset, "dataset", "fixed", message);
    faults.require(next.recipient == before.recipient, "recipient", "fixed", message);
    faults.require(
        next.environment == before.environment,
        "environment",
        "fixed",
        message,
    );
}

fn revision(before: &Permission, next: &Permission) -> u32 {
    let same = before.fields == next.fields && before.scope == next.scope && before.ways == next.ways;
    if same {
        before.revision
    } else {
        before.revision.saturating_add(1)
    }
}
