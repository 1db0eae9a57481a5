"""client.py openai|openrouter URL ITEMS CALLS: what sdk_bench measures, of a Python client."""

import json
import resource
import sys
import time

WARM_UP = 20


def main() -> None:
    which, url, items, calls = sys.argv[1], sys.argv[2] + "/v1", int(sys.argv[3]), int(sys.argv[4])
    texts = [f"a text of some length, number {i}" for i in range(items)]
    if which == "openai":
        from openai import OpenAI

        client = OpenAI(api_key="key", base_url=url)
        call = lambda: client.embeddings.create(input=texts, model=str(items))  # noqa: E731
    else:
        from openrouter import OpenRouter

        client = OpenRouter(api_key="key", server_url=url)
        call = lambda: client.embeddings.generate(input=texts, model=str(items), encoding_format="base64")  # noqa: E731
    for _ in range(WARM_UP):
        assert len(call().data) == items
    cpu = lambda: sum(resource.getrusage(resource.RUSAGE_SELF)[:2])  # noqa: E731
    took = []
    used, begin = cpu(), time.perf_counter()
    for _ in range(calls):
        before = time.perf_counter()
        call()
        took.append(time.perf_counter() - before)
    seconds, used = time.perf_counter() - begin, cpu() - used
    took.sort()
    at = lambda share: round(took[int(share * (len(took) - 1))] * 1e6, 1)  # noqa: E731
    print(json.dumps({"calls_per_s": round(calls / seconds, 1), "cpu_us": round(used / calls * 1e6, 1), "p50_us": at(0.5), "p99_us": at(0.99)}))


main()
