"""Writes a small FLUX.1 with random weights and toy tokenizers; run by the Python of sd-scripts, in its folder.

`python tiny_flux.py FOLDER`. Everything is as sd-scripts want it: FLUX.1 with one double and one single block, which
its loader reads off the file; CLIP-L and the autoencoder of full size; T5-XXL with one layer of its 24, for which the
`sitecustomize.py` that is written too makes sd-scripts build just that one. That is all that is changed of sd-scripts.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

SHIM = '''"""Lets transformers build T5 with one layer, so that it fits into little memory."""
import transformers

_whole = transformers.T5Config.__init__


def _small(self, *args, **more):
    _whole(self, *args, **{**more, "num_layers": 1})


transformers.T5Config.__init__ = _small
'''


def main() -> None:
    """Write it all."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shim").mkdir(exist_ok=True)
    (folder / "shim" / "sitecustomize.py").write_text(SHIM)
    sys.path[:0] = [str(folder / "shim"), "."]
    import sitecustomize  # noqa: F401, PLC0415 - the shim, which Python itself imports elsewhere
    import torch  # noqa: PLC0415 - not there in this project's own Python
    from library import flux_models, flux_utils  # noqa: PLC0415 - as above
    from safetensors.torch import save_file  # noqa: PLC0415 - as above

    def random_weights(module: "torch.nn.Module") -> dict[str, "torch.Tensor"]:
        weights = {}
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                weights[name] = torch.randn(tensor.shape, dtype=torch.bfloat16) * 0.02
                if "norm" in name and name.endswith(("weight", "scale")):
                    weights[name] += 1
            else:
                weights[name] = torch.arange(tensor.shape[-1]).expand(tensor.shape).clone()
        return weights

    torch.manual_seed(1)
    dev = flux_models.configs[flux_utils.MODEL_NAME_DEV]
    with torch.device("meta"):
        flux = flux_models.Flux(replace(dev.params, depth=1, depth_single_blocks=1))
        ae = flux_models.AutoEncoder(dev.ae_params)
    empty = {"ckpt_path": None, "dtype": torch.bfloat16, "device": "cpu", "state_dict": {}}
    parts = {
        "model": flux,
        "ae": ae,
        "clip_l": flux_utils.load_clip_l(**empty),
        "t5xxl": flux_utils.load_t5xxl(**empty),
    }
    for name, module in parts.items():
        save_file(random_weights(module), folder / f"{name}.safetensors")
    write_tokenizers(folder / "tokenizers")


def write_tokenizers(folder: Path) -> None:
    """Write tokenizers that know single letters only, where `--tokenizer_cache_dir` looks for them."""
    letters = "abcdefghijklmnopqrstuvwxyz,.'"
    clip = folder / "openai_clip-vit-large-patch14"
    clip.mkdir(parents=True, exist_ok=True)
    # The end of a text must have the highest number: that is where CLIP looks for a text's meaning.
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    (clip / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (clip / "merges.txt").write_text("#version: 0.2\n")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors  # noqa: PLC0415 - as above

    t5 = folder / "google_t5-v1_1-xxl"
    t5.mkdir(exist_ok=True)
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((piece, -1.0) for piece in "▁" + letters)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.save(str(t5 / "tokenizer.json"))
    told = {"tokenizer_class": "T5TokenizerFast", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    (t5 / "tokenizer_config.json").write_text(json.dumps({**told, "extra_ids": 0, "model_max_length": 512}))


if __name__ == "__main__":
    main()
