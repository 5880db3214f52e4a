"""The page trusts no text, no address and no other host, and runs nothing."""

import re
import socket

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from schemas.parquet import SAMPLE_SCHEMA
from tasks.errors import UserError
from view.app import application
from view.asked import BadFilter
from view.filters import read_filters
from view.looked_at import LookedAt
from view.serve import is_loopback, serve

LAND = "data/l1/bigearthnet-train-b00.parquet"
SAMPLE = "land-000-04"
PAGES = ("/", f"/sample/{SAMPLE}", "/counts", "/map", "/refused", "/about")
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def looked_at(finished, spill):
    found = LookedAt(finished, spill)
    found.index.fill()
    return found


@pytest.fixture(scope="module")
def client(looked_at):
    return TestClient(application(looked_at), base_url="http://127.0.0.1:8100")


@pytest.fixture(scope="module")
def image(looked_at):
    return f"/image/{looked_at.digest}/{SAMPLE}"


@pytest.mark.parametrize("sample", ["nope", "..%2F..%2Fetc%2Fpasswd", "' or 1=1 --", "x" * 5000])
def test_an_unknown_sample_is_not_found(client, looked_at, sample):
    version = looked_at.digest
    for kind in ("/sample/{}", f"/thumb/{version}/{{}}", f"/image/{version}/{{}}/0", "/change/{}"):
        page = client.get(kind.format(sample))
        assert page.status_code == 404
        assert "<script>" not in page.text


def test_an_image_that_a_sample_has_not_is_not_found(client, image):
    assert client.get(f"{image}/0").status_code == 200
    assert client.get(f"{image}/2").status_code == 404
    assert client.get(f"{image}/-1").status_code == 404


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ("source=mars", "bigearthnet, xbd"),
        ("task=nope", "existence"),
        ("class=' or 1=1 --", "water"),
        ("verdict=perhaps", "proved, unproved, false"),
        ("colour=red", "source, split, task"),
        ("source=xbd&source=bigearthnet", "given twice"),
        ("page=0", "numbered from 1"),
        ("page=-3", "numbered from 1"),
        ("page=one", "numbered from 1"),
        ("page=٣", "numbered from 1"),
        ("box=1,2,3", "WEST,SOUTH,EAST,NORTH"),
        ("box=nan,nan,nan,nan", "west must be under east"),
        ("box=20,0,10,5", "west must be under east"),
        ("q=" + "x" * 201, "at most 200"),
    ],
)
def test_a_bad_filter_is_refused_with_what_is_allowed(client, asked, allowed):
    for page in ("/", "/counts", "/map", f"/sample/{SAMPLE}"):
        answer = client.get(f"{page}?{asked}")
        assert answer.status_code == 400
        assert allowed in answer.text


@pytest.mark.parametrize("asked", ["reason=nope", "tier=l1", "page=x"])
def test_a_bad_filter_of_the_quarantine_is_refused(client, asked):
    assert client.get(f"/refused?{asked}").status_code == 400


@pytest.mark.parametrize("asked", ["q=';drop table sample;--", "scene=' or 'a'='a", "answer=%25"])
def test_what_is_searched_for_is_a_value_and_never_a_command(client, asked):
    assert "0 of" in client.get(f"/?{asked}").text
    assert "100 samples" in client.get("/").text


@pytest.mark.parametrize("name", ["q", "scene", "answer"])
@pytest.mark.parametrize("text", [SCRIPT, "' or 1=1; drop table sample; --", "?", "%", "\x00"])
def test_what_is_asked_for_comes_back_as_text(client, name, text):
    for page in ("/", "/counts", "/map", f"/sample/{SAMPLE}"):
        answer = client.get(page, params={name: text})
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text


@pytest.mark.parametrize("text", [SCRIPT, "' or 1=1; drop table sample; --"])
@pytest.mark.parametrize("name", ["source", "class", "verdict", "box", "page", "another"])
def test_what_cannot_be_asked_for_comes_back_as_text(client, name, text):
    answer = client.get("/", params={name: text})
    assert answer.status_code == 400
    assert "<script>alert" not in answer.text
    assert "100 samples" in client.get("/").text


def test_one_dataset_alone_has_no_changes(client):
    for page in ("/changes", f"/change/{SAMPLE}"):
        assert client.get(page).status_code == 404
    assert "terrascope view DIR@1 DIR@2" in client.get("/changes").text


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_any_search_finds_something_or_nothing_and_breaks_nothing(client, text):
    assert client.get("/", params={"q": text}).status_code == 200


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), min_size=1, max_size=4))
def test_an_address_of_other_names_is_refused_whatever_it_holds(given_):
    named = [(f"no {name}", value) for name, value in given_]
    with pytest.raises(BadFilter, match="is no filter"):
        read_filters(named, {"source": ["a"]})


def test_text_with_html_is_shown_and_not_obeyed(dataset, spill):
    path = dataset / LAND
    rows = pq.read_table(path).to_pylist()
    row = next(row for row in rows if row["sample_id"] == SAMPLE)
    row["question"] = row["title"] = row["task"] = row["source"] = SCRIPT
    row["classes"] = [SCRIPT]
    row["answer"]["text"] = SCRIPT
    row["archive_captions"] = [{"writer": SCRIPT, "text": SCRIPT}]
    row["masks"][0]["label"] = SCRIPT
    row["steps"][0]["text"] = SCRIPT
    row["image_info"][0]["rendering"] = row["image_info"][0]["date"] = SCRIPT
    pq.write_table(pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA), path, row_group_size=64)
    looked_at = LookedAt(dataset, spill)
    looked_at.index.fill()
    client = TestClient(application(looked_at), base_url="http://127.0.0.1:8100")
    for page in PAGES:
        text = client.get(page).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
    assert "&lt;script&gt;alert(1)" in client.get(f"/sample/{SAMPLE}").text
    # nor does it end the block of what is drawn
    drawn = re.search(r'id="drawn">(.*?)</script>', client.get(f"/sample/{SAMPLE}").text)[1]
    assert "<" not in drawn


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.7:8100", ""])
def test_another_host_gets_no_answer(client, image, host):
    for page in (*PAGES, f"{image}/0", "/view.js"):
        answer = client.get(page, headers={"host": host})
        assert answer.status_code == 400
        assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("host", ["127.0.0.1:8100", "localhost", "localhost:9", "[::1]:8100"])
def test_names_of_this_machine_get_one(client, host):
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_there_is_nothing_to_write_to(client, method):
    for page in PAGES:
        assert getattr(client, method)(page).status_code == 405


@pytest.mark.parametrize("page", [*PAGES, "/sample/nope", "/?source=mars", "/view.js"])
def test_every_answer_forbids_scripts_but_the_pages_own_file(client, page):
    policy = client.get(page).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["form-action"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_nothing_outside_itself_and_has_no_script_or_style_inside(client, page):
    text = client.get(page).text
    assert not re.findall(r"""(?:src|href|action)=["']?(?:https?:)?//""", text)
    assert not re.findall(r"\son\w+=|\sstyle=", text)
    scripts = re.findall(r"<script([^>]*)>", text)
    assert all("src=" in one or 'type="application/json"' in one for one in scripts)


def test_files_cannot_be_reached_by_an_address(client, finished):
    (finished.parent / "secret.txt").write_text("secret")
    for address in ("/manifest.json", "/../secret.txt", "/%2e%2e/secret.txt", "/image/..%2f/0"):
        answer = client.get(address)
        assert answer.status_code == 404
        assert "secret" not in answer.text.replace("secret.txt", "")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True),
        ("0.0.0.0", False), ("::", False), ("192.168.1.5", False), ("example.org", False),
    ],
)  # fmt: skip
def test_only_this_machine_is_served(finished, host, loopback):
    assert is_loopback(host) is loopback
    if not loopback:
        with pytest.raises(UserError, match="ssh -L"):
            serve([str(finished)], host, 8100, print)


def test_a_port_that_is_taken_is_said(finished, taken_port):
    with pytest.raises(UserError, match="--port"):
        serve([str(finished)], "127.0.0.1", taken_port, print)


def test_a_folder_that_is_no_dataset_is_said(tmp_path):
    with pytest.raises(UserError, match=r"no manifest\.json"):
        serve([str(tmp_path)], "127.0.0.1", 0, print)


@pytest.fixture
def taken_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held.getsockname()[1]
