//! Wrong programs, and what the compiler says to their authors: the message, or else the documentation
//! of `Validator`, `AsyncValidator` and the crate, which quotes it, names the right spelling.

#[cfg(test)]
#[test]
fn the_compiler_names_the_right_spelling() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
