//! The sites that are measured: the daemon under an ordinary configuration, with a license large enough.

use seatkeeper_tests::vendor::feature;
use seatkeeper_tests::{Site, Vendor};
use std::path::Path;
use std::sync::OnceLock;

fn vendor() -> Vendor {
    let mut vendor = Vendor::new("bench", 3);
    vendor.issuer.products = vec!["bench".to_owned()];
    vendor
}

/// The root that the load generator's applications carry.
pub(crate) fn root_thumbprint() -> &'static str {
    static ROOT: OnceLock<String> = OnceLock::new();
    ROOT.get_or_init(|| vendor().root.public().thumbprint())
}

/// The same root as a PEM.
pub(crate) fn root_pem() -> String {
    vendor().root.public().to_pem()
}

/// A started site below this folder with four million seats for everyone.
pub(crate) fn start(below: &Path) -> Site {
    start_with(below, "")
}

/// The same with more in its configuration.
pub(crate) fn start_with(below: &Path, more: &str) -> Site {
    started(Site::below(below), more)
}

/// The same of another build of the daemon.
pub(crate) fn start_of(program: &Path, below: &Path) -> Site {
    let mut site = Site::below(below);
    site.with_program(program);
    started(site, "")
}

fn started(mut site: Site, more: &str) -> Site {
    site.configure(&format!(
        "max_connections_per_uid = 1024\nlog_level = \"warn\"\n{more}"
    ));
    site.start();
    let vendor = vendor();
    let mut license = vendor.license("B-1", 1, 1, &site.site_key());
    license.product = "bench".to_owned();
    license.features = vec![feature("seat", 4_000_000)];
    site.install(&vendor, &vendor.file(&license));
    site
}
