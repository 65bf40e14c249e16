"""The agent on a machine with a GPU: claims one training, runs it, brings its result home, ends the machine.

It runs where we control nothing, so it is Python 3.9 and the standard library alone, imports nothing of
ours but itself, and is delivered as one file. tests/providers/gpu/test_agent_shape.py holds that.

__main__.py      the process that outlives its own work and always ends the machine
settings.py      what it reads from the environment
job.py           the words of its work: what it is told, how far it is, why it failed
worker.py        the one training, from claim to delivery
engine.py        the shape of an engine, and running one
engines/         the engines
transport.py     the shape of the way to the bot; http, mailbox and folder beside it
"""
