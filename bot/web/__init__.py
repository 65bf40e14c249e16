"""The bot's own HTTP: files for providers, word from providers, health for whoever watches the process.

server.py     the routes, where they listen, and /health
files.py      links to files of ours that expire by themselves
agent.py      what agents on GPU machines ask and deliver
webhooks.py   verified word from a provider makes its job due at once
"""
