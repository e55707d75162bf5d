#!/usr/bin/env python3
"""The commands of the course, for a machine that has nothing but Python: `python course.py --help` lists them.

This file parses on Python 3.6 and before, so that an old Python gets a sentence instead of a traceback. The commands
lie in `commands` and use the standard library only. What they make lies in `.venv` and `my`, not in the home folder.
"""

import os
import shutil
import sys

if sys.version_info < (3, 11):
    which = getattr(shutil, "which", lambda name: None)  # Python 2 has none
    newer = [name for name in ("python3.14", "python3.13", "python3.12", "python3.11") if which(name)]
    sys.stderr.write("The course needs Python 3.11 or newer; this is " + sys.version.split()[0] + ".\n")
    sys.stderr.write("Try: " + newer[0] + " course.py\n" if newer else "Install a newer Python from python.org.\n")
    sys.exit(2)

HERE = os.path.dirname(os.path.realpath(__file__))
if not os.path.isfile(os.path.join(HERE, "commands", "main.py")):
    sys.stderr.write("The folder commands is missing beside course.py.\nGet a complete copy of the course.\n")
    sys.exit(2)
if HERE not in sys.path:  # PYTHONSAFEPATH leaves it out
    sys.path.insert(0, HERE)

from commands.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
