"""RunPod's and Paperspace's OpenAPI files as judges over exchanges with what plays the two; what is let pass, and why.

The files are not part of the project. They are looked for in the folder named by SPECS_DIR, then in ../shared/specs
beside the checkout: `runpod-pods-v2.openapi.json` as RunPod publishes it (api.runpod.io/v2/openapi.json, 2.0.0 of
2026-08), `paperspace-machines.openapi.yml` and `paperspace-startup-scripts.openapi.yml` from api-evangelist/paperspace
(2026-08).

What they don't cover: RunPod's serverless endpoints (/run, /status, /cancel, /health) are in no file. Paperspace's are
a paraphrase that contradicts Paperspace's own reference (docs.digitalocean.com/reference/paperspace/api-reference, of
2026-03); where it does, ours follow the reference, as other people's working clients do, and it is named below.
"""

import functools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import yaml

from playground.rest import Exchange as Judged
from tests.fakes.faulty import Exchange
from tests.openapi import Judge, spec_path

RUNPOD = "runpod-pods-v2.openapi.json"
PAPERSPACE = ("paperspace-machines.openapi.yml", "paperspace-startup-scripts.openapi.yml")
MISSING = "RunPod's and Paperspace's OpenAPI files are not here: put them into a folder and name it in SPECS_DIR"


def _with_off(node: Any) -> Any:
    """Give the state `off` back its name: whoever wrote the file read it as YAML's word for false."""
    if isinstance(node, dict):
        return {key: _with_off(value) for key, value in node.items()}
    if isinstance(node, list):
        return ["off" if one is False else _with_off(one) for one in node]
    return node


@functools.cache
def _judge(name: str) -> Judge | None:
    path = spec_path(name)
    if path is None:
        return None
    document: dict[str, Any] = _with_off(yaml.safe_load(path.read_text()))
    return Judge(document, owner=name, deviations=(), failures=None)


def have_files() -> bool:
    """Tell whether all of them are here."""
    return all(spec_path(name) for name in (RUNPOD, *PAPERSPACE))


def runpod_complaints(exchanges: Iterable[Exchange]) -> list[str]:
    """List what does not fit RunPod's file; serverless, which it doesn't have, is left out."""
    pods = [one for one in exchanges if not one.path.startswith("/serverless/")]
    return _complaints(RUNPOD, pods)


def _complaints(name: str, exchanges: Iterable[Exchange]) -> list[str]:
    judge = _judge(name)
    if judge is None:
        return []
    found = [
        complaint
        for one in exchanges
        for complaint in judge.complaints(
            Judged(
                method=one.method,
                path=one.path,
                query=one.query,
                request=one.request,
                files=(),
                status=one.status,
                answer=one.answer,
                planned=one.planned,
            )
        )
    ]
    return list(dict.fromkeys(found))


#: Where Paperspace's own reference says otherwise than the file: what both say, by (method, path without ids).
_CONTRADICTED = {
    ("POST", "/machines"): (201, "200 with {event, data}; the machine is in data"),
    ("DELETE", "/machines/{id}"): (204, "200 with {event, data}"),
    ("GET", "/startup-scripts"): (200, "a page with items and hasMore, not a bare list"),
    ("POST", "/startup-scripts"): (201, "200; isRunOnce, not runOnce"),
    ("DELETE", "/startup-scripts/{id}"): (204, "200 with the script"),
}


def paperspace_complaints(exchanges: Iterable[Exchange]) -> list[str]:
    """List what does not fit Paperspace's files, of what its own reference leaves standing of them."""
    scripts = [one for one in exchanges if "/startup-scripts" in one.path]
    machines = [one for one in exchanges if one not in scripts]
    return [
        *_complaints(PAPERSPACE[0], map(_as_the_file_has_it, machines)),
        *_complaints(PAPERSPACE[1], map(_as_the_file_has_it, scripts)),
    ]


def _as_the_file_has_it(one: Exchange) -> Exchange:
    path = one.path.removeprefix("/v1")
    kind, _, thing_id = path.strip("/").partition("/")
    known = _CONTRADICTED.get((one.method, f"/{kind}/{{id}}" if thing_id else f"/{kind}"))
    if known is None or one.status != 200:
        return replace(one, path=path)
    status, _ = known
    answer = one.answer
    if status == 204:
        answer = None
    elif isinstance(answer, dict) and "data" in answer:
        answer = answer["data"]
    elif isinstance(answer, dict) and "items" in answer:
        answer = answer["items"]
    return replace(one, path=path, status=status, answer=answer)
