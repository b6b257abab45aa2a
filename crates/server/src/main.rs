//! The binary `dagr`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    dagr_server::tls::install_provider();
    dagr_server::cli::main()
}
