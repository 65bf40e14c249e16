import json
import struct

import numpy as np
import pytest
from safetensors.numpy import save

from providers.base import LoraFormat
from providers.errors import ArtifactBroken
from providers.weights import inspect_weights


def make_file(path, *names):
    path.write_bytes(save({name: np.zeros((2, 2), dtype=np.float16) for name in names}))
    return path


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight", LoraFormat.DIFFUSERS),
        ("lora_unet_double_blocks_0_img_attn_proj.lora_down.weight", LoraFormat.KOHYA),
        ("something.lora.of.its.own", None),
    ],
)
def test_weights_tell_the_format(tmp_path, name, layout):
    weights = inspect_weights(make_file(tmp_path / "l.safetensors", name))
    assert (weights.format, weights.tensors) == (layout, 1)


def test_weights_that_are_no_lora_are_refused(tmp_path):
    with pytest.raises(ArtifactBroken, match="not a LoRA"):
        inspect_weights(make_file(tmp_path / "l.safetensors", "model.weight"))


def test_weights_that_are_cut_off_are_refused(tmp_path):
    path = make_file(tmp_path / "l.safetensors", "a.lora_A.weight")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ArtifactBroken):
        inspect_weights(path)


def header(offsets, shape=(2, 2)):
    told = json.dumps({"a.lora_A": {"dtype": "F16", "shape": shape, "data_offsets": offsets}}).encode()
    return struct.pack("<Q", len(told)) + told + bytes(8)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1234567",
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 9 * 1024 * 1024) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        b"\x80\x02pickle" * 10,
        header([0, 4]),
        header([0, 800]),
        header([8, 0]),
    ],
)
def test_weights_with_a_false_header_are_refused(tmp_path, data):
    (tmp_path / "l.safetensors").write_bytes(data)
    with pytest.raises(ArtifactBroken):
        inspect_weights(tmp_path / "l.safetensors")
