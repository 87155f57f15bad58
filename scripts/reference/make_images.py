"""JPEG files of several kinds and the SHA-256 of the pixels that Pillow decodes from each: `tests/data/images`.

    make_images.py OUT
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
from PIL import Image

out = Path(sys.argv[1])
y, x = np.mgrid[0:37, 0:53]
waves = [127.5 + 127.5 * np.sin(a * x / 53 + b * y / 37) for a, b in ((9, 3), (4, 11), (17, -5))]
picture = Image.fromarray(np.stack(waves, -1).astype(np.uint8))
kinds = {
    "baseline_420.jpg": (picture, {"quality": 80, "subsampling": 2}),
    "baseline_422.jpg": (picture, {"quality": 80, "subsampling": 1}),
    "baseline_444.jpg": (picture, {"quality": 95, "subsampling": 0}),
    "progressive_420.jpg": (picture, {"quality": 75, "subsampling": 2, "progressive": True}),
    "grey.jpg": (picture.convert("L"), {"quality": 80}),
    "restarts.jpg": (picture, {"quality": 60, "restart_marker_blocks": 2}),
    "pixel.jpg": (picture.crop((5, 5, 6, 6)), {"quality": 90}),
    "cmyk.jpg": (picture.convert("CMYK"), {"quality": 80}),
}
lines = []
for name, (image, options) in kinds.items():
    image.save(out / name, **options)
    pixels = np.asarray(Image.open(out / name).convert("RGB"))
    lines.append(f"{name} {pixels.shape[0]} {pixels.shape[1]} {hashlib.sha256(pixels.tobytes()).hexdigest()}")
(out / "pixels.txt").write_text("\n".join(lines) + "\n")
