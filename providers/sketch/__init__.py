"""Sketch: the embedded trainer and image maker, a real image model that needs no account, no GPU and no network.

denoiser.py      the closed-form denoiser: the model's whole mathematics
plan.py          the noise levels that a picture passes and how patches are compared at each
fitting.py       training: finds better patches by leave-one-out error, one candidate a step
sampling.py      from noise to a picture, coarse to fine
pictures.py      photos in and out: archives, the shapes of pictures, PNG
model.py         the model's one file
order_folder.py  the files through which the bot and a worker process speak about one order
workshop.py      the bot's side: starts workers, looks after them, never computes
worker.py        the worker's side: the process that computes
desk.py          how its work tells where it is and hears that it should stop
jobs.py          what it does for each kind of order
adapter.py       what trainer.py (SketchTrainer) and image_maker.py (SketchImageMaker) have in common

This file and the bot's side import neither numpy nor Pillow.
"""
