"""Answers that are the same but for names and layout: hints for a talk, never a verdict.

Short answers are often equal by themselves, so only longer ones are compared, and none that is the
course's own.
"""

import ast
from collections import defaultdict
from typing import Any

from course_lib.grading.cells import parse

SMALLEST = 60  # nodes of the syntax tree, about six lines
LARGEST_GROUP = 6


class _Renamed(ast.NodeTransformer):
    """Names by the order in which they come."""

    def __init__(self) -> None:
        self.seen: dict[str, str] = {}

    def _new(self, name: str) -> str:
        return self.seen.setdefault(name, f"n{len(self.seen)}")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self._new(node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg, node.annotation = self._new(node.arg), None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name, node.returns = self._new(node.name), None
        body = node.body
        if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            node.body = body[1:] or body
        return self.generic_visit(node)


def shape(source: str) -> str:
    """Return what an answer does without its names; empty if it is short or no Python."""
    try:
        tree = ast.parse("\n".join(ast.unparse(node) for node in parse(source)))
        if sum(1 for _ in ast.walk(tree)) < SMALLEST:
            return ""
        return ast.dump(_Renamed().visit(tree))
    except (Exception, MemoryError):
        return ""


def groups(rows: list[dict[str, Any]], own: dict[str, str]) -> list[dict[str, Any]]:
    """Return groups of learners whose answers to an exercise are the same but for names.

    Args:
        rows: one per submission.
        own: the course's answers, by exercise.
    """
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    theirs = {number: shape(source) for number, source in own.items()}
    for row in rows:
        for one in row["exercises"]:
            form = shape(one.get("source", ""))
            if form and form != theirs.get(one["exercise"]):
                found[one["exercise"], form][row["learner"]] = one["source"]
    return [
        {"exercise": exercise, "answers": answers}
        for (exercise, _), answers in sorted(found.items())
        if 2 <= len(answers) <= LARGEST_GROUP
    ]
