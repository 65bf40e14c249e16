"""REST routes that answer an interaction: the callback, and the messages that its token may post and change."""

from playground import errors
from playground.interactions import Interactions
from playground.rest import Call, Reply, Route


class InteractionRoutes:
    """Answer `/interactions/...` and `/webhooks/...`; their token is in the path."""

    def __init__(self, interactions: Interactions) -> None:
        self.interactions, self.posting = interactions, interactions.posting

    def routes(self) -> list[Route]:
        """List the routes."""
        webhook = "/webhooks/{webhook_id}/{webhook_token}"
        message = f"{webhook}/messages/{{message_id}}"
        callback = "/interactions/{interaction_id}/{webhook_token}/callback"
        return [
            Route(method="POST", path=callback, handler=self.callback, public=True),
            Route(method="POST", path=webhook, handler=self.follow_up, public=True),
            Route(method="GET", path=message, handler=self.read, public=True),
            Route(method="PATCH", path=message, handler=self.edit, public=True),
            Route(method="DELETE", path=message, handler=self.delete, public=True),
        ]

    def callback(self, call: Call) -> Reply:
        token = call.names["webhook_token"]
        interaction = self.interactions.respond(call.id("interaction_id"), token, call.payload, call.files)
        if call.query.get("with_response") in ("1", "true"):
            return Reply(body=self.interactions.shown(interaction))
        return Reply(status=204)

    def follow_up(self, call: Call) -> Reply:
        return self._shown(self.interactions.follow_up(self._token(call), call.payload, call.files).id)

    def read(self, call: Call) -> Reply:
        return self._shown(self.interactions.message(self._token(call), call.names["message_id"]).id)

    def edit(self, call: Call) -> Reply:
        which = call.names["message_id"]
        return self._shown(self.interactions.edit(self._token(call), which, call.payload, call.files).id)

    def delete(self, call: Call) -> Reply:
        self.interactions.delete(self._token(call), call.names["message_id"])
        return Reply(status=204)

    def _token(self, call: Call) -> str:
        if call.id("webhook_id") != self.interactions.world.bot.id:
            raise errors.unknown_webhook()
        return call.names["webhook_token"]

    def _shown(self, message_id: int) -> Reply:
        return Reply(body=self.posting.shown(self.interactions.world.messages[message_id]))
