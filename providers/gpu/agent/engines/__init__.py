"""The engines that the agent can run, by the name that the bot uses for them."""

from __future__ import annotations

from providers.gpu.agent.engine import Engine, MakesEngine, Work
from providers.gpu.agent.engines.ai_toolkit import AiToolkit
from providers.gpu.agent.engines.sd_scripts import SdScripts
from providers.gpu.agent.job import NO_ENGINE, Spec, WorkFailed

ENGINES: dict[str, MakesEngine] = {"sd-scripts": SdScripts, "ai-toolkit": AiToolkit}


def engine_for(spec: Spec, work: Work) -> Engine:
    """Return the engine that a training asks for.

    Raises:
        WorkFailed: this agent has none of that name.
    """
    if spec.engine not in ENGINES:
        raise WorkFailed(NO_ENGINE, "This agent has no engine called {engine}.", {"engine": spec.engine})
    return ENGINES[spec.engine](spec, work)
