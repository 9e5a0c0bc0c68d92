use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use mf_domain::{Email, Role};
use mf_http_kit::{
    ApiError, ApiResult, Body, Caller, Reply,
    caller::Anybody,
    openapi::{AuthErrors, ConflictError, InputErrors, ServerErrors},
};
use mf_services::{LoginRefused, NewAccount, Services};

use super::dto::{LoginIn, LoginOut, RefreshIn, SignupIn, StatusOut};

/// Make an account
///
/// Makes a tenant with you as its owner, and logs you in. Only where the operator has opened
/// it to strangers.
#[utoipa::path(
    post, path = "/auth/signup", tag = "auth", request_body = SignupIn, security(()),
    responses((status = 201, body = LoginOut), AuthErrors, ConflictError, InputErrors, ServerErrors),
)]
pub(crate) async fn signup(
    State(services): State<Arc<Services>>,
    Body(body): Body<SignupIn>,
) -> ApiResult<(StatusCode, Reply<LoginOut>)> {
    if !services.settings.signup_open {
        return Err(ApiError::forbidden(
            "Sign-up is closed on this server: ask its operator for an account, or for \
             MOLTFLOW_SIGNUP=open",
        ));
    }
    let email = parse_email(&body.email)?;
    let account = NewAccount {
        email: email.clone(),
        password: &body.password,
        full_name: body.full_name.trim(),
        tenant_name: body
            .tenant_name
            .as_deref()
            .unwrap_or(&body.full_name)
            .trim(),
        plan: &services.settings.default_plan,
        role: Role::Owner,
    };
    services.register(account).await.map_err(refused)?;
    let login = services
        .login(&email, &body.password)
        .await
        .map_err(refused)?;
    Ok((StatusCode::CREATED, Reply(login.into())))
}

/// Log in
///
/// By e-mail and password. A wrong one takes as long as a right one.
#[utoipa::path(
    post, path = "/auth/login", tag = "auth", request_body = LoginIn, security(()),
    responses((status = 200, body = LoginOut), AuthErrors, InputErrors, ServerErrors),
)]
pub(crate) async fn login(
    State(services): State<Arc<Services>>,
    Body(body): Body<LoginIn>,
) -> ApiResult<Reply<LoginOut>> {
    // What is no address is nobody's.
    let email = Email::parse(&body.email).map_err(|_| refused(LoginRefused::Wrong))?;
    let login = services
        .login(&email, &body.password)
        .await
        .map_err(refused)?;
    Ok(Reply(login.into()))
}

/// Exchange a refresh token
///
/// Answers a new pair; the old refresh token is spent. Shown again, it is taken for stolen,
/// and every token of its login ends.
#[utoipa::path(
    post, path = "/auth/refresh", tag = "auth", request_body = RefreshIn, security(()),
    responses((status = 200, body = LoginOut), AuthErrors, InputErrors, ServerErrors),
)]
pub(crate) async fn refresh(
    State(services): State<Arc<Services>>,
    Body(body): Body<RefreshIn>,
) -> ApiResult<Reply<LoginOut>> {
    let login = services
        .refresh(&body.refresh_token)
        .await
        .map_err(refused)?;
    Ok(Reply(login.into()))
}

/// Log out
///
/// Ends the login: its refresh tokens are worth nothing any more. Needs an access token.
#[utoipa::path(
    post, path = "/auth/logout", tag = "auth", security(("BearerAuth" = [])),
    responses((status = 200, body = StatusOut), AuthErrors, ServerErrors),
)]
pub(crate) async fn logout(caller: Caller<Anybody>) -> ApiResult<Reply<StatusOut>> {
    let family = caller.login().ok_or_else(|| {
        ApiError::forbidden("An API key is no login: delete it at /api-keys instead")
    })?;
    caller.services.logout(caller.tenant(), family).await?;
    Ok(Reply(StatusOut { status: "ok" }))
}

fn parse_email(text: &str) -> ApiResult<Email> {
    Email::parse(text)
        .map_err(|invalid| ApiError::invalid(mf_http_kit::Faults::body("email", invalid)))
}

fn refused(refusal: LoginRefused) -> ApiError {
    match refusal {
        LoginRefused::Wrong | LoginRefused::BadRefreshToken => {
            ApiError::unauthorized(refusal.to_string())
        }
        LoginRefused::EmailTaken => ApiError::conflict(refusal.to_string()),
        LoginRefused::UnknownPlan => ApiError::internal(refusal),
        LoginRefused::Failed(error) => error.into(),
    }
}
