"""Why a request went where it did: openrouter_metadata on request, availability and previous errors on failures."""

import pytest

from support.router import Model, Router, configuration, model_of, provider, table
from support.wire import assert_envelope

ASKED = {"X-OpenRouter-Metadata": "Enabled"}


def second_endpoint(**members) -> str:
    return table("[[model.endpoint]]", members)


@pytest.fixture(scope="module")
def routed(tmp_path_factory, fake):
    """test/two: a failing endpoint, then a good one, in one space. test/private: nothing that keeps nothing."""
    two = Model("test/two", "status-500", "first", members={"aliases": ["pair"]}, endpoint={"space": "s"})
    config = configuration(
        provider(fake.base_url), provider(fake.base_url, "first", name="First"), provider(fake.base_url, "second"),
        models=[*(model_of(name) for name in ("ok", "status-429-retry-2", "status-404", "status-401", "status-400")), two],
        embedded=False,
    )  # fmt: skip
    config += second_endpoint(provider="second", upstream_model="ok", space="s")
    router = Router(tmp_path_factory.mktemp("routed"), config)
    yield router
    router.stop()


class TestMetadata:
    def test_a_success_tells_who_could_and_who_did(self, routed):
        in_order = {"order": ["First", "second"]}
        story = routed.embed("a", model="pair", provider=in_order, headers=ASKED).json["openrouter_metadata"]
        assert story["requested"] == "pair" and story["strategy"] == "alias" and story["region"] is None
        assert story["summary"] == "available=2, selected=second" and story["is_byok"] is False
        assert story["endpoints"] == {
            "total": 2,
            "available": [{"provider": "First", "model": "test/two", "selected": False},
                          {"provider": "second", "model": "test/two", "selected": True}],
        }  # fmt: skip
        assert [(a["provider"], a["status"]) for a in story["attempts"]] == [("First", 500), ("second", 200)]
        assert story["attempt"] == 2 and type(story["generation_time"]) is int

    @pytest.mark.parametrize("headers", [{}, {"X-OpenRouter-Metadata": "true"}, {"X-OpenRouter-Metadata": ""}])
    def test_it_is_told_on_request_alone(self, routed, headers):
        assert "openrouter_metadata" not in routed.embed("a", model="test/ok", headers=headers).json

    def test_the_older_header_asks_too(self, routed):
        headers = {"X-OpenRouter-Experimental-Metadata": "enabled"}
        assert routed.embed("a", model="test/ok", headers=headers).json["openrouter_metadata"]["strategy"] == "direct"

    def test_a_failure_tells_it_beside_the_error(self, routed):
        answer = routed.embed("a", model="test/status-404", headers=ASKED)
        assert_envelope(answer)
        story = answer.json["openrouter_metadata"]
        assert story["attempt"] == 1 and story["summary"] == "available=1, selected=none"
        never = routed.embed("a", model="no/model", headers=ASKED).json["openrouter_metadata"]
        assert never["attempt"] == 0 and never["attempts"] == [] and never["endpoints"] == {"total": 0, "available": []}

    def test_what_never_came_to_routing_has_no_such_story(self, routed):
        unauthorized = routed.embed("a", model="test/ok", headers={**ASKED, "Authorization": "Bearer no"})
        malformed = routed.request("POST", "/api/v1/embeddings", b"{", ASKED)
        assert unauthorized.status == 401 and malformed.status == 400
        assert "openrouter_metadata" not in unauthorized.json and "openrouter_metadata" not in malformed.json


class TestAvailability:
    def of(self, answer, status: int) -> dict:
        assert answer.status == status, answer.body
        assert_envelope(answer)
        said = answer.error["availability"]
        assert said["docs_url"] == "/api/v1/openapi.json" and type(said["retryable"]) is bool
        return said

    def test_an_unknown_model(self, routed):
        said = self.of(routed.embed("a", model="no/model"), 404)
        assert said["code"] == "model_not_found" and said["requested_models"] == ["no/model"]

    def test_preferences_that_leave_nothing(self, routed):
        said = self.of(routed.embed("a", model="test/ok", provider={"only": ["absent"]}), 404)
        assert said["code"] == "constraint_filtered" and said["excluded_by"] == ["allowed_providers"]

    def test_privacy_that_leaves_nothing(self, routed):
        said = self.of(routed.embed("a", model="test/two", provider={"zdr": True}), 404)
        assert said["code"] == "privacy_restricted" and said["excluded_by"] == ["data_policy:zdr"]

    def test_a_rate_limit_everywhere(self, routed):
        answer = routed.embed("a", model="test/status-429-retry-2")
        said = self.of(answer, 429)
        assert said["code"] == "capacity_exhausted" and said["retryable"] is True and said["retry_after"] == 2
        assert said["affected_providers"] == ["fake"] and answer.headers["Retry-After"] == "2"
        assert answer.error["metadata"]["previous_errors"] == [
            {"provider": "fake", "code": "upstream_rate_limited", "status": 429}
        ]

    def test_a_model_the_provider_no_longer_has(self, routed):
        assert self.of(routed.embed("a", model="test/status-404"), 404)["code"] == "model_unavailable_upstream"

    def test_a_failing_provider(self, routed):
        answer = routed.embed("a", model="test/two", provider={"only": ["first"]})
        said = self.of(answer, 502)
        assert said["code"] == "temporarily_unavailable" and said["affected_providers"] == ["First"]
        assert [e["status"] for e in answer.error["metadata"]["previous_errors"]] == [500, 500]

    def test_what_the_operator_or_the_caller_must_mend_has_none(self, routed):
        for model in ("test/status-401", "test/status-400"):
            answer = routed.embed("a", model=model)
            assert "availability" not in answer.error and answer.error["metadata"]["provider_name"] == "fake"

    def test_the_code_of_the_provider_is_passed_on(self, routed):
        metadata = routed.embed("a", model="test/status-400").error["metadata"]
        assert metadata["provider_code"], metadata
