from services.gateway.public.limits import RateLimit


def test_so_many_at_once_then_so_many_a_second() -> None:
    now = 0.0
    limit = RateLimit(burst=3, per_second=2, clock=lambda: now)
    assert [limit.allows("a") for _ in range(4)] == [True, True, True, False]
    assert limit.allows("b")
    now = 0.5
    assert [limit.allows("a") for _ in range(2)] == [True, False]
    now = 60
    assert [limit.allows("a") for _ in range(4)] == [True, True, True, False]


def test_names_are_forgotten_and_memory_stays_flat() -> None:
    limit = RateLimit(burst=1, per_second=0, clock=lambda: 0.0, most_names=100)
    for number in range(1_000):
        assert limit.allows(str(number))
    assert not limit.allows("999")
    assert limit.allows("0")
