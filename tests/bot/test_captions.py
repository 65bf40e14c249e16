import pytest

from bot.captions import How, changed_caption


@pytest.mark.parametrize(
    ("caption", "text", "how", "becomes"),
    [
        ("asleep", "rustyfox", How.BEFORE, "rustyfox, asleep"),
        ("asleep", "rustyfox,", How.BEFORE, "rustyfox, asleep"),
        ("asleep", "outdoors", How.AFTER, "asleep, outdoors"),
        ("Asleep.", "Outdoors", How.AFTER, "Asleep. Outdoors"),
        ("asleep", "outdoors", How.REPLACE, "outdoors"),
        ("asleep", "", How.REPLACE, ""),
        ("asleep", "outdoors", How.FILL, "asleep"),
        ("", "outdoors", How.BEFORE, "outdoors"),
        ("", "outdoors", How.AFTER, "outdoors"),
        ("", "outdoors", How.FILL, "outdoors"),
    ],
)
def test_caption_becomes(caption, text, how, becomes):
    assert changed_caption(caption, text, how) == becomes
