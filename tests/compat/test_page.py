"""The committed page is what the tests of this run found."""

import os

import page
import pytest
from test_statuses import NOT_YET, SCENES


@pytest.mark.page
def test_the_page_says_what_this_run_found(request):
    found = page.render(
        request.config.stash[page.RESULTS], {status: how for status, (how, _) in SCENES.items()}, NOT_YET
    )
    if os.environ.get("EMBEDROUTER_WRITE_PAGE"):
        page.FILE.write_text(found)
    assert page.FILE.read_text() == found, f"{page.FILE.name} tells another story. Write it again: {page.WRITE}"
