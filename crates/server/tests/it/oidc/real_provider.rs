//! npm's `oidc-provider`, as `tests/oidc/package-lock.json` says, run by Node.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use super::browser::REDIRECT_URI;
use crate::{npm, seen::not_tried};

pub const SECRET: &str = "canary-8814-secret-of-the-client";

/// Killed when dropped.
pub struct RealProvider {
    pub issuer: String,
    child: Child,
}

impl RealProvider {
    /// None, and a line that says so, where Node or the npm registry are missing.
    pub fn start() -> Option<Self> {
        let dir = match installed() {
            Ok(dir) => dir,
            Err(why) => {
                not_tried("AN OPENID PROVIDER", &why);
                return None;
            }
        };
        let mut child = Command::new("node")
            .arg(sources().join("provider.mjs"))
            .arg(dir)
            .args([REDIRECT_URI, SECRET])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut issuer = String::new();
        let told = BufReader::new(child.stdout.take().unwrap()).read_line(&mut issuer);
        told.unwrap();
        assert!(
            issuer.starts_with("http://127.0.0.1:"),
            "the provider does not start"
        );
        let issuer = issuer.trim().to_owned();
        Some(Self { issuer, child })
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

impl Drop for RealProvider {
    fn drop(&mut self) {
        self.kill();
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc")
}

fn installed() -> Result<PathBuf, String> {
    let node = Command::new("node").arg("--version").output();
    let version = node
        .map_err(|_| "node is missing (Debian: nodejs)".to_owned())?
        .stdout;
    let version = String::from_utf8_lossy(&version).trim().to_owned();
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .unwrap_or_default();
    if major.parse::<u32>().unwrap_or(0) < 20 {
        return Err(format!("node {version} is older than 20"));
    }
    npm::installed("oidc")
}
