from playground.seen import Upload
from tests.playground.bots import connected
from tests.playing import running_playground


async def test_person_slash_gets_the_answer():
    async with running_playground() as server, connected(server):
        place = server.person("alice").in_channel()
        outcome = await place.slash("draft new", name="Rusty", kind="person", photo=Upload("a.jpg", b"12345"))
        assert outcome.text == "Rusty person 5 100"
        assert outcome.ephemeral


async def test_person_form_is_filled_in_and_sent():
    async with running_playground() as server, connected(server):
        place = server.person("alice").in_channel()
        shown = await place.slash("show")
        form = (await place.press(shown, "Form")).modal
        done = await place.submit(
            form,
            trigger="TOK",
            base_model="dev",
            Way="good",
            consent=True,
            photos=[Upload("a.png", b"1"), Upload("b.png", b"22")],
        )
        assert done.text == "['TOK', 'dev', 'good'] True [1, 2]"
