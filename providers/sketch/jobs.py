"""Owns what a worker does for each kind of order; never knows how it was started or who waits."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from providers.base import Aspect
from providers.disk import write_bytes
from providers.sketch.desk import Desk
from providers.sketch.fitting import Fitting
from providers.sketch.model import SketchModel, load_model, save_model
from providers.sketch.order_folder import OrderFolder
from providers.sketch.pictures import read_archive, save_png
from providers.sketch.sampling import rungs_of, sample

#: A model is kept after each of so many equal parts of its training.
CHECKPOINTS = 3


def train(order: OrderFolder, desk: Desk) -> None:
    """Fit a model to the photos of an archive."""
    request = order.request()
    steps, resolution = int(request["steps"]), int(request["resolution"])
    started, losses = time.monotonic(), list[float]()
    desk.say("reading the photos", 0, steps)
    least, most = (int(request[name]) for name in ("least_photos", "most_photos"))
    # A quarter more than a picture needs, because sampling zooms in a little.
    shortest = resolution * 5 // 4
    photos = read_archive(order.inputs / "archive.zip", shortest=shortest, least=least, most=most)
    fitting = Fitting(photos, resolution, order.journal())
    levels = len(fitting.plan.knots)

    def save(name: str) -> None:
        facts = {
            "photos": len(photos),
            "steps": len(losses) - 1,
            "first_loss": losses[0],
            "loss": losses[-1],
            "seconds": round(time.monotonic() - started, 1),
        }
        model = SketchModel(
            trigger_word=request["trigger_word"], resolution=resolution, photos=photos, plan=fitting.plan, facts=facts
        )
        save_model(model, order.results / f"{name}.safetensors")
        write_bytes(order.results / f"{name}.json", json.dumps(facts).encode())

    for now in fitting.run(steps):
        losses.append(now.loss)
        order.write_journal(fitting.journal, losses)
        desk.say(f"fitting noise level {now.level + 1} of {levels}", now.step, steps, now.loss)
        if now.step in {steps * part // CHECKPOINTS for part in range(1, CHECKPOINTS)}:
            save(f"step-{now.step:06}")
    save("sketch")


def draw(order: OrderFolder, desk: Desk) -> None:
    """Make the pictures of an order; those that an earlier worker finished are kept."""
    request = order.request()
    model = load_model(order.inputs / "sketch.safetensors")
    for number in range(int(request["count"])):
        if not (order.results / f"{number}.json").exists():
            _draw_one(order, desk, model, request, number)


def _draw_one(order: OrderFolder, desk: Desk, model: SketchModel, request: Mapping[str, Any], number: int) -> None:
    rungs, count = rungs_of(model.plan), int(request["count"])
    done = number * rungs

    def tell() -> None:
        nonlocal done
        done += 1
        desk.say(f"drawing picture {number + 1} of {count}", done, rungs * count)

    seed = int(request["seed"]) + number
    aspect, strength = Aspect(request["aspect"]), float(request["strength"])
    picture = sample(model.photos, model.plan, seed=seed, aspect=aspect, strength=strength, after_step=tell)
    width, height = save_png(picture, order.results / f"{number}.png")
    told = {"seed": seed, "width": width, "height": height}
    write_bytes(order.results / f"{number}.json", json.dumps(told).encode())


#: What to do, by the name of the folder that the order lies in.
WORK: Mapping[str, Callable[[OrderFolder, Desk], None]] = {"trainings": train, "pictures": draw}
