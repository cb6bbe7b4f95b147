"""What a reader of a page would type."""

from __future__ import annotations

import re


def code_blocks(text: str) -> list[str]:
    """Indented blocks of a page, each without its indent, and fenced ones that are shell."""
    fenced = re.findall(r"^``` ?(?:bash|sh|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    outside = re.sub(r"^(`{3,}).*?^\1\s*$", "", text, flags=re.MULTILINE | re.DOTALL)
    indented = re.findall(r"(?:^(?: {4}[^\n]*)?\n)*(?:^ {4}[^\n]+\n?)+", outside, re.MULTILINE)
    return fenced + [re.sub(r"^ {4}", "", block, flags=re.MULTILINE).strip("\n") for block in indented]


def commands(text: str) -> list[str]:
    """Every line of a page's code blocks that a shell would get; continued lines are one, comments are gone."""
    lines = [line for block in code_blocks(text) for line in re.sub(r"\\\n\s*", "", block).splitlines()]
    return [re.sub(r"\s+# .*", "", line).strip() for line in lines if line.strip()]
