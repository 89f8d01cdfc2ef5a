"""How often all sessions of a person were ended, so that a session that was shut never comes back to life."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_find_audit_events")]
    operations = [
        migrations.AddField(
            model_name="user",
            name="sessions_ended",
            # A default of the database's, too: code of the version before still makes people.
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
    ]
