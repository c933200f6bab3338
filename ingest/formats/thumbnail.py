"""A small picture of an image file. Runs in the worker only: a decoder may crash, hang or eat memory there.

Formats: PNG, JPEG, GIF, WebP, BMP and TIFF, of which the first picture is taken. What is written anew carries the
pixels alone: no comment, position or profile of the original.
"""

from __future__ import annotations

import base64
import io
import math
import os
import warnings
from array import array
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from ingest.formats.facts import Facts, MalformedError

LONGEST_SIDE = 640
MOST_PIXELS = 80_000_000
_MOST_PIXELS_JPEG = 1_000_000_000  # decoded at an eighth of its size
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
_NARROW = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "La", "RGBa"}
_TRANSPARENT = {"LA", "PA", "RGBA", "La", "RGBa"}
_CUT_OFF = 0.0035  # of the pixels at either end are left out when wide values are spread over black to white


def extract(fd: int, size: int, facts: Facts) -> dict[str, Any]:
    """``content`` (base64), ``media_type``, ``width``, ``height``, and ``black`` and ``white`` of wide grey values."""
    # We have limits of our own, and a warning would only be lost.
    Image.MAX_IMAGE_PIXELS = None
    warnings.simplefilter("ignore")
    with os.fdopen(os.dup(fd), "rb") as file:
        try:
            with Image.open(file, formats=_FORMATS) as image:
                return _small(image)
        except UnidentifiedImageError as error:
            raise MalformedError("its content is not an image that can be shown") from error
        except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError) as error:
            raise MalformedError("the image is damaged or cut off") from error


def _small(image: Image.Image) -> dict[str, Any]:
    is_jpeg = image.format == "JPEG"
    width, height = image.size
    most = _MOST_PIXELS_JPEG if is_jpeg else MOST_PIXELS
    if width * height > most:
        raise MalformedError(f"the image has {width:,} × {height:,} pixels, more than {most:,}")
    if is_jpeg:
        image.draft("RGB" if image.mode in ("RGB", "YCbCr") else "L", (2 * LONGEST_SIDE, 2 * LONGEST_SIDE))
    image.load()
    spread: dict[str, Any] = {}
    if image.mode in _NARROW:
        drawn = _narrow(image)
    else:
        drawn, spread = _wide(image)
    drawn = ImageOps.exif_transpose(drawn) or drawn
    drawn.info = {}
    content, media_type = _written(drawn, lossy=is_jpeg)
    shown = {"media_type": media_type, "width": drawn.width, "height": drawn.height}
    return {**shown, **spread, "content": base64.b64encode(content).decode()}


def _narrow(image: Image.Image) -> Image.Image:
    """Eight bits a channel."""
    sees_through = image.mode in _TRANSPARENT or "transparency" in image.info
    mode = "RGBA" if sees_through else "L" if image.mode in ("1", "L") else "RGB"
    drawn = image if image.mode == mode else image.convert(mode)
    drawn.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return drawn


def _wide(image: Image.Image) -> tuple[Image.Image, dict[str, Any]]:
    """More than eight bits of grey, spread so that something is seen, and what became black and white."""
    grey = image if image.mode in ("I", "F") else image.convert("I")
    grey = grey.reduce(math.ceil(max(grey.size) / LONGEST_SIDE))
    values = array("i" if grey.mode == "I" else "f", grey.tobytes())
    finite = sorted(filter(math.isfinite, values))
    if not finite:
        raise MalformedError("the image holds no number that can be shown")
    end = int(len(finite) * _CUT_OFF)
    black, white = finite[end], finite[-1 - end]
    scale = 255 / (white - black) if white > black else 0.0
    drawn = Image.frombytes("L", grey.size, bytes(_shade(value, black, scale) for value in values))
    drawn.info = dict(image.info)
    return drawn, {"black": black, "white": white}


def _shade(value: float, black: float, scale: float) -> int:
    return int(min(255.0, max(0.0, (value - black) * scale))) if math.isfinite(value) else 0


def _written(image: Image.Image, *, lossy: bool) -> tuple[bytes, str]:
    out = io.BytesIO()
    if lossy:
        image.save(out, "WEBP", quality=82, method=2)
        return out.getvalue(), "image/webp"
    image.save(out, "PNG", compress_level=6)
    return out.getvalue(), "image/png"
