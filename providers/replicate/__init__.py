"""Replicate: trains LoRAs of FLUX.1 [dev] on rented GPUs and makes pictures with them.

settings.py     what an operator sets for it
api.py          the wire: one client, which errors its answers are, reads tried again, the paid call never
answers.py      the parts of its answers that we read
schema.py       what a version takes as input, asked of the version itself before anything is paid
trainers.py     the trainers that we know, and how a recipe is told to any of them
pictures.py     how a picture order is told to its image models
adapter.py      what trainer.py (ReplicateTrainer) and image_maker.py (ReplicateImageMaker) have in common
webhooks.py     which messages to our webhook are surely from it
"""
