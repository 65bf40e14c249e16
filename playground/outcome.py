"""What came of a press or a command, as the person sees it; it does nothing itself."""

from dataclasses import dataclass, field
from typing import Protocol

from playground.errors import PersonError
from playground.interactions import Answer, Interaction
from playground.seen import Button, Modal, SeenMessage, Select
from playground.world import Message, World


class Eyes(Protocol):
    """Stand for whoever looks at messages."""

    world: World

    def look(self, message: Message | SeenMessage) -> SeenMessage: ...


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Show what came of a press or a command, as far as it had come when it was awaited."""

    place: Eyes = field(repr=False)
    interaction: Interaction = field(repr=False)
    message: SeenMessage | None
    modal: Modal | None
    failed: str | None

    @property
    def deferred(self) -> bool:
        """Tell whether the bot asked for time first."""
        return self.interaction.answer in (Answer.DEFERRED_MESSAGE, Answer.DEFERRED_UPDATE)

    @property
    def updated(self) -> bool:
        """Tell whether the answer changed the message that carries the component."""
        return self.interaction.answer in (Answer.UPDATE, Answer.DEFERRED_UPDATE)

    @property
    def text(self) -> str:
        """Give what the answer says; nothing when there is no message."""
        return self.message.text if self.message else ""

    @property
    def ephemeral(self) -> bool:
        return bool(self.message and self.message.ephemeral)

    @property
    def buttons(self) -> tuple[Button, ...]:
        return self.message.buttons if self.message else ()

    @property
    def selects(self) -> tuple[Select, ...]:
        return self.message.selects if self.message else ()

    @property
    def images(self) -> tuple[bytes, ...]:
        return self.message.images if self.message else ()

    def find_button(self, wanted: str) -> Button:
        """Find a button of the answer by its label or custom id.

        Raises:
            PersonError: There is none.
        """
        if self.message is None:
            raise PersonError(f"no button {wanted!r}: the answer is no message")
        return self.message.find_button(wanted)

    @property
    def followups(self) -> list[SeenMessage]:
        """List the further messages that stand by now."""
        return [self.place.look(m) for m in self.interaction.followups if not m.deleted]

    async def followup(self, number: int = 0, *, timeout: float = 40.0) -> SeenMessage:  # noqa: ASYNC109 - as in World.until
        """Wait for a further message."""
        sent = self.interaction.followups
        await self.place.world.until(lambda: len(sent) > number, timeout=timeout, what=f"follow-up {number}")
        return self.place.look(sent[number])
