import asyncio
import contextlib
import hashlib
import struct
import threading
import time

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFilter

from bot.photo_checks import FindingCode, find_duplicates, near_duplicate_of
from bot.photo_files import PhotoFormat, is_cut_off
from bot.photo_workers import PhotoWorkers, WorkOverran
from bot.photos import PhotoRefused, develop, develop_now
from tests.bot.pictures import (
    BLUE,
    GREEN,
    GREY,
    RED,
    XMP,
    assert_colours,
    corners,
    decode,
    draw_quarters,
    draw_scene,
    encode,
    make_exif,
    png_header,
)

FORMATS = {
    "JPEG": {"quality": 90},
    "PNG": {},
    "WEBP": {"quality": 90, "method": 0},
    "HEIF": {"quality": 80},
    "AVIF": {"quality": 80, "speed": 10},
    "GIF": {},
    "TIFF": {},
    "BMP": {},
}
SCENE = draw_scene()


@pytest.fixture
async def workers():
    async with PhotoWorkers() as opened:
        yield opened


async def refusal(data, workers, *, file_name="cat.jpg", **changes):
    with pytest.raises(PhotoRefused) as caught:
        await develop(data, file_name=file_name, workers=workers, **changes)
    return caught.value


def codes(photo):
    return [finding.code for finding in photo.findings]


@pytest.mark.parametrize("photo_format", FORMATS)
async def test_develop_takes_every_format(photo_format, workers):
    data = encode(draw_quarters(), photo_format, **FORMATS[photo_format])
    photo = await develop(data, file_name="named.wrongly", workers=workers)
    result = decode(photo.data)
    assert (result.mode, result.size) == ("RGB", (640, 640))
    assert result.get_format_mimetype() == photo.content_type
    assert_colours(corners(result), [RED, GREEN, BLUE, GREY])
    assert photo.sha256 == hashlib.sha256(photo.data).hexdigest()


async def test_develop_fits_into_2048_and_tells_the_original_size(workers):
    photo = await develop(encode(draw_scene(3000, 1500)), file_name="a.jpg", workers=workers)
    assert (photo.width, photo.height) == decode(photo.data).size == (2048, 1024)
    assert (photo.original_width, photo.original_height) == (3000, 1500)


async def test_develop_takes_the_half_where_that_is_nearly_2048(workers):
    photo = await develop(encode(Image.new("RGB", (4032, 3024), GREY)), file_name="a.jpg", workers=workers)
    assert (photo.width, photo.height) == (2016, 1512)


async def test_develop_never_enlarges(workers):
    photo = await develop(encode(draw_scene(300, 200)), file_name="a.jpg", workers=workers)
    assert (photo.width, photo.height) == (300, 200)


async def test_develop_is_repeatable(workers):
    first, second = [await develop(encode(SCENE), file_name="a.jpg", workers=workers) for _ in range(2)]
    assert first == second


@pytest.mark.parametrize("photo_format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "HEIF"])
async def test_develop_removes_all_metadata(photo_format, workers):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    extra = {"comment": b"by Ada"} if photo_format == "JPEG" else {}
    xmp = {} if photo_format == "TIFF" else {"xmp": XMP}
    options = FORMATS[photo_format] | {"exif": make_exif(), "icc_profile": profile} | extra | xmp
    data = encode(SCENE, photo_format, **options)
    assert b"Camera of Ada" in data
    photo = await develop(data, file_name="a.jpg", workers=workers)
    assert photo.had_location
    result = decode(photo.data)
    assert not result.getexif()
    assert not {"exif", "xmp", "icc_profile", "comment", "dpi"} & set(result.info)
    for trace in (b"Exif", b"Ada", b"GPS", b"xmpmeta", b"ICC_PROFILE", b"iCCP", b"eXIf", b"tEXt"):
        assert trace not in photo.data


async def test_develop_sees_a_location_that_only_xmp_tells(workers):
    photo = await develop(encode(SCENE, xmp=XMP), file_name="a.jpg", workers=workers)
    assert photo.had_location


async def test_develop_says_when_there_was_no_location(workers):
    data = encode(SCENE, exif=make_exif(located=False))
    assert not (await develop(data, file_name="a.jpg", workers=workers)).had_location


async def test_develop_takes_a_photo_with_broken_exif(workers):
    data = encode(SCENE, exif=b"Exif\0\0II*\0\xff\xff\xff\xff" + bytes(40))
    photo = await develop(data, file_name="a.jpg", workers=workers)
    assert (photo.width, photo.height, photo.had_location) == (800, 600, False)


@pytest.mark.parametrize("photo_format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
async def test_develop_turns_the_photo_upright(photo_format, workers):
    # Orientation 6: the top of what was seen lies on the right of what was stored.
    data = encode(draw_quarters(640, 960), photo_format, exif=make_exif(orientation=6), **FORMATS[photo_format])
    photo = await develop(data, file_name="a.jpg", workers=workers)
    assert (photo.width, photo.height) == (photo.original_width, photo.original_height) == (960, 640)
    assert_colours(corners(decode(photo.data)), [BLUE, RED, GREY, GREEN])


@pytest.mark.parametrize(
    ("orientation", "as_stored"),
    [
        (2, Image.Transpose.FLIP_LEFT_RIGHT),
        (3, Image.Transpose.ROTATE_180),
        (4, Image.Transpose.FLIP_TOP_BOTTOM),
        (5, Image.Transpose.TRANSPOSE),
        (6, Image.Transpose.ROTATE_90),
        (7, Image.Transpose.TRANSVERSE),
        (8, Image.Transpose.ROTATE_270),
    ],
)
async def test_develop_knows_every_orientation(orientation, as_stored, workers):
    stored = draw_quarters(320, 480).transpose(as_stored)
    photo = await develop(encode(stored, exif=make_exif(orientation=orientation)), file_name="a.jpg", workers=workers)
    assert (photo.width, photo.height) == (320, 480)
    assert_colours(corners(decode(photo.data)), [RED, GREEN, BLUE, GREY])


async def test_develop_converts_colours_to_srgb(workers):
    # A profile whose red is sRGB's green and the other way round shows whether it was used.
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = swapped.index(b"rXYZ"), swapped.index(b"gXYZ")
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    name = "sRGB built-in".encode("utf-16-be")
    swapped = bytes(swapped).replace(name, "swapped color".encode("utf-16-be"))
    data = encode(draw_quarters(), "PNG", icc_profile=swapped)
    photo = await develop(data, file_name="a.png", workers=workers)
    assert_colours(corners(decode(photo.data)), [(40, 220, 40), (180, 40, 60), (60, 40, 200), GREY], within=16)


async def test_develop_ignores_a_broken_profile(workers):
    photo = await develop(encode(draw_quarters(), icc_profile=b"no profile"), file_name="a.jpg", workers=workers)
    assert_colours(corners(decode(photo.data)), [RED, GREEN, BLUE, GREY])


async def test_develop_takes_cmyk(workers):
    photo = await develop(encode(draw_quarters().convert("CMYK"), quality=95), file_name="a.jpg", workers=workers)
    assert_colours(corners(decode(photo.data)), [RED, GREEN, BLUE, GREY])


@pytest.mark.parametrize("dtype", ["uint16", "int32", "float32"])
async def test_develop_takes_deep_grey(dtype, workers):
    ramp = np.linspace(0, 1, 600)[None, :].repeat(600, axis=0)
    values = (ramp * (1 if dtype == "float32" else 65535)).astype(dtype)
    data = encode(Image.fromarray(values), "PNG" if dtype == "uint16" else "TIFF")
    result = np.asarray(decode((await develop(data, file_name="a.png", workers=workers)).data).convert("L"))
    assert np.abs(result[300].astype(float) - 255 * ramp[300]).max() <= 4


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "L", "YCbCr"])
async def test_develop_takes_every_mode(mode, workers):
    photo_format = "TIFF" if mode == "YCbCr" else "PNG"
    data = encode(draw_quarters().convert(mode), photo_format)
    assert decode((await develop(data, file_name="a.png", workers=workers)).data).mode == "RGB"


@pytest.mark.parametrize("mode", ["RGBA", "P"])
async def test_develop_shows_transparency_as_white(mode, workers):
    picture = draw_quarters().convert("RGBA")
    picture.paste((0, 0, 0, 0), (320, 0, 640, 320))
    data = encode(picture if mode == "RGBA" else picture.quantize(8), "PNG")
    photo = await develop(data, file_name="a.png", workers=workers)
    assert_colours(corners(decode(photo.data)), [RED, (255, 255, 255), BLUE, GREY])


async def test_develop_takes_the_first_frame_of_an_animation(workers):
    frames = [Image.new("RGB", (600, 600), colour) for colour in (RED, GREEN, BLUE)]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100)
    photo = await develop(data, file_name="a.gif", workers=workers)
    assert_colours(corners(decode(photo.data)), [RED] * 4)


async def test_develop_keeps_drawings_lossless_and_photos_small(workers):
    drawing = await develop(encode(draw_quarters(), "PNG"), file_name="a.png", workers=workers)
    photo = await develop(encode(SCENE, "PNG"), file_name="a.png", workers=workers)
    lossy = await develop(encode(draw_quarters(), "JPEG"), file_name="a.jpg", workers=workers)
    assert [one.extension for one in (drawing, photo, lossy)] == [".png", ".jpg", ".jpg"]
    assert corners(decode(drawing.data)) == [RED, GREEN, BLUE, GREY]


async def test_develop_refuses_an_empty_file(workers):
    assert (await refusal(b"", workers)).sentence == "cat.jpg is empty. Send it again, or use another photo."


async def test_develop_refuses_a_large_file(workers):
    error = await refusal(encode(SCENE), workers, max_bytes=50_000)
    assert "MB; 0.05 MB are the most. Send a smaller copy of it." in error.sentence


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"Hello, this is my cat.\n", "a text file"),
        ("Größe: ".encode() * 700, "a text file"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b"PK\x03\x04" + bytes(30), "a zip archive"),
        (b"\0\0\0\x20ftypisom" + bytes(30), "a video"),
        (b"\x1aE\xdf\xa3" + bytes(30), "a video"),
        (b"RIFF\x10\0\0\0AVI " + bytes(30), "a video"),
        (b"RIFF\x10\0\0\0WAVE" + bytes(30), "a sound file"),
        (b"RIFF\x10\0\0\0ACON" + bytes(30), "an unknown kind of file"),
        (b"ID3" + bytes(30), "a sound file"),
        (b"\0\0\0\x18ftypcrx " + bytes(30), "a raw camera file"),
        (b"II*\0\x10\0\0\0CR\x02\0" + bytes(30), "a raw camera file"),
        (bytes(range(256)), "an unknown kind of file"),
        (b"text with \x07 bell", "an unknown kind of file"),
        (b"BMW is a car, not a bitmap", "a text file"),
    ],
)
async def test_develop_refuses_other_files_by_what_they_are(data, name, workers):
    error = await refusal(data, workers)
    assert str(error) == f"cat.jpg is {name}, not a picture I can use."
    assert error.advice == "Send a JPEG, PNG, WebP, HEIC, AVIF, GIF, TIFF or BMP file."


@pytest.mark.parametrize("photo_format", [name for name in FORMATS if name != "TIFF"])
async def test_develop_refuses_a_file_that_is_cut_off(photo_format, workers):
    data = encode(SCENE, photo_format, **FORMATS[photo_format])
    error = await refusal(data[: len(data) // 2], workers)
    assert error.sentence.startswith("cat.jpg is cut off: the end of the file is missing. Send it again")


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "jpeg", "tiff_adobe_deflate"])
async def test_develop_refuses_half_a_tiff_without_a_word_to_the_terminal(compression, workers, capfd):
    data = encode(SCENE, "TIFF", compression=compression)
    error = await refusal(data[: len(data) // 2], workers)
    assert str(error).startswith(("cat.jpg is damaged", "cat.jpg begins like a picture (TIFF)"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("boxes", "cut"),
    [
        (b"\0\0\0\x0cftypheic", False),
        (b"\0\0\0\x0cftypheic\0\0\0\x10mdatabcdefgh", False),
        (b"\0\0\0\x0cftypheic\0\0\0\x10mdatabc", True),
        (b"\0\0\0\x0cftypheic\0\0\0\x01mdat\0\0\0\0\0\0\0\x12ab", False),
        (b"\0\0\0\x0cftypheic\0\0\0\x01mdat\0\0\0\0\0\0\0\x12a", True),
        (b"\0\0\0\x0cftypheic\0\0\0\0mdatabc", False),
        (b"\0\0\0\x0cftypheic\0\0\0\x02mdatabc", True),
    ],
)
def test_cut_off_is_told_by_the_boxes_of_a_heic_file(boxes, cut):
    assert is_cut_off(boxes, PhotoFormat.HEIF) is cut


async def test_develop_refuses_what_only_begins_like_a_picture(workers):
    error = await refusal(b"GIF89a;", workers)
    assert str(error) == "cat.jpg begins like a picture (GIF) but is none."


async def test_develop_refuses_a_preview_of_a_raw_file(workers):
    error = await refusal(encode(SCENE, "TIFF", tiffinfo={50706: b"\1\4\0\0"}), workers)
    assert str(error) == "cat.jpg is a raw camera file, not a picture I can use."


@pytest.mark.parametrize(("side", "millions"), [(30_000, "900"), (12_000, "144"), (9_000, "81")])
async def test_develop_refuses_a_bomb_by_its_header(side, millions, workers):
    # Decoding would fail as cut off: so the refusal by number came before any pixel was asked for.
    error = await refusal(png_header(side, side), workers)
    assert str(error) == f"cat.jpg has {millions} million pixels; 60 million are the most."


async def test_develop_refuses_a_jpeg_bomb_by_its_header(workers):
    data = bytearray(encode(Image.new("RGB", (64, 64))))
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 60_000, 60_000)
    error = await refusal(bytes(data), workers)
    assert str(error) == "cat.jpg has 3600 million pixels; 120 million are the most."


async def test_develop_refuses_a_jpeg_of_endless_passes(workers):
    data = encode(draw_quarters(64, 64), progressive=True)
    scan = data.rindex(b"\xff\xda")
    error = await refusal(data[:scan] + data[scan:-2] * 200 + data[-2:], workers)
    assert "passes; 100 are the most" in str(error)


@pytest.mark.parametrize("photo_format", FORMATS)
async def test_develop_survives_damaged_files(photo_format, workers, capfd):
    whole = encode(draw_quarters(64, 48), photo_format, **FORMATS[photo_format])
    rng = np.random.default_rng(7)
    for _ in range(60):
        damaged = bytearray(whole)
        for at in rng.integers(4, len(whole), 6):
            damaged[at] = rng.integers(256)
        with contextlib.suppress(PhotoRefused):
            photo = await develop(bytes(damaged), file_name="cat.jpg", workers=workers)
            assert decode(photo.data).mode == "RGB"
    # libtiff writes straight to the terminal; only closing that for the whole process would keep it from it.
    assert photo_format == "TIFF" or capfd.readouterr() == ("", "")


async def test_refusal_shortens_and_cleans_file_names(workers):
    assert str(await refusal(b"", workers, file_name="x" * 200)) == "x" * 59 + "… is empty."
    assert str(await refusal(b"", workers, file_name="a\n\u202eb.jpg")) == "ab.jpg is empty."
    assert str(await refusal(b"", workers, file_name="\n")) == "The file is empty."


def test_findings_are_none_for_a_good_photo():
    assert develop_now(encode(SCENE), "a.jpg").findings == ()


def test_findings_name_a_blurred_photo():
    data = encode(SCENE.filter(ImageFilter.GaussianBlur(6)))
    (finding,) = develop_now(data, "a.jpg").findings
    assert finding.code is FindingCode.BLURRED
    assert finding.measured < 60
    assert finding.said == (
        f"is blurred (sharpness {int(finding.measured)}; 60 and more is good): "
        "hold the camera still or use another photo."
    )


def test_findings_take_a_soft_background_as_sharp():
    picture = SCENE.filter(ImageFilter.GaussianBlur(10))
    picture.paste(SCENE.crop((250, 150, 550, 450)), (250, 150))
    assert develop_now(encode(picture), "a.jpg").findings == ()


def test_findings_name_a_dark_photo():
    photo = develop_now(encode(SCENE.point(lambda value: value // 5)), "a.jpg")
    assert codes(photo)[-1] is FindingCode.TOO_DARK
    assert photo.findings[-1].measured < 45
    assert "45 and more is good): turn on a light" in photo.findings[-1].said


def test_findings_take_a_lit_subject_before_black():
    picture = Image.new("RGB", SCENE.size)
    picture.paste(SCENE.crop((250, 150, 550, 450)), (250, 150))
    assert develop_now(encode(picture), "a.jpg").findings == ()


def test_findings_name_a_light_photo():
    pale = develop_now(encode(SCENE.point(lambda value: 215 + value // 8)), "a.jpg")
    clipped = develop_now(encode(SCENE.point(lambda value: min(255, value * 3))), "a.jpg")
    assert codes(pale)[-1] is codes(clipped)[-1] is FindingCode.TOO_LIGHT
    assert "of 255; up to 215 is good" in pale.findings[-1].said
    assert "% of it is pure white; up to 50 % is good" in clipped.findings[-1].said


def test_findings_name_a_small_photo():
    (finding,) = develop_now(encode(draw_scene(640, 400)), "a.jpg").findings
    assert (finding.code, finding.measured) == (FindingCode.TOO_SMALL, 400)
    assert finding.said.startswith("is small (640 × 400 pixels; 512 and more on the shorter side is good)")


@pytest.mark.parametrize("size", [(1, 1), (2, 700), (1, 4000)])
def test_findings_take_the_tiniest_picture(size):
    assert FindingCode.TOO_SMALL in codes(develop_now(encode(Image.new("RGB", size, GREY), "PNG"), "a.png"))


def test_duplicates_are_named_by_the_earlier_number():
    trimmed = SCENE.crop((8, 6, 792, 594))
    files = [encode(SCENE), encode(draw_scene(seed=2)), encode(SCENE, quality=30), encode(trimmed.resize((600, 450)))]
    dhashes = {number: develop_now(data, "a.jpg").dhash for number, data in enumerate(files, start=1)}
    found = find_duplicates(dhashes)
    assert sorted(found) == [3, 4]
    assert found[3].said.startswith("looks almost like photo 1:")
    assert {finding.code for finding in found.values()} == {FindingCode.NEAR_DUPLICATE}


def test_near_duplicate_is_the_nearest_within_eight_bits():
    dhash = f"{0xF0F0F0F0F0F0F0F0:016x}"
    others = {4: f"{0xF0F0F0F0F0F0F0FF:016x}", 7: f"{0xF0F0F0F0F0F0F0F1:016x}"}
    finding = near_duplicate_of(dhash, others)
    assert finding is not None
    assert (finding.measured, "photo 7" in finding.said) == (1, True)
    assert near_duplicate_of(dhash, {1: f"{0xF0F0F0F0F0F0FE0F:016x}"}) is None
    assert near_duplicate_of(dhash, {}) is None


async def test_workers_keep_the_event_loop_free(workers):
    loop_thread = threading.get_ident()
    assert await workers.run(threading.get_ident) != loop_thread


async def test_workers_run_no_more_than_their_threads():
    running, most, lock = 0, 0, threading.Lock()

    def work():
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    async with PhotoWorkers(threads=2) as workers:
        await asyncio.gather(*(workers.run(work) for _ in range(8)))
    assert most == 2


async def test_workers_give_up_what_overruns_and_go_on():
    release = threading.Event()
    try:
        async with PhotoWorkers(threads=1, seconds=0.05) as workers:
            for _ in range(3):
                with pytest.raises(WorkOverran):
                    await workers.run(release.wait, 30)
            assert await workers.run(int, "7") == 7
    finally:
        release.set()


async def test_develop_refuses_what_takes_too_long():
    async with PhotoWorkers(seconds=0.0) as workers:
        error = await refusal(encode(draw_scene(2000, 1500)), workers)
    assert str(error) == "cat.jpg takes too long to decode."


async def test_develop_takes_several_photos_at_once(workers):
    files = [encode(draw_scene(seed=seed)) for seed in range(4)]
    photos = await asyncio.gather(*(develop(data, file_name="a.jpg", workers=workers) for data in files))
    assert [photo.sha256 for photo in photos] == [develop_now(data, "a.jpg").sha256 for data in files]
