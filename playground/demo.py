"""Owns the story of `darkroom demo`: what a person does from photos to pictures; sees only what Discord shows."""

import re
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn

from playground.outcome import Outcome
from playground.person import Place
from playground.seen import SeenMessage, Upload
from playground.server import Playground

#: Seconds that a step of the story may take before it counts as failed.
PATIENCE = 120.0
#: Discord's limit of files in one message.
FILES_A_MESSAGE = 10
_STEP = re.compile(r"step (\d+) of (\d+)")
_LOSS = re.compile(r"loss ([\d.e-]+)")


class StoryError(Exception):
    """The story did not go on as it should have."""


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Who the model is of, as the person will tell the bot."""

    name: str
    trigger_word: str
    kind: str
    #: What they answer to who is in the photos: the button's label.
    who: str
    prompt: str


@dataclass(kw_only=True)
class Story:
    """One person's way through the product, told on a console and kept in a folder.

    Args:
        discord: With the bot connected.
        photos: What the person sends; a file that is no photo may be among them.
        folder: Where pictures and the conversation are saved.
    """

    discord: Playground
    cast: Cast
    photos: Sequence[Upload]
    folder: Path
    console: Console
    #: Every line that was said, as it is saved.
    said: list[str] = field(default_factory=list)
    #: Files that were saved.
    saved: list[Path] = field(default_factory=list)

    async def play(self) -> None:
        """Play it to the end.

        Raises:
            StoryError: the bot refused something, or did not answer in time.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        alice = self.discord.person("alice")
        server, dm = alice.in_channel(), alice.dm()
        server.patience = dm.patience = PATIENCE
        await self._begin_draft(server)
        panel = await self._send_photos(dm)
        await self._write_captions(dm, panel)
        await self._train(server)
        await self._generate(server)
        self._save("conversation.txt", "\n".join(self.said).encode() + b"\n")

    async def _begin_draft(self, server: Place) -> None:
        cast = self.cast
        options: dict[str, Any] = {"name": cast.name, "trigger_word": cast.trigger_word, "kind": cast.kind}
        self._types("#general", "/draft new " + " ".join(f"{key}:{value}" for key, value in options.items()))
        panel = await server.slash("draft new", **options)
        self._answers(panel)
        self._types("#general", f"presses [{cast.who}]")
        self._answers(await server.press(panel, cast.who))

    async def _send_photos(self, dm: Place) -> SeenMessage:
        answer = None
        for start in range(0, len(self.photos), FILES_A_MESSAGE):
            batch = self.photos[start : start + FILES_A_MESSAGE]
            self._types("direct message", "sends " + ", ".join(upload.name for upload in batch))
            before = {message.id for message in dm.sees()}
            await dm.say("", batch)
            answer = await _next_message(dm, before)
            self._hears(answer)
        if answer is None:
            raise StoryError("there are no photos to send")
        if answer.images:
            self._save("contact-sheet.jpg", answer.images[0])
        return answer

    async def _write_captions(self, dm: Place, panel: SeenMessage) -> None:
        self._types("direct message", "presses [Captions]")
        form = await dm.press(panel, "Captions")
        if form.selects:
            menu = form.selects[0]
            if form.message is None:
                raise StoryError("the menu of captions has no message")
            form = await dm.select(form.message, menu.placeholder, menu.options[0].value)
        if form.modal is None:
            raise StoryError(f"no form for captions came: {form.text or form.failed}")
        first = form.modal.fields[0]
        caption = f"{self.cast.trigger_word} looking at the camera"
        self._types("direct message", f"writes “{caption}” under {first.label}")
        fields: dict[str, Any] = {first.custom_id: caption}
        self._answers(await dm.submit(form, **fields))

    async def _train(self, server: Place) -> None:
        self._types("#general", "/train")
        quote = await server.slash("train")
        self._answers(quote)
        self._types("#general", "presses [Train it]")
        before = {message.id for message in server.sees()}
        self._answers(await server.press(quote, "Train it"))
        card = await _next_message(server, before)
        await self._watch(server, card)
        last_word = await _next_message(server, {*before, card.id})
        self._hears(last_word)
        if len(last_word.images) == 0:
            raise StoryError("the training brought no pictures")
        self._save_pictures("sample", last_word.images)

    async def _watch(self, server: Place, card: SeenMessage) -> None:
        """Show the card's progress until it has ended."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total} {task.fields[loss]}"),
        )
        until = time.monotonic() + PATIENCE
        shown = ""
        with Progress(*columns, console=self.console) as bar:
            task = bar.add_task("training", total=None, loss="")
            while time.monotonic() < until:
                text = _plain(server.look(card).text)
                headline = text.splitlines()[1] if len(text.splitlines()) > 1 else text
                if headline != shown:
                    shown = headline
                    self.said.append(f"    [card] {headline}")
                    if not self.console.is_terminal:
                        self.console.print(f"    {escape(headline)}")
                step, loss = _STEP.search(text), _LOSS.search(text)
                if step:
                    bar.update(task, completed=int(step[1]), total=int(step[2]), loss=f"loss {loss[1]}" if loss else "")
                if not server.look(card).has_button("Cancel"):
                    if step is None and bar.tasks[0].total:
                        bar.update(task, completed=bar.tasks[0].total)
                    return
                await self.discord.world.changed()
        raise StoryError("the training did not end in time")

    async def _generate(self, server: Place) -> None:
        name, prompt = self.cast.name, self.cast.prompt
        self._types("#general", f"/generate model:{name} prompt:{prompt} count:2 seed:7")
        before = {message.id for message in server.sees()}
        self._answers(await server.slash("generate", model=name, prompt=prompt, count=2, seed=7))
        gallery = await server.wait_for(lambda m: m.id not in before and len(m.images) == 2)
        self._hears(gallery)
        self._save_pictures("seed-7", gallery.images)
        self._types("#general", "presses [Again]")
        before = {message.id for message in server.sees()}
        self._answers(await server.press(gallery, "Again"))
        fresh = await server.wait_for(lambda m: m.id not in before and len(m.images) == 2)
        self._hears(fresh)
        self._save_pictures("again", fresh.images)

    def _types(self, where: str, what: str) -> None:
        self.said.append(f"alice ({where}): {what}")
        self.console.print(f"\n[bold cyan]alice[/] [dim]in {escape(where)}[/]  {escape(what)}")

    def _answers(self, outcome: Outcome) -> None:
        if outcome.failed:
            raise StoryError(f"Discord said: {outcome.failed}")
        if outcome.message is not None:
            self._hears(outcome.message)

    def _hears(self, message: SeenMessage) -> None:
        lines = _plain(message.text).splitlines()
        if message.images:
            lines.append(f"[{len(message.images)} picture{'s' if len(message.images) > 1 else ''}]")
        if message.buttons:
            lines.append("  ".join(f"[{button.label}]" for button in message.buttons))
        whom = " (only alice sees this)" if message.ephemeral else ""
        self.said += [f"Darkroom{whom}:", *(f"    {line}" for line in lines)]
        self.console.print(f"[bold magenta]Darkroom[/][dim]{whom}[/]")
        for line in lines:
            self.console.print(f"    {escape(line)}", highlight=False)

    def _save_pictures(self, stem: str, pictures: Sequence[bytes]) -> None:
        for number, picture in enumerate(pictures, start=1):
            self._save(f"{stem}-{number}.png", picture)

    def _save(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.write_bytes(data)
        self.saved.append(path)


async def _next_message(place: Place, before: Collection[int]) -> SeenMessage:
    """Wait for a message of the bot that everybody here can see and that was not there before."""
    return await place.wait_for(lambda m: m.author_is_bot and not m.ephemeral and m.id not in before)


def _plain(text: str) -> str:
    """Return a message as it reads without Discord's markup."""
    text = re.sub(r"<t:(\d+):R>", lambda found: f"in {max(0, int(found[1]) - int(time.time()))} s", text)
    text = re.sub(
        r"<t:(\d+)(?::\w)?>", lambda found: time.strftime("%d %b %Y %H:%M", time.localtime(int(found[1]))), text
    )
    text = re.sub(r"<@!?\d+>", "@alice", text)
    text = re.sub(r"^(#{1,3}|-#) ", "", text, flags=re.MULTILINE)
    return re.sub(r"\*+|`|\\(?=[_*~`|])", "", text)
