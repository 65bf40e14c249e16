"""Trainings on machines with a GPU, rented or one's own, all through one agent.

box.py       what a place that has machines is asked: create, find, status, destroy, list
leases.py    what the bot and an agent know of each other: who holds a job, how far it is, what it made
hints.py     what an agent says of why it gave up
engines.py   what the engines on such a machine can train, and what their agent is told
trainer.py   the Trainer over any box
packing.py   the agent as one file
agent/       the agent itself, which runs on the machine: Python 3.9, the standard library, nothing else of ours
"""
