//! The known name that a misspelt one most likely means.

/// The candidate with the smallest edit distance to `name`, if it is near enough to be meant (a third of its length, at least 2).
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, one row at a time.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut previous = i + 1;
        for (j, right) in b.iter().enumerate() {
            let above = row[j + 1];
            let cost = diagonal + usize::from(left != *right);
            row[j] = previous;
            previous = cost.min(above + 1).min(previous + 1);
            diagonal = above;
        }
        row[b.len()] = previous;
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edit_distance_is_levenshteins() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn only_a_near_name_is_offered() {
        let keys = ["bootstrap_servers", "group", "control_topic"];
        assert_eq!(nearest("bootstrap_server", keys), Some("bootstrap_servers"));
        assert_eq!(nearest("gruop", keys), Some("group"));
        assert_eq!(nearest("zookeeper", keys), None);
    }
}
