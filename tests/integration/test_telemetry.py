"""Traces, logs and metrics of the running router."""

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from support import log_audit, wire
from support.collector import Collector, attributes
from support.program import REPOSITORY
from support.router import TAURUS, Router, configuration, model_of, provider

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


class Upstream:
    """Keeps the headers it is asked with; answers good vectors, or an error that quotes the input."""

    def __init__(self):
        self.headers: list[dict] = []
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                upstream.headers.append({name.lower(): value for name, value in self.headers.items()})
                status = 200
                answer = {
                    "object": "list",
                    "model": asked["model"],
                    "data": [
                        {"object": "embedding", "index": i, "embedding": [0.6, 0.8]}
                        for i in range(len(asked["input"]) if isinstance(asked["input"], list) else 1)
                    ],
                    "usage": {"prompt_tokens": 1, "total_tokens": 1},
                }
                if asked["model"].startswith("quotes-"):
                    status = int(asked["model"].removeprefix("quotes-"))
                    quoted = f"cannot embed {asked['input']!r}"
                    answer = {"error": {"message": quoted, "code": quoted, "type": quoted}}
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        Thread(target=self.server.serve_forever, daemon=True).start()

    def provider(self) -> str:
        return provider(f"http://127.0.0.1:{self.server.server_port}/v1")


@pytest.fixture
def upstream():
    upstream = Upstream()
    yield upstream
    upstream.server.shutdown()


@pytest.fixture
def start_collector():
    running = []

    def start(**options) -> Collector:
        running.append(Collector(**options))
        return running[-1]

    yield start
    for collector in running:
        collector.stop()


def small(fault: str):
    model = model_of(fault)
    model.dimensions = 2
    return model


def lines(router: Router, event: str) -> list[dict]:
    return [line for line in map(json.loads, list(router.program.err)) if line["event"] == event]


def line_of(router: Router, answer: wire.Answer) -> dict:
    own = lambda: [line for line in lines(router, "request") if line["id"] == answer.headers["X-Generation-Id"]]  # noqa: E731
    [line] = wire.eventually(own, wire.PATIENCE, "the line of the request is written")
    return line


class TestTraceContext:
    def test_it_reaches_the_upstream_with_the_attempt_as_its_parent(self, start_router, upstream):
        router = start_router(configuration(upstream.provider(), models=[small("ok")], embedded=False))
        headers = {"traceparent": TRACEPARENT, "tracestate": "vendor=value,other=1"}
        answer = router.embed("a", model="test/ok", headers=headers)
        assert answer.status == 200
        [asked] = upstream.headers
        version, trace, span, flags = asked["traceparent"].split("-")
        assert (version, trace, flags) == ("00", TRACE, "01") and span not in (PARENT, "0" * 16)
        assert asked["tracestate"] == "vendor=value,other=1"
        line = line_of(router, answer)
        assert line["trace_id"] == TRACE and line["span_id"] not in (PARENT, span)
        assert not [name for name in answer.headers if name.lower().startswith(("trace", "b3"))]

    @pytest.mark.parametrize(
        "value", [None, "", "00", TRACEPARENT.upper(), TRACEPARENT + "-x", f"ff-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01"]
    )  # fmt: skip
    def test_without_a_good_one_the_upstream_is_told_nothing(self, start_router, upstream, value):
        router = start_router(configuration(upstream.provider(), models=[small("ok")], embedded=False))
        answer = router.embed("a", model="test/ok", headers={"traceparent": value, "tracestate": "vendor=value"})
        assert answer.status == 200
        assert "traceparent" not in upstream.headers[0] and "tracestate" not in upstream.headers[0]
        assert line_of(router, answer)["trace_id"] == ""


class TestExport:
    def config(self, collector, upstream, *models):
        return configuration(
            upstream.provider(),
            models=[small(fault) for fault in models or ("ok",)],
            embedded=False,
            sections={"telemetry": {"otlp_url": collector.url}},
        )

    def test_a_request_and_its_attempt_are_spans_of_the_callers_trace(self, start_router, start_collector, upstream):
        collector = start_collector()
        router = start_router(self.config(collector, upstream))
        assert router.embed("a", model="test/ok", headers={"traceparent": TRACEPARENT}).status == 200
        spans = collector.wait_for(lambda spans: len(spans) >= 2, "both spans arrive")
        by_kind = {span["kind"]: span for span in spans}
        server, client = by_kind[2], by_kind[3]
        assert server["traceId"] == client["traceId"] == TRACE
        assert server["parentSpanId"] == PARENT and client["parentSpanId"] == server["spanId"]
        assert upstream.headers[0]["traceparent"] == f"00-{TRACE}-{client['spanId']}-01"
        assert attributes(server)["http.response.status_code"] == "200" and server["name"] == "POST /embeddings"
        assert attributes(client)["embedrouter.endpoint"].endswith("@fake")
        for span in spans:
            assert re.fullmatch("[0-9a-f]{16}", span["spanId"])
            assert int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
        assert int(server["startTimeUnixNano"]) <= int(client["startTimeUnixNano"])
        resource = attributes(collector.posts[0]["resourceSpans"][0]["resource"])
        assert resource["service.name"] == "embedrouter" and resource["service.version"]

    def test_failed_attempts_are_spans_that_say_so(self, start_router, start_collector, upstream):
        collector = start_collector()
        router = start_router(self.config(collector, upstream, "quotes-500"))
        assert router.embed("a", model="test/quotes-500").status == 502
        spans = collector.wait_for(lambda spans: len(spans) >= 3, "the request and two attempts arrive")
        assert [span["status"]["code"] for span in spans] == [2, 2, 2]
        assert len({span["spanId"] for span in spans}) == 3 and len({span["traceId"] for span in spans}) == 1

    def test_a_trace_the_caller_does_not_record_is_not_exported(self, start_router, start_collector, upstream):
        collector = start_collector()
        router = start_router(self.config(collector, upstream))
        unrecorded = {"traceparent": TRACEPARENT[:-2] + "00"}
        assert router.embed("a", model="test/ok", headers=unrecorded).status == 200
        assert upstream.headers[0]["traceparent"].endswith("-00"), "the upstream learns that it is not recorded"
        assert router.embed("b", model="test/ok").status == 200
        router.stop()
        assert len(collector.spans) == 2 and TRACE not in {span["traceId"] for span in collector.spans}

    def test_what_is_left_is_sent_at_the_end(self, start_router, start_collector, upstream):
        collector = start_collector()
        router = start_router(self.config(collector, upstream))
        for _ in range(20):
            assert router.request("GET", "/healthz").status == 200
        router.stop()
        assert len(collector.spans) == 20

    def test_a_collector_that_is_busy_gets_the_batch_again(self, start_router, start_collector, upstream):
        collector = start_collector(statuses=[503])
        router = start_router(self.config(collector, upstream))
        assert router.request("GET", "/healthz").status == 200
        collector.wait_for(lambda spans: len(spans) >= 1, "the batch comes again")
        assert collector.refused == 1

    def test_a_collector_that_is_not_there_harms_no_request(self, start_router, upstream):
        router = start_router(
            configuration(
                upstream.provider(),
                models=[small("ok")],
                embedded=False,
                sections={"telemetry": {"otlp_url": "http://127.0.0.1:9"}},
            )
        )
        for _ in range(5):
            assert router.embed("a", model="test/ok").status == 200
        failed = lambda: router.metrics().get('embedrouter_spans_total{outcome="failed"}', 0) > 0  # noqa: E731
        wire.eventually(failed, wire.PATIENCE, "the loss is counted")
        wire.eventually(lambda: lines(router, "trace_export_fails"), wire.PATIENCE, "and the operator is told")


class TestLog:
    def test_a_request_is_one_line_with_its_sizes_and_times(self, router):
        body = json.dumps({"input": ["some words", "others"], "model": TAURUS}).encode()
        answer = router.request("POST", "/api/v1/embeddings?x=1", body)
        line = line_of(router, answer)
        assert line["operation"] == "post_embeddings" and line["method"] == "POST"
        assert line["path"] == "/api/v1/embeddings" and line["status"] == 200 and line["peer"] == "127.0.0.1"
        assert line["request_bytes"] == len(body) and line["response_bytes"] == len(answer.body)
        assert line["inputs"] == 2 and line["tokens"] > 2 and line["attempts"] == 1
        assert 0 < line["inference_ms"] <= line["ms"] and line["upstream_ms"] == 0
        assert line["key"].startswith("sk-or-v1-") and line["key"] not in (router.key, "") and "…" not in router.key

    def test_a_client_that_leaves_is_a_line_too(self, router):
        before = len([line for line in lines(router, "request") if line["status"] == 499])
        connection = router.begin("leaving early", "test/delay-60s")
        wire.eventually(lambda: router.metrics()["embedrouter_requests_in_progress"] >= 2, 5, "it is under way")
        connection.close()
        left = lambda: [line for line in lines(router, "request") if line["status"] == 499]  # noqa: E731
        wire.eventually(lambda: len(left()) == before + 1, wire.PATIENCE, "it is written down")
        assert left()[-1]["code"] == "client_closed"

    def test_a_key_in_the_path_is_not_written_down(self, router):
        answer = router.request("GET", f"/api/v1/keys/{router.key}")
        assert answer.status == 404
        assert line_of(router, answer)["path"] == "/api/v1/keys/…"

    def test_broken_http_is_a_line(self, router):
        before = len(lines(router, "refused"))
        wire.raw(router.port, b"GARBAGE\r\n\r\n")
        wire.eventually(lambda: len(lines(router, "refused")) == before + 1, wire.PATIENCE, "it is written down")

    @pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
    def test_an_upstream_that_quotes_the_input_is_not_quoted(self, start_router, upstream, status):
        router = start_router(
            configuration(upstream.provider(), models=[small(f"quotes-{status}")], embedded=False)
        )
        text = "a marker that stands in no log"
        answer = router.embed(text, model=f"test/quotes-{status}")
        assert answer.status >= 400 and line_of(router, answer)["attempts"] >= 1
        assert lines(router, "attempt")
        assert "marker" not in router.program.log


class TestMetrics:
    def documented(self) -> set[str]:
        page = (REPOSITORY / "docs/metrics.md").read_text()
        return set(re.findall(r"^\| `([a-z_]+)`", page, re.MULTILINE))

    def test_the_page_lists_what_there_is(self, start_router, start_collector, upstream):
        router = start_router(
            configuration(
                upstream.provider(),
                models=[small("ok"), small("quotes-500")],
                sections={"telemetry": {"otlp_url": start_collector().url}, "probe": {"enabled": True}},
            )
        )
        assert router.embed("a", model="test/ok").status == 200
        assert router.embed("a", model="test/quotes-500").status == 502
        assert router.embed("a").status == 200
        answer = router.request("GET", "/metrics", headers={"Authorization": None})
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        families = dict(re.findall(r"^# TYPE (\S+) (\S+)$", answer.body.decode(), re.MULTILINE))
        assert set(families) == self.documented()
        for name, kind in families.items():
            assert name.startswith(("embedrouter_", "process_"))
            assert (kind == "counter") == name.endswith("_total"), (name, kind)

    def test_stages_queue_and_batches_are_measured(self, router):
        before = router.metrics()
        assert router.embed(["one text", "another"]).status == 200
        assert router.embed("a", model="test/ok").status == 200
        after = router.metrics()
        grew = lambda name: after[name] - before.get(name, 0)  # noqa: E731
        for stage, times in [("read_body", 2), ("decode", 2), ("queue", 1), ("inference", 1), ("upstream", 1), ("gate", 2), ("encode", 2)]:
            assert grew(f'embedrouter_stage_duration_seconds_count{{stage="{stage}"}}') == times, stage
        assert grew("embedrouter_batches_total") >= 1 and grew("embedrouter_batch_inputs_total") >= 2
        assert grew("embedrouter_batch_tokens_total") >= 6
        assert after["embedrouter_batch_capacity_tokens"] > 0
        assert after["embedrouter_connections"] >= 1 and after["embedrouter_keys"] >= 1
        assert after["embedrouter_key_database_current"] == 1
        assert grew("embedrouter_request_body_bytes_total") > 0 and grew("embedrouter_response_body_bytes_total") > 0
        assert after["process_resident_memory_bytes"] > 1e6 and after["process_open_fds"] > 3

    def test_a_key_database_that_cannot_be_read_shows(self, start_router):
        router = start_router(configuration(embedded=False))
        assert router.metrics()["embedrouter_key_database_current"] == 1
        [database] = [path for path in Path(router.data_dir).iterdir() if path.suffix == ".db"]
        database.rename(database.with_suffix(".away"))
        current = lambda: router.metrics()["embedrouter_key_database_current"]  # noqa: E731
        wire.eventually(lambda: current() == 0, wire.PATIENCE, "the metric says so")
        assert router.metrics()["embedrouter_key_database_failures_total"] >= 1
        database.with_suffix(".away").rename(database)
        wire.eventually(lambda: current() == 1, wire.PATIENCE, "and that it is over")


def test_the_lines_of_every_router_are_audited(router):
    """What the session's end looks at (conftest)."""
    before = log_audit.lines()
    assert router.embed("a marker text").status == 200
    line_of(router, router.request("GET", "/readyz/none"))
    assert log_audit.lines() > before
