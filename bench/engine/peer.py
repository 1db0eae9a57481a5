"""One peer in its own process: answers the commands of modes.h, as embed_bench --worker does.

    peer.py KIND FILE CORPUS TOKENIZER THREADS      KIND: sentence-transformers, onnxruntime, openvino, openvino-bf16, llama.cpp

And `choose`: of the ways it can go about a corpus (order of arrival or by length, streams, tokens a call) the fastest one
over the first texts is its figure. Each way gives the vectors in the order of the texts; tokenizing is in its time.
"""
import json
import os
import pathlib
import resource
import sys
import time

KIND, FILE, CORPUS, TOKENIZER, THREADS = sys.argv[1:5] + [int(sys.argv[5])]
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(THREADS)
os.environ["RAYON_NUM_THREADS"] = str(THREADS)  # of tokenizers

import numpy as np  # noqa: E402

BATCH, MAX_TOKENS, CHOOSE_FROM, QUERIES = 32, 256, 160, 100
TEXTS = pathlib.Path(CORPUS).read_text().splitlines()
QUERY = "the river house and music in market a to teacher"  # 12 tokens


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def by_length(encode, texts):
    """The order a caller that has all texts can choose: batches of like lengths."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    made = encode([texts[i] for i in order])
    out = np.empty_like(made)
    out[order] = made
    return out


class SentenceTransformers:
    def __init__(self):
        import torch
        from sentence_transformers import SentenceTransformer

        torch.set_num_threads(THREADS)
        self.model = SentenceTransformer(FILE, device="cpu")

    def encode(self, texts, size):
        return np.concatenate([self.model.encode(texts[i : i + size], batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)
                               for i in range(0, len(texts), size)])

    def ways(self):
        # It sorts what it is given in one call.
        return {"in arrival order": lambda texts: self.encode(texts, BATCH), "sorted by length": lambda texts: self.encode(texts, len(texts))}


class Batches:
    """Tokenizes and pads batches for a graph that gives a state for each token."""

    def __init__(self):
        from tokenizers import Tokenizer

        self.tokenizer = Tokenizer.from_file(TOKENIZER)
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.tokenizer.enable_padding()
        self.mean = json.loads(pathlib.Path(FILE).with_name("pooling.json").read_text())["mean"]

    def inputs(self, texts):
        encoded = self.tokenizer.encode_batch(texts)
        ids = np.array([e.ids for e in encoded], np.int64)
        mask = np.array([e.attention_mask for e in encoded], np.int64)
        return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}

    def pool(self, states, mask):
        if not self.mean:
            return unit(states[:, 0])
        return unit(np.einsum("btw,bt->bw", states, mask.astype(np.float32)) / mask.sum(1, keepdims=True))

    def encode(self, texts):
        out = []
        for i in range(0, len(texts), BATCH):
            inputs = self.inputs(texts[i : i + BATCH])
            out.append(self.pool(self.states(inputs), inputs["attention_mask"]))
        return np.concatenate(out)

    def ways(self):
        return {"in arrival order": self.encode, "sorted by length": lambda texts: by_length(self.encode, texts)}


class OnnxRuntime(Batches):
    def __init__(self):
        super().__init__()
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        self.session = onnxruntime.InferenceSession(FILE, options, ["CPUExecutionProvider"])

    def states(self, inputs):
        return self.session.run(["states"], inputs)[0]


class OpenVino(Batches):
    def __init__(self):
        super().__init__()
        import openvino

        self.openvino = openvino
        core = openvino.Core()
        model = core.read_model(FILE)
        precision = "bf16" if KIND.endswith("bf16") else "f32"
        self.compiled = {
            streams: core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": THREADS, "NUM_STREAMS": streams})
            for streams in (1, THREADS)
        }
        self.request = self.compiled[1].create_infer_request()

    def states(self, inputs):
        return self.request.infer(inputs)["states"]

    def streams(self, texts):
        out = [None] * ((len(texts) + BATCH - 1) // BATCH)
        queue = self.openvino.AsyncInferQueue(self.compiled[THREADS], THREADS)

        def done(request, userdata):
            at, mask = userdata
            out[at] = self.pool(request.get_tensor("states").data, mask)

        queue.set_callback(done)
        for at in range(len(out)):
            inputs = self.inputs(texts[at * BATCH : (at + 1) * BATCH])
            queue.start_async(inputs, (at, inputs["attention_mask"]))
        queue.wait_all()
        return np.concatenate(out)

    def ways(self):
        return {**super().ways(), f"{THREADS} streams": self.streams,
                f"{THREADS} streams, sorted by length": lambda texts: by_length(self.streams, texts)}


class LlamaCpp:
    """Texts of one call are packed and not padded, but attention looks at all of them: so how many tokens a call takes matters."""

    def __init__(self):
        from llama_cpp import LLAMA_POOLING_TYPE_CLS, LLAMA_POOLING_TYPE_MEAN, Llama

        mean = json.loads(pathlib.Path(FILE).with_name("pooling.json").read_text())["mean"]
        self.model = Llama(FILE, n_ctx=512, n_batch=512, n_ubatch=512, n_threads=THREADS, n_threads_batch=THREADS, embedding=True, verbose=False,
                           pooling_type=LLAMA_POOLING_TYPE_MEAN if mean else LLAMA_POOLING_TYPE_CLS)

    def encode(self, texts, size):
        return np.array([row for i in range(0, len(texts), size) for row in self.model.embed(texts[i : i + size], normalize=True)], np.float32)

    def ways(self):
        return {"one text a call": lambda texts: self.encode(texts, 1), "512 tokens a call": lambda texts: self.encode(texts, BATCH)}


KINDS = {"sentence-transformers": SentenceTransformers, "onnxruntime": OnnxRuntime, "openvino": OpenVino, "openvino-bf16": OpenVino,
         "llama.cpp": LlamaCpp}


def timed(work):
    start, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - start, time.process_time() - cpu


def main():
    engine = KINDS[KIND]()
    ways = engine.ways()
    way = next(iter(ways))
    assert len(ways[way]([QUERY])) == 1
    print(json.dumps({"ready": KIND}), flush=True)
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "choose":
            sample = TEXTS[:CHOOSE_FROM]
            way = min(ways, key=lambda name: timed(lambda: ways[name](sample))[1])
            answer = {"way": way}
        elif command in ("corpus", "vectors"):
            vectors, seconds, cpu = timed(lambda: ways[way](TEXTS))
            if argument:
                pathlib.Path(argument).write_bytes(np.ascontiguousarray(vectors, np.float32).tobytes())
            answer = {"seconds": seconds, "cpu": cpu}
        elif command == "queries":
            single = next(iter(ways.values()))
            times = sorted(timed(lambda: single([QUERY]))[1] for _ in range(QUERIES))
            answer = {"p50": times[QUERIES // 2], "p99": times[int(QUERIES * 0.99)]}
        elif command == "memory":
            resident = int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
            answer = {"rss": resident, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
        else:
            sys.exit(f"unknown command: {command}")
        print(json.dumps(answer), flush=True)


main()
