"""A Discord on localhost: the bot connects to it with the real discord.py, people are scripted."""
