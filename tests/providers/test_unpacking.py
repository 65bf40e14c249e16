import io
import stat
import tarfile
import zipfile

import pytest

from providers.errors import ArtifactBroken
from providers.unpacking import UnpackCaps, unpack

MIB = 1024 * 1024


def make_caps(**changes):
    return UnpackCaps(**{"entries": 20, "entry_bytes": MIB, "total_bytes": 2 * MIB} | changes)


def entry(name, content=b"content", **changes):
    made = tarfile.TarInfo(name)
    made.size = len(content)
    for field, value in changes.items():
        setattr(made, field, value)
    return made, content


def make_tar(path, *entries, mode="w"):
    with tarfile.open(path, mode) as tar:
        for made, content in entries:
            tar.addfile(made, io.BytesIO(content) if made.isreg() else None)
    return path


def make_zip(path, *entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def unpacked(archive, folder, caps=None, wanted=lambda path: True):
    into = folder / "into"
    into.mkdir()
    return {str(k): v for k, v in unpack(archive, into, wanted, caps or make_caps()).items()}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_unpack_writes_what_is_wanted_of_a_tar(tmp_path, mode):
    archive = make_tar(tmp_path / "a.tar", entry("out/lora.safetensors", b"L"), entry("out/captions/1.txt"), mode=mode)
    found = unpacked(archive, tmp_path, wanted=lambda path: path.suffix == ".safetensors")
    assert list(found) == ["out/lora.safetensors"]
    assert found["out/lora.safetensors"].read_bytes() == b"L"
    assert [path.name for path in (tmp_path / "into").iterdir()] == ["0.safetensors"]


def test_unpack_writes_what_is_wanted_of_a_zip(tmp_path):
    archive = make_zip(tmp_path / "a.zip", ("lora.safetensors", b"L"), ("folder/", b""), ("readme.txt", b"R"))
    found = unpacked(archive, tmp_path, wanted=lambda path: path.suffix == ".safetensors")
    assert {name: path.read_bytes() for name, path in found.items()} == {"lora.safetensors": b"L"}


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../up", "C:/windows", "a\\..\\up"])
def test_unpack_refuses_names_that_reach_outside(tmp_path, name):
    with pytest.raises(ArtifactBroken, match="outside"):
        unpacked(make_tar(tmp_path / "a.tar", entry(name)), tmp_path)
    (tmp_path / "into").rmdir()
    if "\\" not in name:
        with pytest.raises(ArtifactBroken, match="outside"):
            unpacked(make_zip(tmp_path / "a.zip", (name, b"x")), tmp_path)


def test_unpack_refuses_a_bad_entry_that_nobody_wants(tmp_path):
    archive = make_tar(tmp_path / "a.tar", entry("fine"), entry("../up"))
    with pytest.raises(ArtifactBroken):
        unpacked(archive, tmp_path, wanted=lambda path: path.name == "fine")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_unpack_refuses_links_and_devices_in_a_tar(tmp_path, kind):
    archive = make_tar(tmp_path / "a.tar", entry("x", b"", type=kind, linkname="/etc/passwd"))
    with pytest.raises(ArtifactBroken, match="link or a device"):
        unpacked(archive, tmp_path)


def test_unpack_refuses_links_in_a_zip(tmp_path):
    link = zipfile.ZipInfo("x")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ArtifactBroken, match="link or a device"):
        unpacked(tmp_path / "a.zip", tmp_path)


def test_unpack_refuses_a_name_that_comes_twice(tmp_path):
    with pytest.raises(ArtifactBroken, match="twice"):
        unpacked(make_tar(tmp_path / "a.tar", entry("x"), entry("./x")), tmp_path)


def test_unpack_refuses_too_many_entries(tmp_path):
    with pytest.raises(ArtifactBroken, match="entries"):
        unpacked(make_tar(tmp_path / "a.tar", *[entry(f"{n}") for n in range(21)]), tmp_path)


@pytest.mark.parametrize("caps", [{"entry_bytes": 1000}, {"total_bytes": 1500}])
def test_unpack_refuses_too_much(tmp_path, caps):
    content = b"0" * 1001
    with pytest.raises(ArtifactBroken, match="too much"):
        unpacked(make_tar(tmp_path / "a.tar", entry("a", content), entry("b", content)), tmp_path, make_caps(**caps))
    (tmp_path / "into").joinpath("0").unlink(missing_ok=True)
    (tmp_path / "into").rmdir()
    with pytest.raises(ArtifactBroken, match="too much"):
        unpacked(make_zip(tmp_path / "a.zip", ("a", content), ("b", content)), tmp_path, make_caps(**caps))


def test_unpack_refuses_a_zip_whose_entry_is_longer_than_it_says(tmp_path):
    archive = make_zip(tmp_path / "a.zip", ("a", b"0" * 100_000))
    data = archive.read_bytes()
    true, told = (100_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    assert data.count(true) == 2
    archive.write_bytes(data.replace(true, told))
    with pytest.raises(ArtifactBroken):
        unpacked(archive, tmp_path)


def test_unpack_refuses_a_header_that_would_fill_the_memory(tmp_path):
    bomb, _ = entry("x", b"", type=tarfile.XHDTYPE, size=10**9)
    (tmp_path / "a.tar").write_bytes(bomb.tobuf() + b"0" * 1024)
    with pytest.raises(ArtifactBroken):
        unpacked(tmp_path / "a.tar", tmp_path)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04nothing more", b"\x1f\x8bnothing", b"<html>404</html>" * 100])
def test_unpack_refuses_what_is_no_archive(tmp_path, data):
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(ArtifactBroken):
        unpacked(tmp_path / "a", tmp_path)


def test_unpack_refuses_a_tar_that_is_cut_off(tmp_path):
    archive = make_tar(tmp_path / "a.tar", entry("x", b"0" * 50_000))
    archive.write_bytes(archive.read_bytes()[:20_000])
    with pytest.raises(ArtifactBroken):
        unpacked(archive, tmp_path)
