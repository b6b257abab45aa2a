//! The binary `dagr`.

use std::process::ExitCode;

fn main() -> ExitCode {
    dagr_server::tls::install_provider();
    dagr_server::cli::main()
}
