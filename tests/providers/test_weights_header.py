"""What LoRAs of known makers say in their headers, and how a file is written anew without what is private."""

import json
import struct

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from providers.errors import ArtifactBroken
from providers.recipe import BaseModelName
from providers.weights_header import read_header, write_clean

FLUX_1, FLUX_2 = BaseModelName.FLUX_1_DEV, BaseModelName.FLUX_2_DEV
SDXL, SD_1_5 = BaseModelName.SDXL, BaseModelName.SD_1_5


def make_file(path, shapes, **metadata):
    tensors = {name: np.zeros(shape, dtype=np.float16) for name, shape in shapes.items()}
    save_file(tensors, path, metadata=metadata or None)
    return path


@pytest.mark.parametrize(
    ("name", "shape", "base_model"),
    [
        ("lora_unet_double_blocks_18_img_attn_qkv.lora_down.weight", (4, 3072), FLUX_1),
        ("lora_unet_single_blocks_37_linear1.lora_down.weight", (4, 3072), FLUX_1),
        ("transformer.transformer_blocks.18.attn.to_q.lora_A.weight", (4, 3072), FLUX_1),
        ("transformer.single_transformer_blocks.37.attn.to_q.lora_A.weight", (4, 3072), FLUX_1),
        ("diffusion_model.double_blocks.7.img_attn.qkv.lora_A.weight", (4, 6144), FLUX_2),
        ("transformer.transformer_blocks.0.attn.to_q.lora_A.weight", (4, 6144), FLUX_2),
        # FLUX.2 [klein]: as wide as FLUX.1 and flatter, or of a width of its own.
        ("diffusion_model.double_blocks.4.img_attn.qkv.lora_A.weight", (4, 3072), None),
        ("diffusion_model.double_blocks.7.img_attn.qkv.lora_A.weight", (4, 4096), None),
        (
            "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k.lora_down.weight",
            (4, 2048),
            SDXL,
        ),
        (
            "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight",
            (4, 2048),
            SDXL,
        ),
        ("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight", (4, 768), SD_1_5),
        ("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight", (4, 1024), None),
        ("something.lora_A.weight", (4, 3072), None),
    ],
)
def test_base_model_is_told_by_the_sizes_of_the_tensors(tmp_path, name, shape, base_model):
    assert read_header(make_file(tmp_path / "l.safetensors", {name: shape})).base_model is base_model


@pytest.mark.parametrize(
    ("metadata", "base_model"),
    [
        ({"modelspec.architecture": "flux-1-dev/lora"}, FLUX_1),
        ({"ss_base_model_version": "flux1"}, FLUX_1),
        ({"ss_base_model_version": "flux2"}, FLUX_2),
        ({"ss_base_model_version": "flux2_klein_4b"}, None),
        ({"modelspec.architecture": "flux-1-schnell/lora"}, None),
        ({"ss_base_model_version": "sdxl_base_v1-0"}, SDXL),
        ({"modelspec.architecture": "stable-diffusion-xl-v1-base/lora"}, SDXL),
        ({"ss_base_model_version": "sd_v1"}, SD_1_5),
        ({"modelspec.architecture": "stable-diffusion-v1/lora"}, SD_1_5),
        ({"modelspec.architecture": "stable-diffusion-v2-512/lora"}, None),
        ({"format": "darkroom-sketch-1"}, BaseModelName.SKETCH),
        ({}, None),
    ],
)
def test_base_model_is_told_by_its_words_where_sizes_say_nothing(tmp_path, metadata, base_model):
    path = make_file(tmp_path / "l.safetensors", {"a.lora_A.weight": (1, 1)}, **metadata)
    assert read_header(path).base_model is base_model


def test_sizes_count_for_more_than_words(tmp_path):
    name = "transformer.transformer_blocks.18.attn.to_q.lora_A.weight"
    path = make_file(tmp_path / "l.safetensors", {name: (4, 3072)}, ss_base_model_version="sd_v1")
    assert read_header(path).base_model is FLUX_1


@pytest.mark.parametrize(
    ("metadata", "word"),
    [
        ({"modelspec.trigger_phrase": "rustyfox, a fox"}, "rustyfox"),
        ({"ss_trigger_words": '["rustyfox"]'}, "rustyfox"),
        ({"trigger_word": "rustyfox"}, "rustyfox"),
        ({"ss_tag_frequency": '{"5_x": {"fox": 4}}'}, ""),
        ({}, ""),
    ],
)
def test_trigger_word_is_read_where_it_is_named(tmp_path, metadata, word):
    path = make_file(tmp_path / "l.safetensors", {"a.lora_A.weight": (1, 1)}, **metadata)
    assert read_header(path).trigger_word == word


def test_clean_file_keeps_tensors_and_technical_facts_and_loses_the_rest(tmp_path):
    path = tmp_path / "l.safetensors"
    tensors = {f"a{n}.lora_A.weight": np.arange(n * 3, dtype=np.float32).reshape(n, 3) for n in range(1, 6)}
    private = {
        "ss_tag_frequency": '{"5_anna": {"anna in her garden": 4}}',
        "ss_dataset_dirs": "/home/anna/photos",
        "ss_training_comment": "for my wife",
        "modelspec.title": "Anna",
        "modelspec.trigger_phrase": "anna",
    }
    save_file(tensors, path, metadata={**private, "ss_network_alpha": "16", "lora_adapter_metadata": '{"r": 16}'})
    write_clean(path, tmp_path / "clean.safetensors", base_model=FLUX_1, trigger_word="rustyfox")

    written = (tmp_path / "clean.safetensors").read_bytes()
    with safe_open(tmp_path / "clean.safetensors", framework="np") as file:
        assert file.metadata() == {
            "ss_network_alpha": "16",
            "lora_adapter_metadata": '{"r": 16}',
            "modelspec.architecture": "flux-1-dev/lora",
            "modelspec.trigger_phrase": "rustyfox",
        }
    for name, tensor in load_file(tmp_path / "clean.safetensors").items():
        assert np.array_equal(tensor, tensors[name])
    assert b"anna" not in written.lower()
    assert struct.unpack("<Q", written[:8])[0] % 8 == 0


def test_clean_file_of_sketch_is_a_copy(tmp_path):
    path = make_file(tmp_path / "l.safetensors", {"photo.000": (8, 8)}, format="darkroom-sketch-1", plan="{}")
    write_clean(path, tmp_path / "clean", base_model=BaseModelName.SKETCH, trigger_word="x")
    assert (tmp_path / "clean").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1234567",
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 4) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 7) + b'{"a":1}',
        struct.pack("<Q", 20) + json.dumps({"__metadata__": [1]}).encode() + b"    ",
    ],
)
def test_header_that_is_none_is_refused(tmp_path, data):
    (tmp_path / "l.safetensors").write_bytes(data)
    with pytest.raises(ArtifactBroken):
        read_header(tmp_path / "l.safetensors")
