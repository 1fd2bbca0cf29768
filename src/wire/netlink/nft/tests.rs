use super::*;
use crate::base::addr::Family;
use crate::wire::netlink::{attributes, messages, Header};
use crate::wire::Malformed;

const TABLE: Table<'_> = Table { family: Family::V6, name: "t" };
const REQUEST: u16 = 1;
const ACK: u16 = 4;
const CREATE: u16 = 0x400;
const APPEND: u16 = 0x800;

/// An attribute with its inner attributes, or its value.
#[derive(Debug, PartialEq, Eq)]
enum Tree {
    Nest(u16, Vec<Self>),
    Value(u16, Vec<u8>),
}
use Tree::{Nest, Value};

/// `nests`: the paths of kinds that lead to nested attributes.
fn tree(data: &[u8], path: &[u16], nests: &[&[u16]]) -> Vec<Tree> {
    let one = |(kind, value): (u16, &[u8])| {
        let path = [path, &[kind]].concat();
        match nests.contains(&&path[..]) {
            true => Nest(kind, tree(value, &path, nests)),
            false => Value(kind, value.to_vec()),
        }
    };
    attributes(data).map(|a| one(a.expect("sound"))).collect()
}

fn text(kind: u16, value: &str) -> Tree {
    Value(kind, format!("{value}\0").into_bytes())
}

fn number(kind: u16, value: u32) -> Tree {
    Value(kind, value.to_be_bytes().to_vec())
}

/// The messages between begin and end.
fn inner(batch: &Batch) -> Vec<(Header, Vec<u8>)> {
    let datagram = batch.datagram(70);
    let all: Vec<_> = messages(&datagram).map(|(h, body)| (h, body.to_vec())).collect();
    let (first, last) = (&all[0], &all[all.len() - 1]);
    assert_eq!(first.0, Header { kind: 0x10, flags: REQUEST, sequence: 70 });
    assert_eq!((last.0.kind, last.0.flags), (0x11, REQUEST));
    for (at, (header, _)) in all.iter().enumerate() {
        assert_eq!(header.sequence as usize, 70 + at);
    }
    for (_, body) in [first, last] {
        assert_eq!(body, &[0, 0, 0, 10], "the subsystem");
    }
    all[1..all.len() - 1].to_vec()
}

#[test]
fn only_the_last_message_is_acknowledged() {
    let mut batch = Batch::default();
    assert!(batch.is_empty());
    batch.add_table(TABLE);
    batch.remove_table(TABLE);
    let messages = inner(&batch);
    let heads: Vec<_> = messages.iter().map(|(h, _)| (h.kind, h.flags)).collect();
    assert_eq!(heads, [(0xa00, REQUEST | CREATE), (0xa02, REQUEST | ACK)]);
    for (_, body) in messages {
        assert_eq!(body[..4], [10, 0, 0, 0], "IPv6");
        assert_eq!(tree(&body[4..], &[], &[]), [text(1, "t")]);
    }
    assert_eq!([0, 1, 2, 3].map(|n| batch.kind(n)), {
        use Message::{Batch, Table};
        [Batch, Table, Table, Batch]
    });
    assert_eq!(batch.next_number(), 3);
}

#[test]
fn a_chain_at_a_hook_accepts_what_its_rules_leave() {
    let mut batch = Batch::default();
    batch.add_base_chain(TABLE, "in", Hook::Input, -1);
    batch.add_chain(TABLE, "more");
    let messages = inner(&batch);
    let hook = Nest(4, vec![number(1, 1), number(2, u32::MAX)]);
    let expected = [text(1, "t"), text(3, "in"), hook, number(5, 1), text(7, "filter")];
    assert_eq!(tree(&messages[0].1[4..], &[], &[&[4]]), expected);
    assert_eq!(tree(&messages[1].1[4..], &[], &[]), [text(1, "t"), text(3, "more")]);
}

#[test]
fn sets_have_types_lengths_and_an_order() {
    let mut batch = Batch::default();
    let key = &[Data::Ipv6Address, Data::LinkName][..];
    batch.add_set(TABLE, &Set::new("a", key));
    let key = &[Data::LinkIndex][..];
    batch.add_set(TABLE, &Set { data: Some(Data::LinkIndex), ..Set::new("b", key) });
    let key = &[Data::Icmpv6Type][..];
    batch.add_set(TABLE, &Set { constant: true, ..Set::new("c", key) });
    let sets: Vec<_> = inner(&batch).iter().map(|(_, b)| tree(&b[4..], &[], &[])).collect();
    let head = |name| [text(1, "t"), text(2, name)];
    let order = |list: &[u32]| {
        let each = list
            .iter()
            .zip([0, 1])
            .flat_map(|(order, kind)| [vec![kind, 4], order.to_ne_bytes().to_vec()].concat());
        Value(13, each.collect())
    };
    let concatenation = [number(4, 8 << 6 | 41), number(5, 32), number(10, 1)];
    assert_eq!(sets[0], head("a").into_iter().chain(concatenation).collect::<Vec<_>>());
    let map = [number(3, 8), number(4, 20), number(5, 4), number(6, 20), number(7, 4)];
    let map = map.into_iter().chain([number(10, 2), order(&[1, 1])]);
    assert_eq!(sets[1], head("b").into_iter().chain(map).collect::<Vec<_>>());
    let constant = [number(3, 2), number(4, 29), number(5, 1), number(10, 3), order(&[2])];
    assert_eq!(sets[2], head("c").into_iter().chain(constant).collect::<Vec<_>>());
}

#[test]
fn elements_are_split_into_messages() {
    let mut batch = Batch::default();
    let element =
        |n: u32| Element { key: n.to_ne_bytes().to_vec(), key_end: None, data: Some(vec![7; 4]) };
    let elements: Vec<_> = (0..1201).map(element).collect();
    batch.add_elements(TABLE, "s", &elements);
    batch.remove_elements(TABLE, "s", &elements[..1]);
    batch.add_elements(TABLE, "s", &[]);
    let messages = inner(&batch);
    let kinds: Vec<_> = messages.iter().map(|(h, _)| h.kind).collect();
    assert_eq!(kinds, [0xa0c, 0xa0c, 0xa0c, 0xa0e]);
    let nests: &[&[u16]] = &[&[3], &[3, 1], &[3, 1, 1], &[3, 1, 2]];
    let last = tree(&messages[3].1[4..], &[], nests);
    let key = Nest(1, vec![Value(1, vec![0; 4])]);
    let data = Nest(2, vec![Value(1, vec![7; 4])]);
    let expected = [text(1, "t"), text(2, "s"), Nest(3, vec![Nest(1, vec![key, data])])];
    assert_eq!(last, expected);
    let counts: Vec<_> = messages[..3]
        .iter()
        .map(|(_, body)| match &tree(&body[4..], &[], nests)[2] {
            Nest(3, list) => list.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(counts, [500, 500, 201]);
}

/// The data of one expression in a rule of its own.
fn emitted(expr: Expr<'_>, nests: &[&[u16]]) -> (Vec<u8>, Vec<Tree>) {
    let mut batch = Batch::default();
    batch.add_rule(TABLE, "in", &[expr]);
    let (header, body) = inner(&batch).remove(0);
    assert_eq!((header.kind, header.flags), (0xa06, REQUEST | CREATE | APPEND | ACK));
    let deep: Vec<Vec<u16>> = nests.iter().map(|path| [&[4, 1, 2], *path].concat()).collect();
    let mut all: Vec<&[u16]> = vec![&[4], &[4, 1], &[4, 1, 2]];
    all.extend(deep.iter().map(Vec::as_slice));
    let mut rule = tree(&body[4..], &[], &all);
    let Some(Nest(4, mut list)) = rule.pop() else { panic!("{rule:?}") };
    assert_eq!(rule, [text(1, "t"), text(2, "in")]);
    let Some(Nest(1, mut expr)) = list.pop() else { panic!("{list:?}") };
    assert!(list.is_empty());
    match (expr.remove(0), expr.remove(0)) {
        (Value(1, name), Nest(2, data)) => (name, data),
        other => panic!("{other:?}"),
    }
}

#[test]
fn expressions_have_their_names_and_attributes() {
    let value = |kind, bytes: &[u8]| Nest(kind, vec![Value(1, bytes.to_vec())]);
    let (first, second) = (Register::First, Register::Second);
    let payload = Expr::Payload { base: Base::Network, offset: 24, len: 16, to: first };
    let duplicate = Expr::Duplicate { to: first, through: second };
    let mask =
        vec![number(1, 1), number(2, 1), number(3, 2), value(4, &[255, 192]), value(5, &[0, 0])];
    let cases: Vec<(Expr<'_>, &str, Vec<Tree>)> = vec![
        (payload, "payload", vec![number(1, 1), number(2, 1), number(3, 24), number(4, 16)]),
        (Expr::Meta(Meta::OutputKind, second), "meta", vec![number(1, 2), number(2, 27)]),
        (Expr::SetMeta(Meta::Mark, first), "meta", vec![number(2, 3), number(3, 1)]),
        (Expr::Meta(Meta::Mark, Register::SecondWord), "meta", vec![number(1, 9), number(2, 3)]),
        (Expr::Mask(first, &[0xff, 0xc0]), "bitwise", mask),
        (Expr::Equal(first, &[58]), "cmp", vec![number(1, 1), number(2, 0), value(3, &[58])]),
        (Expr::In(first, "s"), "lookup", vec![text(1, "s"), number(2, 1)]),
        (Expr::Map(second, "s"), "lookup", vec![text(1, "s"), number(2, 2), number(3, 2)]),
        (duplicate, "dup", vec![number(1, 1), number(2, 2)]),
        (Expr::Counter, "counter", vec![]),
    ];
    for (expr, name, expected) in cases {
        let nests: &[&[u16]] = match expr {
            Expr::Mask(..) => &[&[4], &[5]],
            Expr::Equal(..) => &[&[3]],
            _ => &[],
        };
        let (found, data) = emitted(expr, nests);
        assert_eq!(String::from_utf8_lossy(&found), format!("{name}\0"));
        assert_eq!(data, expected, "{expr:?}");
    }
}

#[test]
fn verdicts_are_values_of_the_register_zero() {
    let verdict = |verdict| {
        let (name, data) = emitted(Expr::Verdict(verdict), &[&[2], &[2, 2]]);
        assert_eq!(name, b"immediate\0");
        data
    };
    let expected = |code: u32, chain: Option<&str>| {
        let mut inner = vec![number(1, code)];
        inner.extend(chain.map(|chain| text(2, chain)));
        vec![number(1, 0), Nest(2, vec![Nest(2, inner)])]
    };
    assert_eq!(verdict(Verdict::Drop), expected(0, None));
    assert_eq!(verdict(Verdict::Accept), expected(1, None));
    assert_eq!(verdict(Verdict::Goto("x")), expected(u32::MAX - 3, Some("x")));
    assert_eq!(verdict(Verdict::Return), expected(u32::MAX - 4, None));
}

#[test]
fn tables_are_read_from_dumps_and_notifications() {
    let mut query = Vec::new();
    Query::Tables.emit(9, &mut query);
    let (header, body) = messages(&query).next().expect("a message");
    assert_eq!(header, Header { kind: 0xa01, flags: 0x301, sequence: 9 });
    assert_eq!(body, [0; 4]);
    let mut batch = Batch::default();
    batch.add_table(TABLE);
    let (mut header, body) = inner(&batch).remove(0);
    let table = (Family::V6, "t".to_owned());
    assert_eq!(parse_table(&body), Ok(Some(table.clone())));
    let (family, name) = table;
    assert_eq!(parse_event(header, &body), Ok(Some(TableEvent::Added(family, name.clone()))));
    header.kind = 0xa02;
    assert_eq!(parse_event(header, &body), Ok(Some(TableEvent::Removed(family, name))));
    header.kind = 0xa05;
    assert_eq!(parse_event(header, &body), Ok(None));
    let mut other = body.clone();
    other[0] = 1;
    assert_eq!(parse_table(&other), Ok(None), "the family inet");
    for len in 0..8 {
        assert_eq!(parse_table(&body[..len]), Err(Malformed), "{len}");
    }
}

#[test]
fn a_map_of_ranges_names_the_lengths_of_its_fields() {
    let mut batch = Batch::default();
    let key = &[Data::Ipv4Address, Data::Port][..];
    let plain = Set { data: Some(Data::Mark), ranges: true, ..Set::new("m", key) };
    batch.add_set(TABLE, &plain);
    batch.add_set(TABLE, &Set { counters: true, ..plain });
    let range = Element { key: vec![1; 8], key_end: Some(vec![2; 8]), data: Some(vec![3; 4]) };
    batch.add_elements(TABLE, "m", &[range]);
    let messages = inner(&batch);
    let nests: &[&[u16]] = &[&[9], &[9, 2], &[9, 2, 1], &[17]];
    let expected = |id: u32| {
        let field = |len| Nest(1, vec![number(1, len)]);
        let order = [vec![1, 4], 1_u32.to_ne_bytes().to_vec()].concat();
        vec![
            text(1, "t"),
            text(2, "m"),
            number(3, 0x4 | 0x8 | 0x80),
            number(4, 7 << 6 | 13),
            number(5, 8),
            number(6, 19),
            number(7, 4),
            Nest(9, vec![Nest(2, vec![field(4), field(2)])]),
            number(10, id),
            Value(13, order),
        ]
    };
    assert_eq!(tree(&messages[0].1[4..], &[], nests), expected(1));
    let counter = Nest(17, vec![text(1, "counter"), Value(2, Vec::new())]);
    let counted: Vec<_> = expected(2).into_iter().chain([counter]).collect();
    assert_eq!(tree(&messages[1].1[4..], &[], nests), counted);
    let nests: &[&[u16]] = &[&[3], &[3, 1], &[3, 1, 1], &[3, 1, 2], &[3, 1, 10]];
    let parts = [(1, 1, 8), (2, 3, 4), (10, 2, 8)];
    let parts = parts.map(|(kind, value, len)| Nest(kind, vec![Value(1, vec![value; len])]));
    let elements = Nest(3, vec![Nest(1, parts.into())]);
    assert_eq!(tree(&messages[2].1[4..], &[], nests), [text(1, "t"), text(2, "m"), elements]);
}
