//! The verbs of the API: what each asks for, and how it is asked without changing anything.

use super::Target;
use super::verb::{Asks, NONE, Verb, account, edit, get, home, list, post, seated, told};
use seatkeeper_engine::access::Permission::{self, *};
use serde_json::json;

fn unit(target: &Target) -> String {
    format!("/v1/units/{}", target.place.path.replace('/', "%2F"))
}
fn user(target: &Target) -> String {
    format!("/v1/users/u-{}", target.place.name)
}
fn registration(target: &Target) -> String {
    format!("/v1/registrations/r-{}", target.place.name)
}
fn domain(target: &Target) -> String {
    format!("{}/domains/works.example", unit(target))
}
fn group(target: &Target) -> String {
    format!("/v1/groups/g-{}", target.place.name)
}
fn assignment(target: &Target) -> String {
    format!("/v1/assignments/{}", target.assignment)
}

const ASSIGN: &[Permission] = &[LicenseManageUsers];
const GROUPS: &[Permission] = &[GroupManage, GroupRead];
const PEOPLE: &[Permission] = &[UserManage, UserRead];

/// A mail that the daemon's administrator caused.
pub(super) const MAIL: &str = "00000000000000000000000000000001";

pub(super) const VERBS: &[Verb] = &[
    list(
        "/v1/units",
        Asks::All(&[UnitRead]),
        |_| "/v1/units?limit=1000".into(),
        |t| format!("\"path\":\"{}\"", t.place.path),
    ),
    get("/v1/units/{unit}", Asks::All(&[UnitRead]), unit),
    post(
        "/v1/units",
        Asks::All(&[UnitManage, UnitRead]),
        |_| "/v1/units".into(),
        |t| Some(json!({"name": "", "above": t.place.path})),
    ),
    edit(
        "PATCH",
        "/v1/units/{unit}",
        Asks::All(&[UnitManage, UnitRead]),
        unit,
        |_| Some(json!({"name": "Other"})),
    ),
    edit(
        "DELETE",
        "/v1/units/{unit}",
        Asks::Above(UnitManage),
        unit,
        NONE,
    ),
    told(
        " to another place",
        edit(
            "PATCH",
            "/v1/units/{unit}",
            Asks::Moves(UnitManage, "west"),
            unit,
            |_| Some(json!({"above": "Test/West"})),
        ),
    ),
    told(
        " to become an account",
        edit("PATCH", "/v1/units/{unit}", Asks::Accounts, unit, |_| {
            Some(json!({"kind": "customer"}))
        }),
    ),
    told(
        " to be managed",
        edit("PATCH", "/v1/units/{unit}", Asks::Accounts, unit, |_| {
            Some(json!({"managed_by": ""}))
        }),
    ),
    told(
        " of an account",
        home(post(
            "/v1/units",
            Asks::Accounts,
            |_| "/v1/units".into(),
            |_| Some(json!({"name": "", "kind": "customer"})),
        )),
    ),
    told(
        " of a customer that is managed",
        post(
            "/v1/units",
            Asks::All(&[UnitManage, UnitRead]),
            |_| "/v1/units".into(),
            |t| Some(json!({"name": "", "kind": "customer", "managed_by": t.place.path})),
        ),
    ),
    list(
        "/v1/groups",
        Asks::All(&[GroupRead]),
        |_| "/v1/groups?limit=1000".into(),
        |t| format!("\"name\":\"g-{}\"", t.place.name),
    ),
    get("/v1/groups/{group}", Asks::All(&[GroupRead]), group),
    get("/v1/groups/{group}/members", Asks::All(&[GroupRead]), |t| {
        format!("{}/members", group(t))
    }),
    post(
        "/v1/groups",
        Asks::All(&[GroupManage, UnitRead]),
        |_| "/v1/groups".into(),
        |t| Some(json!({"name": "", "unit": t.place.path})),
    ),
    edit(
        "PATCH",
        "/v1/groups/{group}",
        Asks::All(GROUPS),
        group,
        |_| Some(json!({"name": "Other"})),
    ),
    edit(
        "PATCH",
        "/v1/groups/{group}/members",
        Asks::All(GROUPS),
        |t| format!("{}/members", group(t)),
        |t| Some(json!({"drop_users": [format!("u-{}", t.place.name)]})),
    ),
    edit(
        "DELETE",
        "/v1/groups/{group}",
        Asks::All(GROUPS),
        group,
        NONE,
    ),
    list(
        "/v1/users",
        Asks::All(&[UserRead]),
        |_| "/v1/users?limit=1000".into(),
        |t| format!("\"login\":\"u-{}\"", t.place.name),
    ),
    get("/v1/users/{user}", Asks::All(&[UserRead]), user),
    post(
        "/v1/users",
        Asks::All(&[UserManage, UnitRead]),
        |_| "/v1/users".into(),
        |t| Some(json!({"login": "u-home", "units": [t.place.path]})),
    ),
    edit("PATCH", "/v1/users/{user}", Asks::All(PEOPLE), user, |_| {
        Some(json!({"status": "suspended"}))
    }),
    told(
        " to another address",
        edit("PATCH", "/v1/users/{user}", Asks::All(PEOPLE), user, |_| {
            Some(json!({"address": "else@example.com"}))
        }),
    ),
    edit("DELETE", "/v1/users/{user}", Asks::All(PEOPLE), user, NONE),
    edit(
        "PATCH",
        "/v1/users/{user}/roles",
        Asks::All(&[RoleGive, UserRead]),
        |t| format!("{}/roles", user(t)),
        |t| Some(json!({"give": [{"role": "license-manager", "unit": t.place.path}]})),
    ),
    edit(
        "POST",
        "/v1/users/{user}/invitation",
        Asks::All(PEOPLE),
        |t| format!("{}/invitation", user(t)),
        NONE,
    ),
    edit(
        "POST",
        "/v1/users/{user}/reset",
        Asks::All(PEOPLE),
        |t| format!("{}/reset", user(t)),
        NONE,
    ),
    told(
        " of others",
        list(
            "/v1/tokens",
            Asks::All(&[UserManage]),
            |_| "/v1/tokens?limit=1000".into(),
            |t| format!("\"id\":\"{}\"", t.token),
        ),
    ),
    told(
        " for others",
        post(
            "/v1/tokens",
            Asks::All(PEOPLE),
            |_| "/v1/tokens".into(),
            |t| Some(json!({"name": "", "user": format!("u-{}", t.place.name)})),
        ),
    ),
    told(
        " of others",
        edit(
            "DELETE",
            "/v1/tokens/{id}",
            Asks::All(&[UserManage]),
            |t| format!("/v1/tokens/{}", t.token),
            NONE,
        ),
    ),
    told(
        " of others",
        list(
            "/v1/sessions",
            Asks::All(&[UserManage]),
            |_| "/v1/sessions?limit=1000".into(),
            |t| format!("\"id\":\"{}\"", t.session),
        ),
    ),
    told(
        " of others",
        edit(
            "DELETE",
            "/v1/sessions/{id}",
            Asks::All(&[UserManage]),
            |t| format!("/v1/sessions/{}", t.session),
            NONE,
        ),
    ),
    list(
        "/v1/resets",
        Asks::All(&[UserManage]),
        |_| "/v1/resets?limit=1000".into(),
        |t| format!("\"login\":\"u-{}\"", t.place.name),
    ),
    edit(
        "DELETE",
        "/v1/resets/{user}",
        Asks::All(PEOPLE),
        |t| format!("/v1/resets/u-{}", t.place.name),
        NONE,
    ),
    account(list(
        "/v1/registrations",
        Asks::All(&[UserRead]),
        |_| "/v1/registrations?limit=1000".into(),
        |t| format!("r-{}", t.place.name),
    )),
    account(get(
        "/v1/registrations/{user}",
        Asks::All(&[UserRead]),
        registration,
    )),
    account(edit(
        "POST",
        "/v1/registrations/{user}/approve",
        Asks::All(PEOPLE),
        |t| format!("{}/approve", registration(t)),
        |_| Some(json!({})),
    )),
    account(edit(
        "POST",
        "/v1/registrations/{user}/verify",
        Asks::All(PEOPLE),
        |t| format!("{}/verify", registration(t)),
        NONE,
    )),
    account(edit(
        "DELETE",
        "/v1/registrations/{user}",
        Asks::All(PEOPLE),
        registration,
        NONE,
    )),
    account(edit(
        "PUT",
        "/v1/units/{unit}/domains/{domain}",
        Asks::All(&[UnitManage, UnitRead]),
        domain,
        NONE,
    )),
    account(edit(
        "DELETE",
        "/v1/units/{unit}/domains/{domain}",
        Asks::All(&[UnitManage, UnitRead]),
        domain,
        NONE,
    )),
    list(
        "/v1/terms/acceptances",
        Asks::All(&[UserRead]),
        |_| "/v1/terms/acceptances?limit=1000".into(),
        |t| format!("\"login\":\"u-{}\"", t.place.name),
    ),
    home(post(
        "/v1/terms",
        Asks::All(&[TermsPublish]),
        |_| "/v1/terms".into(),
        |_| Some(json!({"version": "", "text": ""})),
    )),
    list(
        "/v1/assignments",
        Asks::All(ASSIGN),
        |_| "/v1/assignments?limit=1000".into(),
        |t| format!("\"id\":\"{}\"", t.assignment),
    ),
    get("/v1/assignments/{id}", Asks::All(ASSIGN), assignment),
    post(
        "/v1/assignments",
        Asks::License(Some(LicenseManageUsers)),
        |_| "/v1/assignments".into(),
        |t| {
            Some(
                json!({"id": "", "license": "dev-license", "vendor": "", "group": format!("g-{}", t.place.name), "policies": [""]}),
            )
        },
    ),
    edit(
        "PATCH",
        "/v1/assignments/{id}",
        Asks::All(ASSIGN),
        assignment,
        |_| Some(json!({"exclude": ["*"]})),
    ),
    edit(
        "DELETE",
        "/v1/assignments/{id}",
        Asks::All(ASSIGN),
        assignment,
        NONE,
    ),
    seated(list(
        "/v1/seats",
        Asks::All(&[SeatRead]),
        |_| "/v1/seats?limit=1000".into(),
        |t| format!("\"user\":\"u-{}\"", t.place.name),
    )),
    seated(post(
        "/v1/seats/{id}/reclaim",
        Asks::All(&[SeatReclaim]),
        |t| {
            format!(
                "/v1/seats/{}/reclaim",
                t.seat.as_deref().unwrap_or_default()
            )
        },
        NONE,
    )),
    post(
        "/v1/explain",
        Asks::Explain,
        |_| "/v1/explain".into(),
        |t| Some(json!({"user": format!("u-{}", t.place.name), "item": {"feature": "modeler"}})),
    ),
    home(list(
        "/v1/licenses",
        Asks::License(None),
        |_| "/v1/licenses".into(),
        |_| "\"id\":\"dev-license\"".into(),
    )),
    home(get(
        "/v1/licenses/{vendor}/{id}",
        Asks::License(None),
        |_| "/v1/licenses/dev-vendor/dev-license".into(),
    )),
    home(list(
        "/v1/pools",
        Asks::License(None),
        |_| "/v1/pools".into(),
        |_| "\"feature\":\"modeler\"".into(),
    )),
    home(post(
        "/v1/licenses",
        Asks::All(&[LicenseInstall]),
        |_| "/v1/licenses".into(),
        |_| Some(json!({"text": "no license"})),
    )),
    home(told(
        " for everyone",
        post(
            "/v1/licenses",
            Asks::All(&[LicenseInstall, LicenseManageUsers]),
            |_| "/v1/licenses".into(),
            |_| Some(json!({"text": "no license", "assign_everyone": true})),
        ),
    )),
    home(edit(
        "DELETE",
        "/v1/licenses/{vendor}/{id}",
        Asks::License(Some(LicenseRemove)),
        |_| "/v1/licenses/dev-vendor/dev-license?dry_run=true".into(),
        NONE,
    )),
    home(edit(
        "DELETE",
        "/v1/licenses",
        Asks::All(&[LicenseRemove]),
        |_| "/v1/licenses?confirm=Test&dry_run=true".into(),
        NONE,
    )),
    home(post(
        "/v1/license-request",
        Asks::All(&[LicenseInstall]),
        |_| "/v1/license-request".into(),
        |_| Some(json!({"account": ""})),
    )),
    home(post(
        "/v1/license-request/mail",
        Asks::All(&[LicenseInstall]),
        |_| "/v1/license-request/mail".into(),
        |_| Some(json!({"account": ""})),
    )),
    home(post(
        "/v1/vendors",
        Asks::All(&[VendorTrust]),
        |_| "/v1/vendors".into(),
        |_| Some(json!({"name": "other", "pem": "no key"})),
    )),
    home(edit(
        "DELETE",
        "/v1/vendors/{name}",
        Asks::All(&[VendorRemove]),
        |_| "/v1/vendors/dev-vendor".into(),
        NONE,
    )),
    home(edit(
        "PUT",
        "/v1/roles/{role}",
        Asks::All(&[RoleDefine]),
        |_| "/v1/roles/spare".into(),
        |_| Some(json!({"permissions": [], "reach": "unit"})),
    )),
    home(edit(
        "DELETE",
        "/v1/roles/{role}",
        Asks::All(&[RoleDefine]),
        |_| "/v1/roles/spare".into(),
        NONE,
    )),
    home(get("/v1/events", Asks::All(&[AuditRead]), |_| {
        "/v1/events".into()
    })),
    home(get("/v1/audit", Asks::All(&[AuditRead]), |_| {
        "/v1/audit".into()
    })),
    home(get("/v1/audit/anchor", Asks::All(&[AuditAnchor]), |_| {
        "/v1/audit/anchor".into()
    })),
    home(get("/v1/audit/pruned", Asks::All(&[AuditAnchor]), |_| {
        "/v1/audit/pruned".into()
    })),
    home(edit(
        "POST",
        "/v1/clock/accept",
        Asks::All(&[ClockAccept]),
        |_| "/v1/clock/accept".into(),
        NONE,
    )),
    home(get("/v1/site-key", Asks::All(&[SiteKeyRead]), |_| {
        "/v1/site-key".into()
    })),
    home(post(
        "/v1/site-key/export",
        Asks::All(&[SiteKeyExport]),
        |_| "/v1/site-key/export".into(),
        |_| Some(json!({"passphrase": ""})),
    )),
    home(post(
        "/v1/site-key/delegation",
        Asks::All(&[SiteKeyDelegate]),
        |_| "/v1/site-key/delegation".into(),
        |_| Some(json!({"delegation": ""})),
    )),
    home(get("/v1/config", Asks::All(&[Operate]), |_| {
        "/v1/config".into()
    })),
    home(get("/metrics", Asks::All(&[Operate]), |_| {
        "/metrics".into()
    })),
    home(post(
        "/v1/mails/test",
        Asks::All(&[Operate]),
        |_| "/v1/mails/test".into(),
        |_| Some(json!({"to": "nobody"})),
    )),
    home(get("/v1/mails", Asks::All(&[Operate]), |_| {
        "/v1/mails".into()
    })),
    told(
        " that one caused oneself: nothing",
        home(get("/v1/mails/{id}", Asks::All(&[Operate]), |_| {
            format!("/v1/mails/{MAIL}")
        })),
    ),
];
