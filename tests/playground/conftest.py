"""Import discord.py once, before its modules are collected under warnings-as-errors."""

import warnings

with warnings.catch_warnings():
    # discord.py 2.7 imports audioop for voice, which Darkroom never uses; Python 3.13 dropped the module.
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import discord  # noqa: F401 - for its effect
