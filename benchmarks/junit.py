"""The JUnit reader on a generated report of 100 MB and 312,000 cases: `python -m benchmarks.junit [--runs 3]`.

Prints CPU seconds and megabytes above start of the reading and counting alone, and of the whole program `measure tests` from
its start; each in its own process, median of the runs. The bar is 1.6 CPU s and 20 MB above start for all of it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CASES = 312_000
CHILD = """
import json, resource, sys, time
from connectors.junit import read_junit
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before, start = peak(), time.process_time()
with open(sys.argv[1], "rb") as stream:
    found = read_junit(stream, "report.xml", packages=True).total.tests
scale = 1 << (20 if sys.platform == "darwin" else 10)
print(json.dumps({"cpu_s": time.process_time() - start, "mb": (peak() - before) / scale, "cases": found}))
"""
WHOLE = """
import json, resource, subprocess, sys
subprocess.run([sys.executable, "-m", "aether_tui", "measure", "tests", sys.argv[1]], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
scale = 1 << (20 if sys.platform == "darwin" else 10)
print(json.dumps({"cpu_s": used.ru_utime + used.ru_stime, "mb": used.ru_maxrss / scale}))
"""


def write_report(path: Path) -> None:
    """A report of about 100 MB: mostly passing cases, some with output, some skipped, some failing with a trace."""
    trace = "  File test_module.py, line 12, in test_behaviour\n" * 20
    with path.open("w") as out:
        out.write(
            '<?xml version="1.0" encoding="utf-8"?>\n<testsuites><testsuite name="pytest" timestamp="2026-09-01T07:11:23">\n'
        )
        for n in range(CASES):
            out.write(
                f'<testcase classname="tests.package_{n % 97}.module_{n % 1311}.TestClass{n % 733}" '
                f'name="test_behaviour_of_thing_number_{n}[parameter-{n % 13}]" line="{n % 900}" '
                f'file="tests/package_{n % 97}/test_module_{n % 1311}.py" time="{n % 1000 / 1000:.3f}"'
            )
            if n % 50 == 0:
                out.write(f'><failure message="AssertionError: expected 1, got 2">{trace}</failure></testcase>\n')
            elif n % 20 == 0:
                out.write('><skipped message="not on this platform"/></testcase>\n')
            else:
                out.write(f"><system-out>{'x' * 145}</system-out></testcase>\n" if n % 3 else "/>\n")
        out.write("</testsuite></testsuites>\n")


def measured(path: Path) -> tuple[float, float]:
    """CPU seconds and peak megabytes of `measure tests`, start included."""
    found = json.loads(
        subprocess.run([sys.executable, "-c", WHOLE, str(path)], capture_output=True, check=True, text=True).stdout
    )
    return found["cpu_s"], found["mb"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.xml"
        write_report(path)
        result: dict[str, object] = {"bytes": path.stat().st_size}
        outputs = [
            json.loads(subprocess.run([sys.executable, "-c", CHILD, str(path)], capture_output=True, check=True).stdout)
            for _ in range(runs)
        ]
        assert {output["cases"] for output in outputs} == {CASES}
        result["reading"] = {key: round(statistics.median(o[key] for o in outputs), 2) for key in ("cpu_s", "mb")}
        small = Path(folder) / "small.xml"
        small.write_text('<testsuite><testcase name="a"/></testsuite>')
        whole = [(measured(path), measured(small)) for _ in range(runs)]
        result["whole"] = {
            "cpu_s": round(statistics.median(one[0] for one, _ in whole), 2),
            "mb": round(statistics.median(one[1] - least[1] for one, least in whole), 2),
        }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
