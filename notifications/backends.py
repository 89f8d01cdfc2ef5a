"""Mail to files: the embedded default, so that a new installation shows its mails without a mail server."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone


class EmlFileBackend(BaseEmailBackend):
    """Writes each message to `EMAIL_FILE_PATH/<time>-<random>.eml`, which appears when it is whole.

    The message knows the file's name from then on, as `eml_name`.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message in email_messages:
            name = f"{timezone.now():%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}.eml"
            draft = folder / f".{name}"
            with draft.open("wb") as out:
                out.write(message.message().as_bytes())
                out.flush()
                os.fsync(out.fileno())
            draft.rename(folder / name)
            message.eml_name = name  # type: ignore[attr-defined]
        return len(email_messages)
