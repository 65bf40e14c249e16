"""What people see: panels, cards, galleries and forms, each a pure function of what it shows, built afresh every time.

A view here is layout only. It is stopped before it is sent, so discord.py keeps no copy of it, and every press comes
back through the desk by its custom_id alone: that is why a button still works after a restart, and for ever.
"""
