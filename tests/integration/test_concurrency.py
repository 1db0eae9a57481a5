"""How many calls at a time an endpoint is given once it has answered 429 (docs/upstreams.md, "Calls at a time")."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from support.right import assert_right
from support.router import Model, configuration, provider

texts = (f"text number {i}" for i in itertools.count())
LIMIT = 'embedrouter_endpoint_concurrency_limit{endpoint="test/m@fake"}'


class Bench:
    """One endpoint that begins as `fault`, and sixteen clients that send a text as soon as they have the answer to the last."""

    def __init__(self, start_router, start_fake, fault: str, **endpoint):
        self.fake = start_fake()
        self.fault = fault
        self.router = start_router(
            configuration(
                provider(self.fake.base_url, max_concurrency=64),
                models=[Model("test/m", fault, endpoint=endpoint)], embedded=False,
                sections={"server": {"threads": 2}},
            )
        )  # fmt: skip

    def embed(self, text: str) -> bool:
        """Again and again, while it is refused for the rate."""
        while (answer := self.router.embed(text, model="test/m")).status != 200:
            assert answer.status == 429, answer.body
            time.sleep(0.02)
        assert_right(answer, [text])
        return True

    def answered(self, calls: int, clients: int = 16) -> tuple[int, int]:
        """Of the calls to the provider meanwhile: those it answered, those it refused."""
        self.fake.forget()
        left = itertools.count(calls, -1)
        lock = threading.Lock()

        def client():
            while True:
                with lock:
                    if next(left) <= 0:
                        return
                    text = next(texts)
                self.embed(text)

        with ThreadPoolExecutor(clients) as pool:
            for done in [pool.submit(client) for _ in range(clients)]:
                done.result()
        statuses = [attempt["status"] for attempt in self.fake.ended(self.fault)]
        return statuses.count(200), statuses.count(429)

    def limit(self) -> float:
        return self.router.metrics()[LIMIT]


class TestC5:
    def test_c5_the_providers_limit_is_found_and_kept_to(self, start_router, start_fake):
        bench = Bench(start_router, start_fake, "in-flight-6-for-10ms")
        assert bench.limit() == 64
        bench.answered(60)
        for _ in range(5):
            right, refused = bench.answered(200)
            assert right == 200 and refused <= 6, "one in a hundred, and those on the way when it is noticed"
            assert 6 <= bench.limit() <= 7, "no place is given away, and one tried in vain at most"

    def test_c5_a_limit_that_shrinks_is_followed_and_so_is_its_return(self, start_router, start_fake):
        bench = Bench(start_router, start_fake, "in-flight-8-for-10ms")
        bench.answered(100)
        assert 8 <= bench.limit() <= 9
        bench.fake.behave(bench.fault, "in-flight-3-for-10ms")
        bench.answered(100)
        assert 3 <= bench.limit() <= 4
        right, refused = bench.answered(200)
        assert refused <= 5
        bench.fake.behave(bench.fault, "in-flight-12-for-10ms")
        bench.answered(1000)
        assert bench.limit() >= 8, "a place for every hundred answers at most"

    def test_c5_a_limit_of_tokens_but_not_of_requests(self, start_router, start_fake):
        """Five tokens a text and fifty milliseconds a call: four at a time are what the provider takes."""
        bench = Bench(start_router, start_fake, "tokens-per-second-400-for-50ms")
        bench.answered(400)
        assert bench.limit() <= 8
        right, refused = bench.answered(300)
        assert right == 300 and refused <= 15, "five in a hundred"

    def test_c5_one_request_in_many_parts_is_answered_whole(self, start_router, start_fake):
        bench = Bench(start_router, start_fake, "in-flight-4-for-10ms", max_batch_items=5)
        for _ in range(3):
            many = [next(texts) for _ in range(500)]
            answer = bench.router.embed(many, model="test/m")
            assert answer.status == 200, answer.body
            assert_right(answer, many)
        assert 4 <= bench.limit() <= 5
        statuses = [attempt["status"] for attempt in bench.fake.ended(bench.fault)]
        assert statuses.count(200) == 300 and statuses.count(429) <= 60, "the first tries, and one in a hundred"

    def test_c5_others_get_in_beside_a_request_in_many_parts(self, start_router, start_fake):
        bench = Bench(start_router, start_fake, "in-flight-2-for-20ms", max_batch_items=1)
        bench.answered(50)
        many = [next(texts) for _ in range(800)]
        with ThreadPoolExecutor(1) as pool:
            batch = pool.submit(bench.router.embed, many, model="test/m")
            served = [bench.embed(next(texts)) for _ in range(20)]
            assert not batch.done()
            assert_right(batch.result(), many)
        assert all(served)
