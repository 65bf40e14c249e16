"""Owns the graph of ComfyUI's own nodes that makes the pictures of an order; never sends it.

The nodes and their inputs are those of ComfyUI 0.33.0 (2026-08-22: nodes.py, comfy_extras/nodes_flux.py,
nodes_sd3.py, nodes_custom_sampler.py); tests/fakes/comfy_nodes.py lists them, and a test holds the graphs to the list.

Each picture has a sampler of its own with a seed of its own: in a batch, ComfyUI draws all noise from the first seed,
and a picture could not be made again alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from providers.base import ImageOrder
from providers.comfy.bases import BaseFiles
from providers.picture_orders import all_loras
from providers.picture_size import PIXELS
from providers.recipe import BaseModelName

#: Denoising steps and guidance that the makers of these models advise.
_FLUX_STEPS, _STABLE_STEPS = 28, 30
_GUIDANCE = {BaseModelName.FLUX_1_DEV: 3.5, BaseModelName.FLUX_2_DEV: 4.0}
#: FLUX [dev] has its guidance distilled in, so the sampler's own scale is 1, and a negative prompt has no effect.
_FLUX_CFG, _STABLE_CFG = 1.0, 7.0

#: The base models whose sampler weighs a negative prompt.
HEED_NEGATIVE = frozenset({BaseModelName.SDXL, BaseModelName.SD_1_5})

#: An output of a node.
Link = list[Any]


@dataclass(frozen=True, kw_only=True)
class Graph:
    """What POST /prompt takes as `prompt`."""

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: The nodes that show the pictures, in the order of the seeds.
    shown: list[str] = field(default_factory=list)

    def add(self, kind: str, **inputs: Any) -> str:
        """Add a node and return its id."""
        number = str(len(self.nodes) + 1)
        self.nodes[number] = {"class_type": kind, "inputs": inputs}
        return number


@dataclass(frozen=True, kw_only=True)
class _Loaded:
    model: Link
    clip: Link
    vae: Link


def picture_graph(order: ImageOrder, files: BaseFiles, lora_names: Sequence[str]) -> Graph:
    """Return the graph of an order.

    Args:
        order: What is wanted.
        files: Of its base model.
        lora_names: Names of its LoRAs in ComfyUI's folder, in their order.
    """
    graph = Graph()
    loaded = _loaded(graph, files)
    for name, one in zip(lora_names, all_loras(order), strict=True):
        lora = graph.add(
            "LoraLoader",
            model=loaded.model,
            clip=loaded.clip,
            lora_name=name,
            strength_model=one.strength,
            strength_clip=one.strength,
        )
        loaded = _Loaded(model=[lora, 0], clip=[lora, 1], vae=loaded.vae)
    sample = _sample_flux_2 if files.base_model is BaseModelName.FLUX_2_DEV else _sample
    for latent in sample(graph, order, loaded):
        decoded = graph.add("VAEDecode", samples=latent, vae=loaded.vae)
        # Not SaveImage: ComfyUI clears what is only shown away when it starts, and keeps the other for good.
        graph.shown.append(graph.add("PreviewImage", images=[decoded, 0]))
    return graph


def _loaded(graph: Graph, files: BaseFiles) -> _Loaded:
    if files.checkpoint:
        whole = graph.add("CheckpointLoaderSimple", ckpt_name=files.checkpoint)
        return _Loaded(model=[whole, 0], clip=[whole, 1], vae=[whole, 2])
    model = graph.add("UNETLoader", unet_name=files.diffusion_model, weight_dtype="default")
    if len(files.text_encoders) == 2:
        first, second = files.text_encoders
        clip = graph.add("DualCLIPLoader", clip_name1=first, clip_name2=second, type="flux")
    else:
        clip = graph.add("CLIPLoader", clip_name=files.text_encoders[0], type="flux2")
    vae = graph.add("VAELoader", vae_name=files.vae)
    return _Loaded(model=[model, 0], clip=[clip, 0], vae=[vae, 0])


def _size(order: ImageOrder) -> dict[str, int]:
    width, height = PIXELS[order.aspect]
    # Stable Diffusion 1.5 was made for a quarter of the pixels, and repeats its subject in larger pictures.
    less = 2 if order.lora.base_model is BaseModelName.SD_1_5 else 1
    return {"width": width // less, "height": height // less}


def _wanted(graph: Graph, order: ImageOrder, loaded: _Loaded) -> Link:
    positive: Link = [graph.add("CLIPTextEncode", clip=loaded.clip, text=order.prompt), 0]
    guidance = _GUIDANCE.get(order.lora.base_model)
    if guidance is not None:
        positive = [graph.add("FluxGuidance", conditioning=positive, guidance=guidance), 0]
    return positive


def _sample(graph: Graph, order: ImageOrder, loaded: _Loaded) -> Sequence[Link]:
    flux = order.lora.base_model is BaseModelName.FLUX_1_DEV
    positive = _wanted(graph, order, loaded)
    negative = graph.add("CLIPTextEncode", clip=loaded.clip, text=order.negative_prompt)
    latent = graph.add("EmptySD3LatentImage" if flux else "EmptyLatentImage", **_size(order), batch_size=1)
    samplers = [
        graph.add(
            "KSampler",
            model=loaded.model,
            seed=order.seed + number,
            steps=_FLUX_STEPS if flux else _STABLE_STEPS,
            cfg=_FLUX_CFG if flux else _STABLE_CFG,
            sampler_name="euler" if flux else "dpmpp_2m",
            scheduler="simple" if flux else "karras",
            positive=positive,
            negative=[negative, 0],
            latent_image=[latent, 0],
            denoise=1.0,
        )
        for number in range(order.count)
    ]
    return [[sampler, 0] for sampler in samplers]


def _sample_flux_2(graph: Graph, order: ImageOrder, loaded: _Loaded) -> Sequence[Link]:
    size = _size(order)
    guider = graph.add("BasicGuider", model=loaded.model, conditioning=_wanted(graph, order, loaded))
    sampler = graph.add("KSamplerSelect", sampler_name="euler")
    sigmas = graph.add("Flux2Scheduler", steps=_FLUX_STEPS, **size)
    latent = graph.add("EmptyFlux2LatentImage", **size, batch_size=1)
    latents: list[Link] = []
    for number in range(order.count):
        noise = graph.add("RandomNoise", noise_seed=order.seed + number)
        drawn = graph.add(
            "SamplerCustomAdvanced",
            noise=[noise, 0],
            guider=[guider, 0],
            sampler=[sampler, 0],
            sigmas=[sigmas, 0],
            latent_image=[latent, 0],
        )
        latents.append([drawn, 0])
    return latents
