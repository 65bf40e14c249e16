"""How trainers and image makers are spoken to; a leaf that imports nothing else of Darkroom.

base.py          the two protocols, Trainer and ImageMaker, and the words they share
recipe.py        what a trainer is told: base model, trigger word, steps, rank, learning rate
errors.py        everything that can go wrong, each with what to do next
wording.py       sentences with their values apart, for whoever translates them
registry.py      which adapters this deployment has
http.py          statuses and retries of reads, for all that are spoken to by HTTP
artifacts.py     the one way to fetch a provider's file; unpacking.py, weights.py, image_files.py look into it
    picture_words.py, weights_header.py  take out of it what is private
prices.py        what providers charge, with day and source
progress.py      how far a training is, by its log
picture_size.py  the sides of a picture by its shape
sketch/          the embedded trainer: a real, small image model that needs no account and no GPU
replicate/       trains LoRAs of FLUX.1 and makes pictures with them
fal/             the same for FLUX.1 and FLUX.2
together/        makes pictures with LoRAs of FLUX.2; trains none
"""
