#![expect(clippy::disallowed_methods, reason = "tests make the files they need")]

use super::*;
use crate::model::script::{Script, User};
use crate::sys::clock::Clock;
use crate::sys::sched::Inherited;
use crate::sys::tests::{alone_with_children, wait, TempDir};
use crate::sys::users::own;

const NOBODY: User = User { uid: 65534, gid: 65534 };

fn starter() -> Starter {
    Starter::new(Inherited::read().expect("reads"))
}

fn script(user: User, words: &[&str]) -> Script {
    let argv = words.iter().map(|&w| w.to_owned()).collect();
    Script { path: words[0].to_owned(), argv, user, by_shell: false }
}

/// Starts and waits.
fn run(script: &Script, extra: &[&str]) -> Outcome {
    run_by(Manner::Copy, script, extra)
}

fn run_by(manner: Manner, script: &Script, extra: &[&str]) -> Outcome {
    let child = starter().start(script, extra, manner).expect("starts");
    let (pid, said) = wait(|| ended().expect("looks"));
    assert_eq!(pid, child.pid());
    bury(pid);
    child.outcome(said)
}

#[test]
fn what_cannot_be_executed_says_why() {
    let _alone = alone_with_children();
    let dir = TempDir::new("start");
    let plain = dir.path().join("plain");
    std::fs::write(&plain, "").unwrap();
    for (path, wanted) in [
        ("/nosuch/script", "cannot execute it: No such file or directory"),
        (plain.to_str().unwrap(), "cannot execute it: Permission denied"),
    ] {
        let script = script(own(), &[path]);
        let error = starter().start(&script, &[], Manner::Borrow).expect_err("fails");
        assert!(error.to_string().starts_with(wanted), "{error}");
        assert_eq!(ended().expect("looks"), None);
        let outcome = run(&script, &[]);
        assert!(matches!(outcome, Outcome::NotStarted(f) if f.to_string().starts_with(wanted)));
    }
}

#[test]
fn another_user_is_for_root_only() {
    let _alone = alone_with_children();
    if own().uid == 0 {
        let test = "[ $(id -u) = 65534 ] && [ $(id -G) = 65534 ]";
        assert_eq!(run(&script(NOBODY, &["/bin/sh", "-c", test]), &[]), Outcome::Exited(0));
    } else {
        let outcome = run(&script(NOBODY, &["/bin/true"]), &[]);
        assert!(matches!(outcome, Outcome::NotStarted(f) if f.to_string().contains("its user")));
    }
}

#[test]
fn a_status_like_that_of_a_failure_is_a_status() {
    let _alone = alone_with_children();
    let script = script(own(), &["/bin/sh", "-c", "exit 127"]);
    for manner in [Manner::Borrow, Manner::Copy] {
        assert_eq!(run_by(manner, &script, &[]), Outcome::Exited(127));
    }
}

#[test]
fn a_change_of_user_is_never_waited_for() {
    let _alone = alone_with_children();
    let outcome = run_by(Manner::Borrow, &script(NOBODY, &["/nosuch"]), &[]);
    assert!(matches!(outcome, Outcome::NotStarted(_)), "known only afterwards");
}

#[test]
fn a_command_reads_and_writes_its_streams() {
    let _alone = alone_with_children();
    let script = script(own(), &["/bin/sh", "-c", "ls /proc/self/fd >&2; exec cat"]);
    let input = "many lines\n".repeat(20_000);
    let mut streams = Streams::new(&input).expect("there is memory");
    let child = starter().start_with(&script, &[], Manner::Copy, Some(&streams)).expect("starts");
    let (pid, said) = wait(|| ended().expect("looks"));
    bury(pid);
    assert_eq!((pid, said), (child.pid(), Outcome::Exited(0)));
    let [output, errors] = streams.read().expect("reads");
    assert!(output == input, "{} bytes", output.len());
    // The last one is that of the listed directory.
    assert_eq!(errors, "0\n1\n2\n3\n");
}

#[test]
fn a_shell_sees_the_words_as_they_are() {
    let _alone = alone_with_children();
    let dir = TempDir::new("shell");
    let path = dir.path().join("it's $HOME");
    let file = dir.path().join("words");
    // Neither `#!` nor a binary: only a shell takes it.
    std::fs::write(&path, "for w; do echo \"<$w>\"; done >\"$1\"\n").unwrap();
    let path = path.to_str().unwrap();
    let words = ["named", file.to_str().unwrap(), "a b", "*", "'", "$(x)", ""];
    let mut script = script(own(), &words);
    script.path = path.to_owned();
    script.by_shell = true;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(path, mode).unwrap();
    assert_eq!(run(&script, &["last one"]), Outcome::Exited(0));
    let wanted = format!("<{}>\n<a b>\n<*>\n<'>\n<$(x)>\n<>\n<last one>\n", words[1]);
    assert_eq!(std::fs::read_to_string(file).unwrap(), wanted);
}

#[test]
fn a_redirection_tells_whether_a_file_can_be_opened() {
    let _alone = alone_with_children();
    for (path, succeeds) in [("</dev/null", true), ("</nosuch/file", false)] {
        let mut script = script(own(), &[path]);
        script.by_shell = true;
        assert_eq!(run(&script, &[]) == Outcome::Exited(0), succeeds, "{path}");
    }
}

#[test]
fn a_word_with_a_zero_byte_is_refused() {
    let _alone = alone_with_children();
    assert!(starter().start(&script(own(), &["/bin/true", "a\0b"]), &[], Manner::Copy).is_err());
    assert_eq!(ended().expect("looks"), None);
}

/// Run with `cargo test --lib sys::children -- --ignored --nocapture`.
#[test]
#[ignore = "measures; needs a quiet machine"]
fn a_start_costs_far_less_than_a_millisecond() {
    let _alone = alone_with_children();
    let clock = Clock::new();
    let ballast = vec![1u8; 64 << 20];
    for manner in [Manner::Borrow, Manner::Copy] {
        let mut starter = starter();
        let script = script(own(), &["/bin/true"]);
        let mut spans: Vec<_> = (0..200)
            .map(|_| {
                let before = clock.now();
                let child = starter.start(&script, &[], manner).expect("starts");
                let span = clock.now().since(before);
                wait(|| ended().expect("looks"));
                bury(child.pid());
                span
            })
            .collect();
        spans.sort();
        let (median, worst) = (spans[100], spans[199]);
        println!("{manner:?}, with {} bytes: median {median:?}, worst {worst:?}", ballast.len());
        assert!(median < std::time::Duration::from_millis(1) || manner == Manner::Copy);
    }
}
