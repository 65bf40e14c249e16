"""kohya's `flux_minimal_inference.py`: pictures on the operator's own GPU where nothing better is at hand.

command.py      the script's arguments, and the lines that it reads
studio.py       the orders on disk, and the process that works on one
image_maker.py  the ImageMaker
entry.py        how it is switched on
"""
