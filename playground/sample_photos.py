"""The sample photos: pictures of one small red fox, drawn by code; never reads a file and never touches the network.

They stand in for a person's own photos, so they carry what such photos carry: JPEG, several sizes, a camera's EXIF. One
of them lies on its side with an orientation tag and says where it was taken. The place is Point Nemo, the spot of the
ocean farthest from any land, where no fox has been: it is there to be removed.
"""

import io
from dataclasses import dataclass, replace

import numpy as np
from PIL import ExifTags, Image

from playground.fox import SKIES, Eyes, Scene, Stance, draw_scene

_JPEG_QUALITY = 92


@dataclass(frozen=True, kw_only=True)
class SamplePhoto:
    """One photo as a person would send it: a file name and JPEG bytes."""

    name: str
    data: bytes


_SCENES = (
    Scene(x=0.48, y=0.56, tilt=-5, sun=(0.16, 0.2)),
    Scene(stance=Stance.WAVING, eyes=Eyes.SMILING, x=0.53, y=0.57, tilt=8, mirrored=True, sky=1, sun=(0.84, 0.16)),
    Scene(x=0.42, y=0.6, scale=0.37, tilt=4, look=0.5, tail=-10, sky=3, sun=(0.8, 0.28), horizon=0.64),
    Scene(
        stance=Stance.LYING, eyes=Eyes.SMILING, x=0.45, y=0.65, scale=0.5, tilt=-7, sky=2, sun=(0.84, 0.2), horizon=0.6
    ),
    Scene(x=0.52, y=0.6, scale=0.465, tilt=9, look=-0.4, sun=(0.87, 0.12), mirrored=True, horizon=0.78),
    Scene(eyes=Eyes.WINKING, x=0.6, tilt=-11, look=-0.6, scale=0.4, mirrored=True, tail=8, sky=2, sun=(0.15, 0.3)),
    Scene(stance=Stance.LYING, x=0.46, y=0.66, tilt=5, look=0.6, sky=1, mirrored=True, sun=(0.18, 0.16), horizon=0.52),
    Scene(stance=Stance.WAVING, x=0.46, y=0.56, scale=0.43, tilt=-4, look=0.3, sky=3, sun=(0.12, 0.3), horizon=0.74),
)


def sample_photos(count: int = 8, *, seed: int = 7, size: int = 1024) -> list[SamplePhoto]:
    """Draw photos of the fox; the same arguments give the same bytes.

    The first eight are eight different poses, the next eight their mirror images, moved and under another sky. From the
    seventeenth on some are near-duplicates of earlier ones.
    Every fourth photo is an eighth less high than wide. The second one carries EXIF orientation 6 and a GPS place.
    Blocks for about a tenth of a second a photo.

    Args:
        count: How many photos.
        seed: Moves the fox, the sun and the horizon a little.
        size: The longer side in pixels.
    """
    rng = np.random.default_rng(seed)
    photos = []
    for index in range(count):
        height = size * 7 // 8 if index % 4 == 3 else size
        picture = draw_scene(_vary(_SCENES[index % len(_SCENES)], rng, index // len(_SCENES)), size, height)
        photos.append(SamplePhoto(name=f"fox-{index + 1:02}.jpg", data=_encode(picture, turned=index == 1)))
    return photos


def _vary(scene: Scene, rng: np.random.Generator, lap: int) -> Scene:
    """Move a scene a little on the first lap, more on later ones; every second lap is mirrored."""
    reach = 1 if lap == 0 else 3
    dx, dy, zoom, tilt, ground, sun = (reach * float(v) for v in rng.uniform(-1, 1, 6))
    return replace(
        scene,
        x=scene.x + 0.012 * dx,
        y=scene.y + 0.008 * dy,
        scale=scene.scale * (1 + 0.015 * zoom),
        tilt=scene.tilt + 1.5 * tilt,
        horizon=scene.horizon + 0.015 * ground,
        sun=(scene.sun[0], scene.sun[1] + 0.015 * sun),
        mirrored=scene.mirrored ^ bool(lap % 2),
        sky=(scene.sky + lap) % len(SKIES),
    )


def _encode(picture: Image.Image, *, turned: bool) -> bytes:
    """Encode as a camera would; `turned` stores it on its side, upright only by its tag, with the place."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Darkroom"
    exif[ExifTags.Base.Model] = "Drawn by code"
    if turned:
        exif[ExifTags.Base.Orientation] = 6
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(
            {
                ExifTags.GPS.GPSLatitudeRef: "S",
                ExifTags.GPS.GPSLatitude: (48.0, 52.0, 36.0),
                ExifTags.GPS.GPSLongitudeRef: "W",
                ExifTags.GPS.GPSLongitude: (123.0, 23.0, 36.0),
            }
        )
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_JPEG_QUALITY, exif=exif)
    return out.getvalue()
