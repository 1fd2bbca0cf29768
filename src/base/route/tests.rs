use super::*;

fn route(family: Family) -> Route<u32> {
    Route::plain(Prefix { len: 8, ..Prefix::all(family) })
}

fn hop(via: Option<&str>) -> NextHop<u32> {
    let via = via.map(|via| via.parse().expect("an address"));
    NextHop::plain(via, Some(2))
}

#[test]
fn the_scope_follows_from_type_and_gateway() {
    let scope = |kind, next_hops| {
        Route { kind, next_hops, ..route(Family::V4) }.normalized().scope.expect("one")
    };
    assert_eq!(scope(kind::UNICAST, vec![hop(None)]), SCOPE_LINK);
    assert_eq!(scope(kind::UNICAST, vec![hop(Some("10.0.0.1"))]), SCOPE_UNIVERSE);
    assert_eq!(scope(kind::UNICAST, vec![hop(None), hop(None)]), SCOPE_UNIVERSE);
    assert_eq!(scope(kind::LOCAL, vec![hop(None)]), SCOPE_HOST);
    assert_eq!(scope(kind::BROADCAST, vec![hop(None)]), SCOPE_LINK);
    assert_eq!(scope(kind::BLACKHOLE, Vec::new()), SCOPE_UNIVERSE);
    let by_object = Route { nexthop_id: Some(5), ..route(Family::V4) };
    assert_eq!(by_object.normalized().scope, Some(SCOPE_UNIVERSE));
    let given = Route { scope: Some(200), next_hops: vec![hop(None)], ..route(Family::V4) };
    assert_eq!(given.normalized().scope, Some(200));
}

#[test]
fn a_metric_of_0_is_the_usual_one() {
    let metric = |family, metric| Route { metric, ..route(family) }.normalized().metric;
    assert_eq!(
        [None, Some(0), Some(5)].map(|m| metric(Family::V4, m)),
        [Some(0), Some(0), Some(5)]
    );
    let v6 = [None, Some(0), Some(5)].map(|m| metric(Family::V6, m));
    assert_eq!(v6, [Some(1024), Some(1024), Some(5)]);
}

#[test]
fn values_have_the_limits_of_the_kernel() {
    let mut wide = route(Family::V4);
    let values = [(metric::MTU, 70_000), (metric::HOPLIMIT, 256), (metric::QUICKACK, 0)];
    wide.metrics.values = SortedMap::from(values);
    let expected = SortedMap::from([(metric::MTU, 65_520), (metric::HOPLIMIT, 255)]);
    assert_eq!(wide.normalized().metrics.values, expected);
}

#[test]
fn settling_twice_is_settling_once() {
    for family in [Family::V4, Family::V6] {
        let mut any = route(family);
        any.next_hops = vec![hop(Some("10.0.0.1"))];
        let once = any.normalized();
        assert_eq!(once.clone().normalized(), once);
    }
}
