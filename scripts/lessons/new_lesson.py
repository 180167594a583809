"""Begin a lesson: files that pass the tests as they come, to be filled with what it teaches.

python scripts/lessons/new_lesson.py 05_topic
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path
from string import Template

import build
from lesson import NOTEBOOKS, SourceError, lessons

ROOT = NOTEBOOKS.parent


def new_lesson(name: str, root: Path = ROOT) -> list[Path]:
    """Write the files of a new lesson; return those that are edited by hand.

    Args:
        name: two digits and the topic, such as ``"05_planning"``.
        root: the clone of the course.

    Raises:
        SourceError: if the name is not the next one, or its topic is taken.
    """
    number, topic = f"{len(lessons()):02d}", name[3:]
    if not re.fullmatch(rf"{number}_[a-z][a-z0-9_]*", name):
        raise SourceError(
            f"the name of the next lesson is '{number}_' and a topic in small letters, such as "
            f"'{number}_planning'; got {name!r}"
        )
    words = {
        "number": number, "digit": str(int(number)), "topic": topic,
        "title": topic.replace("_", " ").capitalize(),
        "Topic": topic.title().replace("_", ""),
    }  # fmt: skip
    files = {
        "lesson": root / "notebooks" / "source" / f"{name}.py",
        "checks": root / "course_lib" / "checks" / f"{topic}.py",
        "mutants": root / "tests" / "mutants" / f"{topic}.py",
    }
    taken = [str(path.relative_to(root)) for path in files.values() if path.exists()]
    if taken:
        raise SourceError(f"there is {', '.join(taken)}; choose another topic")
    for kind, path in files.items():
        path.write_text(_filled(kind, words), encoding="utf-8")
    sizes, changes = root / "course_lib" / "profiles.py", root / "CHANGELOG.md"
    sizes.write_text(sizes.read_text(encoding="utf-8") + _filled("sizes", words), encoding="utf-8")
    news = changes.read_text(encoding="utf-8")
    line = f"## Unreleased\n\n* New lesson: {number} {words['title']}.\n"
    changes.write_text(news.replace("## Unreleased\n\n", line, 1), encoding="utf-8")
    return [*files.values(), sizes]


def _filled(kind: str, words: dict[str, str]) -> str:
    text = (Path(__file__).parent / "skeleton" / f"{kind}.txt").read_text(encoding="utf-8")
    return Template(text).substitute(words)


def main(arguments: list[str] | None = None) -> int:
    """Begin a lesson and generate what follows from it; return the exit status."""
    parser = argparse.ArgumentParser(description="Begin a lesson.")
    parser.add_argument(
        "name", metavar="NAME", help="two digits and the topic, such as 05_planning"
    )
    name = parser.parse_args(arguments).name
    try:
        made = new_lesson(name)
    except SourceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    status = build.main([])
    solution = ROOT / "notebooks" / "solutions" / f"{name}.ipynb"
    for program in (
        [ROOT / "tests" / "notebook_nbval.py", solution, "--renew"],
        [Path(__file__).parent / "previews.py", name],
    ):
        words = [sys.executable, *map(str, program)]
        status = status or subprocess.run(words, check=False).returncode
    if status == 0:
        print("\nA lesson that runs. Fill these with what it teaches, then `make build`:")
        print(*(f"  {path.relative_to(ROOT)}" for path in made), sep="\n")
        print("and put its title and what is new into the first line of CHANGELOG.md.")
    return status


if __name__ == "__main__":
    sys.exit(main())
