"""What each failure of a provider leads to: another try, another endpoint, or the caller's own error."""

import pytest

from support.right import assert_right
from support.router import Model, configuration, provider, table
from support.wire import assert_envelope

TEXTS = ["one text", "another text"]


@pytest.fixture
def alone(start_router, fake):
    """A router whose only endpoint has this fault."""

    def go(fault: str):
        model = Model("test/model", fault)
        return start_router(configuration(provider(fake.base_url), models=[model], embedded=False))

    return go


@pytest.fixture
def pair(start_router, fake):
    """A router with a faulty endpoint, asked first, and a good one of the same space."""

    def go(fault: str, good: str, **members):
        config = configuration(
            provider(fake.base_url, "first", **members), provider(fake.base_url, "second"),
            models=[Model("test/model", fault, "first", endpoint={"space": "s"})], embedded=False,
        )  # fmt: skip
        config += table("[[model.endpoint]]", {"provider": "second", "upstream_model": good, "space": "s"})
        router = start_router(config)
        return lambda texts: router.embed(texts, model="test/model", provider={"order": ["first", "second"]})

    return go


def statuses(fake, model: str) -> list[int]:
    return [a["status"] for a in fake.ended(model)]


PERSISTENT = ["status-503", "status-500", "status-502-html", "status-503-html"]
PERSISTENT += [f"status-{n}" for n in (520, 521, 522, 523, 525, 526, 527)]


@pytest.mark.parametrize("fault", PERSISTENT, ids=lambda fault: f"C6-{fault}")
def test_a_5xx_is_asked_again_once_and_is_then_an_error(alone, fake, fault):
    answer = alone(f"{fault}@alone").embed(TEXTS, model="test/model")
    assert (answer.status, answer.code) == (502, "upstream_error"), answer.body
    assert_envelope(answer)
    assert b"<html" not in answer.body
    assert len(statuses(fake, f"{fault}@alone")) == 2


@pytest.mark.parametrize("fault", [*PERSISTENT, "status-524", "status-529"], ids=lambda fault: f"C6-{fault}")
def test_another_endpoint_answers_for_a_5xx(pair, fake, fault):
    ask = pair(f"{fault}@a", "ok@a")
    assert_right(ask(TEXTS), TEXTS, space="a")
    assert len(statuses(fake, f"{fault}@a")) == 1, "it is not asked again where another may answer"


@pytest.mark.parametrize("fault", ["status-500-once", "status-503-once"], ids=lambda fault: f"C6-{fault}")
def test_a_5xx_that_passes_is_not_seen(alone, fake, fault):
    assert_right(alone(f"{fault}@once").embed(TEXTS, model="test/model"), TEXTS, space="once")
    assert statuses(fake, f"{fault}@once") == [int(fault.split("-")[1]), 200]


def test_c6_the_edge_that_waited_in_vain_is_a_524(alone, fake):
    answer = alone("status-524@edge").embed("a", model="test/model")
    assert (answer.status, answer.code) == (524, "upstream_edge_timeout")
    assert answer.error["metadata"]["error_type"] == "timeout"
    assert statuses(fake, "status-524@edge") == [524], "it has waited long enough"


ABOUT_THE_REQUEST = {
    "status-400-context": "context_length_exceeded",
    "status-500-too-large": "context_length_exceeded",
    "status-413": "upstream_rejected",
    "status-422-items": "upstream_rejected",
}


@pytest.mark.parametrize("fault", ABOUT_THE_REQUEST, ids=lambda fault: f"C7-{fault}")
def test_what_is_about_the_request_is_a_400_and_not_sent_again(pair, fake, fault):
    ask = pair(f"{fault}@about", f"ok@{fault}")
    answer = ask("one text")
    assert (answer.status, answer.code) == (400, ABOUT_THE_REQUEST[fault]), answer.body
    assert_envelope(answer)
    assert len(statuses(fake, f"{fault}@about")) == 1 and not statuses(fake, f"ok@{fault}")


def test_c9_a_refusal_for_the_content_is_final(pair, fake):
    ask = pair("status-400-policy@final", "ok@final")
    answer = ask("one text")
    assert (answer.status, answer.code) == (400, "content_policy_violation"), answer.body
    assert answer.error["metadata"]["error_type"] == "content_policy_violation"
    assert len(statuses(fake, "status-400-policy@final")) == 1 and not statuses(fake, "ok@final")


def test_c9_another_provider_is_asked_where_the_operator_says_so(pair, fake):
    ask = pair("status-400-policy@opted", "ok@opted", policy_fallback=True)
    assert_right(ask(TEXTS), TEXTS, space="opted")
    assert len(statuses(fake, "status-400-policy@opted")) == 1


def test_c9_and_where_all_refuse_the_caller_is_told_why(pair):
    ask = pair("status-400-policy@both", "status-400-policy@both2", policy_fallback=True)
    answer = ask("one text")
    assert answer.status == 400 and answer.error["metadata"]["error_type"] == "content_policy_violation"


@pytest.mark.parametrize(
    "code,status,attempts", [(429, 429, 1), (402, 402, 1), (500, 502, 2), (529, 529, 2), (400, 400, 1)],
    ids=lambda value: f"A13-{value}",
)  # fmt: skip
def test_an_error_inside_a_200_follows_the_policy_of_its_code(alone, fake, code, status, attempts):
    model = f"error-in-200-{code}@inner"
    answer = alone(model).embed("one text", model="test/model")
    assert answer.status == status, answer.body
    assert_envelope(answer)
    assert len(statuses(fake, model)) == attempts


@pytest.mark.parametrize("code", [429, 402, 500], ids=lambda code: f"A13-{code}")
def test_another_endpoint_answers_for_an_error_inside_a_200(pair, code):
    ask = pair(f"error-in-200-{code}@fall{code}", f"ok@fall{code}")
    assert_right(ask(TEXTS), TEXTS, space=f"fall{code}")


@pytest.mark.parametrize("fault", ["status-401", "status-402", "status-403", "status-429"], ids=lambda f: f"C8-{f}")
def test_another_endpoint_answers_where_the_key_or_the_balance_is_the_matter(pair, fault):
    ask = pair(f"{fault}@key{fault[-3:]}", f"ok@key{fault[-3:]}")
    assert_right(ask(TEXTS), TEXTS, space=f"key{fault[-3:]}")

