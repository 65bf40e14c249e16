"""Owns what counts as adult here and where it may be made; never looks at a picture.

Checked are the words of a prompt, against the bot's list and the server's own, and whether the model is marked as adult
by its owner or by a manager of the server. Models of children have a wider list, in bot/consent.py. Nobody looks at
what comes out: that is for the provider's own filter, and for people, who can report a picture.
"""

from bot.blocked_words import found_in
from bot.errors import NotAllowed
from bot.guild import AdultPolicy, GuildSettings
from bot.place import Place
from bot.texts import _

#: Words that make a prompt adult everywhere, in the languages that the bot speaks; servers add their own.
ADULT_WORDS = (
    *("nsfw", "nude", "nudes", "nudity", "naked", "topless", "porn", "pornographic", "hentai", "sex", "sexual"),
    *("erotic", "erotica", "genitals", "penis", "vagina", "nipples", "bdsm", "fetish", "blowjob", "orgy", "cum"),
    *("nackt", "nackte", "nackter", "nacktes", "nacktbild", "porno", "erotisch", "erotische", "sexuell", "brustwarzen"),
    *("desnudo", "desnuda", "desnudos", "desnudas", "pornografia", "erotico", "erotica", "sexo", "pezones"),
    *("nu", "nue", "nus", "nues", "seins nus", "pornographique", "erotique", "sexe", "sexuel", "sexuelle"),
)


def require_fit(settings: GuildSettings, place: Place, *, prompts: tuple[str, ...], marked: bool, never: bool) -> None:
    """Let pass what is not adult, and what is where it may be.

    Args:
        settings: Of the server that the place is in; the defaults in a direct message.
        place: Where the pictures would appear.
        prompts: All words that the pictures are made from.
        marked: The model is marked as adult.
        never: The model is of a child, or nobody has said of whom.

    Raises:
        NotAllowed: it is adult, and may not be made there.
    """
    found = found_in((*ADULT_WORDS, *settings.adult_words), *prompts)
    if found is None and not marked:
        return
    what = (
        _("This model is marked as adult.")
        if found is None
        else _("The word “{word}” makes this prompt adult.").format(word=found)
    )
    if never:
        raise NotAllowed(what, advice=_("Nothing adult is ever made with this model."))
    if place.guild_id is None:
        raise NotAllowed(what, advice=_("Adult pictures are not made in direct messages."))
    if settings.adult is AdultPolicy.NEVER:
        raise NotAllowed(what, advice=_("Adult pictures are not made in this server."))
    if not place.age_restricted:
        raise NotAllowed(what, advice=_("In this server it may only be used in age-restricted channels."))
