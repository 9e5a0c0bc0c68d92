//! Starts the server on a cluster that is there, and stops it.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use crate::Options;
use crate::binaries::Binaries;
use crate::error::{Error, io};
use crate::home::{Home, write_private};
use crate::log::{Log, LogMark};
use crate::postmaster::{Postmaster, State, answers, observe};

/// Recovery after a crash reads the write-ahead log again, which may take a while.
const READY_WITHIN: Duration = Duration::from_mins(2);
/// Fast shutdown writes a checkpoint.
const STOPPED_WITHIN: Duration = Duration::from_mins(1);
/// Pause between two looks at the folder.
const PAUSE: Duration = Duration::from_millis(20);
/// Between choosing a port and listening on it, somebody else may take it.
const PORT_ATTEMPTS: usize = 5;

/// Starts the server and waits until it takes connections.
pub(crate) async fn start(
    options: &Options,
    home: &Home,
    binaries: &Binaries,
) -> Result<(Child, Postmaster), Error> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let port = choose_port(home)?;
        let (mut child, log) = spawn(options, home, binaries, port)?;
        match wait_ready(&mut child, home, &log).await {
            Ok(running) => return Ok((child, running)),
            Err(Error::NotReady { .. })
                if attempts < PORT_ATTEMPTS
                    && log
                        .written()
                        .contains("could not create any TCP/IP sockets") =>
            {
                tracing::debug!(port, "port was taken meanwhile");
            }
            Err(error) => return Err(error),
        }
    }
}

fn spawn(
    options: &Options,
    home: &Home,
    binaries: &Binaries,
    port: u16,
) -> Result<(Child, LogMark), Error> {
    let program = binaries.dir.join("postgres");
    let log = Log::open(home)?;
    let mut command = home.command(&program);
    command
        .arg("-D")
        .arg(home.data())
        .args([
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
        ])
        .args(["-c", &format!("port={port}")]);
    for (name, value) in &options.settings {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    // A group of its own, so that Ctrl-C reaches us alone and we stop it when we are done.
    let child = command
        .process_group(0)
        .stdout(log.stdio()?)
        .stderr(log.stdio()?)
        .spawn()
        .map_err(io("run", &program))?;
    Ok((child, log.release()))
}

async fn wait_ready(child: &mut Child, home: &Home, log: &LogMark) -> Result<Postmaster, Error> {
    let pid = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        if let State::Running(found) = observe(home)
            && Some(found.pid) == pid
            && found.ready
            && answers(found.port).await
        {
            return Ok(found);
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(log.not_ready(format!("ended at once ({status})")));
        }
        if Instant::now() > deadline {
            let error = log.not_ready(format!("was not ready after {} s", READY_WITHIN.as_secs()));
            let _ = child.kill().await;
            return Err(error);
        }
        sleep(PAUSE).await;
    }
}

/// The port of last time if it is free, so that tools set up for it go on working; else any.
fn choose_port(home: &Home) -> Result<u16, Error> {
    let file = home.port_file();
    let stored = fs::read_to_string(&file)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    if let Some(port) = stored
        && TcpListener::bind(("127.0.0.1", port)).is_ok()
    {
        return Ok(port);
    }
    let port = TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map_err(io("find a free port for", &file))?
        .port();
    write_private(&file, &port.to_string())?;
    Ok(port)
}

/// Asks for a fast shutdown and waits until the last process has gone.
pub(crate) async fn stop(home: &Home, pid: Pid, child: Option<Child>) -> Result<(), Error> {
    if !is_running(home, pid) {
        return Ok(());
    }
    let number = pid.as_raw_pid().cast_unsigned();
    match rustix::process::kill_process(pid, Signal::INT) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(error) => return Err(io("stop process of", &home.data())(error.into())),
    }
    let deadline = Instant::now() + STOPPED_WITHIN;
    let mut child = child;
    loop {
        // Collects it if it is ours, so that no zombie stays.
        let collected = match &mut child {
            Some(child) => matches!(child.try_wait(), Ok(Some(_)) | Err(_)),
            None => true,
        };
        if collected && observe(home) == State::Free {
            return Ok(());
        }
        if Instant::now() > deadline {
            let seconds = STOPPED_WITHIN.as_secs();
            return Err(Error::StillRunning {
                pid: number,
                seconds,
            });
        }
        sleep(PAUSE).await;
    }
}

fn is_running(home: &Home, pid: Pid) -> bool {
    matches!(observe(home), State::Running(found) if found.pid == pid)
}
