"""Pages in browsers: told nothing unless the operator names their origin."""

import pytest

from support import wire
from support.router import Router, configuration, model_of, provider
from support.wire import assert_envelope

PAGE = "https://app.example.com"


@pytest.fixture(scope="module")
def open_to_a_page(tmp_path_factory, fake):
    config = configuration(
        provider(fake.base_url), models=[model_of("ok")], embedded=False, sections={"server": {"cors_origins": [PAGE]}}
    )
    router = Router(tmp_path_factory.mktemp("cors"), config)
    yield router
    router.stop()


class TestCors:
    def preflight(self, router, origin: str) -> wire.Answer:
        headers = {"Authorization": None, "Origin": origin, "Access-Control-Request-Method": "POST",
                   "Access-Control-Request-Headers": "authorization,content-type"}  # fmt: skip
        return router.request("OPTIONS", "/api/v1/embeddings", headers=headers)

    def test_a_page_of_the_origin_may_ask_and_read(self, open_to_a_page):
        asked = self.preflight(open_to_a_page, PAGE)
        assert asked.status == 204 and asked.headers["Access-Control-Allow-Origin"] == PAGE
        assert "POST" in asked.headers["Access-Control-Allow-Methods"]
        assert asked.headers["Access-Control-Allow-Headers"] == "authorization,content-type"
        answer = open_to_a_page.embed("a text", model="test/ok", headers={"Origin": PAGE})
        assert answer.status == 200 and answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert "X-Generation-Id" in answer.headers["Access-Control-Expose-Headers"] and answer.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers

    def test_errors_can_be_read_too_and_a_key_is_asked_for(self, open_to_a_page):
        answer = open_to_a_page.embed("a text", model="test/ok", headers={"Origin": PAGE, "Authorization": None})
        assert answer.status == 401 and answer.headers["Access-Control-Allow-Origin"] == PAGE
        assert_envelope(answer)

    @pytest.mark.parametrize("origin", ["https://evil.example", "https://app.example.com.evil.example", "http://app.example.com", "null"])
    def test_other_origins_are_told_nothing(self, open_to_a_page, origin):
        for answer in (self.preflight(open_to_a_page, origin), open_to_a_page.request("GET", "/healthz", headers={"Origin": origin})):
            assert not [name for name in answer.headers if name.lower().startswith("access-control")]

    def test_without_configuration_nobody_is(self, router):
        for answer in (self.preflight(router, PAGE), router.embed("a text", model="test/ok", headers={"Origin": PAGE})):
            assert not [name for name in answer.headers if name.lower().startswith("access-control")]
            assert "Vary" not in answer.headers

    def test_without_keys_a_preflight_is_refused_like_any_page(self, start_router):
        router = start_router(configuration(embedded=False, sections={"server": {"auth": "none"}}), key=False)
        answer = self.preflight(router, PAGE)
        assert answer.status == 403
        assert_envelope(answer)
