"""The corridor as a picture, drawn with numpy alone, and as a line of text."""

import numpy as np

FLOOR, GROUT, WATER, GLINT = (244, 238, 226), (205, 196, 180), (120, 178, 214), (196, 226, 243)
WALL, SKIRTING, INK, SHIRT = (222, 226, 232), (120, 128, 140), (40, 44, 52), (213, 94, 0)
SHARP = 3  # drawn this many times larger, then averaged: smooth edges


def corridor_picture(
    is_wet: np.ndarray, tile: int, hurry: float, *, tile_px: int = 48
) -> np.ndarray:
    """Draw the corridor from the side, with the walker at the start of a tile.

    Args:
        is_wet: shape (num_tiles,), whether each tile is wet.
        tile: the one in front of the walker, in 0..num_tiles.
        hurry: 0 creeping to 1 running: how far the legs are apart and the body leans.
        tile_px: width of a tile in pixels, even, at least 8.

    Returns:
        Array of shape (2 * tile_px, (num_tiles + 2) * tile_px, 3), uint8.

    Raises:
        ValueError: if ``tile_px`` is odd or below 8.
    """
    if tile_px < 8 or tile_px % 2:
        raise ValueError(f"tile_px must be even and at least 8, got {tile_px}")
    size = tile_px * SHARP // 2  # pixels of a metre
    num_tiles = len(is_wet)
    height, width = 4 * size, (2 * num_tiles + 4) * size
    y, x = np.ogrid[0:height, 0:width]
    metres, level = x / size - 2, (height - y) / size  # from the start, and above the base
    image = np.empty((height, width, 3))
    image[:] = WALL
    image[np.broadcast_to(level < 0.95, image.shape[:2])] = SKIRTING
    image[np.broadcast_to(level < 0.8, image.shape[:2])] = FLOOR
    index = np.clip(np.floor(metres / 2).astype(int), 0, num_tiles - 1)
    inside = (metres >= 0) & (metres < 2 * num_tiles)
    wet = is_wet[index] & inside & (level < 0.8)
    image[wet] = WATER
    image[wet & (np.abs(level - 0.5 - 0.1 * np.sin(2 * np.pi * metres)) < 0.05)] = GLINT
    image[(np.abs(metres / 2 - np.round(metres / 2)) < 0.02) & (level < 0.8)] = GROUT
    for line in (0, 2 * num_tiles):
        image[(np.abs(metres - line) < 0.09) & (level < 0.8)] = INK
    for mask, colour in _walker(metres - 2 * tile, level - 0.55, hurry):
        image[mask] = colour
    blocks = image.reshape(height // SHARP, SHARP, width // SHARP, SHARP, 3)
    return blocks.mean(axis=(1, 3)).round().astype(np.uint8)


def corridor_text(is_wet: np.ndarray, tile: int, note: str) -> str:
    """Return one line: ``.`` dry, ``~`` wet, ``W`` the walker, ``|`` start and end, then a note."""
    tiles = ["~" if wet else "." for wet in is_wet]
    tiles.insert(tile, "W")
    return f"|{''.join(tiles)}| {note}\n"


Parts = list[tuple[np.ndarray, tuple[int, int, int]]]


def _walker(x: np.ndarray, y: np.ndarray, hurry: float) -> Parts:
    """A figure with its feet at (0, 0), about 2.6 metres of the picture high."""
    lean, spread = 0.35 * hurry, 0.2 + 0.5 * hurry
    hip, neck = (0.0, 1.1), (lean, 2.0)
    parts: Parts = []
    for side in (-1, 1):
        hand = (lean * 0.6 + side * spread * 0.8, 1.25)
        parts.append((_stroke(x, y, hip, (side * spread, 0.0), 0.11), INK))
        parts.append((_stroke(x, y, (neck[0], 1.85), hand, 0.085), INK))
    parts.append((_stroke(x, y, hip, neck, 0.2), SHIRT))
    parts.append(((x - lean * 1.15) ** 2 + (y - 2.45) ** 2 < 0.29**2, INK))
    return parts


def _stroke(
    x: np.ndarray, y: np.ndarray, a: tuple[float, float], b: tuple[float, float], radius: float
) -> np.ndarray:
    """Whether each point is within ``radius`` of the line from ``a`` to ``b``."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = np.clip(((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy), 0, 1)
    return (x - a[0] - along * dx) ** 2 + (y - a[1] - along * dy) ** 2 < radius**2
