"""The slow clock's jobs: train, export, compress and compile an encoder.

Each job is one public function with one request, whose fields are also the options of its command:
`pretrain`, `finetuning.finetune`, `export`, `compress.prune`, `compress.quantize`,
`compilation.compile`, `home.home_data` and `home.home_encoder`. These modules import PyTorch,
Transformers and ONNX only when their function runs.
"""
