"""`send_digests`: make the digests now, whatever the hour, and send what is due."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import Count

from notifications import delivery, dispatch
from notifications.models import Delivery


class Command(BaseCommand):
    help = "Make the digests of all requests that nobody was told of yet, and send every mail that is due."

    def handle(self, *args: Any, **options: Any) -> None:
        made = dispatch.digests()
        dispatch.new_requests()
        sent = delivery.deliver()
        self.stdout.write(f"{made} digests made, {sent} mails sent.")
        waiting = Delivery.objects.waiting().aggregate(number=Count("pk"))["number"]
        if waiting:
            self.stdout.write(f"{waiting} mails wait for another attempt; the admin says why.")
