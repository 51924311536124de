"""Prints the matrix as the table of the README.

    table.py MATRIX.json
"""

import json
import sys
from pathlib import Path

import report

result = json.loads(Path(sys.argv[1]).read_text())
for http in ("1.1", "2"):
    head, *rows = report.rows_of(result, http)
    head[0] = f"HTTP/{http}"
    for row in (head, ["---"] * len(head), *rows):
        print("|", " | ".join(row), "|")
    print()
