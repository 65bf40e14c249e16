"""What the product does: drafts, trainings, pictures, models, and the process that holds them together.

    cli.py app.py ground.py services.py client.py settings.py background.py   the process
    drafts.py dataset.py photos.py                      from a file that somebody sent to an archive for a trainer
    training/ generating.py library.py                  jobs, pictures, models
    store/ blobs.py                                     what is remembered
    errors.py events.py clock.py ids.py words.py        small words that all share

No discord here but in client.py, and no provider's HTTP.
"""
