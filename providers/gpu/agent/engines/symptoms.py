"""Owns what a line of an engine's output says of why it is failing; never decides that it has failed.

The texts are those of PyTorch, huggingface_hub, and the engines in the versions that their modules name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from providers.gpu.agent.job import (
    DISK_FULL,
    ENGINE_FAILED,
    GATED_WEIGHTS,
    NAN_LOSS,
    NO_IMAGES,
    OUT_OF_MEMORY,
    WorkFailed,
)

#: The more telling first: what runs out of memory or disk often fails in other ways right after.
_SIGNS: Sequence[tuple[str, str]] = (
    (OUT_OF_MEMORY, r"OutOfMemoryError|(CUDA|HIP|MPS)( error)?:? out of memory|CUBLAS_STATUS_ALLOC_FAILED"),
    (OUT_OF_MEMORY, r"DefaultCPUAllocator: (can't|not enough)|OOM during training step 3 times in a row|MemoryError"),
    (DISK_FULL, r"No space left on device|Disk quota exceeded"),
    (GATED_WEIGHTS, r"GatedRepoError|[Cc]annot access gated repo|Access to model .{1,200} is restricted"),
    (GATED_WEIGHTS, r"40[13] Client Error.{0,200}huggingface\.co|trying to access a gated repo"),
    (NO_IMAGES, r"No data found\. Please verify arguments|no images found in "),
    (NAN_LOSS, r"NaN detected in (latents|text encoder outputs)"),
)
_COMPILED = [(code, re.compile(pattern)) for code, pattern in _SIGNS]
_LONGEST = 2000

HINTS = {
    OUT_OF_MEMORY: "The GPU ran out of memory. Choose a smaller resolution or rank, or a GPU with more memory.",
    DISK_FULL: "The machine's disk is full. Its operator has to make room.",
    GATED_WEIGHTS: "The base model's weights are gated: accept their licence at Hugging Face and set HF_TOKEN.",
    NO_IMAGES: "The trainer found no photos. Add photos to the draft and start again.",
    NAN_LOSS: "The training broke down: its loss is no longer a number. Choose a lower learning rate.",
}
_KILLED = "The system ended the training, which it does when the machine's memory runs out."

#: The last line of a Python traceback.
_ERROR = re.compile(r"^(?:\w+\.)*(\w*(?:Error|Exception|Interrupt)): ?(.*)$")
#: What no hint may hold: paths, addresses, and whatever stands in quotes.
_PRIVATE = re.compile(r"(?<!\w)(['\"`]).{3,}?\1|\S*[/\\]\S+")


def symptom(line: str) -> str | None:
    """Return the code of what goes wrong by this line, if it tells."""
    start = line[:_LONGEST]
    return next((code for code, pattern in _COMPILED if pattern.search(start)), None)


def failed(code: str) -> WorkFailed:
    """Return what to say of an engine that fails in this way."""
    return WorkFailed(code, HINTS[code])


def why(exit_code: int, tail: Sequence[str]) -> WorkFailed:
    """Return what to say of an engine that ended with no result and no telling line.

    Args:
        exit_code: Negative for a signal.
        tail: The last lines that it printed.
    """
    if exit_code in (-9, 137):
        return WorkFailed(OUT_OF_MEMORY, _KILLED)
    for line in reversed(tail):
        if found := _ERROR.match(line.strip()):
            said = _PRIVATE.sub("…", found[2]).strip()[:160]
            told = {"error": f"{found[1]}{': ' if said else ''}{said}"}
            return WorkFailed(ENGINE_FAILED, "The trainer stopped with an error: {error}", told)
    told = {"code": str(exit_code)}
    return WorkFailed(ENGINE_FAILED, "The trainer ended with exit code {code} and left no model.", told)
