"""Which step of an image's history made which layer."""

from __future__ import annotations

from invoke_devstack.running.images.layers import match_layers

CLASSIC = [
    {"CreatedBy": '/bin/sh -c #(nop)  CMD ["x"]', "Size": 0},
    {"CreatedBy": "/bin/sh -c true", "Size": 0},
    {"CreatedBy": "/bin/sh -c #(nop) COPY file:abc in /a ", "Size": 5},
    {"CreatedBy": "/bin/sh -c #(nop)  ENV A=1", "Size": 0},
    {"CreatedBy": "", "Size": 9},
]
BUILDKIT = [
    {"CreatedBy": "USER nobody", "Size": 0},
    {"CreatedBy": "RUN /bin/sh -c mkdir /b # buildkit", "Size": 0},
    {"CreatedBy": "WORKDIR /a", "Size": 0},
    {"CreatedBy": "COPY a b # buildkit", "Size": 5},
    {"CreatedBy": "", "Size": 9},
]


def digests(history: list[dict[str, object]], made: list[str]) -> list[tuple[str, str]]:
    return [(layer.instruction, layer.digest) for layer in match_layers(history, made)]


def test_steps_that_only_describe_the_image_have_no_layer() -> None:
    assert digests(CLASSIC, ["base", "copy", "run"]) == [
        ("(an imported root file system)", "base"),
        ("ENV A=1", ""),
        ("COPY file:abc in /a", "copy"),
        ("RUN true", "run"),
        ('CMD ["x"]', ""),
    ]


def test_a_folder_that_is_made_by_workdir_is_a_layer_though_it_has_no_size() -> None:
    assert digests(BUILDKIT, ["base", "copy", "dir", "run"])[2:4] == [
        ("WORKDIR /a", "dir"),
        ("RUN mkdir /b", "run"),
    ]


def test_a_workdir_that_was_there_is_the_step_without_a_layer() -> None:
    assert digests(BUILDKIT, ["base", "copy", "run"])[2:4] == [("WORKDIR /a", ""), ("RUN mkdir /b", "run")]


def test_a_layer_is_the_same_only_on_the_same_ground() -> None:
    (_, _, first, _, _) = match_layers(CLASSIC, ["base", "copy", "run"])
    (_, _, second, _, _) = match_layers(CLASSIC, ["other", "copy", "run"])
    assert first.digest == second.digest
    assert first.chain != second.chain
