"""What a proxy logs is read strictly: it holds words of the sandbox."""

from hypothesis import given
from hypothesis import strategies as st

from jailoc.generators.runtime.proxy_log import MOST, refused, uses

AT = "2026-11-24T10:00:00.123456789Z"
LINES = (
    f"{AT} credential=forge GET api.example.com/v1/x 200 123 bytes 5 ms --",
    f"{AT} credential=forge DELETE api.example.com/v1/x 403 123 bytes 5 ms --",
    f"{AT} credential=forge DELETE api.example.com/v1/y 403 123 bytes 5 ms --",
    f"{AT} credential=- GET other.example.com/ 421 123 bytes 5 ms --",
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


def test_hosts_that_are_made_up_fill_no_memory() -> None:
    many = (LINES[3].replace("other", f"x{number}") for number in range(5000))
    assert len(uses(many)) == MOST


def test_no_character_of_a_host_steers_a_terminal() -> None:
    (found,) = uses([LINES[3].replace("other", "\x1b[31m")])
    assert found.host == "??31m.example.com"
