"""Images reach the server as bytes or as files, scaled down where they are too large."""

import asyncio
import base64
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from PIL import Image

from tasks.completer import CallFailed, FailedBecause, Turn


def urls_of(body):
    return [
        part["image_url"]["url"]
        for message in body["messages"]
        for part in message["content"]
        if part["type"] == "image_url"
    ]


def sent_bytes(url):
    """Return the image behind a URL, as a server reads it."""
    if url.startswith("data:"):
        return base64.b64decode(url.partition(",")[2])
    return Path(url2pathname(urlsplit(url).path)).read_bytes()


@pytest.fixture
def ask_about(serve, run, make_call):
    """Ask about some images; return those that the server got, read while it answers."""

    def ask(*images, **settings):
        got = []

        def answer(body):
            got.extend((url, sent_bytes(url)) for url in urls_of(body))
            return "seen"

        turns = (Turn(role="user", text="What is it?", images=images),)
        run(serve(answer=answer), lambda c: c.complete(make_call(turns=turns)), **settings)
        return got

    return ask


def test_images_come_before_the_text_of_their_turn(serve, run, make_call, make_png):
    server = serve()
    turns = (
        Turn(role="user", text="First.", images=(make_png(2, 2),)),
        Turn(role="assistant", text="Seen."),
        Turn(role="user", text="Second.", images=(make_png(3, 3), make_png(4, 4))),
    )
    run(server, lambda completer: completer.complete(make_call(turns=turns)))
    first, reply, second = (message["content"] for message in server.bodies[0]["messages"])
    assert [part["type"] for part in first] == ["image_url", "text"]
    assert reply == "Seen."
    assert [part["type"] for part in second] == ["image_url", "image_url", "text"]
    assert second[-1]["text"] == "Second."


def test_bytes_are_sent_as_they_are(ask_about, make_png):
    png = make_png(20, 10)
    ((url, got),) = ask_about(png, max_image_px=20)
    assert url.startswith("data:image/png;base64,")
    assert got == png


def test_an_image_of_megabytes_is_sent_whole(ask_about, make_png):
    png = make_png(8, 8) + bytes(3_000_000)
    ((_, got),) = ask_about(png)
    assert got == png


def test_a_jpeg_is_sent_as_one(ask_about):
    encoded = BytesIO()
    Image.new("RGB", (8, 8)).save(encoded, "JPEG")
    ((url, got),) = ask_about(encoded.getvalue())
    assert url.startswith("data:image/jpeg;base64,")
    assert got == encoded.getvalue()


def test_a_file_lies_below_the_folder_while_the_server_reads_it(ask_about, make_png, tmp_path):
    folder = tmp_path / "a folder"
    png = make_png(20, 10)
    ((url, got),) = ask_about(png, image_transport="file", image_folder=folder)
    assert url.startswith(f"file://{tmp_path}/a%20folder/")
    assert got == png
    assert list(folder.rglob("*")) == []  # and is gone afterwards


def test_calls_about_one_image_share_its_file(serve, run, make_call, make_png, tmp_path):
    server = serve(
        latency_s=0.01, answer=lambda body: str([len(sent_bytes(url)) for url in urls_of(body)])
    )
    png = make_png(20, 10)

    async def many(completer):
        async def one(n):
            turns = (Turn(role="user", text=f"Question {n}", images=(png, png)),)
            return (await completer.complete(make_call(turns=turns))).text

        return await asyncio.gather(*(one(n) for n in range(40)))

    texts = run(server, many, image_transport="file", image_folder=tmp_path, max_concurrency=4)
    assert set(texts) == {str([len(png)] * 2)}
    assert len({url for body in server.bodies for url in urls_of(body)}) == 1


def test_images_wait_unencoded_until_their_call_has_a_slot(
    serve, run, make_call, make_png, tmp_path
):
    counts = []
    server = serve(
        latency_s=0.01,
        answer=lambda _: counts.append(len(list(tmp_path.glob("images-*/*")))) or "seen",
    )

    async def many(completer):
        def call(n):
            image = make_png(20, 10, color=(n, 0, 0))
            return make_call(turns=(Turn(role="user", text="What is it?", images=(image,)),))

        await asyncio.gather(*(completer.complete(call(n)) for n in range(60)))

    settings = {"image_transport": "file", "image_folder": tmp_path}
    run(server, many, start_concurrency=4, max_concurrency=4, **settings)
    assert len(counts) == 60
    assert max(counts) <= 4


@pytest.mark.parametrize("transport", ["bytes", "file"])
@pytest.mark.parametrize(("size", "scaled"), [((100, 40), (50, 20)), ((3, 600), (1, 50))])
def test_a_larger_image_is_scaled_down(ask_about, make_png, tmp_path, transport, size, scaled):
    ((_, got),) = ask_about(
        make_png(*size, color=(9, 99, 199)),
        max_image_px=50,
        image_transport=transport,
        image_folder=tmp_path / "images",
    )
    with Image.open(BytesIO(got)) as image:
        assert (image.size, image.format) == (scaled, "PNG")
        assert image.getpixel((0, 0)) == (9, 99, 199)


def test_a_palette_is_scaled_as_colours(ask_about, make_png):
    ((_, got),) = ask_about(make_png(100, 100, mode="P", color=0), max_image_px=10)
    with Image.open(BytesIO(got)) as image:
        assert image.mode == "RGB"


@pytest.mark.parametrize(
    ("image", "why"),
    [(b"GIF89a", "neither PNG nor JPEG"), (b"\x89PNG\r\n\x1a\nno", "cannot be read")],
)
def test_what_is_no_image_is_refused_before_it_is_sent(serve, run, make_call, image, why):
    server = serve()
    turns = (Turn(role="user", text="What is it?", images=(image,)),)
    with pytest.raises(CallFailed, match=why) as failure:
        run(server, lambda c: c.complete(make_call(turns=turns)), max_image_px=100)
    assert failure.value.because is FailedBecause.REFUSED
    assert server.num_requests == 0


def test_the_bytes_and_the_bound_decide_the_call_not_the_way_they_are_sent(
    serve, run, make_call, make_png, tmp_path
):
    server = serve()
    turns = (Turn(role="user", text="What is it?", images=(make_png(100, 40),)),)

    def ask(**settings):
        return run(server, lambda c: c.complete(make_call(turns=turns)), **settings).stored

    assert not ask(max_image_px=50)
    assert ask(max_image_px=50, image_transport="file", image_folder=tmp_path / "images")
    assert not ask(max_image_px=60)
