"""The nodes of ComfyUI that our graphs use, as `/object_info` tells them, from its source of 0.33.0 (2026-08-22).

From nodes.py, and from comfy_extras/nodes_flux.py, nodes_sd3.py and nodes_custom_sampler.py, whose lists of
choices have the newer form. The fake fills in which files there are; samplers and schedulers are cut to a few.
"""

from typing import Any

NUMBER = float("inf")


def _int(low: int = 0, high: float = NUMBER) -> list[Any]:
    return ["INT", {"min": low, "max": high}]


def _float(low: float, high: float) -> list[Any]:
    return ["FLOAT", {"min": low, "max": high}]


_SAMPLERS = ["euler", "euler_ancestral", "heun", "dpmpp_2m", "uni_pc"]
_SCHEDULERS = ["normal", "karras", "exponential", "simple", "beta"]
_SIZE = {"width": _int(16, 16384), "height": _int(16, 16384)}

#: By class: its required inputs, what it gives, and whether it is an output. A text in place of a list of choices names
#: one of ComfyUI's folders of models.
NODES: dict[str, tuple[dict[str, list[Any]], list[str], bool]] = {
    "CheckpointLoaderSimple": ({"ckpt_name": ["@checkpoints"]}, ["MODEL", "CLIP", "VAE"], False),
    "UNETLoader": (
        {
            "unet_name": ["@diffusion_models"],
            "weight_dtype": [["default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2"]],
        },
        ["MODEL"],
        False,
    ),
    "DualCLIPLoader": (
        {
            "clip_name1": ["@text_encoders"],
            "clip_name2": ["@text_encoders"],
            "type": [["sdxl", "sd3", "flux", "hunyuan_video", "hidream"]],
        },
        ["CLIP"],
        False,
    ),
    "CLIPLoader": (
        {"clip_name": ["@text_encoders"], "type": [["stable_diffusion", "sd3", "wan", "qwen_image", "flux2"]]},
        ["CLIP"],
        False,
    ),
    "VAELoader": ({"vae_name": ["@vae"]}, ["VAE"], False),
    "LoraLoader": (
        {
            "model": ["MODEL"],
            "clip": ["CLIP"],
            "lora_name": ["@loras"],
            "strength_model": _float(-100, 100),
            "strength_clip": _float(-100, 100),
        },
        ["MODEL", "CLIP"],
        False,
    ),
    "CLIPTextEncode": ({"text": ["STRING", {"multiline": True}], "clip": ["CLIP"]}, ["CONDITIONING"], False),
    "FluxGuidance": ({"conditioning": ["CONDITIONING", {}], "guidance": _float(0, 100)}, ["CONDITIONING"], False),
    "EmptyLatentImage": ({**_SIZE, "batch_size": _int(1, 4096)}, ["LATENT"], False),
    "EmptySD3LatentImage": ({**_SIZE, "batch_size": _int(1, 4096)}, ["LATENT"], False),
    "EmptyFlux2LatentImage": ({**_SIZE, "batch_size": _int(1, 4096)}, ["LATENT"], False),
    "Flux2Scheduler": ({**_SIZE, "steps": _int(1, 4096)}, ["SIGMAS"], False),
    "KSampler": (
        {
            "model": ["MODEL"],
            "seed": _int(0, 2**64 - 1),
            "steps": _int(1, 10_000),
            "cfg": _float(0, 100),
            "sampler_name": [_SAMPLERS],
            "scheduler": [_SCHEDULERS],
            "positive": ["CONDITIONING"],
            "negative": ["CONDITIONING"],
            "latent_image": ["LATENT"],
            "denoise": _float(0, 1),
        },
        ["LATENT"],
        False,
    ),
    "KSamplerSelect": ({"sampler_name": ["COMBO", {"multiselect": False, "options": _SAMPLERS}]}, ["SAMPLER"], False),
    "BasicGuider": ({"model": ["MODEL", {}], "conditioning": ["CONDITIONING", {}]}, ["GUIDER"], False),
    "RandomNoise": ({"noise_seed": _int(0, 2**64 - 1)}, ["NOISE"], False),
    "SamplerCustomAdvanced": (
        {
            "noise": ["NOISE", {}],
            "guider": ["GUIDER", {}],
            "sampler": ["SAMPLER", {}],
            "sigmas": ["SIGMAS", {}],
            "latent_image": ["LATENT", {}],
        },
        ["LATENT", "LATENT"],
        False,
    ),
    "VAEDecode": ({"samples": ["LATENT"], "vae": ["VAE"]}, ["IMAGE"], False),
    "PreviewImage": ({"images": ["IMAGE"]}, ["IMAGE"], True),
}


def complaints(graph: dict[str, Any], listed: dict[str, list[str]]) -> dict[str, list[dict[str, Any]]]:
    """Judge the nodes of a graph as `validate_inputs` does; `listed` are the files by their folders."""
    found = {}
    for number, node in graph.items():
        inputs, _, _ = NODES[node["class_type"]]
        errors = [one for name, info in inputs.items() for one in _complain(graph, node, name, info, listed)]
        if errors:
            found[number] = errors
    return found


def _complain(graph, node, name, info, listed):
    if name not in node["inputs"]:
        yield _error("required_input_missing", "Required input is missing", name, name)
        return
    value, kind = node["inputs"][name], info[0]
    if isinstance(value, list):
        source, output = value
        gives = NODES[graph[source]["class_type"]][1][output]
        if gives != kind:
            details = f"{name}, received_type({gives}) mismatch input_type({kind})"
            yield _error("return_type_mismatch", "Return type mismatch between linked nodes", details, name)
        return
    options = kind if isinstance(kind, list) else info[1]["options"] if kind == "COMBO" else None
    if isinstance(kind, str) and kind.startswith("@"):
        options = listed[kind[1:]]
    if options is not None and value not in options:
        yield _error("value_not_in_list", "Value not in list", f"{name}: {value!r} not in {options}", name)
    if kind in ("INT", "FLOAT"):
        if value < info[1]["min"]:
            yield _error("value_smaller_than_min", f"Value {value} smaller than min of {info[1]['min']}", name, name)
        if value > info[1]["max"]:
            yield _error("value_bigger_than_max", f"Value {value} bigger than max of {info[1]['max']}", name, name)
    elif options is None and kind != "STRING":
        yield _error(
            "bad_linked_input", "Bad linked input, must be a length-2 list of [node_id, slot_index]", name, name
        )


def _error(kind: str, message: str, details: str, name: str) -> dict[str, Any]:
    return {"type": kind, "message": message, "details": details, "extra_info": {"input_name": name}}
