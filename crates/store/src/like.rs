/// The pattern for `ILIKE` of whatever contains this text, in which nothing is special.
pub(crate) fn contains(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn what_is_special_in_a_pattern_is_not_in_a_search() {
        assert_eq!(contains("50% of a_b\\c"), "%50\\% of a\\_b\\\\c%");
    }
}
