from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.notifications.live.stage import POSTGRESQL, SQLITE, Stage, close, make_stage


@pytest.fixture(scope="module", params=[SQLITE, pytest.param(POSTGRESQL, marks=pytest.mark.postgresql)])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Web, worker and beat with a mail server, shared by the tests of a module."""
    stage = make_stage(request, tmp_path_factory.mktemp("stage"), request.param)
    stage.server.start()
    yield stage
    close(stage)


@pytest.fixture
def stage(running: Stage) -> Iterator[Stage]:
    """The shared one, with a mail server that works, and nothing left to send."""
    running.smtp.work()
    running.settle()
    yield running
    running.smtp.work()
