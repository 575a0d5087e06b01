//! The bugs that `tests/planted` makes are in no program that was built otherwise.

use seatkeeper_tests::binaries::binary;

#[test]
fn the_built_programs_hold_no_planted_bug() {
    for name in ["seatkeeperd", "seatkeeper"] {
        let path = binary(name);
        let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let has = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        assert!(!has(b"SEATKEEPER_PLANTED"), "{name} was built with them");
        // The search finds what is there.
        assert!(has(b"SEATKEEPER"), "{name}");
    }
}
