"""Runs tests of CPython, and tells how each of them ended: `tell_tests.py REPORT [-x TEST]... MODULE`.

For the system's own Python, by itself or under the lens. REPORT gets a line as soon as a test begins ("begins TEST"),
and another one when it ends ("passed TEST", "skipped TEST", "failed TEST: why"), so that one sees how far it came.
With -x a test is left out.
"""

from __future__ import annotations

import sys
import unittest
from collections.abc import Iterator
from typing import TextIO


class Telling(unittest.TestResult):
    def __init__(self, report: TextIO) -> None:
        super().__init__()
        self._report = report
        self._ended = ""

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().startTest(test)
        self._ended = "passed"
        print("begins", test.id(), file=self._report)

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().stopTest(test)
        word, _, why = self._ended.partition(": ")
        print(word, test.id() + (f": {why}" if why else ""), file=self._report)

    def addSkip(self, test, reason):  # noqa: N802
        self._ended = "skipped"

    def addFailure(self, test, error):  # noqa: N802
        self._ended = f"failed: {error[0].__name__} {error[1]}".splitlines()[0]

    addError = addFailure  # noqa: N815

    def addSubTest(self, test, subtest, error):  # noqa: N802
        if error is not None:
            self.addFailure(test, error)


def tests_in(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from tests_in(test)
        else:
            yield test


def main(report: str, *words: str) -> None:
    *left_out, module = (word for word in words if word != "-x")
    found = unittest.defaultTestLoader.loadTestsFromName(module)
    wanted = unittest.TestSuite(test for test in tests_in(found) if test.id() not in left_out)
    with open(report, "a", encoding="utf-8", buffering=1) as file:
        wanted.run(Telling(file))
        print("all", module, file=file)


if __name__ == "__main__":
    main(*sys.argv[1:])
