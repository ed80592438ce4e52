"""What a proxy logs is read strictly: it holds words of the sandbox."""

from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.runtime.proxy_log import MOST, OTHERS, refused, uses

AT = "2026-11-24T10:00:00.123456789Z"
LINES = (
    f"{AT} credential=forge 200 123 bytes 5 ms -- api.example.com GET /v1/x",
    f"{AT} credential=forge 403 123 bytes 5 ms -- api.example.com DELETE /v1/x",
    f"{AT} credential=forge 403 123 bytes 5 ms -- api.example.com DELETE /v1/y",
    f"{AT} credential=- 421 123 bytes 5 ms -- other.example.com GET /",
)


def test_requests_are_counted_by_credential_host_and_end() -> None:
    found = uses(LINES)
    assert [(each.credential, each.host, each.status, each.times) for each in found] == [
        ("forge", "api.example.com", 200, 1),
        ("forge", "api.example.com", 403, 2),
        ("-", "other.example.com", 421, 1),
    ]
    assert [each.status for each in refused(found)] == [403, 421]
    assert found[0].last == 1795514400


@given(st.lists(st.text(max_size=80)))
def test_of_any_other_form_nothing_counts(lines: list[str]) -> None:
    assert uses(lines) == ()


def test_hosts_that_are_made_up_fill_no_memory_and_push_nothing_out() -> None:
    many = [LINES[3].replace("other", f"x{number}") for number in range(5000)]
    found = uses([*LINES[:3], *many])
    assert len(found) == MOST + 2
    assert [(each.credential, each.status, each.times) for each in found[:2]] == [
        ("forge", 200, 1), ("forge", 403, 2),
    ]  # fmt: skip
    # What is not told one by one is counted together.
    assert sum(each.times for each in found if each.credential == "-") == 5000
    assert [each.times for each in found if each.host == OTHERS] == [5000 - MOST + 1]


def test_no_path_and_no_method_keeps_a_request_from_being_counted() -> None:
    cut = f"{AT} credential=forge 403 123 bytes 5 ms -- api.example.com GET /{'x' * 900}"
    odd = f"{AT} credential=forge 403 123 bytes 5 ms -- api.example.com M-X /a b 200 1 bytes"
    bad = f"{AT} credential=- 400 123 bytes 5 ms PR-- - <BADREQ> -"
    assert [(each.status, each.times) for each in uses([cut, odd, bad])] == [(403, 2), (400, 1)]


def test_no_character_of_a_host_steers_a_terminal() -> None:
    (found,) = uses([LINES[3].replace("other", "\x1b[31m")])
    assert found.host == "??31m.example.com"
