"""What is remembered: tables, named queries by noun, and the files beside them.

    database.py   the engine, transactions, and migration at start
    tables.py     the shape of every table
    migrations/   how older databases become today's
    drafts.py jobs.py loras.py cards.py    named queries, each taking the caller's connection

Queries take an open connection, so that a caller commits several nouns in one transaction. They never decide anything.
"""
