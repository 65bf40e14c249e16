"""How trainers and image makers are spoken to; a leaf that imports nothing else of Darkroom.

base.py      the two protocols, Trainer and ImageMaker, and the words they share
recipe.py    what a trainer is told: base model, trigger word, steps, rank, learning rate
errors.py    everything that can go wrong, each with what to do next
registry.py  which adapters this deployment has
sketch/      the embedded trainer: a real, small image model that needs no account and no GPU
"""
