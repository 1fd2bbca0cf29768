use super::*;
use crate::config::keyword::Standing;

#[test]
fn tables_are_in_order_and_have_no_keyword_twice() {
    walk(ROOT, &mut |block| {
        for pair in block.keywords.windows(2) {
            assert!(pair[0].name < pair[1].name, "{}: {}", block.name, pair[1].name);
        }
    });
}

#[test]
fn every_keyword_is_found_and_no_other() {
    let mut count = 0;
    walk(ROOT, &mut |block| {
        for keyword in block.keywords {
            count += 1;
            assert_eq!(block.find(keyword.name).map(|k| k.name), Some(keyword.name));
            assert!(block
                .find(&format!("{}x", keyword.name))
                .is_none_or(|k| k.name != keyword.name));
        }
    });
    assert!(count > 500, "{count}");
}

#[test]
fn an_old_name_leads_to_a_present_one_in_the_same_block() {
    walk(ROOT, &mut |block| {
        for keyword in block.keywords {
            if let Standing::Alias { of, .. } = keyword.standing {
                let target = block.find(of).unwrap_or_else(|| panic!("{} -> {of}", keyword.name));
                assert_eq!(target.standing, Standing::Current, "{of}");
            }
        }
    });
}
