//! Whether a running server is ready.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;

use super::complain;

/// Asks `/health/ready` over a plain socket: a container's check needs no HTTP client.
pub(crate) fn healthcheck(url: Option<&str>) -> ExitCode {
    #[allow(
        clippy::disallowed_methods,
        reason = "runs before there is a configuration"
    )]
    let addr = url
        .map(|url| {
            url.trim_start_matches("http://")
                .trim_end_matches('/')
                .to_owned()
        })
        .or_else(|| {
            std::env::var("MOLTFLOW_ADDR")
                .ok()
                .filter(|addr| !addr.is_empty())
        })
        .unwrap_or_else(|| "127.0.0.1:8080".to_owned())
        .replace("0.0.0.0:", "127.0.0.1:");
    match ready(&addr) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            complain("the server is up and not ready");
            ExitCode::FAILURE
        }
        Err(error) => {
            complain(&format!("the server at {addr} does not answer: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn ready(addr: &str) -> anyhow::Result<bool> {
    let patience = Duration::from_secs(5);
    let addr: SocketAddr = addr.parse().context("not an address and a port")?;
    let mut socket = TcpStream::connect_timeout(&addr, patience)?;
    socket.set_read_timeout(Some(patience))?;
    socket.write_all(
        format!("GET /health/ready HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n")
            .as_bytes(),
    )?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}
