"""The live view in a terminal: what the daemon holds right now, drawn with Rich from the control API alone.

``frame`` lays out one picture for any terminal size, ``panels`` draws its parts, ``live`` keeps it fresh and hears keys,
``pictures`` prints one or writes it as SVG.

What must not live here: anything that changes the daemon but through its API.
"""

from service.top.live import run_top
from service.top.pictures import print_frame, save_svg

__all__ = ["print_frame", "run_top", "save_svg"]
