"""The examples of all identifiers again, in whatever may stand around them."""

import json
from itertools import product

import pytest

from cumulet.protection import Inspector, mask
from cumulet.protection.catalogue import IDENTIFIERS

EACH = pytest.mark.parametrize("identifier", IDENTIFIERS.values(), ids=IDENTIFIERS)


@EACH
def test_data_is_found_between_other_text(identifier):
    inspector = Inspector([identifier])

    for text, data in identifier.matches:
        for whole in (f"({text})", f"é😀 {text}, 😀", f"<b>{text}</b>", f"\xa0{text}\xa0", "lorem ipsum " * 300 + text):
            found = [whole[each.start : each.end] for each in inspector.find(whole)]
            assert data in found or any(each.startswith(data) for each in found)


@EACH
def test_data_in_a_string_of_json_is_masked_whole(identifier):
    inspector = Inspector([identifier])

    for (text, data), is_ascii in product(identifier.matches, (True, False)):
        document = json.dumps(["é😀\n", text, 7], ensure_ascii=is_ascii)
        before, masked, after = json.loads(mask(document, inspector.find(document), "#"))
        assert (before, after) == ("é😀\n", 7)
        assert data not in masked
        assert masked.count("#") >= len(data)
