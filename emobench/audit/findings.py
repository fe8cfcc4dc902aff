"""What an audit finds, as values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["hard", "declared", "soft"]
"""A result is not what it says it is ("hard"); it is, because its protocol announces what it does
with test clips, or the card of its encoder what it has heard ("declared"); or a reader should know
something beside it ("soft")."""

SEVERITIES: tuple[Severity, ...] = ("hard", "declared", "soft")
"""The gravest first."""


@dataclass(frozen=True)
class Finding:
    """One thing that speaks against results.

    Attributes:
        kind: short name, the same for all findings of a kind
        severity: how grave it is
        found: what was found, in a clause that can stand alone
        expected: what there should be instead
        advice: what it means and what to do, in whole sentences
        where: which part of the subject it is about, or "" for all of it
        evidence: ids of the clips, names of the speakers or of the results that show it
    """

    kind: str
    severity: Severity
    found: str
    expected: str
    advice: str
    where: str = ""
    evidence: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The finding in one line, as it is said before a run."""
        return f"{f'{self.where}: ' if self.where else ''}{self.found}. {self.advice}"


@dataclass(frozen=True)
class Audit:
    """What was found of one subject.

    Attributes:
        subject: what was looked at, in a line
        findings: the gravest first
        not_checked: what could not be looked at and why, one sentence each
    """

    subject: str
    findings: tuple[Finding, ...]
    not_checked: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, subject: str, findings: Iterable[Finding], not_checked: Iterable[str] = ()
    ) -> Audit:
        """Return an audit with its findings in order."""
        ordered = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
        return cls(subject, tuple(ordered), tuple(not_checked))

    def count(self, severity: Severity) -> int:
        """Return the number of findings of a severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def plain(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "subject": self.subject,
            **{severity: self.count(severity) for severity in SEVERITIES},
            "findings": [asdict(finding) for finding in self.findings],
            "not_checked": list(self.not_checked),
        }
