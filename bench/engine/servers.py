"""Servers under load, for bench/engine/run: batches of 32 at concurrency 4 in arrival order, and one query at a time."""
import http.client
import json
import multiprocessing
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

BATCH, CONNECTIONS, QUERIES, STARTS = 32, 4, 300, 5
QUERY = "the river house and music in market a to teacher"  # 12 tokens
ID = "bench/model"


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def post(connection, path, body, headers):
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        raise RuntimeError(f"{response.status}: {answer[:300]!r}")
    return answer


def send_all(address, path, headers, bodies):
    """Seconds for all of the bodies on CONNECTIONS connections."""
    left, lock, faults = list(reversed(bodies)), threading.Lock(), []

    def connection():
        link = http.client.HTTPConnection(*address, timeout=600)
        try:
            while True:
                with lock:
                    if not left:
                        return
                    body = left.pop()
                post(link, path, body, headers)
        except Exception as fault:  # noqa: BLE001: told by the caller
            faults.append(fault)

    threads = [threading.Thread(target=connection) for _ in range(CONNECTIONS)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise RuntimeError(f"the load met an error: {faults[0]}")
    return time.perf_counter() - start


def query_times(address, path, headers, body, pipe):
    """In a process of its own on the last CPU; over a bare socket, so that the client's own time is little."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    head = f"POST {path} HTTP/1.1\r\nHost: {address[0]}\r\nContent-Length: {len(body)}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    message, times = head.encode() + b"\r\n" + body, []
    with socket.create_connection(address) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(QUERIES):
            start, answer, whole = time.perf_counter(), b"", None
            link.sendall(message)
            while whole is None or len(answer) < whole:
                answer += link.recv(1 << 16)
                if whole is None and (end := answer.find(b"\r\n\r\n")) >= 0:
                    length = next(line for line in answer[:end].lower().split(b"\r\n") if line.startswith(b"content-length:"))
                    whole = end + 4 + int(length.split(b":")[1])
            times.append(time.perf_counter() - start)
            assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
    pipe.send(sorted(times))


class Server:
    ours = False
    precision = ""

    def __init__(self, name, address, path, headers, corpus, pid=None, query_address=None):
        self.name, self.address, self.path, self.headers, self.pid = name, address, path, headers, pid
        self.query_address = query_address or address
        texts = Path(corpus).read_text().splitlines()
        self.bodies = [self.body(texts[i : i + BATCH]) for i in range(0, len(texts), BATCH)]
        self.figures = {"seconds": [], "cpu": [], "p50": [], "p99": []}

    def median(self, name):
        return statistics.median(self.figures[name])

    def cpu_per_token(self):
        return self.median("cpu") / self.tokens

    def round(self, tokens):
        self.tokens = tokens
        before = cpu_seconds(self.pid) if self.pid else 0
        self.figures["seconds"].append(send_all(self.address, self.path, self.headers, self.bodies))
        if self.pid:
            self.figures["cpu"].append(cpu_seconds(self.pid) - before)
        here, there = multiprocessing.Pipe()
        asking = multiprocessing.Process(target=query_times, args=(self.query_address, self.path, self.headers, self.body([QUERY]), there))
        asking.start()
        there.close()
        times = here.recv()
        asking.join()
        self.figures["p50"].append(times[len(times) // 2])
        self.figures["p99"].append(times[int(len(times) * 0.99)])

    def end(self):
        pass


class Tei(Server):
    def __init__(self, url, corpus):
        parts = urlsplit(url)
        super().__init__(f"text-embeddings-inference at {parts.netloc}", (parts.hostname, parts.port or 80), parts.path.rstrip("/") + "/embed",
                         {"Content-Type": "application/json"}, corpus)

    def body(self, texts):
        return json.dumps({"inputs": texts}).encode()


class Router(Server):
    """One with all CPUs for the load, one on the first CPU alone for single queries, whose client has the last."""

    ours = True

    def __init__(self, binary, model, corpus, threads, folder):
        self.binary, self.folder = binary, Path(tempfile.mkdtemp(dir=folder))
        self.running = []
        self.config = self.folder / "bench.toml"
        self.config.write_text(f'[embedded]\nenabled = true\nmodel_dir = "{model}"\nid = "{ID}"\n[telemetry]\nlog_level = "warn"\n'
                               f"[probe]\nenabled = false\n")
        made = subprocess.run([binary, "keys", "create", "--json", "--data-dir", self.folder], check=True, capture_output=True, text=True).stdout
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {json.loads(made)['key']}"}
        self.path, self.headers = "/api/v1/embeddings", headers
        self.first_vector = statistics.median(self.start_once() for _ in range(STARTS))
        self.local_vector = statistics.median(self.embed_once() for _ in range(STARTS))
        whole, single = self.serve([]), self.serve(["taskset", "-c", "0"])
        self.precision = self.space(whole[1]).partition("#")[2].partition("-")[0]
        super().__init__("Embedrouter", whole[1], self.path, headers, corpus, whole[0].pid, single[1])

    def body(self, texts):
        return json.dumps({"model": ID, "input": texts, "encoding_format": "base64"}).encode()

    def serve(self, prefix):
        address = ("127.0.0.1", free_port())
        command = [*prefix, self.binary, "serve", "--config", self.config, "--data-dir", self.folder, "--listen", f"{address[0]}:{address[1]}"]
        process = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL)
        self.running.append(process)
        while True:
            try:
                self.one(address)
                return process, address
            except ConnectionError:
                if process.poll() is not None:
                    raise RuntimeError("the router ended") from None
                time.sleep(0.002)

    def one(self, address):
        link = http.client.HTTPConnection(*address, timeout=60)
        try:
            return post(link, self.path, self.body([QUERY]), self.headers)
        finally:
            link.close()

    def space(self, address):
        link = http.client.HTTPConnection(*address, timeout=60)
        link.request("POST", self.path, self.body([QUERY]), self.headers)
        return link.getresponse().getheader("X-Embedrouter-Space") or ""

    def start_once(self):
        start = time.perf_counter()
        process, _ = self.serve([])
        taken = time.perf_counter() - start
        process.terminate()
        process.wait()
        return taken

    def embed_once(self):
        start = time.perf_counter()
        subprocess.run([self.binary, "embed", "--local", "--config", self.config, QUERY], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - start

    def end(self):
        for process in self.running:
            if process.poll() is None:
                process.terminate()
                process.wait()
        shutil.rmtree(self.folder)


def table(servers, texts):
    lines = ["| server | texts/s | tokens/s | CPU µs per token | one query p50 / p99 ms | exec to first vector s |", "| --- | --- | --- | --- | --- | --- |"]
    for s in servers:
        cpu = f"{s.cpu_per_token() * 1e6:.0f}" if s.pid else "–"
        first = f"{s.first_vector:.2f} (`embed --local` {s.local_vector:.2f})" if s.ours else "–"
        lines.append(f"| {s.name} {s.precision} | {texts / s.median('seconds'):.0f} | {s.tokens / s.median('seconds'):.0f} | {cpu} | "
                     f"{s.median('p50') * 1e3:.2f} / {s.median('p99') * 1e3:.2f} | {first} |")
    return lines
