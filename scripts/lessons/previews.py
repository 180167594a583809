"""Run solution notebooks as on a laptop, and keep what they show, small, for those who browse.

    python scripts/lessons/previews.py                    # all lessons, and the README's GIF
    python scripts/lessons/previews.py 01_mouse_and_cheese

The outputs lie in the solution notebook. ``make build`` keeps them as long as the notebook's code
is what ran here, and drops them otherwise; a test then asks for this program. The cell tagged
``picture`` is the lesson's picture in ``README.md``.
"""

import argparse
import base64
import io
import os
import re
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any

import build
import moving_picture
import nbformat
from lesson import NOTEBOOKS, Lesson, lessons
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image, ImageSequence

GIF = re.compile(r'alt="([^"]*)" src="data:image/gif;base64,([^"]+)"')
WIDEST, COLOURS, FRAMES, LINES = 640, 48, 40, 60


def small_png(png: bytes, widest: int = WIDEST) -> bytes:
    """Return a PNG with fewer colours, at most ``widest`` pixels wide."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    if picture.width > widest:
        height = round(picture.height * widest / picture.width)
        picture = picture.resize((widest, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def small_gif(gif: bytes) -> bytes:
    """Return a GIF with at most so many frames, each shown longer."""
    moving = Image.open(io.BytesIO(gif))
    step = -(-getattr(moving, "n_frames", 1) // FRAMES)
    times = [frame.info.get("duration", 60) for frame in ImageSequence.Iterator(moving)]
    frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(moving)][::step]
    frames = [frame.resize((240, 240 * frame.height // frame.width)) for frame in frames]
    frames = [frame.quantize(16, dither=Image.Dither.NONE) for frame in frames]
    durations = [sum(times[at : at + step]) for at in range(0, len(times), step)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)
    return out.getvalue()


def clean(text: str) -> str:
    """Return text without the names of this machine, each progress bar as it was left."""
    for own, word in (
        (sys.executable, "python"),
        (str(NOTEBOOKS.parent), "rl-course"),
        (str(Path.home()), "~"),
        (socket.gethostname(), "laptop"),
    ):
        text = text.replace(own, word)
    text = re.sub(re.escape(tempfile.gettempdir()) + r"/preview_\w+", "notebooks", text)
    return "\n".join(line.rpartition("\r")[2] for line in text.replace("\r\n", "\n").split("\n"))


def preview(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return a cell's outputs, small."""
    kept: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and output.name == "stdout":
            if kept and kept[-1].output_type == "stream":
                kept[-1].text += output.text
            else:
                kept.append(nbformat.v4.new_output("stream", name="stdout", text=output.text))
        elif output.output_type in ("display_data", "execute_result"):
            data = _small(output.data)
            kept += [nbformat.v4.new_output("display_data", data=data)] if data else []
    for output in kept:
        if output.output_type == "stream":
            output.text = "\n".join(clean(output.text).split("\n")[:LINES])
    return kept


def _small(data: dict[str, Any]) -> dict[str, str]:
    """Return what a page without a kernel can show of one output."""
    html, plain = data.get("text/html", ""), clean(data.get("text/plain", ""))
    if gif := GIF.search(html):
        picture = small_gif(base64.b64decode(gif[2]))
        return {"image/gif": base64.b64encode(picture).decode(), "text/plain": gif[1]}
    if "image/png" in data:
        picture = small_png(base64.b64decode(data["image/png"]))
        return {"image/png": base64.b64encode(picture).decode(), "text/plain": plain}
    if html and "widget-view" not in " ".join(data):
        return {"text/html": clean(html), "text/plain": plain}
    return {"text/plain": plain} if plain.strip() else {}


def run(lesson: Lesson) -> None:
    """Run one solution, put its outputs into it, and its picture among the images."""
    path = build.targets(lesson)["solution"]
    notebook = nbformat.read(path, as_version=4)
    ran = nbformat.from_dict(notebook)
    with tempfile.TemporaryDirectory(prefix="preview_") as folder:
        NotebookClient(
            ran,
            timeout=900,
            extra_arguments=["--Application.log_level=40"],
            resources={"metadata": {"path": folder}},
        ).execute()
    for cell, done in zip(notebook.cells, ran.cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = preview(done.outputs), None
        if "picture" in cell.metadata.get("tags", []):
            shown = [one.get("data", {}).get("image/png") for one in cell.outputs]
            image = small_png(base64.b64decode(list(filter(None, shown))[-1]), 360)
            build.picture_of(lesson).write_bytes(image)
    notebook.metadata["course"] = {"ran": build.digest(notebook)}
    path.write_text(build.as_text(notebook), encoding="utf-8")


def main() -> int:
    """Run the lessons that are named, or all."""
    parser = argparse.ArgumentParser(description="Keep small outputs in the solution notebooks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as 01_mouse_and_cheese")
    names = parser.parse_args().names
    unknown = set(names) - {lesson.source.stem for lesson in lessons()}
    if unknown:
        known = ", ".join(lesson.source.stem for lesson in lessons())
        parser.error(f"no lesson {', '.join(sorted(unknown))}; there are {known}")
    os.environ.update(COURSE_PROFILE="laptop", COURSE_STRICT_CHECKS="1")
    for lesson in lessons():
        if not names or lesson.source.stem in names:
            print(f"{lesson.source.stem}: running, {lesson.computing} minutes", flush=True)
            run(lesson)
    if not names:
        moving_picture.write(build.IMAGES / "course.gif")
    return build.main([])


if __name__ == "__main__":
    sys.exit(main())
