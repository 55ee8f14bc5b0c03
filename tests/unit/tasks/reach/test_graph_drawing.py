from __future__ import annotations

from xml.etree import ElementTree

from invoke_devstack.definition.model import Dependency, Service
from invoke_devstack.tasks.reach.graph_drawing import Picture


def picture() -> Picture:
    waits = {"db": Dependency(condition="service_healthy")}
    services = {"web": Service(name="web", depends_on=waits), "db": Service(name="db")}
    return Picture.of(services, {"db": "healthy"})


def test_text_says_who_waits_for_whom() -> None:
    assert picture().draw("text") == "db  (healthy)\nweb\n  waits for db healthy"


def test_mermaid_points_from_what_comes_first() -> None:
    assert picture().draw("mermaid").splitlines() == [
        "flowchart LR",
        '    s0["db<br/>healthy"]',
        '    s1["web"]',
        "    s0 -->|healthy| s1",
    ]


def test_svg_is_well_formed_and_names_are_escaped() -> None:
    odd = Picture.of({"a": Service(name="a")}, {"a": "<&>"}).draw("svg")
    texts = [element.text for element in ElementTree.fromstring(odd).iter() if element.text]
    assert "<&>" in texts


def test_a_long_name_has_room_in_its_box() -> None:
    name = "worker-with-a-very-long-name-indeed"
    root = ElementTree.fromstring(Picture.of({name: Service(name=name)}, {}).draw("svg"))
    frames = [item for item in root.iter() if item.tag.endswith("rect") and item.get("rx")]
    assert int(frames[0].get("width", "0")) > len(name) * 8


def test_an_empty_stack_is_a_picture_too() -> None:
    assert ElementTree.fromstring(Picture.of({}, {}).draw("svg")).get("width") == "12"
