"""The refusals of Discord's API as exceptions, with Discord's own codes; nothing here decides when to refuse.

ApiError                 one answer of the API with status, code and message
PersonError              what the real client would not let a person do
"""

from typing import Any


class ApiError(Exception):
    """Refuse a request as Discord does.

    Codes: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json-json-error-codes
    """

    def __init__(self, status: int, code: int, message: str, *, errors: dict[str, Any] | None = None) -> None:
        super().__init__(f"{status} {code} {message} {errors or ''}".strip())
        self.status, self.code, self.message, self.errors = status, code, message, errors

    def body(self) -> dict[str, Any]:
        """Give the JSON body of the answer."""
        extra = {"errors": self.errors} if self.errors else {}
        return {"message": self.message, "code": self.code, **extra}


class PersonError(Exception):
    """Say what the real client would have refused before anything reached the bot, or that nothing ever came."""


def unauthorized() -> ApiError:
    """Refuse a wrong bot token."""
    return ApiError(401, 0, "401: Unauthorized")


def not_found() -> ApiError:
    """Refuse a route that does not exist."""
    return ApiError(404, 0, "404: Not Found")


def unknown_channel() -> ApiError:
    """Refuse a channel that is gone or never was."""
    return ApiError(404, 10003, "Unknown Channel")


def unknown_guild() -> ApiError:
    """Refuse a guild that the bot is not in."""
    return ApiError(404, 10004, "Unknown Guild")


def unknown_member() -> ApiError:
    """Refuse a user who is not in the guild."""
    return ApiError(404, 10007, "Unknown Member")


def unknown_message() -> ApiError:
    """Refuse a message that is gone or never was."""
    return ApiError(404, 10008, "Unknown Message")


def not_in_this_channel() -> ApiError:
    """Refuse what this type of channel does not have."""
    return ApiError(400, 50024, "Cannot execute action on this channel type")


def thread_exists() -> ApiError:
    """Refuse a second thread at one message."""
    return ApiError(400, 160004, "A thread has already been created for this message")


def unknown_user() -> ApiError:
    """Refuse a user that does not exist."""
    return ApiError(404, 10013, "Unknown User")


def unknown_webhook() -> ApiError:
    """Refuse an interaction token before the first answer, or one that was never given out."""
    return ApiError(404, 10015, "Unknown Webhook")


def unknown_interaction() -> ApiError:
    """Refuse an answer that comes after 3 seconds."""
    return ApiError(404, 10062, "Unknown interaction")


def already_acknowledged() -> ApiError:
    """Refuse a second answer."""
    return ApiError(400, 40060, "Interaction has already been acknowledged.")


def too_large() -> ApiError:
    """Refuse a file over 10 MiB or a request over 25 MiB."""
    return ApiError(413, 40005, "Request entity too large")


def missing_access() -> ApiError:
    """Refuse a channel that the bot cannot see."""
    return ApiError(403, 50001, "Missing Access")


def others_message() -> ApiError:
    """Refuse to edit what somebody else wrote."""
    return ApiError(403, 50005, "Cannot edit a message authored by another user")


def empty_message() -> ApiError:
    """Refuse a message with nothing in it."""
    return ApiError(400, 50006, "Cannot send an empty message")


def direct_messages_closed() -> ApiError:
    """Refuse a direct message to a person who takes none."""
    return ApiError(403, 50007, "Cannot send messages to this user")


def no_mutual_guild() -> ApiError:
    """Refuse a direct message to somebody who shares no server with the bot."""
    return ApiError(403, 50278, "Cannot send messages to this user due to having no mutual guilds")


def invalid_json() -> ApiError:
    """Refuse a body that is no JSON."""
    return ApiError(400, 50109, "The request body contains invalid JSON.")


def missing_permissions() -> ApiError:
    """Refuse what the bot's roles do not allow here."""
    return ApiError(403, 50013, "Missing Permissions")


def expired_token() -> ApiError:
    """Refuse an interaction token after 15 minutes."""
    return ApiError(401, 50027, "Invalid Webhook Token")


def too_many_followups() -> ApiError:
    """Refuse the sixth followup where only its person brought the bot; the limit is documented, the code by hearsay."""
    return ApiError(400, 40094, "This interaction has reached the maximum number of follow-up messages")


class FormErrors:
    """Collect what is wrong with a request body, nested by path as in Discord's 50035 answer."""

    def __init__(self) -> None:
        self._tree: dict[str, Any] = {}

    def add(self, path: tuple[str | int, ...], code: str, message: str) -> None:
        """Note one mistake at a path such as ("components", 0, "label")."""
        node = self._tree
        for step in path:
            node = node.setdefault(str(step), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def length(self, path: tuple[str | int, ...], text: Any, low: int, high: int) -> None:
        """Note a text whose length is out of range; a missing one counts as empty."""
        size = len(text) if isinstance(text, str) else 0
        if low and not size:
            self.add(path, "BASE_TYPE_REQUIRED", "This field is required")
        elif not low <= size <= high:
            wording = f"Must be between {low} and {high} in length." if low else f"Must be {high} or fewer in length."
            self.add(path, "BASE_TYPE_BAD_LENGTH" if low else "BASE_TYPE_MAX_LENGTH", wording)

    def between(self, path: tuple[str | int, ...], number: Any, low: int, high: int) -> None:
        """Note a number that is out of range."""
        if not isinstance(number, int) or not low <= number <= high:
            self.add(path, "NUMBER_TYPE_RANGE", f"int value should be between {low} and {high}.")

    def refuse(self) -> None:
        """Raise if anything was noted.

        Raises:
            ApiError: 50035 with all that was noted.
        """
        if self._tree:
            raise ApiError(400, 50035, "Invalid Form Body", errors=_deepest(self._tree))


def _deepest(node: dict[str, Any]) -> dict[str, Any]:
    """Keep the most particular complaints: Discord's format has no place for one on a node and one below it."""
    below = {key: _deepest(child) for key, child in node.items() if key != "_errors"}
    return below or node
