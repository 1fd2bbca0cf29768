//! Floods of advertisements, and their effect on other virtual routers.

use std::time::Duration;

use crate::lab::{
    config_with, gaps, instance, millis, ours_only, pass, secs, stays, wait, Capture, Daemon,
    FrameBuilder, Host, Instance, Outcome, Segment, Workshop, SOON,
};

const TRUSTING: &str = "    script_user root\n    enable_script_security";

/// The longest interval between two advertisements of a virtual router, in a capture that covers
/// the flood.
fn longest_gap(capture: &mut Capture, vrid: u8, mac: [u8; 6]) -> Duration {
    let own: Vec<_> = capture.adverts_of(vrid).into_iter().filter(|a| a.mac == mac).collect();
    assert!(own.len() > 2, "{} advertisements of {vrid}", own.len());
    gaps(&own).into_iter().max().expect("several")
}

/// Two segments, one of them flooded. The flooded virtual router shares its socket with another,
/// and its daemon with one on the other segment, whose backup must not take over.
pub(crate) fn a_flood_of_priority_zero_silences_no_other_router() -> Outcome {
    ours_only()?;
    const RATE: u64 = 30_000;
    let (quiet, [a, b]) = Segment::with_hosts(["a", "b"]);
    let loud = Segment::new(8);
    let evil = Host::new("evil");
    loud.attach(&a, "eth1", 1);
    loud.attach(&evil, "eth0", 3);
    let interval = secs(1);
    let block = |name: &str, vrid: u8| instance(name).vrid(vrid).every("1").priority(200);
    let daemon = a.start(&config_with(
        "",
        &[
            block("VI_1", 51).vip("10.7.1.1/16"),
            block("VI_2", 60).on("eth1").vip("10.8.1.2/16"),
            block("VI_3", 61).on("eth1").vip("10.8.1.3/16"),
        ],
    ));
    ["VI_1", "VI_2", "VI_3"].iter().for_each(|name| daemon.wait_master(name));
    let backup = b.start(&config_with("", &[block("VI_1", 51).priority(100).vip("10.7.1.1/16")]));
    backup.wait_backup("VI_1");
    let marks = [daemon.mark(), backup.mark()];
    let (mut calm, mut busy) = (quiet.capture(), loud.capture());
    let cpu = daemon.cpu();
    let goodbye = FrameBuilder::v3("10.8.0.3", 60, 0, 100, &["10.8.1.2"]).build();
    let flood = evil.injector("eth0").flood(vec![goodbye], RATE, secs(5));
    // The capture must not lose packets that are counted.
    while !flood.is_finished() {
        busy.frames();
        pass(millis(5));
    }
    let flooded = flood.join().expect("it ends");
    pass(millis(200));
    let gap_1 = longest_gap(&mut calm, 51, a.mac("eth0"));
    let gap_3 = longest_gap(&mut busy, 61, a.mac("eth1"));
    let answers = busy.adverts_of(60).into_iter().filter(|x| x.mac == a.mac("eth1")).count();
    let lines = daemon.mark() - marks[0];
    println!(
        "{:.0}/s for {:?}: gaps {gap_1:?} on another segment, {gap_3:?} on the same socket, \
         {answers} answers, CPU {:.0} %, {lines} lines",
        flooded.rate(),
        flooded.time,
        100.0 * (daemon.cpu() - cpu).div_duration_f64(flooded.time),
    );
    for gap in [gap_1, gap_3] {
        assert!(gap <= interval.mul_f64(1.1), "silent for {gap:?}");
    }
    let most = 11.0 * (flooded.time.as_secs_f64() + 2.0);
    assert!(answers as f64 <= most, "{answers} answers");
    assert!(lines < 30, "{lines} lines");
    assert_eq!(daemon.state_changes(marks[0]), Vec::<String>::new());
    assert_eq!(backup.state_changes(marks[1]), Vec::<String>::new());
    Ok(())
}

/// Twenty peers, and an unrelated host.
pub(crate) fn an_unrelated_host_cannot_amplify_unicast_traffic() -> Outcome {
    ours_only()?;
    let (segment, [a, evil]) = Segment::with_hosts(["a", "evil"]);
    let peers: String = (10..30).map(|n| format!("  10.7.0.{n}\n")).collect();
    let there =
        |n| format!("neigh add 10.7.0.{n} lladdr 02:00:00:00:00:{n} dev eth0 nud permanent\n");
    a.ip(&(10..30).map(there).collect::<String>());
    let unicast = format!("unicast_src_ip 10.7.0.1\nunicast_peer {{\n{peers} }}");
    let block = instance("VI_1").every("1").line(&unicast).vip("10.7.1.1/16");
    let daemon = a.start(&config_with("", &[block]));
    daemon.wait_master("VI_1");
    let mut old_style = FrameBuilder::v3("10.7.0.2", 51, 0, 100, &["10.7.1.1"]);
    // The old form of the checksum covers the group, regardless of the destination.
    old_style.destination = "10.7.0.1".parse().expect("an address");
    old_style.pseudo_destination = Some("224.0.0.18".parse().expect("an address"));
    old_style.ttl = 9;
    let mut capture = a.capture("eth0");
    let mut frame = old_style.build();
    frame[0..6].copy_from_slice(&a.mac("eth0"));
    let flooded =
        evil.injector("eth0").flood(vec![frame], 10_000, secs(2)).join().expect("it ends");
    let count = capture.adverts().iter().filter(|x| x.mac == a.mac("eth0")).count();
    println!("{:.0}/s for {:?}: {count} packets sent", flooded.rate(), flooded.time);
    // Twenty copies each of ten replies and one advertisement per second.
    let most = 20.0 * 11.0 * (flooded.time.as_secs_f64() + 2.0);
    assert!((count as f64) < most, "{count} packets");
    assert!(count > 20, "{count} packets: the peers cannot be reached");
    let log = daemon.log();
    assert!(
        !log.iter().any(|l| l.contains("checksum to old version")),
        "the checksum form of an unrelated host was adopted"
    );
    assert!(log.iter().any(|l| l.contains("in the old unicast form")), "it was heard");
    drop(segment);
    Ok(())
}

/// Frames to send, their target, and the condition to wait for first.
struct Case {
    what: &'static str,
    block: Instance,
    is_ready: fn(&Daemon),
    frames: Vec<Vec<u8>>,
}

fn from(source: &str, priority: u8) -> FrameBuilder {
    FrameBuilder::v3(source, 51, priority, 10, &["10.7.1.1"])
}

fn cases(shop: &Workshop) -> Vec<Case> {
    let master = |daemon: &Daemon| daemon.wait_master("VI_1");
    let backup = |daemon: &Daemon| daemon.wait_backup("VI_1");
    let block = || instance("VI_1").priority(200).vip("10.7.1.1/16");
    let recorder = shop.script("record.sh", "echo >>$HERE/notified");
    let notified = || block().line(&format!("notify_master_rx_lower_pri \"{recorder}\""));
    let any = || block().line(&format!("notify \"{recorder}\""));
    // Many forged senders.
    let forged = |priority| {
        (0..=255_u8).map(|n| from(&format!("10.7.9.{n}"), priority).build()).collect::<Vec<_>>()
    };
    let damaged = FrameBuilder { checksum_error: 1, ..from("10.7.0.3", 250) };
    let case = |what, block, is_ready, frames| Case { what, block, is_ready, frames };
    vec![
        case("lower priorities", notified(), master, vec![from("10.7.0.3", 1).build()]),
        case("lower priorities of many", notified(), master, forged(1)),
        case(
            "another owner",
            notified().priority(255),
            master,
            vec![from("10.7.0.0", 255).build()],
        ),
        case("goodbyes to a master", block(), master, vec![from("10.7.0.3", 0).build()]),
        case(
            "goodbyes to a backup",
            block(),
            backup,
            vec![from("10.7.0.3", 250).build(), from("10.7.0.3", 0).build()],
        ),
        case(
            "a preempt delay",
            block().priority(100).line("preempt_delay 300"),
            backup,
            vec![from("10.7.0.3", 50).build(), from("10.7.0.3", 150).build()],
        ),
        case("masters in turns", block().priority(100), backup, forged(150)),
        case("damage", block(), master, vec![damaged.build()]),
        case(
            "other addresses",
            block().priority(100),
            backup,
            vec![FrameBuilder::v3("10.7.0.3", 51, 150, 10, &["10.7.1.2"]).build()],
        ),
        case(
            "a flapping master",
            any().priority(254),
            master,
            vec![from("10.7.0.3", 255).build(), from("10.7.0.3", 0).build()],
        ),
    ]
}

/// The number of log lines and processes does not grow with the number of packets.
pub(crate) fn each_kind_costs_few_lines_and_processes() -> Outcome {
    ours_only()?;
    const RATE: u64 = 4000;
    const TIME: Duration = secs(1);
    let shop = Workshop::new();
    let (_segment, [a, evil]) = Segment::with_hosts(["a", "evil"]);
    for Case { what, block, is_ready, frames } in cases(&shop) {
        shop.write("notified", "");
        let mut daemon = a.start(&config_with(TRUSTING, &[block]));
        is_ready(&daemon);
        wait("the script of the start ran", SOON, || {
            what != "a flapping master" || shop.lines("notified").len() == 2
        });
        let (mark, scripts, cpu) = (daemon.mark(), shop.lines("notified").len(), daemon.cpu());
        let flood = evil.injector("eth0").flood(frames, RATE, TIME);
        let flooded = flood.join().expect("it ends");
        stays("it goes on", millis(300), || daemon.is_running());
        let lines = daemon.mark() - mark;
        let scripts = shop.lines("notified").len() - scripts;
        println!(
            "{what}: {} packets, {lines} lines, {scripts} scripts, CPU {:.0} %",
            flooded.frames,
            100.0 * (daemon.cpu() - cpu).div_duration_f64(flooded.time)
        );
        let log = || daemon.log().split_off(mark).join("\n");
        // Flapping gives a burst of each log line; a state with its cause counts as two.
        assert!(lines <= 250, "{what}: {lines} lines\n{}", log());
        // Once per interval of a tenth of a second; a change of state at most once per skew.
        let most = 10.0 * (flooded.time.as_secs_f64() + 0.5) + 2.0;
        let most = if what == "a flapping master" { 400.0 } else { most };
        assert!(scripts as f64 <= most, "{what}: {scripts} scripts");
        assert_eq!(daemon.stop().code(), Some(0));
    }
    Ok(())
}
