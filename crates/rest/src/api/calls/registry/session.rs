//! The session itself, and notifications.

use serde_json::json;

use super::{LIST, Operation, Paths, Who, path_parameter, query_parameter, schema_ref};

pub(in super::super) fn sessions(paths: &mut Paths) {
    let new = |id: &str, summary: &str| Operation::new(id, "registry", Who::Person, summary).problems(&[400]);
    let path = "/registry/session";
    let shown = schema_ref("Session");
    let call = new("session_get", "Who you are here, for whom you act and may act");
    paths.add("get", path, call.ok("The session.", shown.clone()));
    let call = new(
        "session_update",
        "Act for another institution from the next call on",
    )
    .json_body(schema_ref("SessionUpdate"))
    .ok("As it is now.", shown);
    paths.add("put", path, call);
    let call = new("session_delete", "Sign out: the token is nobody's any more");
    paths.add("delete", path, call.answer(204, "Signed out.", &[], &[]));
    let path = "/registry/session/mail";
    let address = schema_ref("MailAddress");
    let call = new("mail_get", "Where your notifications go by e-mail");
    paths.add(
        "get",
        path,
        call.ok("The address.", address.clone()).problems(&[404]),
    );
    let call = new(
        "mail_put",
        "Get your notifications, and those of institutions you have a role in, by e-mail",
    )
    .json_body(address.clone())
    .ok("As it is now.", address);
    paths.add("put", path, call);
    let call = new("mail_delete", "No more mail; what waits is dropped");
    paths.add("delete", path, call.answer(204, "None any more.", &[], &[]));
    let path = "/registry/notifications";
    let call = new(
        "notification_list",
        "What you and the institution you act for should look at, newest first",
    )
    .shared(LIST)
    .parameter(query_parameter(
        "unread",
        "Only what nobody has read.",
        json!({ "type": "boolean" }),
    ))
    .ok("A page.", schema_ref("NotificationList"))
    .problems(&[422]);
    paths.add("get", path, call);
    let number = json!({ "type": "string", "pattern": "^[0-9]{1,18}$" });
    let call = new("notification_read", "Mark as read, for all of the institution")
        .parameter(path_parameter("id", "Id of the notification.", number))
        .ok("As it is now.", schema_ref("Notification"))
        .problems(&[404]);
    paths.add("post", &format!("{path}/{{id}}/read"), call);
}
