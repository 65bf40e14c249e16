"""Owns what /help says: the topics, an example for each command, and how both look; asks nobody anything.

Names of commands and options are the same in every language, so examples are not translated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import discord
from discord import ui

from bot.guild import Act
from bot.texts import N_, _
from cogs.ui.controls import Layout, menu


@dataclass(frozen=True, kw_only=True)
class Topic:
    """Commands that belong together."""

    title: str
    #: One sentence about what they are for.
    about: str
    #: An example of each command, by its full name, in the order in which they are shown.
    examples: Mapping[str, str]
    #: What a server may keep for some people, where it is not the same for all commands of the topic.
    acts: Mapping[str, Act] = field(default_factory=dict)
    act: Act = Act.USE


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One command as this person sees it here."""

    name: str
    description: str
    #: Why they cannot use it here; None when they can.
    obstacle: str | None


TOPICS: Mapping[str, Topic] = {
    "photos": Topic(
        title=N_("Photos"),
        about=N_("Collect 4 to 30 photos of one subject. Send them to me directly, or in a command, a form or a zip."),
        examples={
            "draft new": "/draft new name:Rusty trigger_word:rustyfox kind:animal who:nobody",
            "draft add": "/draft add photo1:fox.jpg photo2:more-foxes.zip",
            "draft show": "/draft show draft:Rusty",
            "draft copy": "/draft copy draft:Rusty name:Rusty again",
            "draft export": "/draft export draft:Rusty",
        },
    ),
    "trainings": Topic(
        title=N_("Trainings"),
        about=N_("You see the price first, and nothing begins before you press Train it."),
        examples={
            "train": "/train draft:Rusty preset:animal",
            "jobs": "/jobs",
            "cancel": "/cancel job:Rusty",
        },
        acts={"train": Act.TRAIN},
    ),
    "pictures": Topic(
        title=N_("Pictures"),
        about=N_("Use the model's trigger word in the prompt. The same seed and settings give the same picture."),
        examples={
            "generate": "/generate model:Rusty prompt:rustyfox in the snow count:4 aspect:wide",
            "prompts save": "/prompts save name:Snow prompt:{trigger} in the snow, golden light",
            "prompts list": "/prompts list",
            "prompts delete": "/prompts delete name:Snow",
        },
        acts={"generate": Act.GENERATE},
    ),
    "models": Topic(
        title=N_("Models"),
        about=N_("A model is yours alone until you share it."),
        examples={
            "models list": "/models list",
            "models show": "/models show model:Rusty",
            "models rename": "/models rename model:Rusty name:Rusty the fox",
            "models describe": "/models describe model:Rusty description:Best at a strength of 0.8",
            "models defaults": "/models defaults model:Rusty strength:0.8",
            "models share": "/models share model:Rusty whom:@friends",
            "models revoke": "/models revoke model:Rusty whom:@friends",
            "models transfer": "/models transfer model:Rusty person:@bob",
            "models download": "/models download model:Rusty",
            "models import": "/models import kind:animal",
            "models adult": "/models adult model:Rusty adult:true",
            "models delete": "/models delete model:Rusty",
        },
    ),
    "privacy": Topic(
        title=N_("Your data"),
        about=N_("What is kept about you, where it went, and how to end that."),
        examples={
            "privacy show": "/privacy show",
            "privacy export": "/privacy export",
            "privacy delete": "/privacy delete",
            "privacy settings": "/privacy settings",
            "help": "/help topic:Pictures",
        },
    ),
    "server": Topic(
        title=N_("This server"),
        about=N_("For those who manage this server: who may do what where, with whom, for how much."),
        examples={
            "admin settings": "/admin settings",
            "admin jobs": "/admin jobs",
            "admin cancel": "/admin cancel job:Rusty",
            "admin pause": "/admin pause reason:back on Monday",
            "admin resume": "/admin resume",
            "admin usage": "/admin usage days:30",
            "admin block": "/admin block person:@bob reason:spam days:7",
            "admin unblock": "/admin unblock person:@bob",
            "admin audit": "/admin audit",
            "admin reports": "/admin reports",
            "admin diagnose": "/admin diagnose",
        },
        act=Act.MANAGE,
    ),
}


def topic_of(command: str) -> str | None:
    """Return the topic that a command belongs to."""
    return next((key for key, topic in TOPICS.items() if command in topic.examples), None)


def act_of(command: str) -> Act:
    """Return what a server may keep for some people, for this command."""
    topic = TOPICS[topic_of(command) or "privacy"]
    return topic.acts.get(command, topic.act)


def draw_overview(offers: Mapping[str, Sequence[Offer]]) -> Layout:
    """Return all topics with the commands that this person can use here, and a menu that opens one."""
    lines = [_("### What I can do"), _("Photos in, a model of your own out, then pictures with it.")]
    for key, offered in offers.items():
        usable = [f"`/{offer.name}`" for offer in offered if offer.obstacle is None]
        if usable:
            lines.append(f"**{_(TOPICS[key].title)}** {' '.join(usable)}")
    obstacles = _obstacles([offer for offered in offers.values() for offer in offered])
    container: ui.Container[Layout] = ui.Container(ui.TextDisplay("\n".join([*lines, *obstacles])))
    container.add_item(ui.ActionRow(_topic_menu(offers, None)))
    return Layout(container)


def draw_topic(key: str, offers: Mapping[str, Sequence[Offer]]) -> Layout:
    """Return one topic: what each of its commands does, with an example."""
    topic = TOPICS[key]
    lines = [f"### {_(topic.title)}", _(topic.about)]
    lines.extend(
        f"**/{offer.name}** {offer.description}\n-# `{topic.examples[offer.name]}`"
        for offer in offers.get(key, ())
        if offer.obstacle is None
    )
    container: ui.Container[Layout] = ui.Container(
        ui.TextDisplay("\n".join([*lines, *_obstacles(offers.get(key, ()))]))
    )
    container.add_item(ui.ActionRow(_topic_menu(offers, key)))
    return Layout(container)


def _obstacles(offers: Sequence[Offer]) -> list[str]:
    """Return why some commands are missing, each reason once."""
    by_reason: dict[str, list[str]] = {}
    for offer in offers:
        if offer.obstacle is not None:
            by_reason.setdefault(offer.obstacle, []).append(f"`/{offer.name}`")
    return [f"-# {' '.join(names)}: {reason}" for reason, names in by_reason.items()]


def _topic_menu(offers: Mapping[str, Sequence[Offer]], chosen: str | None) -> ui.Select[Layout]:
    options = [
        discord.SelectOption(
            label=_(TOPICS[key].title), value=key, description=_(TOPICS[key].about)[:100], default=key == chosen
        )
        for key in offers
    ]
    return menu("help.topic", options=options, placeholder=_("Tell me about"))
