//! Passwords, authentication headers and signed advertisements.

use std::time::Duration;

use crate::lab::{
    config, gaps, instance, millis, ours_only, pass, secs, wait, Daemon, Instance, Outcome,
    Segment, Workshop, SOON,
};
use crate::transport::moves_and_returns;

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

const OLD: &str = "key 1 0123456789abcdef0123456789abcdef";
const NEW: &str = "key 2 hex:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn signed(priority: u8, lines: &[&str]) -> String {
    config(&[instance("VI_1").priority(priority).vip("10.7.1.1/16").signed(lines)])
}

/// The numbers of keys in captured frames, each once.
fn key_ids(frames: &[crate::lab::Frame]) -> Vec<u8> {
    let trailers = frames.iter().filter(|f| f.bytes.get(23) == Some(&112));
    let mut ids: Vec<u8> = trailers.map(|f| f.bytes[f.bytes.len() - 27]).collect();
    ids.dedup();
    ids
}

pub(crate) fn a_key_is_replaced_without_an_election() -> Outcome {
    ours_only()?;
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let high = a.start(&signed(200, &[OLD, "active_key 1"]));
    high.wait_master("VI_1");
    let daemons = [high, b.start(&signed(100, &[OLD, "active_key 1"]))];
    daemons[1].wait_backup("VI_1");
    wait("the master is heard", SOON, || daemons[1].logged("(VI_1) master set to 10.7.0.1"));
    let marks = [daemons[0].mark(), daemons[1].mark()];
    let mut capture = segment.capture();
    for lines in
        [&[OLD, NEW, "active_key 1"][..], &[OLD, NEW, "active_key 2"], &[NEW, "active_key 2"]]
    {
        for (daemon, priority) in daemons.iter().zip([200, 100]) {
            daemon.rewrite(&signed(priority, lines));
            let mark = daemon.mark();
            daemon.reload();
            daemon.wait_log_since(mark, "Reload complete");
            pass(millis(400));
        }
    }
    for (daemon, mark) in daemons.iter().zip(marks) {
        assert_eq!(daemon.state_changes(mark), Vec::<String>::new(), "{}", daemon.name);
        let refused: Vec<_> =
            daemon.log().into_iter().filter(|l| l.contains("authentication")).collect();
        assert_eq!(refused, Vec::<String>::new(), "{}", daemon.name);
    }
    assert_eq!(key_ids(capture.frames()), [1, 2]);
    let adverts = capture.adverts();
    assert!(adverts.iter().all(|a| a.priority == 200), "one master");
    assert!(gaps(&adverts).iter().all(|gap| *gap < millis(300)), "{:?}", gaps(&adverts));
    Ok(())
}

/// What a dead master said is played back for as long as the backup would have to believe it.
pub(crate) fn a_recording_does_not_keep_a_dead_master_alive() -> Outcome {
    ours_only()?;
    for (replay, line) in [
        ("anti_replay time", "(VI_1) replayed authentication trailer from 10.7.0.1"),
        ("anti_replay monotonic", "(VI_1) replayed authentication trailer from 10.7.0.1"),
    ] {
        let block = |i: Instance| i.signed(&[OLD, "active_key 1", replay]);
        play_back(block, line, secs(3));
    }
    let header = |i: Instance| i.v2_header("s3cr3t");
    play_back(header, "(VI_1) replayed authentication header from 10.7.0.1", secs(6));
    Ok(())
}

fn play_back(with: impl Fn(Instance) -> Instance, line: &str, limit: Duration) {
    let (segment, [a, b, c]) = Segment::with_hosts(["a", "b", "c"]);
    let block = |priority| config(&[with(instance("VI_1").priority(priority).vip("10.7.1.1/16"))]);
    let mut capture = segment.capture();
    let mut high = a.start(&block(200));
    high.wait_master("VI_1");
    let low = b.start(&block(100));
    low.wait_backup("VI_1");
    wait("the master is heard", SOON, || low.logged("(VI_1) master set to 10.7.0.1"));
    pass(millis(2500));
    high.crash();
    let is_advert = |bytes: &[u8]| matches!(bytes.get(23), Some(51 | 112));
    let frames = capture.frames().iter().map(|frame| frame.bytes.clone());
    let recorded: Vec<_> = frames.filter(|bytes| is_advert(bytes)).collect();
    assert!(recorded.len() > 2, "{} adverts", recorded.len());
    let flood = c.injector("eth0").flood(recorded, 200, secs(8));
    wait("the backup takes over", limit, || low.logged("(VI_1) Entering MASTER STATE"));
    low.wait_log_part(0, line);
    let flooded = flood.join().expect("the flood ends");
    assert!(flooded.frames > 500, "{flooded:?}");
    assert_eq!(low.state_changes(0).len(), 2, "it stays master");
}

/// A reload that asks for authentication headers opens other sockets.
pub(crate) fn a_reload_introduces_authentication_headers() -> Outcome {
    ours_only()?;
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let plain =
        |priority| instance("VI_1").version(2).every("1").priority(priority).vip("10.7.1.1/16");
    let header =
        |priority| instance("VI_1").v2_header("s3cr3t").priority(priority).vip("10.7.1.1/16");
    let high = a.start(&config(&[plain(200)]));
    high.wait_master("VI_1");
    let low = b.start(&config(&[plain(100)]));
    low.wait_backup("VI_1");
    wait("the master is heard", SOON, || low.logged("(VI_1) master set to 10.7.0.1"));
    let marks = [high.mark(), low.mark()];
    let mut capture = segment.capture();
    for (daemon, priority) in [(&high, 200), (&low, 100)] {
        daemon.rewrite(&config(&[header(priority)]));
        daemon.reload();
    }
    let headers = |frames: &[crate::lab::Frame]| {
        frames.iter().filter(|f| f.bytes.get(23) == Some(&51)).count()
    };
    wait("five with a header", SOON, || headers(capture.frames()) >= 5);
    for (daemon, mark) in [&high, &low].iter().zip(marks) {
        assert_eq!(daemon.state_changes(mark), Vec::<String>::new(), "{}", daemon.name);
    }
    Ok(())
}

/// Over each transport: what is signed is accepted, also after a restart, and the kernel of the other
/// router finds the checksum right.
pub(crate) fn signed_routers_agree_over_every_transport() -> Outcome {
    ours_only()?;
    let peers = |i: Instance, own: String, peer: String| {
        i.line(&format!("unicast_src_ip {own}")).line(&format!("unicast_peer {{\n {peer}\n }}"))
    };
    let v4 = "10.7.1.1/16";
    let over_v4 = |_, _| instance("VI_1").vip(v4);
    let version_2 = |_, _| instance("VI_1").version(2).every("1").vip(v4);
    let unicast = |own, peer| {
        peers(instance("VI_1").vip(v4), format!("10.7.0.{own}"), format!("10.7.0.{peer}"))
    };
    let over_v6 = |_, _| instance("VI_1").vip("fe80::51/64").vip("fd07::1:1/64");
    let unicast_v6 = |own, peer| {
        let block = instance("VI_1").vip("fd07::1:1/64");
        peers(block, format!("fd07::{own}"), format!("fd07::{peer}"))
    };
    agree(over_v4, "anti_replay time", "10.7.1.1");
    agree(version_2, "anti_replay monotonic", "10.7.1.1");
    agree(unicast, "anti_replay time", "10.7.1.1");
    agree(over_v6, "anti_replay time", "fd07::1:1");
    agree(unicast_v6, "anti_replay monotonic", "fd07::1:1");
    Ok(())
}

fn agree(block: impl Fn(u8, u8) -> Instance, replay: &str, vip: &str) {
    let signed = |own, peer| block(own, peer).signed(&[OLD, "active_key 1", replay]);
    let (_segment, _hosts, daemons) = moves_and_returns("", signed, vip);
    for daemon in &daemons {
        let log = daemon.log();
        let refused: Vec<_> = log.iter().filter(|l| l.contains("authentication")).collect();
        assert_eq!(refused, Vec::<&String>::new(), "{}", daemon.name);
    }
}

fn is_in_fault(daemon: &Daemon, mark: usize) {
    daemon.wait_log_part(mark, "(VI_1) Entering FAULT STATE");
    daemon.wait_log_part(mark, "authentication without a usable key");
}

/// No advertisement of this router.
fn is_silent(segment: &Segment) {
    let mut capture = segment.capture();
    pass(millis(500));
    let own = |a: &crate::lab::Advert| a.source.to_string() == "10.7.0.1";
    assert!(!capture.adverts().iter().any(own), "it is silent");
}

/// The reference runs the instance without authentication.
pub(crate) fn without_a_key_nothing_is_sent_and_nothing_believed() -> Outcome {
    ours_only()?;
    let (segment, [a, b]) = Segment::with_hosts(["a", "b"]);
    let shop = Workshop::new();
    let key = OLD.trim_start_matches("key 1 ");
    let file = format!("key 1 file:{}", shop.path("key"));
    let good = signed(200, &[&file, "active_key 1"]);
    let other = b.start(&signed(100, &[OLD, "active_key 1"]));
    other.wait_master("VI_1");
    let mark = other.mark();
    let daemon = a.start(&good);
    is_in_fault(&daemon, 0);
    is_silent(&segment);

    shop.write("key", &format!("{key}\n"));
    daemon.reload();
    daemon.wait_master("VI_1");
    other.wait_yielded(mark, "VI_1");

    // The running configuration has no error, so it stays.
    let (bad, none) = (signed(200, &[&file, "active_key 2"]), signed(200, &[]));
    let mut capture = segment.capture();
    let marks = [daemon.mark(), other.mark()];
    let breaks: [&dyn Fn(); 4] = [
        &|| daemon.rewrite(&bad),
        &|| daemon.rewrite(&none),
        &|| shop.write("key", "short"),
        &|| shop.remove("key"),
    ];
    for break_it in breaks {
        shop.write("key", &format!("{key}\n"));
        daemon.rewrite(&good);
        let mark = daemon.mark();
        break_it();
        daemon.reload();
        daemon.wait_log_part(mark, "the configuration that runs stays in force");
    }
    pass(millis(300));
    assert_eq!(key_ids(capture.frames()), [1]);
    for (daemon, mark) in [&daemon, &other].iter().zip(marks) {
        assert_eq!(daemon.state_changes(mark), Vec::<String>::new(), "{}", daemon.name);
    }

    // An error that the running configuration has excuses no other.
    let flawed = |text: &str| text.replace("state BACKUP", "state BACKUP\n no_such_keyword");
    shop.write("key", &format!("{key}\n"));
    let mark = other.mark();
    drop(daemon);
    other.wait_log_since(mark, "(VI_1) Entering MASTER STATE");
    let mark = other.mark();
    let daemon = a.start(&flawed(&good));
    daemon.wait_master("VI_1");
    other.wait_yielded(mark, "VI_1");
    let marks = [daemon.mark(), other.mark()];
    daemon.rewrite(&flawed(&bad));
    daemon.reload();
    daemon.wait_log_part(marks[0], "the configuration that runs stays in force");
    daemon.rewrite(&flawed(&good).replace("priority", "\npriority"));
    daemon.reload();
    daemon.wait_log_since(marks[0], "Reload complete");
    for (daemon, mark) in [&daemon, &other].iter().zip(marks) {
        assert_eq!(daemon.state_changes(mark), Vec::<String>::new(), "{}", daemon.name);
    }
    let everything = daemon.log().join("\n") + &other.log().join("\n");
    assert!(!everything.contains(key), "a key in the log");
    Ok(())
}
