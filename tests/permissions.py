"""Who may do what where: every command × role × place, really played, and `python -m tests.permissions` prints it.

One house with a server whose managers have set it up: two channels are open, training and pictures are for a role, and
another role may manage. Every command is tried by everybody everywhere, with values that let nothing begin: what is
asked here is only whether somebody is let in.
"""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from bot.consent import Depicted
from bot.guild import AdultPolicy
from bot.lora import Share
from bot.place import Place as OurPlace
from playground.errors import PersonError
from playground.person import Person, Place
from playground.seen import Upload
from providers.recipe import BaseModelName, SubjectKind
from tests.factories import Scene, make_trained_folder, moved_in, small_photos, uploaded
from tests.house import House, running_bot
from tests.playing import running_playground

ROLES = ("stranger", "member", "manager", "admin", "owner")
PLACES = ("channel", "thread", "grown", "closed", "message")
IN_SERVER = frozenset({"channel", "thread", "grown", "closed"})
OPEN = frozenset({"channel", "thread", "grown"})


class Verdict(StrEnum):
    """What came of a try."""

    MAY = "yes"
    REFUSED = "no"
    #: Discord does not even offer the command.
    HIDDEN = "-"


Row = Mapping[tuple[str, str], Verdict]


def rule(**may: frozenset[str]) -> Row:
    """Return the verdicts of a command that Discord shows to everybody, by the places where each role may use it."""
    return {
        (role, place): Verdict.MAY if place in may.get(role, frozenset()) else Verdict.REFUSED
        for role in ROLES
        for place in PLACES
    }


def hidden_from(row: Row, *, shown: Mapping[str, frozenset[str]]) -> Row:
    """Return the same for a command that Discord shows to some roles in some places."""
    return {
        (role, place): verdict if place in shown.get(role, frozenset()) else Verdict.HIDDEN
        for (role, place), verdict in row.items()
    }


def everybody(places: frozenset[str]) -> dict[str, frozenset[str]]:
    return dict.fromkeys(ROLES, places)


EVERYWHERE = frozenset(PLACES)
ALONE = frozenset({"message"})
#: Commands that are of use in a channel, and closed where the managers do not want the bot.
USE = rule(**everybody(OPEN | ALONE))
#: What people need wherever they are: their jobs, their data, help.
ALWAYS = rule(**everybody(EVERYWHERE))
#: For the role that the settings name. Nobody is excepted: what managers see is what people see.
KEPT_FOR_A_ROLE = rule(**everybody(ALONE) | {"member": OPEN | ALONE})
#: Adult pictures: where adults are, and nowhere else.
ADULT = rule(member=frozenset({"grown"}))
MANAGE = hidden_from(
    rule(manager=IN_SERVER, admin=IN_SERVER, owner=IN_SERVER),
    shown=dict.fromkeys(("manager", "admin", "owner"), IN_SERVER),
)
OWN = hidden_from(rule(owner=IN_SERVER), shown={"owner": IN_SERVER})


@dataclass(frozen=True, kw_only=True)
class Try:
    """A command with values that let it begin nothing."""

    command: str
    expected: Row
    options: Mapping[str, Any]
    #: What else it is called in the table, where a command is tried in several ways.
    note: str = ""

    @property
    def name(self) -> str:
        return f"/{self.command}{self.note}"


def a_try(command: str, expected: Row, note: str = "", **options: Any) -> Try:
    return Try(command=command, expected=expected, options=options, note=note)


#: `seed=-1` is refused after everything that is asked here, and before anything begins.
TRIES = (
    a_try("draft new", USE, name="Rusty", trigger_word="two words", kind="animal"),
    a_try("draft add", USE, photo1=Upload("no.txt", b"no photo")),
    a_try("draft show", USE),
    a_try("draft copy", USE, draft="nothing"),
    a_try("draft export", USE),
    a_try("train", KEPT_FOR_A_ROLE),
    a_try("generate", KEPT_FOR_A_ROLE, model="Rusty", prompt="rustyfox", seed=-1),
    a_try("generate", ADULT, " adult", model="Rusty", prompt="rustyfox, nsfw", seed=-1),
    a_try("jobs", ALWAYS),
    a_try("cancel", ALWAYS),
    a_try("prompts save", USE, name="x", prompt=" "),
    a_try("prompts list", USE),
    a_try("prompts delete", USE, name="nothing"),
    *(a_try(f"models {name}", USE) for name in ("list",)),
    *(a_try(f"models {name}", USE, model="nothing") for name in ("show", "delete", "share", "revoke", "describe")),
    a_try("models download", USE, model="nothing"),
    *(a_try(f"models {name}", USE, model="nothing") for name in ("defaults", "adult")),
    a_try("models rename", USE, model="nothing", name="x"),
    a_try("privacy show", ALWAYS),
    a_try("privacy export", ALWAYS),
    a_try("privacy delete", ALWAYS),
    a_try("privacy settings", ALWAYS),
    a_try("help", ALWAYS),
    *(a_try(f"admin {name}", MANAGE) for name in ("settings", "jobs", "usage", "audit", "reports", "diagnose")),
    a_try("admin cancel", MANAGE, job="nothing"),
    a_try("admin pause", MANAGE, reason=" "),
    a_try("admin resume", MANAGE),
    *(a_try(f"owner {name}", OWN) for name in ("status", "providers", "sync")),
)
#: What a server's admins may show to everybody, against our advice: the services ask again. Tried after all else.
SHOWN_TO_ALL = hidden_from(
    rule(manager=IN_SERVER, admin=IN_SERVER, owner=IN_SERVER), shown=dict.fromkeys(ROLES, IN_SERVER)
)
OWN_SHOWN_TO_ALL = hidden_from(rule(owner=IN_SERVER), shown=dict.fromkeys(ROLES, IN_SERVER))
LENT = tuple(
    a_try(one.command, OWN_SHOWN_TO_ALL if one.expected is OWN else SHOWN_TO_ALL, " shown to all", **one.options)
    for one in TRIES
    if one.expected is OWN or one.expected is MANAGE
)
#: Commands that take a person: tried with oneself.
ON_ONESELF = {"models transfer": USE, "admin block": MANAGE, "admin unblock": MANAGE}
#: It answers with a form, which is asked when it is sent.
FORMS = {"owner announce": OWN, "models import": KEPT_FOR_A_ROLE}
#: What the commands with a form have to be given.
GIVEN = {"models import": {"kind": "animal"}}
MENUS = {"Add to draft": USE, "Picture details": USE}

#: How refusals of somebody who is not let in begin; everything else is an answer to somebody who is.
REFUSALS = (
    "I may not be used in this channel.",
    "Only people with the role",
    "Only people who manage this server",
    "Only the owner of this bot",
    "You are blocked",
    "The word “nsfw” makes this prompt adult.",
)


@dataclass(frozen=True, kw_only=True)
class Town:
    """A house where everything is set up, and everybody in it."""

    house: House
    people: Mapping[str, Person]

    def place(self, role: str, where: str) -> Place:
        person, discord = self.people[role], self.house.discord
        if where == "message":
            return person.dm()
        return person.in_channel(next(c for c in discord.world.channels.values() if c.name == where))

    def show_to_all(self, *commands: str) -> None:
        """Let Discord offer commands to everybody, as a server's admin can."""
        guild = self.house.discord.guild
        for command in commands:
            self.house.discord.allow_command(command, guild.roles[guild.id])

    async def verdict(self, one: Try, role: str, where: str) -> Verdict:
        return await self._verdict(self.place(role, where), one.command, dict(one.options))

    async def verdict_on_oneself(self, command: str, role: str, where: str) -> Verdict:
        person = self.people[role]
        options: dict[str, Any] = {"person": person} | ({"model": "nothing"} if "model" in command else {})
        return await self._verdict(self.place(role, where), command, options)

    async def verdict_of_form(self, command: str, role: str, where: str) -> Verdict:
        place = self.place(role, where)
        try:
            form = await place.slash(command, **GIVEN.get(command, {}))
        except PersonError as error:
            return _hidden(error)
        if form.modal is None or command in GIVEN:
            # It is asked before the form opens.
            return _judged(form)
        return _judged(await place.submit(form, text="hello"))

    async def verdict_of_menu(self, menu: str, role: str, where: str) -> Verdict:
        place = self.place(role, where)
        said = await place.say("look")
        return _judged(await place.context_menu(menu, said))

    async def _verdict(self, place: Place, command: str, options: dict[str, Any]) -> Verdict:
        try:
            return _judged(await place.slash(command, **options))
        except PersonError as error:
            return _hidden(error)


def _hidden(error: PersonError) -> Verdict:
    if "there is no command" in str(error):
        return Verdict.HIDDEN
    raise error


def _judged(outcome: Any) -> Verdict:
    if outcome.failed:
        raise AssertionError(outcome.failed)
    told = [outcome.text, *(one.text for one in outcome.followups)]
    return Verdict.REFUSED if any(text.startswith(REFUSALS) for text in told) else Verdict.MAY


@asynccontextmanager
async def town(trained_folder: Path, folder: Path) -> AsyncIterator[Town]:
    """Open a house that its managers have set up, with somebody in every role."""
    async with running_playground() as discord:
        teacher = await moved_in(trained_folder, folder, discord)
        for name in ("grown", "closed"):
            discord.add_channel(name, nsfw=name == "grown")
        discord.channel.name = "channel"
        discord.add_thread("thread")
        artists, helpers = discord.add_role("artists"), discord.add_role("helpers")
        people = {role: discord.person(role, manage_guild=role == "admin") for role in ROLES if role != "owner"}
        people["owner"] = Person(user=discord.owner, discord=discord)
        discord.give(people["member"].user, artists)
        discord.give(people["manager"].user, helpers)
        async with running_bot(discord, folder, darkroom_owner_guild=discord.guild.id) as house:
            discord.allow_command("admin", helpers)
            here = OurPlace(channel_id=discord.channel.id, guild_id=discord.guild.id, manages=True)
            [lora] = await house.services.library.usable(teacher.id, here)
            scene = Scene(house=house, owner=teacher, lora=lora)
            await _furnish(scene, people, here)
            open_ones = tuple(c.id for c in discord.world.channels.values() if c.name in ("channel", "grown"))
            await house.services.guilds.change(
                people["admin"].id,
                here,
                channel_ids=open_ones,
                train_role_ids=(artists.id,),
                generate_role_ids=(artists.id,),
                manage_role_ids=(helpers.id,),
                adult=AdultPolicy.AGE_RESTRICTED,
            )
            yield Town(house=house, people=people)


async def _furnish(scene: Scene, people: Mapping[str, Person], here: OurPlace) -> None:
    """Give everybody the model and a draft that could be trained."""
    services = scene.house.services
    async with services.database.begin() as connection:
        await connection.exec_driver_sql("UPDATE loras SET depicted = ?", (Depicted.NOBODY.value,))
    for person in people.values():
        await services.sharing.share(scene.owner.id, scene.lora.id, Share.with_person(person.id))
        draft = await services.drafts.open(
            person.id, name="Fox", trigger_word="rustyfox", kind=SubjectKind.ANIMAL, base_model=BaseModelName.SKETCH
        )
        await services.intake.receive(person.id, uploaded(scene.house, small_photos(4)), draft_id=draft.id)


def table(rows: Mapping[str, Row]) -> str:
    """Return verdicts as a table, one line a command; places by their first letters."""
    heads = [f"{role} {place}" for role in ROLES for place in PLACES]
    wide = max(len(name) for name in rows)
    lines = [f"{'':{wide}}  " + "  ".join(f"{role:^{4 * len(PLACES)}}" for role in ROLES)]
    lines.append(f"{'':{wide}}  " + "  ".join("".join(f"{place[:3]:<4}" for place in PLACES) for _role in ROLES))
    for name, row in rows.items():
        cells = ["".join(f"{row[role, place]:<4}" for place in PLACES) for role in ROLES]
        lines.append(f"{name:{wide}}  " + "  ".join(cells))
    assert len(heads) == len(ROLES) * len(PLACES)
    return "\n".join(lines)


async def played(one: Town) -> dict[str, Row]:
    """Try everything and return what came of it, by the names of the table."""
    found: dict[str, Row] = {}
    for trial in TRIES:
        found[trial.name] = {(role, place): await one.verdict(trial, role, place) for role in ROLES for place in PLACES}
    for command in ON_ONESELF:
        found[f"/{command}"] = {
            (role, place): await one.verdict_on_oneself(command, role, place) for role in ROLES for place in PLACES
        }
    for command in FORMS:
        found[f"/{command}"] = {
            (role, place): await one.verdict_of_form(command, role, place) for role in ROLES for place in PLACES
        }
    for menu in MENUS:
        found[f"Apps: {menu}"] = {
            (role, place): await one.verdict_of_menu(menu, role, place) for role in ROLES for place in PLACES
        }
    one.show_to_all("admin", "owner")
    for trial in LENT:
        found[trial.name] = {(role, place): await one.verdict(trial, role, place) for role in ROLES for place in PLACES}
    return found


def expected() -> dict[str, Row]:
    """Return what should come of it."""
    return (
        {trial.name: trial.expected for trial in (*TRIES, *LENT)}
        | {f"/{command}": row for command, row in {**ON_ONESELF, **FORMS}.items()}
        | {f"Apps: {menu}": row for menu, row in MENUS.items()}
    )


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        trained = await make_trained_folder(Path(folder) / "trained")
        async with town(trained, Path(folder) / "data") as one:
            sys.stdout.write(table(await played(one)) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
