"""Together: a hosted provider that makes pictures with LoRAs of FLUX.2 and trains none.

api.py          the two calls, and what their failures mean
spool.py        the pictures that it answered with, until they are collected
image_maker.py  the ImageMaker, and why there is no Trainer
"""
