"""The words of each kind of mail.  `notifications.mails` puts them into envelopes."""
