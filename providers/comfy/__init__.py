"""ComfyUI: pictures on the operator's own GPU, through the HTTP interface that ComfyUI's web page uses.

bases.py        which files of ComfyUI's make up a base model, as the operator names them
graph.py        the graph of nodes that makes the pictures of an order
api.py          the calls, and what their answers and failures mean
shelf.py        ComfyUI's LoRA folder, and the notes about stopped jobs
image_maker.py  the ImageMaker
entry.py        how it is switched on
"""
