//! `moltflow`: see `moltflow --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    mf_server::cli::main()
}
