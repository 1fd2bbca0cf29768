//! Version 2 with a password.

use crate::lab::{config, instance, secs, wait, Outcome, Segment, SOON};

const VIP: &str = "10.7.1.1";

pub(crate) fn routers_with_one_password_agree() -> Outcome {
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let mut capture = segment.capture();
    let block = |priority| {
        config(&[instance("VI_1").priority(priority).v2_pass("x1er44q").vip("10.7.1.1/16")])
    };
    let mut high = a.start(&block(200));
    high.wait_master("VI_1");
    let low = b.start(&block(100));
    low.wait_backup("VI_1");
    let advert = capture.wait_advert("an advert", SOON, |a| a.priority == 200);
    assert_eq!(advert.auth, Some((1, *b"x1er44q\0")));
    assert!(advert.checksum_ok, "the password is part of the sum");
    high.crash();
    low.wait_master("VI_1");
    wait("the backup holds the address", SOON, || b.holds("eth0", VIP));
    Ok(())
}

pub(crate) fn routers_with_different_passwords_do_not_hear_each_other() -> Outcome {
    let (_segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let block = |password| config(&[instance("VI_1").v2_pass(password).vip("10.7.1.1/16")]);
    let one = a.start(&block("x1er44q"));
    let other = b.start(&block("x1er44Q"));
    one.wait_master("VI_1");
    other.wait_master("VI_1");
    wait("both are master, and say why", secs(5), || {
        [&one, &other]
            .iter()
            .all(|d| d.log().iter().any(|l| l.contains("(VI_1) received an invalid passwd")))
    });
    Ok(())
}

pub(crate) fn a_router_with_another_password_is_named_as_the_other_master() -> Outcome {
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let block = |password| config(&[instance("VI_1").v2_pass(password).vip("10.7.1.1/16")]);
    let one = a.start(&block("x1er44q"));
    one.wait_master("VI_1");
    let other = b.start(&block("x1er44Q"));
    other.wait_master("VI_1");
    let addr = |id| segment.v4(id).split('/').next().unwrap_or_default().to_owned();
    let because = "(VI_1) because: no valid advertisement in ";
    wait("it says whom it refused", secs(5), || {
        let log = other.log();
        let line = log.iter().find(|l| l.contains(because)).cloned().unwrap_or_default();
        let refused = format!(" from {} refused (wrong password)", addr(1));
        line.contains(&refused) && line.contains(&format!("; {} is MASTER, too", addr(1)))
    });
    let named = format!("(VI_1) received an invalid passwd from {}!; {0} is MASTER, too", addr(2));
    wait("the first one names the second", secs(5), || {
        one.log().iter().any(|l| l.contains(&named))
    });
    Ok(())
}
