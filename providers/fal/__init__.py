"""fal: a hosted provider that trains LoRAs of FLUX.1 and FLUX.2 and makes pictures with them.

endpoints.py    the table: what each of fal's endpoints takes, and their limits
api.py          the queue and platform APIs over HTTP
storage.py      uploads, in one piece or in parts
webhooks.py     whether a message is fal's
adapter.py      a job's life
trainer.py      the Trainer
image_maker.py  the ImageMaker
"""
