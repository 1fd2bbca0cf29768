//! Listings of nft.

use super::Host;

/// The lines of `nft ARGUMENTS list ruleset`, each list of elements on one line.
pub(crate) fn ruleset_lines(host: &Host, arguments: &[&str]) -> Vec<String> {
    let text = host.output("nft", &[arguments, &["list", "ruleset"]].concat());
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match lines.last_mut() {
            Some(last) if last.starts_with("elements = {") && !last.ends_with('}') => {
                *last = format!("{last} {line}");
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}
