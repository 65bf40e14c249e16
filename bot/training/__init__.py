"""A job's way from the press of a button to its end, for trainings and pictures alike.

job.py        its states, and what each holds
craft.py      what differs between the kinds of jobs; trainings.py and pictures.py are the two
submitter.py  the one paid call: never lost, never sent twice
tracker.py    takes each job step by step to its end
presets.py    sane numbers for a recipe
service.py    what people can ask: a quote, a training, a list, a cancel
"""
