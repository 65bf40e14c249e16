"""The models of the played Replicate: which there are, what their inputs are, whether an input fits them."""

from typing import Any

TRAINER_VERSION = "b6af14222e6bd9be257cbc1ea4afda3cd0503e1133083b9d1de0364d8568e6ef"
FAST_VERSION = "8b10794665aed907bb98a1a5324cd1d3a8bea0e9b31e65210967fb9c9e2e08ed"
GENERATOR_VERSION = "ae0d7d645446924cf1871e3ca8796e8318f72465d2b5af9323a835df93bf0917"


def _number(low: float, high: float, kind: str = "integer") -> dict[str, Any]:
    return {"type": kind, "minimum": low, "maximum": high}


_TEXT = {"type": "string"}
TRAINING_INPUT = {
    "type": "object",
    "required": ["input_images"],
    "properties": {
        "input_images": {"type": "string", "format": "uri"},
        "trigger_word": _TEXT,
        "autocaption": {"type": "boolean"},
        "autocaption_prefix": _TEXT,
        "autocaption_suffix": _TEXT,
        "steps": _number(3, 6000),
        "learning_rate": {"type": "number"},
        "batch_size": {"type": "integer"},
        "resolution": _TEXT,
        "lora_rank": _number(1, 128),
        "optimizer": {"allOf": [{"$ref": "#/components/schemas/optimizer"}]},
    },
}
FAST_INPUT = {
    "type": "object",
    "required": ["input_images", "trigger_word"],
    "properties": {
        "input_images": {"type": "string", "format": "uri"},
        "trigger_word": _TEXT,
        "lora_type": {"allOf": [{"$ref": "#/components/schemas/lora_type"}]},
        "training_steps": _number(100, 1000),
    },
}
_SHARED_INPUT = {
    "prompt": _TEXT,
    "num_outputs": _number(1, 4),
    "aspect_ratio": {"allOf": [{"$ref": "#/components/schemas/aspect_ratio"}]},
    "seed": {"type": "integer"},
    "lora_scale": _number(-1, 3, "number"),
    "num_inference_steps": _number(1, 50),
    "output_format": _TEXT,
    "go_fast": {"type": "boolean"},
    "megapixels": _TEXT,
}
PICTURE_INPUT = {
    "type": "object",
    "required": ["prompt"],
    "properties": {
        **_SHARED_INPUT,
        "guidance": _number(0, 10, "number"),
        "lora_weights": _TEXT,
        "extra_lora": _TEXT,
        "extra_lora_scale": _number(-1, 3, "number"),
    },
}
FINE_TUNE_INPUT = {
    "type": "object",
    "required": ["prompt"],
    "properties": {
        **_SHARED_INPUT,
        "guidance_scale": _number(0, 10, "number"),
        "model": _TEXT,
        "extra_lora": _TEXT,
        "extra_lora_scale": _number(-1, 3, "number"),
    },
}
_ENUMS = {
    "optimizer": {"type": "string", "enum": ["prodigy", "adamw8bit", "adam8bit", "lion"]},
    "lora_type": {"type": "string", "enum": ["subject", "style"]},
    "aspect_ratio": {"type": "string", "enum": ["1:1", "16:9", "3:2", "4:3", "3:4", "9:16"]},
}


def make_version(number: str, **inputs: Any) -> dict[str, Any]:
    """Make a version of a model, with the schemas of its inputs."""
    return {
        "id": number,
        "created_at": "2025-06-01T10:00:00.000000Z",
        "cog_version": "0.14.0",
        "openapi_schema": {"openapi": "3.0.2", "components": {"schemas": {**_ENUMS, **inputs}}},
    }


def fits(schema: dict[str, Any], inputs: dict[str, Any]) -> bool:
    """Tell whether these inputs are all known, within their bounds, and none is missing."""
    known = schema["properties"]
    return all(name in inputs for name in schema["required"]) and all(
        name in known and known[name].get("minimum", value) <= value <= known[name].get("maximum", value)
        for name, value in inputs.items()
    )


def ready_versions() -> dict[tuple[str, str], dict[str, Any]]:
    """Return the versions that everybody finds, by model and number: two trainers and an image model."""
    return {
        ("ostris/flux-dev-lora-trainer", TRAINER_VERSION): make_version(TRAINER_VERSION, TrainingInput=TRAINING_INPUT),
        ("replicate/fast-flux-trainer", FAST_VERSION): make_version(FAST_VERSION, TrainingInput=FAST_INPUT),
        ("black-forest-labs/flux-dev-lora", GENERATOR_VERSION): make_version(GENERATOR_VERSION, Input=PICTURE_INPUT),
    }
