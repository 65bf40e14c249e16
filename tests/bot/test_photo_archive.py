"""Zips of photos: what is taken, what is refused by its name, and what a hostile one can do: nothing."""

import struct
import zipfile

import pytest

from bot.errors import BadInput
from bot.photo_archive import MOST_MEMBERS, MOST_PICTURES, is_archive, list_contents, read_photo
from tests.archives import locked, picture, with_a_liar, with_link, zipped

PHOTO = picture()


def listed(files, **how):
    return list_contents(zipped(files, **how), "set.zip")


def taken(contents):
    return [(photo.label, photo.caption) for photo in contents.photos]


def test_photos_bring_the_captions_of_the_same_name():
    contents = listed(
        {"a.png": PHOTO, "a.txt": "a fox\n asleep ", "b.JPG": PHOTO, "B.txt": "\ufeffawake", "c.webp": PHOTO}
    )
    assert taken(contents) == [("a.png", "a fox asleep"), ("b.JPG", "awake"), ("c.webp", "")]
    assert contents.refused == []


def test_photos_in_folders_are_taken_with_the_captions_of_their_own_folder():
    contents = listed({"set/1/a.png": PHOTO, "set/1/a.txt": "one", "set/2/a.png": PHOTO, "set/2/a.txt": "two"})
    assert taken(contents) == [("a.png", "one"), ("a.png", "two")]


def test_photos_come_in_the_order_that_people_count_in():
    contents = listed({"10.png": PHOTO, "2.png": PHOTO, "1.png": PHOTO, f"{'9' * 5000}.png": PHOTO})
    assert [photo.label for photo in contents.photos][:3] == ["1.png", "2.png", "10.png"]


def test_what_systems_leave_in_zips_is_passed_over_in_silence():
    contents = listed(
        {
            "set/": b"",
            "set/a.png": PHOTO,
            "__MACOSX/set/._a.png": b"\0\5\x16\7",
            "set/.DS_Store": b"x",
            "Thumbs.db": b"x",
            "desktop.ini": b"x",
            "manifest.json": b"{}",
        }
    )
    assert (taken(contents), contents.refused) == ([("a.png", "")], [])


def test_backslashes_of_old_windows_programs_are_folders():
    contents = listed({"set\\a.png": PHOTO, "set\\a.txt": "a fox"})
    assert taken(contents) == [("a.png", "a fox")]


@pytest.mark.parametrize(
    "name", ["/etc/a.png", "../a.png", "set/../../a.png", "C:/a.png", "C:\\a.png", "..\\a.png", "\\\\host\\a.png"]
)
def test_paths_that_lead_out_are_refused(name):
    contents = listed({name: PHOTO, "good.png": PHOTO})
    assert taken(contents) == [("good.png", "")]
    [sentence] = contents.refused
    assert "has a path that leads out of the zip." in sentence


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (with_link(), "**link.jpg** is a link, not a picture."),
        (locked("a.png", PHOTO), "**a.png** is locked with a password. Send it without one."),
        (
            zipped({"more.zip": zipped({"a.png": PHOTO})}),
            "**more.zip** is an archive inside the zip. Send it by itself.",
        ),
        (zipped({"a.mp4": b"x"}), "**a.mp4** is neither a picture that I can use nor a caption."),
        (zipped({"lonely.txt": "words"}), "**lonely.txt** is a text without a picture of the same name."),
        (zipped({"a.PNG": PHOTO, "A.png": PHOTO}), "**A.png** is in the zip twice; the first one is taken."),
    ],
)
def test_files_that_cannot_be_used_are_refused_by_name(data, says):
    assert list_contents(data, "set.zip").refused == [says]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"\xff\xfe\x00bad", "**a.txt** is no readable text, so its photo has no caption."),
        ("x" * 301, "**a.txt** is longer than 300 characters, so its photo has no caption."),
        (bytes(5_000_000), "**a.txt** is longer than 300 characters, so its photo has no caption."),
    ],
)
def test_caption_that_cannot_be_used_leaves_the_photo(text, says):
    contents = listed({"a.png": PHOTO, "a.txt": text})
    assert (taken(contents), contents.refused) == ([("a.png", "")], [says])


def test_pictures_beyond_the_limit_are_refused_by_name_and_their_captions_are_not():
    files = {f"{number:03}.png": PHOTO for number in range(MOST_PICTURES + 2)}
    contents = listed(files | {f"{MOST_PICTURES:03}.txt": "a fox"})
    assert len(contents.photos) == MOST_PICTURES
    assert contents.refused == [
        f"**{number:03}.png** is one picture too many: of one zip 60 are looked at." for number in (60, 61)
    ]


def test_archive_of_too_many_files_is_refused_whole():
    with pytest.raises(BadInput, match=r"\*\*set.zip\*\* holds more than 1000 files."):
        listed({f"{number}.png": b"" for number in range(MOST_MEMBERS + 1)})


@pytest.mark.parametrize("with_zip64", [False, True])
def test_list_that_is_a_bomb_itself_is_not_read(with_zip64, monkeypatch):
    monkeypatch.setattr(zipfile, "ZipFile", None)  # reading it would end here
    size = 3_000_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 9, 9, 0xFFFFFFFF if with_zip64 else size, 0, 0)
    big = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 9, 9, size, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1)
    with pytest.raises(BadInput, match="holds more than 1000 files"):
        list_contents(bytes(100) + (big + locator if with_zip64 else b"") + end, "set.zip")


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"PK\x03\x04" + bytes(500), zipped({"a.png": PHOTO})[:-30]])
def test_damaged_archive_is_refused_whole(data):
    with pytest.raises(BadInput, match=r"\*\*set.zip\*\* is damaged: it cannot be opened as a zip."):
        list_contents(data, "set.zip")


def test_photo_is_read_as_it_was_packed():
    data = zipped({"a.png": PHOTO})
    [photo] = list_contents(data, "set.zip").photos
    assert read_photo(data, photo, file_name="set.zip", most_bytes=10_000) == PHOTO


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_bomb_is_read_no_further_than_the_limit(method):
    data = zipped({"bomb.png": bytes(50_000_000)}, method=method)
    assert len(data) < 100_000
    [photo] = list_contents(data, "set.zip").photos
    with pytest.raises(BadInput, match=r"\*\*bomb.png\*\* is larger than 1 MiB when it is unpacked."):
        read_photo(data, photo, file_name="set.zip", most_bytes=1024 * 1024)


def test_size_that_a_file_claims_is_not_believed():
    data = with_a_liar("liar.png", 5_000_000)
    [photo] = list_contents(data, "set.zip").photos
    with pytest.raises(BadInput, match=r"liar\.png"):
        read_photo(data, photo, file_name="set.zip", most_bytes=1024 * 1024)


@pytest.mark.parametrize("spoil", ["content", "method"])
def test_photo_that_is_damaged_inside_is_refused_by_name(spoil):
    data = bytearray(zipped({"a.png": PHOTO}, method=zipfile.ZIP_STORED))
    if spoil == "content":
        data[60] ^= 0xFF
    else:
        data[data.rindex(b"PK\x01\x02") + 10] = data[8] = 77
    [photo] = list_contents(bytes(data), "set.zip").photos
    with pytest.raises(BadInput, match=r"\*\*a.png\*\* is damaged inside the zip."):
        read_photo(bytes(data), photo, file_name="set.zip", most_bytes=10_000)


def test_hostile_names_are_shown_as_plain_text():
    contents = listed({"@everyone **x** <@1>.mp4": b"", ".": b"", "\n\t.mp4": b""})
    assert not set("@<>`") & set("".join(contents.refused))


def test_archives_are_told_by_their_bytes():
    assert is_archive(zipped({}))
    assert is_archive(zipped({"a": b""}))
    assert not is_archive(PHOTO)
