#!/usr/bin/env python3
"""Makes vectors.bin: the reference's vectors of the parity corpus, against which the embedded model is tested.

    make_vectors.py MODEL_FOLDER     # needs torch and transformers; the folder holds config.json and the weights

Token ids come from tokens.jsonl beside this file. A text of more than 512 tokens, the end of the position table, is cut
as the reference cuts: its first 511 ids and the closing special token. Each text runs alone, without padding, in
float32: BertModel, mean over the tokens, unit length.

The file has no header: per text 384 numbers, each a signed 24-bit little-endian integer in units of 2**-23, so the stored
value is within 6e-8 of the reference's.
"""
import json
import pathlib
import sys

import numpy
import torch
from transformers import BertModel

HERE = pathlib.Path(__file__).resolve().parent
LIMIT = 512


def main():
    torch.manual_seed(0)
    model = BertModel.from_pretrained(sys.argv[1], dtype=torch.float32, attn_implementation="eager").eval()
    out = bytearray()
    with torch.no_grad():
        for line in (HERE / "tokens.jsonl").read_text().splitlines():
            ids = json.loads(line)
            if len(ids) > LIMIT:
                ids = ids[: LIMIT - 1] + ids[-1:]
            states = model(input_ids=torch.tensor([ids])).last_hidden_state[0]
            vector = torch.nn.functional.normalize(states.mean(dim=0), dim=0).numpy()
            fixed = numpy.clip(numpy.rint(vector.astype(numpy.float64) * 2**23), -(2**23), 2**23 - 1).astype("<i4")
            out += fixed.view(numpy.uint8).reshape(-1, 4)[:, :3].tobytes()
    (HERE / "vectors.bin").write_bytes(out)
    print(f"{len(out)} bytes")


main()
