"""Owns how the process logs: one line an event on standard error; never a token, a prompt or a signed URL."""

import logging

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def start_logging(level: str) -> None:
    """Log from here on, at this level; chatty libraries one level up."""
    logging.basicConfig(level=level, format=FORMAT, datefmt="%Y-%m-%d %H:%M:%S")
    for library in ("discord", "aiosqlite", "alembic", "sqlalchemy", "httpx", "replicate", "together"):
        logging.getLogger(library).setLevel(max(logging.WARNING, logging.getLevelName(level)))
