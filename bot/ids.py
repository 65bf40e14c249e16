"""Owns the making of ids: short, unguessable, safe in a custom_id, a path and a URL."""

import secrets

#: Crockford's base 32 without letters that read like digits.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 12


def new_id() -> str:
    """Return a new id of 12 characters, 60 random bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
