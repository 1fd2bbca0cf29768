use super::*;
use crate::base::sorted::SortedMap;
use crate::config::host::{CommandFacts, LinkFacts};
use crate::model::script::User;

/// A host with nothing but files.
#[derive(Default)]
struct Files(SortedMap<&'static str, Result<Vec<u8>, Unusable>>);

impl Files {
    fn with(files: &[(&'static str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| (*path, Ok(text.as_bytes().to_vec()))).collect())
    }
}

impl Host for Files {
    fn name_file(&self, path: &str, limit: u64) -> Result<Vec<u8>, Unusable> {
        let found = self.0.get(path).cloned().unwrap_or(Err(Unusable::Missing))?;
        if found.len() as u64 > limit {
            return Err(Unusable::TooLarge);
        }
        Ok(found)
    }

    fn name_files(&self, directory: &str) -> Vec<String> {
        let below = |path: &&str| Some(path.strip_prefix(directory)?.strip_prefix('/')?.to_owned());
        self.0.keys().filter_map(below).collect()
    }

    fn link(&self, _: &str) -> Option<LinkFacts> {
        None
    }

    fn hostname(&self) -> Option<String> {
        None
    }

    fn user(&self, _: &str) -> Option<User> {
        None
    }

    fn group(&self, _: &str) -> Option<u32> {
        None
    }

    fn own_user(&self) -> User {
        User::ROOT
    }

    fn own_user_name(&self) -> Option<String> {
        None
    }

    fn command(&self, _: &str, _: User) -> Result<CommandFacts, String> {
        Err(String::new())
    }
}

fn number(files: &Files, list: List, word: &str) -> Option<u32> {
    Names::default().number(files, list, word)
}

#[test]
fn numbers_need_no_file_and_are_read_in_any_base() {
    let none = Files::default();
    assert_eq!(number(&none, List::Tables, "0x10"), Some(16));
    assert_eq!(number(&none, List::Tables, "010"), Some(8));
    assert_eq!(number(&none, List::Tables, "4294967295"), Some(u32::MAX));
    assert_eq!(number(&none, List::Tables, "4294967296"), None);
    assert_eq!(number(&none, List::Realms, "256"), None);
    assert_eq!(number(&none, List::Tables, "-1"), None);
    assert_eq!(number(&none, List::Tables, "main"), Some(254));
    assert_eq!(number(&none, List::IpProtocols, "tcp"), Some(6));
    assert_eq!(number(&none, List::Realms, "main"), None);
}

#[test]
fn lines_are_a_number_and_a_name() {
    let files = Files::with(&[(
        "/etc/iproute2/rt_tables",
        "# 1 no\n 5 five # comment\n0x6\tsix\n7 seven more\neight 8\n4294967296 far\n9\n5 cinq\n10 five\n",
    )]);
    let table = |word| number(&files, List::Tables, word);
    assert_eq!([table("five"), table("six"), table("cinq")], [Some(10), Some(6), Some(5)]);
    for word in ["no", "seven", "more", "eight", "far", "9x", ""] {
        assert_eq!(table(word), None, "{word}");
    }
}

#[test]
fn names_of_protocols_have_aliases() {
    let files = Files::with(&[("/etc/protocols", "xtp\t36\tXTP\t# express\nl2tp 115 L2TP l2\n")]);
    let protocol = |word| number(&files, List::IpProtocols, word);
    assert_eq!([protocol("xtp"), protocol("XTP"), protocol("l2")], [Some(36), Some(36), Some(115)]);
}

#[test]
fn what_the_operator_wrote_comes_before_what_was_shipped() {
    let usr = "/usr/share/iproute2/rt_protos";
    let shipped = Files::with(&[(usr, "70 a\n")]);
    assert_eq!(number(&shipped, List::Protocols, "a"), Some(70));
    let files = Files::with(&[
        (usr, "70 a\n"),
        ("/etc/iproute2/rt_protos", "71 b\n"),
        ("/usr/share/iproute2/rt_protos.d/x.conf", "72 c\n73 d\n"),
        ("/usr/share/iproute2/rt_protos.d/y.conf", "74 e\n75 f\n"),
        ("/etc/iproute2/rt_protos.d/x.conf", "76 c\n"),
        ("/etc/iproute2/rt_protos.d/z.conf", "77 e\n"),
        ("/etc/iproute2/rt_protos.d/README", "78 g\n"),
    ]);
    let found = ["a", "b", "c", "d", "e", "f", "g"].map(|w| number(&files, List::Protocols, w));
    assert_eq!(found, [None, Some(71), Some(76), None, Some(77), Some(75), None]);
}

#[test]
fn directories_can_be_set() {
    let files =
        Files::with(&[("/a/rt_realms", "7 seven\n"), ("/b/rt_realms.d/x.conf", "8 eight\n")]);
    let names = Names::new(Directories { etc: "/a".into(), usr: "/b".into() });
    assert_eq!(names.number(&files, List::Realms, "seven"), Some(7));
    assert_eq!(names.number(&files, List::Realms, "eight"), Some(8));
}

#[test]
fn what_is_too_large_is_not_used_and_reported() {
    let mut files = Files::with(&[("/etc/iproute2/group", "1 one\n")]);
    files.0.insert("/etc/iproute2/group.d/a.conf", Ok(vec![b'\n'; MOST_BYTES as usize - 6]));
    files.0.insert("/etc/iproute2/group.d/b.conf", Ok(b"2 two\n".to_vec()));
    files.0.insert("/etc/iproute2/group.d/c.conf", Err(Unusable::NotRegular));
    let names = Names::default();
    assert_eq!(names.number(&files, List::LinkGroups, "one"), Some(1));
    assert_eq!(names.number(&files, List::LinkGroups, "two"), None);
    let told: Vec<_> = names.unusable().map(|(path, why)| format!("{path}: {why}")).collect();
    assert_eq!(
        told,
        [
            "/etc/iproute2/group.d/b.conf: it is too large",
            "/etc/iproute2/group.d/c.conf: it is not a regular file"
        ]
    );
}
