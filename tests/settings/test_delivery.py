"""The settings of delivery: what may stand where, and how a fault is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from digests.settings.digests import digests_of
from digests.settings.mail import SmtpSettings
from watcher.errors import SettingsError
from watcher.settings.load import parse_settings

SMTP = '[smtp]\nhost = "smtp.example.org"\n'
MAIL = 'mail = { from = "W <w@example.org>", to = ["ann@Example.net"] }\n'


def deliver(rows: str, *, mail: str = MAIL, smtp: str = SMTP):
    """Return the ways of a digest with these rows."""
    return digests_of(parse_settings(f"{smtp}[[digests]]\n{mail}deliver = [{rows}]\n", Path("s.toml")))[0]


def faults(rows: str, **parts: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        deliver(rows, **parts)
    return [f"{problem.line}:{problem.column} {problem.key}: {problem.message}" for problem in caught.value.problems]


def test_recipients_are_those_of_the_mail_unless_a_way_names_its_own():
    digest = deliver('{ channel = "smtp" }, { channel = "smtp", to = ["B <b@x.org>", "b@X.org"] }')

    assert [way.recipients(digest.mail.to) for way in digest.deliver] == [("ann@example.net",), ("b@x.org",)]


def test_a_web_address_is_never_shown_whole():
    plain, secret = deliver(
        '{ channel = "webhook", url = "https://hooks.example.org/T0/B1/secret" },'
        '{ channel = "webhook", url = "env:HOOK", shape = "slack", token = "file:token" }'
    ).deliver

    (name,) = plain.recipients(())
    assert name.startswith("hooks.example.org (")
    assert "secret" not in name + repr(plain)
    assert secret.recipients(()) == ("env:HOOK",)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ('{ channel = "fax" }', '5:24 digests[1].deliver[1].channel: got "fax", expected one of "file", "maildir"'),
        ("{}", "digests[1].deliver[1].channel: is missing"),
        (
            '{ channel = "smtp", url = "https://x.org" }',
            '5:32 digests[1].deliver[1].url: belongs to channel = "webhook"',
        ),
        (
            '{ channel = "file", directory = "x", to = ["a@x.org"] }',
            'to: belongs to channel = "smtp" or "sendmail", not "file"',
        ),
        (
            '{ channel = "file", directory = "x", attach = ["epub"] }',
            'attach: belongs to channel = "smtp" or "sendmail", not "file"',
        ),
        (
            '{ channel = "webhook", url = "env:A" }, { channel = "webhook", shape = "slack", url = "env:A" }',
            'deliver[2].url: got "env:A", the same URL as in entry 1',
        ),
        ('{ channel = "webhook" }', 'channel: got "webhook" without url; expected one'),
        ('{ channel = "apprise" }', 'channel: got "apprise" without url; expected one'),
        (
            '{ channel = "apprise", url = "tgram://TOKEN/1" }',
            'url: got a URL that is not secret, expected "env:NAME" or "file:PATH"',
        ),
        ('{ channel = "file" }', 'channel: got "file" without directory; expected one'),
        ('{ channel = "webhook", url = "ftp://x.org" }', 'url: got "ftp://x.org", expected an http or https URL'),
        ('{ channel = "webhook", url = 7 }', 'url: got 7, expected an http or https URL, "env:NAME" or "file:PATH"'),
        ('{ channel = "webhook", url = "https://x.org", token = "abc" }', 'token: expected "env:NAME" or "file:PATH"'),
        ('{ channel = "smtp", to = ["ünï@x.org"] }', 'to[1]: got "ünï@x.org", expected a mail address'),
        ('{ channel = "smtp", to = ["a@x.org, b@x.org"] }', "expected a mail address such as"),
        ('{ channel = "smtp", to = ["a@x.org\\r\\nBcc: b@x.org"] }', "expected a mail address such as"),
    ],
)
def test_a_fault_is_told_where_it_stands(rows, told):
    (fault,) = faults(rows)

    assert told in fault
    assert "TOKEN" not in fault


@pytest.mark.parametrize(
    ("table", "key", "reason"),
    [
        ('{ channel = "smtp", to = ["a@x.org"], attach = ["epub"] }', "attach", "an alert has no book"),
        ('{ channel = "file", directory = "x", formats = ["html"] }', "formats", "an alert has no format"),
        ('{ channel = "file", directory = "x", alerts = false }', "alerts", "here, each one sends alerts"),
    ],
)
def test_an_alert_has_no_book_to_attach_no_format_and_no_choice_of_alerts(table, key, reason):
    text = f'{SMTP}[alerts]\nfrom = "w@example.org"\ndeliver = [{table}]\n'

    with pytest.raises(SettingsError) as caught:
        parse_settings(text, Path("s.toml"))

    (problem,) = caught.value.problems
    assert (problem.key, problem.line) == (f"alerts.deliver[1].{key}", 5)
    assert problem.message == f"belongs to the deliveries of a digest: {reason}"


def test_mail_needs_a_sender_recipients_and_a_server():
    found = faults('{ channel = "smtp" }', mail="", smtp="")

    assert [fault.partition("deliver[1].channel: ")[2].partition(";")[0] for fault in found] == [
        'got "smtp" without a mail server',
        'got "smtp" without a sender',
        'got "smtp" without recipients',
    ]


@pytest.mark.parametrize(
    ("server", "told"),
    [
        ('host = "mail.example.org"\nsecurity = "plain"', 'security: got "plain" for another machine'),
        ('host = "mail.example.org"\nuser = "me"', "user: got user without password"),
        ('host = "mail.example.org"\npassword = "env:P"', "password: got password without user"),
        ('host = "mail.example.org"\nuser = "me"\npassword = "right"', 'password: expected "env:NAME" or "file:PATH"'),
    ],
)
def test_a_server_must_be_safe_to_talk_to(server, told):
    (fault,) = faults('{ channel = "smtp" }', smtp=f"[smtp]\n{server}\n")

    assert told in fault


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_a_plain_connection_stays_on_this_machine(host):
    settings = parse_settings(f'[smtp]\nhost = "{host}"\nsecurity = "plain"\n', Path("s.toml"))

    assert settings.section(SmtpSettings).at == (host, 25)


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/stop",
        "https://example.org/a b",
        "https://example.org/>",
        "mailto:",
        "mailto:x",
        "javascript:1",
    ],
)
def test_how_to_stop_it_is_an_address_that_fits_a_header(address):
    with pytest.raises(SettingsError, match="unsubscribe: got"):
        parse_settings(f'[[digests]]\nmail = {{ from = "w@x.org", unsubscribe = "{address}" }}', Path("s.toml"))
