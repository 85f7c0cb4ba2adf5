"""Routes by what a request holds besides text."""

from __future__ import annotations

import pytest

from support.common import linked, reference
from support.compiled_program import decide, machine
from vsr_compiler.diagnostics import CompileError

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: media}
router: {image: "vsr-runtime:0.1.0"}
endpoints: {text: {service: "text.models:8000"}, vision: {service: "vision.models:8000"}}
models: {text: {endpoints: text}, vision: {endpoints: vision}}
signals: {picture: {modality: MODALITY}}
routes: [{name: pictures, when: {signal: picture}, model: vision}]
default: text
"""
PARTS = {
    "image": {"type": "image_url", "image_url": {"url": "https://x.org/a.png"}},
    "audio": {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    "video": {"type": "video_url", "video_url": {"url": "https://x.org/a.mp4"}},
    "file": {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}},
}


def chat(*parts: object) -> dict[str, object]:
    """A chat with one message of these parts."""
    return {"model": "auto", "messages": [{"role": "user", "content": ["what is this?", *parts]}]}


@pytest.mark.parametrize("kind", PARTS)
def test_a_route_can_ask_for_one_kind_of_media(kind: str) -> None:
    """Text and other media go elsewhere."""
    config = machine(POLICY.replace("MODALITY", kind))
    sent = {name: decide(config, chat(part)).model for name, part in PARTS.items()}
    assert sent == dict.fromkeys(PARTS, "text") | {kind: "vision"}
    assert decide(config, chat()).model == "text"


def test_several_kinds_are_one_signal() -> None:
    """The route is for whatever a text model cannot read."""
    config = machine(POLICY.replace("MODALITY", "[file, image, audio, video]"))
    assert [decide(config, chat(part)).model for part in PARTS.values()] == ["vision"] * 4
    assert decide(config, chat()).model == "text"


def test_a_count_of_images_is_explained_instead_of_corrected() -> None:
    """The suggestion was `message`, with which every request went to the vision model."""
    text = (reference() / "data/cases/bugs/18-audio-video-not-routable/policy.yaml").read_text(encoding="utf-8")
    with pytest.raises(CompileError) as error:
        linked(text)
    [item] = error.value.diagnostics
    assert item.code == "VSR104"
    assert "modality: [image]" in item.message
    assert "message" not in item.hint
    assert decide(machine(text.replace("conversation: {of: images, min: 1}", "modality: [image]")), chat()).model
