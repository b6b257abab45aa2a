//! `cargo +nightly fuzz run definition fuzz/corpus/definition crates/model/tests/corpus/good crates/model/tests/corpus/bad`
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Err(broken) = dagr_model::definition::holds_round_trip(text) {
        panic!("{broken}");
    }
});
