//! Servers that are away, slow, picky or many; and the queue, which never grows too long.

use super::super::input::Subject;
use super::*;
use crate::base::time::WallTime;

const STAMP: Stamp = Stamp { wall: WallTime(0), offset_minutes: 0 };

fn mail(server: MailServer) -> Mail {
    Mail {
        server,
        port: 2525,
        helo: "r1".into(),
        timeout: Duration::from_secs(30),
        from: "a@b".into(),
        recipients: vec!["c@d".into(), "e@f".into()],
        no_faults: false,
    }
}

fn by_address() -> Mail {
    mail(MailServer::Address([10, 7, 0, 1].into()))
}

struct Post {
    outbox: Outbox,
    now: Instant,
}

impl Post {
    fn new(mail: &Mail) -> Self {
        let mut post = Self { outbox: Outbox::default(), now: Instant::from_millis(1000) };
        assert_eq!(post.with(|o, now, out| o.setup(Some(mail), now, out)), []);
        post
    }

    fn with(&mut self, step: impl FnOnce(&mut Outbox, Instant, &mut Vec<Task>)) -> Vec<Task> {
        let mut out = Vec::new();
        step(&mut self.outbox, self.now, &mut out);
        out
    }

    fn letter(&mut self, about: &str, subject: &str) -> Vec<Task> {
        let about = Subject::Instance(about.into());
        let letter = Letter { subject: subject.into(), text: "t".into(), about };
        self.with(|o, now, out| o.post(&letter, STAMP, now, out))
    }

    fn hear(&mut self, reply: &str) -> Vec<Task> {
        let bytes = format!("{reply}\r\n").into_bytes();
        let tasks = self.with(|o, now, out| o.received(&bytes, now, out));
        let said = self.outbox.pending_output().len();
        self.outbox.sent(said);
        tasks
    }

    /// A server that takes everything; says how many mails it got.
    fn serve(&mut self) -> usize {
        self.outbox.on_connected(self.now);
        self.hear("220 x");
        self.hear("250 x");
        let mut taken = 0;
        loop {
            let quitting = self.outbox.waiting() == self.outbox.queue.len();
            if quitting {
                assert_eq!(self.hear("221 bye").first(), Some(&Task::Close));
                return taken;
            }
            for reply in ["250 m", "250 r", "250 r", "354 d", "250 ok"] {
                self.hear(reply);
            }
            taken += 1;
        }
    }

    fn wait(&mut self, seconds: u64) -> Vec<Task> {
        self.now += Duration::from_secs(seconds);
        self.with(Outbox::on_deadline)
    }
}

fn connect() -> Task {
    Task::Connect("10.7.0.1:2525".parse().expect("an address"))
}

fn notes(tasks: &[Task]) -> Vec<String> {
    let note = |t: &Task| if let Task::Noted(n) = t { Some(n.to_string()) } else { None };
    tasks.iter().filter_map(note).collect()
}

#[test]
fn all_that_waits_goes_through_one_connection() {
    let mut post = Post::new(&by_address());
    assert_eq!(post.letter("A", "1"), [connect()]);
    assert_eq!(post.letter("B", "2"), []);
    assert_eq!(post.letter("A", "3"), []);
    assert_eq!(post.serve(), 3);
    assert!(post.outbox.is_idle());
    assert_eq!(post.outbox.next_deadline(), None);
}

#[test]
fn a_server_that_is_away_is_tried_again_and_again() {
    let mut post = Post::new(&by_address());
    post.letter("A", "1");
    let tasks = post.with(|o, now, out| o.on_failed("refused", now, out));
    assert_eq!(
        notes(&tasks),
        ["Error connecting SMTP server [10.7.0.1]:2525: refused; 1 mails wait, next try in 10 s"]
    );
    assert_eq!(post.letter("A", "2"), [], "not before its time");
    let busy = |seconds| post.outbox.is_busy(post.now + Duration::from_secs(seconds));
    assert!(!busy(5) && busy(10));
    assert_eq!(post.wait(9), []);
    assert_eq!(post.wait(1), [connect()]);
    assert!(post.outbox.is_busy(post.now), "it may answer yet");
    assert_eq!(post.outbox.next_deadline(), Some(post.now + Duration::from_secs(30)));
    let tasks = post.wait(30);
    assert_eq!(tasks[0], Task::Close);
    assert!(notes(&tasks)[0].contains("no connection in time; 2 mails wait, next try in 20 s"));
    assert_eq!(post.wait(20), [connect()]);
    assert_eq!(post.serve(), 2);
}

#[test]
fn at_the_end_all_is_tried_once_more_and_not_for_long() {
    let failed = |post: &mut Post| post.with(|o, now, out| o.on_failed("refused", now, out));
    let finish =
        |post: &mut Post| post.with(|o, now, out| o.finish(now + Duration::from_secs(1), now, out));
    // Refused before and again: the wait that was due is not waited for, and there is no other.
    let mut post = Post::new(&by_address());
    post.letter("A", "1");
    failed(&mut post);
    assert_eq!(finish(&mut post), [connect()]);
    assert_eq!(
        notes(&failed(&mut post)),
        ["Error connecting SMTP server [10.7.0.1]:2525: refused; 1 mails wait, this was the last try"]
    );
    assert!(!post.outbox.is_busy(post.now));
    assert_eq!((post.outbox.next_deadline(), post.outbox.waiting()), (None, 1));
    assert_eq!(post.letter("A", "2"), [], "nor for what comes later");
    // Silent: a second, whatever its own time.
    let mut post = Post::new(&by_address());
    post.letter("A", "1");
    assert_eq!(finish(&mut post), [], "the try under way is the last one");
    assert_eq!(post.outbox.next_deadline(), Some(post.now + Duration::from_secs(1)));
    assert_eq!(post.wait(1), [Task::Close]);
    assert!(!post.outbox.is_busy(post.now));
    assert_eq!((post.outbox.next_deadline(), post.outbox.waiting()), (None, 1));
    // There: all that waited is sent.
    let mut post = Post::new(&by_address());
    post.letter("A", "1");
    post.letter("B", "2");
    failed(&mut post);
    assert_eq!(finish(&mut post), [connect()]);
    assert_eq!(post.serve(), 2);
    assert!(!post.outbox.is_busy(post.now));
}

#[test]
fn mails_do_not_wait_for_ever() {
    let mut post = Post::new(&by_address());
    post.letter("A", "1");
    let mut tries = 0;
    let mut given_up = false;
    for _ in 0..1000 {
        let tasks = post.with(|o, now, out| o.on_failed("refused", now, out));
        tries += notes(&tasks).len();
        let Some(next) = post.outbox.next_deadline() else { break };
        let tasks = post.wait(next.since(post.now).as_secs());
        given_up |= notes(&tasks).iter().any(|n| n.contains("is given up"));
    }
    assert!(given_up && post.outbox.is_idle());
    assert!((10..30).contains(&tries), "{tries} tries");
}

#[test]
fn who_is_refused_for_now_is_tried_again_alone() {
    let mut post = Post::new(&by_address());
    post.letter("A", "1");
    post.outbox.on_connected(post.now);
    for reply in ["220 x", "250 x", "250 m"] {
        post.hear(reply);
    }
    let told = notes(&post.hear("550 no such user"));
    let expected = "Error processing RCPT TO on SMTP server [10.7.0.1]:2525: 550 no such user (recipient c@d), given up";
    assert_eq!(told, [expected]);
    let told = notes(&post.hear("450 greylisted"));
    assert!(told[0].ends_with("450 greylisted (recipient e@f), tried again later"), "{told:?}");
    post.hear("250 reset");
    assert_eq!(post.hear("221 bye"), [Task::Close]);
    assert_eq!(post.wait(10), [connect()]);
    post.outbox.on_connected(post.now);
    for reply in ["220 x", "250 x", "250 m"] {
        post.hear(reply);
    }
    let told = post.hear("250 r");
    assert_eq!(told, []);
    post.hear("354 d");
    assert_eq!(notes(&post.hear("250 ok")), ["mail '1' sent to 1 recipients"]);
}

#[test]
fn a_name_is_looked_up_when_it_is_needed_and_remembered_for_a_while() {
    let mut post = Post::new(&mail(MailServer::Name("mx".into())));
    assert_eq!(post.letter("A", "1"), [Task::Resolve("mx".into())]);
    let resolve = |post: &mut Post, list: &[[u8; 4]]| {
        let list = list.iter().map(|a| IpAddr::from(*a)).collect();
        post.with(|o, now, out| o.on_resolved("mx", Ok(list), now, out))
    };
    let other = Task::Connect("10.7.0.9:2525".parse().expect("an address"));
    assert_eq!(resolve(&mut post, &[[10, 7, 0, 9], [10, 7, 0, 1]]), [other]);
    let tasks = post.with(|o, now, out| o.on_failed("refused", now, out));
    assert_eq!(tasks, [connect()], "the next address at once");
    assert_eq!(post.serve(), 1);
    post.wait(299);
    assert_eq!(post.letter("A", "2"), [connect()]);
    assert_eq!(post.serve(), 1);
    post.wait(1);
    assert_eq!(post.letter("A", "3"), [Task::Resolve("mx".into())]);
    let tasks = post.with(|o, now, out| o.on_resolved("mx", Err("no such name".into()), now, out));
    assert_eq!(
        notes(&tasks),
        ["cannot resolve SMTP server mx: no such name; 1 mails wait, next try in 10 s"]
    );
    assert_eq!(resolve(&mut post, &[[10, 7, 0, 1]]), [], "not asked for");
    assert_eq!(post.wait(10), [Task::Resolve("mx".into())]);
    assert!(notes(&post.wait(30))[0].contains("no answer in time"));
}

#[test]
fn the_queue_is_bounded_and_keeps_the_newest_of_each() {
    let mut post = Post::new(&by_address());
    post.letter("A", "only");
    post.with(|o, now, out| o.on_failed("refused", now, out));
    let mut told = 0;
    for n in 0..5000 {
        told += post.letter(&format!("I{}", n % 10), &n.to_string()).len();
        assert!(post.outbox.waiting() <= MOST_WAITING);
    }
    assert_eq!(told, 1, "said once");
    let subjects: Vec<_> = post.outbox.queue.iter().map(|i| i.message.subject.as_str()).collect();
    assert_eq!(subjects[0], "only", "nothing newer is about A");
    assert_eq!(subjects.last(), Some(&"4999"));
    assert_eq!(subjects.len(), MOST_WAITING);
}

#[test]
fn messages_for_a_file_need_no_server() {
    let mut post = Post::new(&mail(MailServer::File("/var/log/alerts".into())));
    let tasks = post.letter("A", "1");
    let [Task::Append { path, bytes }] = &tasks[..] else { panic!("{tasks:?}") };
    assert_eq!(path, "/var/log/alerts");
    let text = String::from_utf8(bytes.clone()).expect("text");
    assert!(text.contains("\nSubject: 1\n") && !text.contains('\r') && text.ends_with("t\n\n"));
    assert!(post.outbox.is_idle());
}

#[test]
fn a_reload_that_changes_the_server_takes_what_waits_along() {
    let mut post = Post::new(&by_address());
    post.letter("A", "1");
    post.outbox.on_connected(post.now);
    for reply in ["220 x", "250 x"] {
        post.hear(reply);
    }
    let same = by_address();
    assert_eq!(post.with(|o, now, out| o.setup(Some(&same), now, out)), []);
    let other = mail(MailServer::Address([10, 7, 0, 2].into()));
    let tasks = post.with(|o, now, out| o.setup(Some(&other), now, out));
    let there = Task::Connect("10.7.0.2:2525".parse().expect("an address"));
    assert_eq!(tasks, [Task::Close, there]);
    assert_eq!(post.serve(), 1);
    post.letter("A", "2");
    assert_eq!(post.with(|o, now, out| o.setup(None, now, out)), [Task::Close]);
    assert!(post.outbox.is_idle());
}

#[test]
fn whatever_a_server_does_mails_are_neither_lost_nor_asked_for_ever() {
    let mut rng = crate::base::rng::Rng::new(20_261_122);
    for _ in 0..200 {
        let mut post = Post::new(&by_address());
        let mut tasks = post.letter("A", "1");
        tasks.extend(post.letter("B", "2"));
        for _ in 0..2000 {
            if post.outbox.is_idle() {
                break;
            }
            tasks = match (rng.between(0, 12), tasks.contains(&connect())) {
                (0..=5, true) => {
                    post.outbox.on_connected(post.now);
                    Vec::new()
                }
                (_, true) => post.with(|o, now, out| o.on_failed("no", now, out)),
                (0, _) => post.with(Outbox::closed),
                (1, _) => post.hear("garbage"),
                (2, _) => post.hear("421 later"),
                (3, _) => post.hear("550 never"),
                (4, _) => post.hear("220 hello"),
                (5 | 6, _) => post.hear("354 go"),
                (7..=9, _) => post.hear("250 ok"),
                _ => {
                    let next = post.outbox.next_deadline();
                    let wait = next.map_or(Duration::ZERO, |d| d.since(post.now));
                    post.wait(wait.as_secs() + 1)
                }
            };
            let served = post.outbox.is_idle() || post.outbox.next_deadline().is_some();
            assert!(served, "it waits for ever");
        }
        assert!(post.outbox.is_idle(), "mails have a bounded life");
    }
}

#[test]
fn mails_that_wait_at_a_restart_by_command_are_sent_after_it() {
    let mut post = Post::new(&by_address());
    post.letter("A", "one");
    post.letter("B", "two");
    post.with(|o, now, out| o.on_failed("refused", now, out));
    let unsent = post.outbox.unsent();
    let mut again = Post::new(&by_address());
    again.with(|o, now, out| o.resume(unsent.clone(), now, out));
    assert_eq!(again.outbox.unsent(), unsent);
    assert_eq!(again.serve(), 2);
}
